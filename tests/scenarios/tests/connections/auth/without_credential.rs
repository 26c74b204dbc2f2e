//! A connection without a credential does not log in.

use crate::{LOGIN, Service};

#[test]
fn nobody_logs_in_without_a_credential() {
    let service = Service::start(&LOGIN.replace("required = true", "required = false"));
    let taken = service.takes("");
    assert_eq!((taken.user, taken.mechanism), (None, None));
    assert!(taken.tls.is_some());
}
