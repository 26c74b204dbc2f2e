//! TLS from the first octet.

use crate::{LOGIN, Service, USER};

#[test]
fn tls_begins_with_the_session() {
    let service = Service::start(&LOGIN.replace("starttls", "implicit"));
    let taken = service.takes(&format!("{USER}tls = 'implicit'\n"));
    assert!(taken.tls.is_some());
    assert_eq!(taken.user.as_deref(), Some("desk"));
}
