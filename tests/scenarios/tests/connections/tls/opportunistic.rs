//! Opportunistic TLS: STARTTLS where it is offered, with any certificate; plaintext elsewhere.

use crate::{Service, TLS, submit};

#[test]
fn tls_is_used_where_it_is_offered() {
    for (script, is_encrypted) in [(TLS, true), ("", false)] {
        let service = Service::named(script, &["other.example"]);
        let relay = service.relay_without_ca("tls = 'opportunistic'\n").start();
        submit(&relay, &["x@elsewhere.example"]);
        assert_eq!(service.sink.take().tls.is_some(), is_encrypted);
        relay.leaves_nothing(service.sink);
    }
}
