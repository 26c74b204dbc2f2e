//! TLS from the first octet, with AUTH, as a submission service should have it (RFC 8314).

use test_support::{RelayBuilder, Sink};

use super::program::Swaks;
use crate::{assert_whole, awkward};

#[test]
fn a_user_submits_under_tls_from_the_start() {
    let Some(swaks) = Swaks::with_tls() else {
        return;
    };
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .replace(
            "direction = \"submission\"",
            "direction = \"submission\"\ntls = \"implicit\"",
        )
        .start();
    let arguments = [
        ["--from", "user@desk.example"],
        ["--to", "x@elsewhere.example"],
        ["--auth-user", "user"],
        ["--auth-password", "secret"],
        ["--tls-on-connect", "--auth"],
    ];
    swaks
        .send(&relay, "submission", &awkward(), &arguments.concat())
        .accepted();
    let taken = sink.take();
    let field = taken.header("Received").unwrap();
    assert!(field.contains(" with ESMTPSA id "), "{field}");
    assert_whole(&taken, &awkward());
    relay.leaves_nothing(sink);
}
