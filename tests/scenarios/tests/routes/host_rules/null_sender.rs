//! Mail with the null sender belongs to no customer: it leaves by the default route.

use super::{ALL_BY_CONNECTION, Site};
use crate::waits;

#[test]
fn the_null_sender_leaves_by_the_default_route() {
    let site = Site::start(ALL_BY_CONNECTION);
    let user = site.user("acme.desk.test");
    site.assert_carries_own_mail(&user);
    site.submit(&user, "", "help@customer.test");
    let taken = site.world.take();
    assert_eq!(
        (taken.from.as_str(), &*taken.to),
        ("", &["x@b.example".to_owned()][..])
    );
    site.assert_nothing_left();
}

/// A default route through the connection carries it neither.
#[test]
fn the_null_sender_waits_where_the_connection_is_the_default_route() {
    let site = Site::with(|relay| {
        relay.replace("submission = \"mx\"", "submission = \"connection smart\"\n[connection.smart]\nhost = \"127.0.0.77\"\ntls = \"none\"")
    });
    let user = site.user("acme.desk.test");
    site.assert_carries_own_mail(&user);
    let id = site.submit(&user, "", "help@customer.test");
    waits(
        &site.relay,
        &id,
        "451 4.7.1 not sent through the connection smart: a bounce",
    );
    site.assert_nothing_left();
}
