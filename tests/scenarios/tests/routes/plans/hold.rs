//! A policy holds a message for a person, with the reason, and it leaves when it is released.

use super::quick;
use crate::{MESSAGE, relay, routed, server, submitted};

#[test]
fn a_message_is_held_with_the_reason_of_the_policy() {
    let server = server("");
    let (dns, quick) = quick(&server);
    let builder = routed(quick, r#"{ hold = "this customer has left" }"#);
    let relay_holding = builder.start();
    let id = submitted(&relay_holding, &["x@b.example"], MESSAGE);
    let shown = relay_holding.eventually("it is held", |relay| {
        let shown = relay.json(&["queue", "show", &id]).remove(0);
        (shown["recipients"][0]["status"] == "held").then_some(shown)
    });
    let reply = shown["recipients"][0]["last-reply"].to_string();
    assert!(reply.contains("this customer has left"), "{shown}");
    assert_eq!(server.dialogue(), "");
    relay_holding.reloads(&relay(&dns, server.address().port()));
    relay_holding.json(&["queue", "release", &id]);
    assert_eq!(server.take().to, ["x@b.example"]);
    relay_holding.leaves_nothing(server);
}
