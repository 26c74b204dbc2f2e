//! A wrong password: swaks ends with its code for a failed AUTH, and nothing is sent.

use test_support::{RelayBuilder, Sink};

use super::program::Swaks;

#[test]
fn nothing_is_accepted_after_a_wrong_password() {
    let Some(swaks) = Swaks::with_tls() else {
        return;
    };
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let run = swaks.submit(&relay, "wrong", &["--tls", "--auth"]);
    assert_eq!(run.code, Some(28), "{}", run.dialogue);
    assert!(run.dialogue.contains("535 5.7.8 "), "{}", run.dialogue);
    relay.leaves_nothing(sink);
}
