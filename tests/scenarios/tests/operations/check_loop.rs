//! The same file twice shows what a loop would meet: `gatepost check` remembers, for the run, what a
//! policy wants remembered. What has left a relay is known again by its email id.

use test_support::{RelayBuilder, Sink};

#[test]
fn our_own_message_a_second_time_is_a_loop() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let mut client = relay.client("submission").authenticated("user", "secret");
    let message = b"From: <help@desk.example>\r\n\
        To: ann@sender.example\r\n\
        \r\n\
        Your ticket was updated.\r\n";
    let reply = client.deliver("help@desk.example", &["ann@sender.example"], message);
    assert_eq!(reply.unwrap().code, 250);

    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("notification.eml");
    std::fs::write(&file, sink.take().bytes()).unwrap();
    let file = file.to_string_lossy();
    let to = ["check", "--listener=mx", "--rcpt-to=help@desk.example"];
    let reports = relay.json(&[&to[..], &[&file, &file]].concat());
    assert_eq!(reports[0]["verdict"], "accept", "{:#}", reports[0]);
    assert_eq!(reports[1]["verdict"], "reject", "{:#}", reports[1]);
    assert_eq!(reports[1]["reply"]["enhanced"], "5.4.6");
    let reasons = reports[1]["policies"].to_string();
    let before = "has already come to help@desk.example";
    assert!(reasons.contains(before), "{reasons}");
    drop(client);
    relay.leaves_nothing(sink);
}
