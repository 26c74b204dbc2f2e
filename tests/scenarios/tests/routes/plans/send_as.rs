//! A plan with `send-as` lets the message leave in another name: in From and in the reverse-path.

use super::quick;
use crate::{attempt, routed, server, submitted};

const MESSAGE: &[u8] = b"From: Ann <ann@sender.example>\r\n\
    Sender: secretary@sender.example\r\n\
    Subject: hello\r\n\
    \r\n\
    Hello!\r\n";

#[test]
fn mail_leaves_in_the_name_of_the_plan() {
    let server = server("");
    let (_dns, relay) = quick(&server);
    let relay = routed(relay, r#"{ by = "mx", send-as = "help@desk.example" }"#).start();
    let id = submitted(&relay, &["x@b.example"], MESSAGE);
    let taken = server.take();
    assert_eq!(taken.from, "help@desk.example");
    assert_eq!(taken.header("From").unwrap(), "\"Ann\" <help@desk.example>");
    assert_eq!(taken.header("Sender"), None);
    assert!(taken.text().ends_with("\r\n\r\nHello!\r\n"));
    server.spoken("MAIL FROM:<help@desk.example>");
    assert_eq!(attempt(&relay, &id, 1)["ending"], "delivered");
    let trace = relay.trace_until(&id, "delivered");
    assert!(
        trace.contains("deliver by mx; as help@desk.example"),
        "{trace}"
    );
    relay.leaves_nothing(server);
}
