//! TLS from the first octet, with AUTH, as a submission service should have it (RFC 8314).

use test_support::{RelayBuilder, Sink};

use super::program::Swaks;
use crate::submission_arrives;

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
    swaks
        .submit(&relay, "secret", &["--tls-on-connect", "--auth"])
        .accepted();
    submission_arrives(relay, sink);
}
