//! With a policy in mode `testing`, mail is delivered as without one, and the log has a warning.

use super::{Domain, STARTTLS};
use crate::{MESSAGE, submitted};

#[test]
fn a_server_that_a_policy_in_testing_does_not_allow_gets_the_mail() {
    let domain = Domain::start(STARTTLS, "other.example", "testing", "mx.other.example");
    let relay = domain.relay().start();
    submitted(&relay, &["x@b.example"], MESSAGE);
    assert_eq!(domain.server.take().to, ["x@b.example"]);
    domain.assert_fetched();
    relay.logged("not in the MTA-STS policy, which is in mode testing");
    relay.leaves_nothing(domain.server);
}
