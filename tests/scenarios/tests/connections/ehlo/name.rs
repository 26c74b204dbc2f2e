//! A fixed name in EHLO.

use crate::{Service, TLS};

#[test]
fn the_relay_says_the_name_that_is_set() {
    let taken = Service::start(TLS).takes("ehlo = 'relay.customer.example'\n");
    assert_eq!(taken.helo.as_deref(), Some("relay.customer.example"));
}
