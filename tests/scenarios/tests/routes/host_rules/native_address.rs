//! Mail from an address in the account's native domain, which the customer's service does not know,
//! waits.

use super::{ALL_BY_CONNECTION, Site};
use crate::waits;

#[test]
fn a_native_address_never_leaves_through_the_connection() {
    let site = Site::start(ALL_BY_CONNECTION);
    let user = site.user("acme.desk.test");
    site.assert_carries_own_mail(&user);
    let (native, own) = ("help@acme.desk.test", "help@customer.test");
    for (sender, author) in [(native, native), (native, own), (own, native)] {
        let id = site.submit(&user, sender, author);
        let reply = waits(
            &site.relay,
            &id,
            "451 4.7.1 not sent through the connection smart",
        );
        assert!(
            reply.contains("acme.desk.test is a domain of this relay"),
            "{reply}"
        );
    }
    site.assert_nothing_left();
}
