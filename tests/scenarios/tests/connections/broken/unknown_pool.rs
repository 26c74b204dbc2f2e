//! A customer's connection that names a pool of egress addresses that the site does not have is broken
//! like one whose server refuses the session: its mail is held and never fails, and leaves once the
//! site has the pool.

use std::fs::OpenOptions;
use std::io::Write as _;

use crate::{LOGIN, LOOPBACK_ALLOWED, Service, settings, waits, with_customer};

#[test]
fn a_connection_that_cannot_be_used_as_it_is_set_is_broken() {
    let service = Service::start(LOGIN);
    let customer = with_customer(LOOPBACK_ALLOWED);
    let relay = &customer.relay;
    let keys = format!("egress = 'bulk'\n{}", settings(&service));
    customer.connection("add", &keys);
    let id = customer.submit(&["x@elsewhere.example"]);
    waits(relay, &id, "from the pool bulk");
    let of_account = ["--account", "acme.desk.test"];
    let show = [&["connection", "show", "outlook"][..], &of_account].concat();
    let status = relay.json(&show).remove(0)["status"].clone();
    assert_eq!(status["state"], "broken", "{status}");
    let words = status["words"].as_str().unwrap();
    assert!(words.contains("cannot be used as it is set"), "{status}");
    let logged = relay.logged("connection broken: its mail is held");
    assert!(logged.contains("from the pool bulk"), "{logged}");

    let config = relay.directory().join("gatepost.toml");
    let mut config = OpenOptions::new().append(true).open(config).unwrap();
    writeln!(config, "[egress.bulk]\naddresses = ['127.0.0.2']").unwrap();
    relay.reload();
    relay.json(&[&["connection", "test", "outlook"][..], &of_account].concat());
    assert_eq!(service.sink.take().to, ["x@elsewhere.example"]);
    customer.relay.leaves_nothing(service.sink);
}
