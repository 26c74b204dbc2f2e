//! A policy that keeps failing is no longer called: its `on-error` holds for every message, and
//! the relay says so loudly, until a good version takes its place.

use test_support::{Sink, hostile_file};

use crate::{ATTACK, Guest, INNOCENT, send, status};

#[test]
fn it_opens_loudly_and_closes_with_a_good_version() {
    let sink = Sink::start();
    let relay = Guest::new("trap").relay(&sink).start();
    let open = || relay.metric("gatepost_policy_breaker_open{policy=\"guest\"}");
    assert_eq!(open(), Some(0.0));
    for _ in 0..10 {
        assert_eq!(send(&relay, ATTACK).code, 451);
    }
    let said = relay.logged("POLICY KEEPS FAILING");
    assert!(said.contains("ERROR") && said.contains("guest"), "{said}");
    assert!(
        said.contains("activate a mended version or roll back"),
        "{said}"
    );
    assert_eq!(open(), Some(1.0));
    assert_eq!(status(&relay, "guest")["called"], false);

    // It is not called any more, so that even what it would let pass has to wait.
    let reply = send(&relay, INNOCENT);
    assert_eq!(reply.code, 451);
    let judgement = &relay.judgements(&reply.transaction())[0];
    assert_eq!(judgement["error"]["kind"], "breaker-open");

    let good = hostile_file("version_one");
    relay.json(&[
        "policy",
        "activate",
        &good.to_string_lossy(),
        "--name",
        "guest",
    ]);
    assert_eq!(open(), Some(0.0));
    assert_eq!(status(&relay, "guest")["called"], true);
    assert_eq!(send(&relay, ATTACK).code, 250);
    assert_eq!(sink.take().header("X-Version").as_deref(), Some("one"));

    // The one that failed is as it was, should anybody go back to it.
    relay.json(&["policy", "rollback", "guest"]);
    assert_eq!(open(), Some(1.0));
    assert_eq!(send(&relay, INNOCENT).code, 451);
    relay.leaves_nothing(sink);
}
