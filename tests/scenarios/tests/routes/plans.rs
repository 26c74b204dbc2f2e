//! Plans of policies: each option of outbound-route's plans, and answers that are faults.

mod discard;
mod expire_after;
mod faults;
mod go_on_after;
mod hold;
mod holds_for;
mod send_as;
mod weights;

use test_support::{DnsServer, RelayBuilder, Sink, hostile_file};

use crate::{relay, zone};

/// Server that defers each recipient.
const DEFERS: &str = "[[on]]\ncommand = 'RCPT'\nreply = '450 4.2.1 not now'\n";

/// The relay, with a retry each second, and the name server of `b.example`, whose mail that server
/// takes.
fn quick(server: &Sink) -> (DnsServer, RelayBuilder) {
    let mut zone = zone(&[(10, 2)]);
    zone.mx("sender.example", 10, "mx2.b.example");
    let dns = DnsServer::start(zone);
    let relay = relay(&dns, server.address().port())
        .replace("retry = [\"1h\"]", "retry = [\"1s\"]\njitter = 0.0");
    (dns, relay)
}

/// The same, routed by the example `routes` of `tests/guests`, with these grants. It decides by the
/// local part of the recipient.
fn by_guest(server: &Sink, grants: &str) -> (DnsServer, RelayBuilder) {
    let (dns, relay) = quick(server);
    let relay = relay
        .replace("chain = []", "chain = [\"guest\"]")
        .replace("retry = [\"1s\"]", "retry = [\"1h\"]")
        .with(&format!(
            "[[policy]]\nname = \"guest\"\nfile = {:?}\ngrants = [{grants}]",
            hostile_file("routes")
        ));
    (dns, relay)
}
