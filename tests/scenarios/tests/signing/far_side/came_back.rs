//! What comes back is compared with what the attempt sent, not with what was submitted: a signed
//! message that comes back as it was is intact. A server that alters the body breaks the signature,
//! which is on record and does no harm.

use std::collections::BTreeMap;

use crate::{CUSTOMER, Customer, by_mx, server, zone};
use test_support::DnsServer;

#[test]
fn a_signed_message_that_comes_back_is_compared_with_what_was_sent() {
    let (server, dns) = (server(""), DnsServer::start(zone()));
    let relay = by_mx(&dns, server.address().port()).replace(
        "direction = \"submission\"\n        chain = []",
        "direction = \"submission\"\n        chain = [\"header-guard\"]",
    );
    let relay = relay.with("[routes.inbound]\nhost = \"127.0.0.2\"\nport = 1\ntls = \"none\"");
    let customer = Customer::on(relay.start(), &[CUSTOMER]);
    customer.sign_for(CUSTOMER, &dns);
    let address = [
        "address",
        "add",
        "--account",
        crate::NATIVE,
        "help@customer.example",
    ];
    customer.relay.json(&address);
    // Only who can have the message from us alone counts.
    let connectors = customer.relay.json(&["connector", "list"]);
    let id = connectors[0]["id"].as_str().unwrap();
    let forwarders = ["connector", "forwarders", id, "--network", "127.0.0.0/8"];
    customer.relay.json(&forwarders);
    let id = customer.submit("help@customer.example");
    let sent = server.take();
    customer
        .relay
        .eventually("the delivery is on record", |relay| {
            (!relay.events(&id, "attempt").is_empty()).then_some(())
        });
    let mut world = customer.relay.client("mx");
    world.ehlo();
    let mut comes_back = |text: String| {
        let to = ["postmaster@desk.test"];
        let reply = world.deliver("x@b.example", &to, text.as_bytes()).unwrap();
        assert_eq!(reply.code, 250, "{}", reply.text());
    };
    let found = |times: u64| -> BTreeMap<(String, String), u64> {
        customer.relay.eventually("it has been compared", |relay| {
            let found = relay.json(&["connector", "headers", CUSTOMER]);
            let counted = found.iter().map(|of| {
                let text = |key: &str| of[key].as_str().unwrap().to_owned();
                let count = of["count"].as_u64().unwrap();
                ((text("header"), text("change")), count)
            });
            let counted: BTreeMap<_, _> = counted.collect();
            let subjects = counted
                .iter()
                .filter(|((header, _), _)| header == "Subject");
            (subjects.map(|(_, count)| count).sum::<u64>() == times).then_some(counted)
        })
    };
    let of = |found: &BTreeMap<(String, String), u64>, header: &str, change: &str| {
        let key = (header.to_owned(), change.to_owned());
        found.get(&key).copied().unwrap_or_default()
    };
    comes_back(sent.text());
    let intact = found(1);
    // One for each algorithm.
    assert_eq!(of(&intact, "DKIM-Signature", "intact"), 2, "{intact:?}");
    assert_eq!(of(&intact, "body", "intact"), 1, "{intact:?}");
    comes_back(sent.text().replace("Hello!", "[EXTERNAL] Hello!"));
    let altered = found(2);
    assert_eq!(of(&altered, "DKIM-Signature", "intact"), 4, "{altered:?}");
    assert_eq!(of(&altered, "body", "altered"), 1, "{altered:?}");
}
