//! Without TLS, even where it is offered.

use crate::{Service, TLS, submit};

#[test]
fn tls_is_not_used_where_it_is_switched_off() {
    let service = Service::start(TLS);
    let relay = service.relay_without_ca("tls = 'none'\n").start();
    submit(&relay, &["x@elsewhere.example"]);
    assert_eq!(service.sink.take().tls, None);
    relay.leaves_nothing(service.sink);
}
