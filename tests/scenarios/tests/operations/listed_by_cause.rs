//! Messages are found by their cause: the last reply of a recipient, and the reason of a quarantine.

use serde_json::Value;
use test_support::Sink;

use crate::{MESSAGE, accepted, judged_by};

const SCRIPT: &str = r#"
[[on]]
command = "RCPT"
match = "full@*"
reply = "452 4.2.2 Mailbox full"

[[on]]
command = "RCPT"
match = "slow@*"
reply = "450 4.7.1 Greylisted"
"#;

const ODD: &[u8] = b"From: Ann <ann@sender.example>\r\nX-Attack: now\r\n\r\nHello!\r\n";

#[test]
fn messages_are_listed_by_the_cause_for_which_they_wait() {
    let sink = Sink::scripted(SCRIPT, &[]);
    let relay = judged_by("quarantines", &sink)
        .replace("retry = [\"1s\"]", "retry = [\"1h\"]")
        .start();
    let full = accepted(&relay, &["full@desk.example"], MESSAGE);
    let slow = accepted(&relay, &["slow@desk.example", "ok@desk.example"], MESSAGE);
    let odd = accepted(&relay, &["x@desk.example"], ODD);
    assert_eq!(sink.take().to, ["ok@desk.example"]);
    let ids = |found: Vec<Value>| -> Vec<String> {
        let id = |of: &Value| of["id"].as_str().unwrap().to_owned();
        found.iter().map(id).collect()
    };
    let queued = |cause: &str| ids(relay.json(&["queue", "list", "--cause", cause]));
    for id in [&full, &slow] {
        relay.eventually("it was tried", |relay| {
            let attempts = relay.events(id, "attempt");
            let mut endings = attempts.iter().map(|attempt| &attempt["ending"]);
            endings.any(|of| of.get("deferred").is_some()).then_some(())
        });
    }
    assert_eq!(queued("4.2.2"), [full.as_str()]);
    assert_eq!(queued("greylisted"), [slow.as_str()]);
    assert_eq!(queued("45"), [full, slow]);
    // What was delivered is the cause of nothing.
    assert!(queued("250").is_empty());
    let quarantined = |cause: &str| ids(relay.json(&["quarantine", "list", "--cause", cause]));
    assert_eq!(quarantined("should look at it"), [odd]);
    assert!(quarantined("virus").is_empty());
}
