//! A certificate is renewed before its end, and new sessions are shown the new one without a restart.
//! After a restart, the one of the store is shown, and the authority is asked for nothing.

use std::time::Duration;

use test_support::{AcmeServer, RelayBuilder, Sink};

use super::shown;

#[test]
fn a_certificate_is_renewed_while_the_relay_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (sink, authority) = (Sink::start(), AcmeServer::start(folder.path()));
    authority.issue_for(Duration::from_secs(3));
    let mut relay = RelayBuilder::usual(sink.address())
        .with(&authority.settings("http-01"))
        .start();
    authority.names_lead_to(relay.address("acme"));
    authority.issued(1);
    authority.issue_for(Duration::from_secs(90 * 86_400));
    relay.logged("certificate issued");
    // A session that began with the first one is shown the next, if it starts TLS after it.
    let mut early = relay.client("mx");
    early.ehlo();
    // Before, the first one may have been renewed for its short life more than once.
    let said = relay.logged("next order of a certificate");
    assert!(said.contains("at="), "{said}");
    let issued = authority.issued(2);
    let last = relay.eventually("the new one is shown", |relay| {
        let shown = shown(relay, "mx.desk.example");
        (shown != issued[0]).then_some(shown)
    });
    assert_eq!(Some(&last), authority.issued(2).last());
    early.command("STARTTLS", 220);
    early.secure_as("mx.desk.example").unwrap();
    assert_eq!(early.certificate().unwrap(), last);
    drop(early);
    // The account is kept: one was registered.
    assert_eq!(authority.contacts().len(), 1);

    let asked = authority.requests().len();
    assert!(relay.terminate().success());
    relay.restart();
    assert_eq!(shown(&relay, "mx.desk.example"), last);
    relay.logged("next order of a certificate");
    assert_eq!(authority.requests().len(), asked);
    assert!(
        !relay.log().contains("no certificate yet"),
        "{}",
        relay.log()
    );
    relay.leaves_nothing(sink);
}
