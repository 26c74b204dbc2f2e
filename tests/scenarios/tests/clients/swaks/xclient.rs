//! swaks in the place of a proxy that says for whom it speaks (XCLIENT).

use test_support::{RelayBuilder, Sink};

use super::program::Swaks;
use crate::awkward;

const BEHIND: [&str; 6] = [
    "--xclient-addr",
    "192.0.2.7",
    "--xclient-port",
    "4711",
    "--xclient-helo",
    "spike.example",
];

#[test]
fn xclient_sets_the_client() {
    let Some(swaks) = Swaks::installed() else {
        return;
    };
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .replace(
            "direction = \"inbound\"",
            "direction = \"inbound\"\nxclient-from = [\"127.0.0.1/32\"]",
        )
        .start();
    let envelope = ["--from", "ann@sender.example", "--to", "user@desk.example"];
    let arguments = [&envelope[..], &BEHIND].concat();
    swaks.send(&relay, "mx", &awkward(), &arguments).accepted();
    let field = sink.take().header("Received").unwrap();
    assert!(
        field.starts_with("from spike.example ([192.0.2.7])"),
        "{field}"
    );
    relay.leaves_nothing(sink);
}

#[test]
fn a_user_is_believed_behind_a_proxy() {
    let Some(swaks) = Swaks::installed() else {
        return;
    };
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .replace(
            "direction = \"submission\"",
            "direction = \"submission\"\nxclient-from = [\"127.0.0.1/32\"]",
        )
        .start();
    let envelope = ["--from", "user@desk.example", "--to", "x@elsewhere.example"];
    let arguments = [&envelope[..], &BEHIND, &["--xclient-login", "user"]].concat();
    let run = swaks.send(&relay, "submission", &awkward(), &arguments);
    run.accepted();
    let field = sink.take().header("Received").unwrap();
    assert!(field.contains("([192.0.2.7])"), "{field}");
    assert!(field.contains(" with ESMTPA id "), "{field}");
    relay.leaves_nothing(sink);
}

#[test]
fn xclient_is_not_offered_to_other_networks() {
    let Some(swaks) = Swaks::installed() else {
        return;
    };
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let envelope = ["--from", "ann@sender.example", "--to", "user@desk.example"];
    let arguments = [&envelope[..], &BEHIND].concat();
    let run = swaks.send(&relay, "mx", &awkward(), &arguments);
    assert_ne!(run.code, Some(0), "{}", run.dialogue);
    let why = "Host did not advertise XCLIENT";
    assert!(run.dialogue.contains(why), "{}", run.dialogue);
    relay.leaves_nothing(sink);
}
