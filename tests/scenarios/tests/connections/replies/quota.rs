//! The daily quota of a Microsoft mailbox: its mail waits and does not bounce, and mail of another
//! mailbox goes on.

use test_support::workspace;

use crate::{Service, submit, submit_from, waits};

#[test]
fn a_mailbox_over_its_quota_waits_alone() {
    let replies = workspace().join("tests/fixtures/services/microsoft-365");
    let service = Service::start(&format!(
        "profile-replies = {replies:?}
        [auth]
        users = [{{ name = 'desk', password = 'hush-of-the-desk' }}]
        [[on]]
        refusal = 'daily-recipients'
        times = 1
        "
    ));
    let keys = format!("{}profile = 'microsoft-365'\n", crate::USER);
    let relay = service.relay(&keys).start();
    let id = submit(&relay, &["x@elsewhere.example"]);
    let (recipient, reason) = waits(&relay, &id, "SubmissionQuotaExceeded");
    assert!(!reason.is_empty());
    let shown = relay.json(&["queue", "show", &id]).remove(0);
    let due = recipient["next-attempt"].as_u64().unwrap();
    let wait = due - shown["received-at"].as_u64().unwrap();
    assert!((3_600_000..3_700_000).contains(&wait), "{wait}");
    let shown = relay.json(&["connection", "show", "desk"]).remove(0);
    assert_eq!(shown["status"]["state"], "working", "{shown}");

    let same = submit(&relay, &["y@elsewhere.example"]);
    submit_from(&relay, "bob@sender.example", &["z@elsewhere.example"]);
    let taken = service.sink.take();
    assert_eq!(
        (&*taken.from, &*taken.to[0]),
        ("bob@sender.example", "z@elsewhere.example")
    );
    assert_eq!(taken.mechanism.as_deref(), Some("LOGIN"));
    waits(&relay, &same, "");
    relay.json(&["queue", "cancel", &id, &same]);
    relay.leaves_nothing(service.sink);
}
