//! The domain that a message leaves from in EHLO: each domain has a session of its own.

use crate::{Service, TLS, submit_from};

#[test]
fn the_relay_says_the_domain_of_the_sender() {
    let service = Service::start(TLS);
    let relay = service.relay("ehlo = 'sender-domain'\n").start();
    for domain in ["sender.example", "desk.example", "sender.example"] {
        submit_from(&relay, &format!("ann@{domain}"), &["x@elsewhere.example"]);
        assert_eq!(service.sink.take().helo.as_deref(), Some(domain));
    }
    relay.leaves_nothing(service.sink);
}
