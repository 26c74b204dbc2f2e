//! The relay connects from an address of the connection's pool.

use crate::{Service, TLS, submit};

#[test]
fn the_session_comes_from_the_address_of_the_pool() {
    for (keys, from) in [("", "127.0.0.1"), ("egress = 'second'\n", "127.0.0.2")] {
        let service = Service::start(TLS);
        let pool = "[egress.second]\naddresses = ['127.0.0.2']\n";
        let relay = service.relay(keys).with(pool).start();
        submit(&relay, &["x@elsewhere.example"]);
        service.sink.take();
        let connected = format!("\"event\":\"connected\",\"detail\":\"{from}\"");
        service.sink.spoken(&connected);
        relay.leaves_nothing(service.sink);
    }
}
