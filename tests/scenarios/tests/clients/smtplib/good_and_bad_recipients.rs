//! `sendmail` to recipients of whom some, then all, are refused.

use test_support::{RelayBuilder, Sink};

use super::program::run;
use crate::{assert_whole, awkward};

const PROGRAM: &str = r#"
with connect() as server:
    recipients = ["one@desk.example", "x@elsewhere.example", "two@desk.example", "y@@desk"]
    for recipient, reply in server.sendmail("ann@sender.example", recipients, message).items():
        tell(recipient, *reply)
    try:
        server.sendmail("ann@sender.example", ["x@elsewhere.example"], message)
    except smtplib.SMTPRecipientsRefused as error:
        for recipient, reply in error.recipients.items():
            tell(recipient, *reply)
    server.sendmail("ann@sender.example", ["three@desk.example"], message)
"#;

#[test]
fn the_good_ones_get_it_and_the_bad_ones_are_named() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let Some(refused) = run(PROGRAM, &relay, "mx", &awkward()) else {
        return;
    };
    let refused: Vec<&str> = refused.lines().collect();
    assert_eq!(refused.len(), 3, "{refused:?}");
    assert!(
        refused[0].starts_with("x@elsewhere.example 550 5.7.1 "),
        "{refused:?}"
    );
    assert!(refused[1].starts_with("y@@desk 501 5.1.3 "), "{refused:?}");
    assert!(
        refused[2].starts_with("x@elsewhere.example 550 5.7.1 "),
        "{refused:?}"
    );
    let mut taken = [sink.take(), sink.take()];
    // Which of the two is delivered first is not said.
    taken.sort_by_key(|taken| taken.to.len());
    assert_eq!(taken[0].to, ["three@desk.example"]);
    assert_eq!(taken[1].to, ["one@desk.example", "two@desk.example"]);
    assert_whole(&taken[1], &awkward());
    relay.leaves_nothing(sink);
}
