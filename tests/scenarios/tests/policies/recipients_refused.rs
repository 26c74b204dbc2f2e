//! A policy refuses some recipients after the data. Refused for all, the message is refused; for
//! some, it is taken for the others, and a sender who has authenticated is told of the rest in a
//! bounce. Who has not may not be who they say they are, and is told nothing.

use test_support::{Client, Sink};

use crate::Guest;

const FOR_ONE: &[u8] = b"From: <ann@desk.example>\r\n\
    Subject: for one\r\n\
    X-Refuse: x@desk.example\r\n\
    \r\n\
    Hello!\r\n";

const FOR_BOTH: &[u8] = b"From: <ann@desk.example>\r\n\
    X-Refuse: x@desk.example, y@desk.example\r\n\
    \r\n\
    Hello!\r\n";

const BOTH: [&str; 2] = ["x@desk.example", "y@desk.example"];

#[test]
fn a_message_refused_for_all_recipients_is_refused() {
    let sink = Sink::start();
    let relay = Guest::new("refuses_some").relay(&sink).start();
    let mut client = relay.client("mx");
    client.ehlo();
    let reply = client.deliver("ann@desk.example", &BOTH, FOR_BOTH).unwrap();
    assert_eq!((reply.code, reply.enhanced()), (550, Some("5.7.1")));
    assert!(reply.text().contains("Not to this recipient"));
    drop(client);
    relay.leaves_nothing(sink);
}

#[test]
fn a_message_refused_for_some_is_accepted_for_the_others() {
    let sink = Sink::start();
    let relay = Guest::new("refuses_some").relay(&sink).start();
    let mut client = relay.client("mx");
    client.ehlo();
    let reply = client.deliver("ann@desk.example", &BOTH, FOR_ONE).unwrap();
    assert_eq!(reply.code, 250);
    assert_eq!(sink.take().to, ["y@desk.example"]);
    let id = reply.transaction();
    relay.eventually("the delivery is on record", |relay| {
        relay.events(&id, "attempt").pop()
    });
    let refused = relay.events(&id, "recipient").pop().unwrap();
    assert_eq!(refused["address"], "x@desk.example");
    assert_eq!(refused["reply"]["code"], 550);
    assert_eq!(relay.events(&id, "bounced").len(), 0);
    drop(client);
    relay.leaves_nothing(sink);
}

#[test]
fn a_sender_who_has_authenticated_is_told_of_the_rest() {
    let sink = Sink::start();
    let relay = Guest::new("refuses_some").relay(&sink).start();
    let mut client = Client::greeted(relay.address("submission")).authenticated("user", "secret");
    let reply = client.deliver("ann@desk.example", &BOTH, FOR_ONE).unwrap();
    assert_eq!(reply.code, 250);
    let mut arrived = [sink.take(), sink.take()];
    arrived.sort_by_key(|taken| taken.from.len());
    let [bounce, message] = arrived;
    assert_eq!(message.to, ["y@desk.example"]);
    assert_eq!(bounce.from, "");
    assert_eq!(bounce.to, ["ann@desk.example"]);
    let text = bounce.text();
    assert!(
        text.contains("Final-Recipient: rfc822; x@desk.example"),
        "{text}"
    );
    assert!(text.contains("Status: 5.7.1"), "{text}");
    assert!(!text.contains("y@desk.example"), "{text}");
    let bounced = relay.events(&reply.transaction(), "bounced");
    assert_eq!(bounced[0]["recipients"][0], "x@desk.example");
    drop(client);
    relay.eventually("both deliveries are recorded", |relay| {
        relay
            .json(&["queue", "list", "--messages"])
            .is_empty()
            .then_some(())
    });
    relay.leaves_nothing(sink);
}
