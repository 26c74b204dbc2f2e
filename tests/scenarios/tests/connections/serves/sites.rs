//! Connections of the site, which serve senders of all accounts: by address, brand and domain.

use crate::{LOGIN, Service, USER, with_customer};

#[test]
fn the_most_specific_connection_of_the_site_carries_the_mail() {
    let [by_domain, by_brand, by_address] = [(); 3].map(|()| Service::start(LOGIN));
    let mut connections = String::new();
    for (name, service, serves) in [
        ("domain", &by_domain, "@acme.test"),
        ("brand", &by_brand, "brand Blue"),
        ("address", &by_address, "boss@acme.test"),
    ] {
        connections += &format!(
            "[connection.{name}]\nhost = '127.0.0.1'\nport = {}\n{USER}{}serves = ['{serves}']\n",
            service.sink.address().port(),
            service.ca(),
        );
    }
    let customer = with_customer(&connections);
    let account = ["--account", "acme.desk.test"];
    for address in ["blue@acme.test", "boss@acme.test"] {
        let add = ["address", "add", "--brand", "Blue", address];
        customer.relay.json(&[&add[..], &account].concat());
    }
    for (from, service) in [
        ("other@acme.test", &by_domain),
        ("blue@acme.test", &by_brand),
        ("boss@acme.test", &by_address),
    ] {
        customer.submit_from(from, &["x@elsewhere.example"]);
        assert_eq!(service.sink.take().from, from);
    }
    for service in [by_domain, by_brand] {
        assert!(service.sink.rest().is_empty());
    }
    customer.relay.leaves_nothing(by_address.sink);
}
