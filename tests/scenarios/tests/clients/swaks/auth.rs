//! AUTH LOGIN and AUTH PLAIN on submission.

use test_support::{RelayBuilder, Sink};

use super::program::Swaks;
use crate::submission_arrives;

#[test]
fn a_user_submits_to_anywhere_by_each_mechanism() {
    let Some(swaks) = Swaks::with_tls() else {
        return;
    };
    for mechanism in ["LOGIN", "PLAIN"] {
        let sink = Sink::start();
        let relay = RelayBuilder::usual(sink.address()).start();
        let run = swaks.submit(&relay, "secret", &["--tls", "--auth", mechanism]);
        run.accepted();
        let said = format!("AUTH {mechanism}");
        assert!(run.dialogue.contains(&said), "{}", run.dialogue);
        submission_arrives(relay, sink);
    }
}
