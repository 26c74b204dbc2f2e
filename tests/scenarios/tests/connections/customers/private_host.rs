//! A customer's connection does not lead into the relay's own network, whatever the spelling of
//! the host, unless the operator allows that network.

use crate::{LOGIN, LOOPBACK_ALLOWED, Service, settings, waits, with_customer};

#[test]
fn a_host_inside_is_refused_unless_its_network_is_allowed() {
    let service = Service::start(LOGIN);
    let customer = with_customer("");
    customer.connection("add", &settings(&service));
    let id = customer.submit(&["x@elsewhere.example"]);
    waits(&customer.relay, &id, "127.0.0.1");
    for host in [
        "10.0.0.1",
        "127.1",
        "localhost",
        "0x7f000001",
        "169.254.169.254",
    ] {
        let other = settings(&service).replace("'127.0.0.1'", &format!("'{host}'"));
        customer.connection("set", &other);
        let (_, reason) = waits(&customer.relay, &id, host);
        assert!(!reason.is_empty(), "{host}");
    }
    assert!(
        !service.sink.dialogue().contains("connected"),
        "{}",
        service.sink.dialogue()
    );
    drop(customer);

    let customer = with_customer(LOOPBACK_ALLOWED);
    customer.connection("add", &settings(&service));
    customer.submit(&["x@elsewhere.example"]);
    let taken = service.sink.take();
    assert_eq!(
        (&*taken.from, taken.user.as_deref()),
        ("desk@acme.test", Some("desk"))
    );
    customer.relay.leaves_nothing(service.sink);
}
