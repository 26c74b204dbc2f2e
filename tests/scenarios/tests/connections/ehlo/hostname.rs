//! The relay introduces itself by its own name, if nothing else is set.

use crate::{Service, TLS};

#[test]
fn the_relay_says_its_own_name() {
    let taken = Service::start(TLS).takes("");
    assert_eq!(taken.helo.as_deref(), Some("mx.desk.example"));
}
