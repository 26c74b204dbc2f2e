//! Two files show what a loop would meet: `gatepost check` remembers, for the run, what a
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
    let write = |name: &str, octets: &[u8]| {
        let file = directory.path().join(name);
        std::fs::write(&file, octets).unwrap();
        file.to_string_lossy().into_owned()
    };
    let notification = sink.take().bytes();
    let first = write("notification.eml", &notification);
    // Who has it back has sent it on.
    let hop = b"Received: from a.example by elsewhere.example; now\r\n";
    let back = write("back.eml", &[hop, &notification[..]].concat());
    let to = ["check", "--listener=mx", "--rcpt-to=help@desk.example"];
    let reports = relay.json(&[&to[..], &[&first, &back]].concat());
    assert_eq!(reports[0]["verdict"], "accept", "{:#}", reports[0]);
    assert_eq!(reports[1]["verdict"], "reject", "{:#}", reports[1]);
    assert_eq!(reports[1]["reply"]["enhanced"], "5.4.6");
    let reasons = reports[1]["policies"].to_string();
    let before = "has already come to help@desk.example";
    assert!(reasons.contains(before), "{reasons}");
    // The very same is sent again by a client that has not heard our reply.
    let reports = relay.json(&[&to[..], &[&first, &first]].concat());
    assert_eq!(reports[1]["verdict"], "accept", "{:#}", reports[1]);
    assert_eq!(reports[1]["recipients"][0]["verdict"], "suppress");
    drop(client);
    relay.leaves_nothing(sink);
}
