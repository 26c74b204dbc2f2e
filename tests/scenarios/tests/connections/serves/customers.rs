//! Connections of a customer: by the address of the sender before its brand, by the brand before
//! the domain.

use crate::{LOGIN, LOOPBACK_ALLOWED, Service, settings, with_customer};

#[test]
fn the_most_specific_connection_of_the_account_carries_the_mail() {
    let customer = with_customer(LOOPBACK_ALLOWED);
    let account = ["--account", "acme.desk.test"];
    for address in ["blue@acme.test", "boss@acme.test"] {
        let add = ["address", "add", "--brand", "Blue", address];
        customer.relay.json(&[&add[..], &account].concat());
    }
    let [by_domain, by_brand, by_address] = [(); 3].map(|()| Service::start(LOGIN));
    for (name, service, serves) in [
        ("domain", &by_domain, "@acme.test"),
        ("brand", &by_brand, "brand Blue"),
        ("address", &by_address, "boss@acme.test"),
    ] {
        let settings = settings(service).replace("@acme.test", serves);
        customer.connection_named(name, "add", &settings);
    }
    for (from, service) in [
        ("other@acme.test", &by_domain),
        ("blue@acme.test", &by_brand),
        // A sub-address has the brand of its mailbox.
        ("blue+1@acme.test", &by_brand),
        ("boss@acme.test", &by_address),
    ] {
        customer.submit_from(from, &["x@elsewhere.example"]);
        let taken = service.sink.take();
        assert_eq!((&*taken.from, taken.user.as_deref()), (from, Some("desk")));
    }
    for service in [by_domain, by_brand] {
        assert!(service.sink.rest().is_empty());
    }
    customer.relay.leaves_nothing(by_address.sink);
}
