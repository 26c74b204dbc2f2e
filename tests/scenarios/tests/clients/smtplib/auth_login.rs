//! AUTH LOGIN, where smtplib says the user's name in the command itself.

use test_support::{RelayBuilder, Sink};

use super::program::run;
use crate::{awkward, submission_arrives};

const PROGRAM: &str = r#"
with connect() as server:
    server.starttls(context=context)
    server.ehlo()
    server.user, server.password = "user", "secret"
    tell(*server.auth("LOGIN", server.auth_login))
    refused = server.sendmail("user@desk.example", "x@elsewhere.example", message)
    assert not refused, refused
"#;

#[test]
fn a_user_submits_to_anywhere() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let Some(reply) = run(PROGRAM, &relay, "submission", &awkward()) else {
        return;
    };
    assert!(reply.starts_with("235 2.7.0 "), "{reply}");
    submission_arrives(relay, sink);
}
