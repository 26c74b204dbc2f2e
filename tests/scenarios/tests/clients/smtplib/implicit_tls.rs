//! `SMTP_SSL`: TLS from the first octet.

use test_support::{RelayBuilder, Sink};

use super::program::run;
use crate::{awkward, submission_arrives};

const PROGRAM: &str = r#"
with connect(smtplib.SMTP_SSL, context=context) as server:
    server.login("user", "secret")
    refused = server.sendmail("user@desk.example", "x@elsewhere.example", message)
    assert not refused, refused
"#;

#[test]
fn a_user_submits_under_tls_from_the_start() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .replace(
            "direction = \"submission\"",
            "direction = \"submission\"\ntls = \"implicit\"",
        )
        .start();
    if run(PROGRAM, &relay, "submission", &awkward()).is_none() {
        return;
    }
    submission_arrives(relay, sink);
}
