//! Mail of strangers makes no events, and a field for metadata in it is removed and not heard.

use test_support::Sink;

use crate::{listed, relay_to};

#[test]
fn mail_of_strangers_makes_no_events() {
    let sink = Sink::start();
    let relay = relay_to(&sink).start();
    let message = b"From: Bob <bob@b.example>\r\nX-Gatepost-Metadata: 4711\r\n\
        x_gatepost-metadata : 4712\r\nSubject: hello\r\n\r\nHello!\r\n";
    let mut client = relay.client("mx");
    client.ehlo();
    let reply = client.deliver("bob@b.example", &["help@desk.example"], message);
    assert_eq!(reply.unwrap().code, 250);
    let arrived = sink.take();
    assert_eq!(arrived.header("Subject").as_deref(), Some("hello"));
    assert!(!arrived.text().contains("471"), "{}", arrived.text());
    assert!(listed(&relay, &[]).is_empty());
    drop(client);
    relay.leaves_nothing(sink);
}
