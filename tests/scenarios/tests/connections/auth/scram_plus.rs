//! Log-in by SCRAM-SHA-256-PLUS, bound to a channel of TLS 1.3 (RFC 9266).

use crate::{LOGIN, Service, USER};

#[test]
fn the_relay_logs_in_by_scram_plus() {
    let keys = format!("{USER}mechanisms = ['scram-sha-256-plus']\n");
    let taken = Service::start(LOGIN).takes(&keys);
    assert_eq!(taken.mechanism.as_deref(), Some("SCRAM-SHA-256-PLUS"));
    assert_eq!(taken.user.as_deref(), Some("desk"));
    assert!(taken.tls.is_some());
    let tls = taken.tls.unwrap();
    assert!(tls.contains("1.3") || tls.contains("1_3"), "{tls}");
}
