//! Log-in by LOGIN.

use crate::{LOGIN, Service, USER};

#[test]
fn the_relay_logs_in_by_login() {
    let keys = format!("{USER}mechanisms = ['login']\n");
    let taken = Service::start(LOGIN).takes(&keys);
    assert_eq!(taken.mechanism.as_deref(), Some("LOGIN"));
    assert_eq!(taken.user.as_deref(), Some("desk"));
    assert!(taken.tls.is_some());
}
