//! The public suite of SMTP dialogues, played against the relay word by word, with what each says
//! must come of it (RFC 5321 and its extensions; each dialogue names its section).
//!
//! [`player`] speaks the suite's language, [`checks`] holds what the suite says in prose, and
//! [`later`] the few dialogues that are not played yet, each with its reason.

mod checks;
mod later;
mod player;

use serde_json::Value;
use test_support::{RelayBuilder, Sink, conformance, say};

use self::player::Stage;

/// By how much the relay may grow while it is sent lines and header sections without end.
const GROWTH: u64 = 64 << 20;

#[test]
fn dialogues_go_as_written() {
    let Some(suite) = conformance("smtp-dialogs") else {
        return;
    };
    let text = std::fs::read_to_string(suite.join("dialogs-generic.json")).unwrap();
    let suite: Value = serde_json::from_str(&text).unwrap();
    let dialogues = suite["dialogs"].as_array().unwrap();

    let sink = Sink::start();
    let mut relay = RelayBuilder::usual(sink.address()).start();
    let rest = relay.process().peak_memory();
    let mut left = 0;
    for dialogue in dialogues {
        let id = dialogue["id"].as_str().unwrap();
        if let Some(reason) = later::reason(id) {
            say(&format!("dialogue left for later: {id}: {reason}"));
            left += 1;
            continue;
        }
        let tls = dialogue["tls"].as_bool().unwrap();
        let steps = dialogue["steps"].as_array().unwrap().iter();
        let mut stage = Stage::enter(id, tls, &relay, &sink);
        steps.for_each(|step| stage.play(step.as_str().unwrap()));
        checks::check(&mut stage);
    }
    assert_eq!(
        left,
        later::LATER.len(),
        "some are left that the suite has not"
    );
    say(&format!("dialogues played: {}", dialogues.len() - left));
    let peak = relay.process().peak_memory();
    assert!(peak < rest + GROWTH, "from {rest} octets to {peak}");
    relay.leaves_nothing(sink);
}
