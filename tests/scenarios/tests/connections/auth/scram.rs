//! Log-in by SCRAM-SHA-256 (RFC 7677).

use crate::{LOGIN, Service, USER};

#[test]
fn the_relay_logs_in_by_scram() {
    let keys = format!("{USER}mechanisms = ['scram-sha-256']\n");
    let taken = Service::start(LOGIN).takes(&keys);
    assert_eq!(taken.mechanism.as_deref(), Some("SCRAM-SHA-256"));
    assert_eq!(taken.user.as_deref(), Some("desk"));
    assert!(taken.tls.is_some());
}
