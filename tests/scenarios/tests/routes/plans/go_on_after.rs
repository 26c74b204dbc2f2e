//! After two deferred attempts at the first step of a plan, the second step is taken at once.

use super::{DEFERS, quick};
use crate::{MESSAGE, attempt, beside, routed, server, submitted};

#[test]
fn the_second_step_is_taken_after_two_failures() {
    let second = server("");
    let first = beside(&second, 3, DEFERS);
    let (_dns, relay) = quick(&second);
    let port = first.address().port();
    let route = format!(
        r#"{{ by = {{ next-hop = {{ host = "127.0.0.3", port = {port}, tls = "none" }} }},
              go-on-after = {{ failures = 2, seconds = 0 }}, then = [{{ by = "mx" }}] }}"#
    );
    let relay = routed(relay, &route).start();
    let id = submitted(&relay, &["x@b.example"], MESSAGE);
    assert_eq!(second.take().to, ["x@b.example"]);
    let last = attempt(&relay, &id, 3);
    assert_eq!(last["ending"], "delivered");
    assert_eq!(last["attempt"], 3);
    let said = first.dialogue();
    assert_eq!(said.matches("RCPT TO").count(), 2, "{said}");
    let second_try = attempt(&relay, &id, 2);
    let next = second_try["ending"]["deferred"]["next-attempt"].as_u64();
    assert!(
        next.unwrap() < second_try["at"].as_u64().unwrap() + 1_000,
        "{second_try}"
    );
    assert!(first.rest().is_empty());
    relay.leaves_nothing(second);
}
