//! A policy sends mail by the connection of its sender, and a sender needs none: its mail leaves by the
//! default route.

use crate::{ADDRESS, DEFAULT, NATIVE, Site, assert_from};

#[test]
fn mail_of_an_address_without_a_connection_leaves_by_the_default_route() {
    let site = Site::start("outbound-only");
    (site.relay).json(&["account", "set-default-address", NATIVE, DEFAULT]);
    let made = (site.relay).json(&["credential", "add", "--submission", NATIVE]);
    // The native domain leaves by no customer's server.
    site.submit(&made[0], DEFAULT);
    assert_from(&site.world.take(), DEFAULT);
    // The domain asks to reject what its own servers do not send, and has no server yet.
    site.submit(&made[0], ADDRESS);
    assert_from(&site.world.take(), DEFAULT);
    site.ends();
}
