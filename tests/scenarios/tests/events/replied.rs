//! An answer to a message of the application is told of, with the metadata of that message.

use test_support::{Relay, Sink};

use crate::{listed, relay_to, submitted, until};

fn enter(relay: &Relay, fields: &str) -> String {
    let message = format!("From: Bob <bob@b.example>\r\n{fields}\r\nThanks!\r\n");
    let mut client = relay.client("mx");
    client.ehlo();
    let reply = client.deliver("bob@b.example", &["help@desk.example"], message.as_bytes());
    let reply = reply.unwrap();
    assert_eq!(reply.code, 250);
    reply.transaction()
}

#[test]
fn an_answer_is_told_of_with_the_metadata_of_what_it_answers() {
    let sink = Sink::start();
    let relay = relay_to(&sink).start();
    let id = submitted(&relay, &["bob@b.example"], "X-Gatepost-Metadata: 4711\r\n");
    until(&relay, &id, "delivered");
    sink.take();
    // The record of what was sent is written behind the reply.
    let answer = relay.eventually("the answer is known as one", |relay| {
        let answer = enter(relay, "In-Reply-To: <1@desk.example>\r\n");
        let replied = listed(relay, &["--kind", "replied"]);
        sink.take();
        let replied = replied.iter().find(|event| event["answer"] == *answer);
        replied.cloned()
    });
    assert_eq!(answer["transaction"], *id);
    assert_eq!(answer["account"], "acme");
    assert_eq!(answer["address"], "help@desk.example");
    assert_eq!(answer["recipient"], "bob@b.example");
    assert_eq!(answer["metadata"], "4711");

    let before = listed(&relay, &[]).len();
    enter(&relay, "In-Reply-To: <2@desk.example>\r\n");
    sink.take();
    assert_eq!(
        listed(&relay, &[]).len(),
        before,
        "that answers nothing of ours"
    );
    relay.leaves_nothing(sink);
}
