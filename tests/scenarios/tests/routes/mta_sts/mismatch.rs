//! With a policy in mode `enforce` that allows none of the domain's servers, the mail waits, and
//! nobody is connected to.

use super::{Domain, STARTTLS};
use crate::{MESSAGE, assert_nothing_came, submitted, waits};

#[test]
fn mail_waits_where_the_policy_allows_no_server() {
    let domain = Domain::start(STARTTLS, "mx2.b.example", "enforce", "mx.other.example");
    let relay = domain.relay().start();
    let id = submitted(&relay, &["x@b.example"], MESSAGE);
    let reply = waits(&relay, &id, "451 4.7.5 ");
    assert!(reply.contains("the MTA-STS policy of b.example"), "{reply}");
    domain.assert_fetched();
    assert_eq!(domain.server.dialogue(), "");
    assert_nothing_came(domain.server);
}
