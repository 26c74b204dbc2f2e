//! `starttls` with a look at the certificate, then `login`, first with a wrong password.

use test_support::{RelayBuilder, Sink};

use super::program::run;
use crate::{awkward, submission_arrives};

const PROGRAM: &str = r#"
with connect() as server:
    server.starttls(context=context)
    try:
        server.login("user", "wrong")
    except smtplib.SMTPAuthenticationError as error:
        tell(error.smtp_code, error.smtp_error)
    tell(*server.login("user", "secret"))
    refused = server.sendmail("user@desk.example", "x@elsewhere.example", message)
    assert not refused, refused
"#;

#[test]
fn a_user_submits_to_anywhere() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let Some(replies) = run(PROGRAM, &relay, "submission", &awkward()) else {
        return;
    };
    let mut replies = replies.lines();
    // smtplib goes through all mechanisms that it knows before it gives up.
    assert!(replies.next().unwrap().starts_with("535 5.7.8 "));
    assert!(replies.next().unwrap().starts_with("235 2.7.0 "));
    submission_arrives(relay, sink);
}
