//! Mail from a domain of the account that the connection does not serve waits.

use super::{ALL_BY_CONNECTION, Site};
use crate::waits;

#[test]
fn an_address_of_another_domain_never_leaves_through_the_connection() {
    let site = Site::start(ALL_BY_CONNECTION);
    let user = site.user("acme.desk.test");
    site.assert_carries_own_mail(&user);
    let (other, own) = ("help@second.test", "help@customer.test");
    for (sender, author) in [(other, other), (other, own), (own, other)] {
        let id = site.submit(&user, sender, author);
        let reply = waits(
            &site.relay,
            &id,
            "451 4.7.1 not sent through the connection smart",
        );
        assert!(reply.contains("it does not serve second.test"), "{reply}");
    }
    site.assert_nothing_left();
}
