//! With a policy in mode `enforce`, the server that it allows gets the mail over TLS that proves it.

use super::{Domain, STARTTLS};
use crate::{MESSAGE, submitted};

#[test]
fn an_allowed_server_gets_the_mail_over_verified_tls() {
    let domain = Domain::start(STARTTLS, "mx2.b.example", "enforce", "*.b.example");
    let relay = domain.relay().start();
    submitted(&relay, &["x@b.example"], MESSAGE);
    let taken = domain.server.take();
    assert_eq!(taken.to, ["x@b.example"]);
    assert!(taken.tls.is_some(), "{taken:?}");
    domain.assert_fetched();
    relay.leaves_nothing(domain.server);
}
