//! Log-in by PLAIN (RFC 4616).

use crate::{LOGIN, Service, USER};

#[test]
fn the_relay_logs_in_by_plain() {
    let keys = format!("{USER}mechanisms = ['plain']\n");
    let taken = Service::start(LOGIN).takes(&keys);
    assert_eq!(taken.mechanism.as_deref(), Some("PLAIN"));
    assert_eq!(taken.user.as_deref(), Some("desk"));
    assert!(taken.tls.is_some());
}
