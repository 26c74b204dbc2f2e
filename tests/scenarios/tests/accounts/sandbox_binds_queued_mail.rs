//! An account that becomes a sandbox sends nothing into the world any more, although its mail waits in
//! the queue with a route that leads there.

use test_support::Sink;

use crate::{NATIVE, Site};

#[test]
fn mail_that_waits_when_its_account_becomes_a_sandbox_does_not_leave() {
    let site = Site::towards(Sink::with(&["--tempfail-first", "1000"]), &[]);
    let id = site.submit(&["bob@world.test"], "waits");
    site.relay.eventually("deferred", |relay| {
        let attempts = relay.events(&id, "attempt");
        attempts
            .iter()
            .any(|of| of["destination"] != serde_json::Value::Null)
            .then_some(())
    });
    site.relay.json(&["account", "set-sandbox", NATIVE]);
    site.relay.command(&["queue", "retry", &id]);
    let last = site.relay.eventually("failed", |relay| {
        let attempts = relay.events(&id, "attempt");
        let failed = attempts.into_iter().find(|of| of["ending"] == "failed");
        failed.map(|of| of["reply"].clone())
    });
    assert_eq!(
        (&last["code"], &last["enhanced"]),
        (&550.into(), &"5.7.1".into())
    );
    assert!(last.to_string().contains("is a sandbox"), "{last}");
}
