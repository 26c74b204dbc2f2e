//! AUTH LOGIN on submission.

use test_support::{RelayBuilder, Sink};

use super::program::Swaks;
use crate::{assert_whole, awkward};

#[test]
fn a_user_submits_to_anywhere() {
    let Some(swaks) = Swaks::with_tls() else {
        return;
    };
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let arguments = [
        ["--from", "user@desk.example"],
        ["--to", "x@elsewhere.example"],
        ["--auth", "LOGIN"],
        ["--auth-user", "user"],
        ["--auth-password", "secret"],
    ];
    let run = swaks.send(
        &relay,
        "submission",
        &awkward(),
        &[&arguments.concat()[..], &["--tls"]].concat(),
    );
    run.accepted();
    assert!(run.dialogue.contains("AUTH LOGIN"), "{}", run.dialogue);
    let taken = sink.take();
    assert_eq!(taken.to, ["x@elsewhere.example"]);
    let field = taken.header("Received").unwrap();
    assert!(field.contains(" with ESMTPSA id "), "{field}");
    assert_whole(&taken, &awkward());
    relay.leaves_nothing(sink);
}
