//! Mail for a domain about which the DNS fails waits, and leaves when the DNS answers.

use crate::{MESSAGE, relay, server, submitted, waits, zone};
use test_support::DnsServer;
use test_support::zone::Fault;

#[test]
fn mail_waits_while_the_dns_fails() {
    let server = server("");
    let mut faulty = zone(&[(10, 2)]);
    faulty.fault("b.example", Fault::ServFail);
    let dns = DnsServer::start(faulty);
    let relay = relay(&dns, server.address().port())
        .replace("retry = [\"1h\"]", "retry = [\"1s\"]")
        .start();
    let id = submitted(&relay, &["x@b.example"], MESSAGE);
    waits(&relay, &id, "451 4.4.3 ");
    *dns.zone() = zone(&[(10, 2)]);
    assert_eq!(server.take().to, ["x@b.example"]);
    relay.leaves_nothing(server);
}
