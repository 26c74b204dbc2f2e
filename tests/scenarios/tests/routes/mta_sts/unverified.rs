//! With a policy in mode `enforce`, a server that does not prove by TLS to be the one gets nothing,
//! in plaintext least of all.

use super::{Domain, STARTTLS};
use crate::{MESSAGE, assert_nothing_came, submitted, waits};

fn waits_in_front_of(script: &str, certified: &str, reply: &str) {
    let domain = Domain::start(script, certified, "enforce", "*.b.example");
    let relay = domain.relay().start();
    let id = submitted(&relay, &["x@b.example"], MESSAGE);
    waits(&relay, &id, reply);
    domain.assert_fetched();
    let dialogue = domain.server.dialogue();
    assert!(dialogue.contains("EHLO"), "{dialogue}");
    assert!(!dialogue.contains("MAIL FROM"), "{dialogue}");
    assert_nothing_came(domain.server);
}

#[test]
fn mail_waits_for_a_server_with_a_certificate_for_another_name() {
    waits_in_front_of(STARTTLS, "other.example", "454 4.7.5 ");
}

#[test]
fn mail_waits_for_a_server_without_starttls() {
    waits_in_front_of("", "mx2.b.example", "450 4.7.4 ");
}

#[test]
fn mail_waits_for_a_server_whose_tls_fails() {
    let script = format!("{STARTTLS}fault = 'garbage'\n");
    waits_in_front_of(&script, "mx2.b.example", "454 4.7.5 ");
}
