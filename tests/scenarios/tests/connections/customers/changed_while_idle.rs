//! A session that is idle when its connection is changed carries no more mail.

use crate::{LOGIN, LOOPBACK_ALLOWED, Service, settings, with_customer};

#[test]
fn mail_after_a_change_takes_no_session_of_before() {
    let (old, new) = (Service::start(LOGIN), Service::start(LOGIN));
    let customer = with_customer(LOOPBACK_ALLOWED);
    customer.connection("add", &settings(&old));
    customer.submit(&["x@elsewhere.example"]);
    assert_eq!(old.sink.take().to, ["x@elsewhere.example"]);

    customer.connection("set", &settings(&new));
    customer.submit(&["y@elsewhere.example"]);
    assert_eq!(new.sink.take().to, ["y@elsewhere.example"]);
    assert!(old.sink.rest().is_empty());
    customer.relay.leaves_nothing(new.sink);
}
