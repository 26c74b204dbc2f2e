//! Each address in a connected domain has a forwarding target: the customer's server forwards to it,
//! and the recipient alone says which support address a message is for.

use serde_json::Value;
use test_support::Reply;

use crate::{STRANGER, Site, author, codes, eml};

/// From where customer.test sends, as its SPF record says.
const ITS_SERVER: &str = "198.51.100.44";

/// As its server rewrites a reverse-path (Sender Rewriting Scheme).
const REWRITTEN: &str = "SRS0=ab12=XY=author.example=ann@customer.test";

fn site() -> Site {
    let (mut zone, _) = author("reject");
    zone.txt("customer.test", format!("v=spf1 ip4:{ITS_SERVER} -all"));
    Site::start(zone, "{}")
}

/// The forwarding target of help@customer.test, as the command shows it.
fn target(site: &Site) -> String {
    let shown = site.relay.json(&["address", "show", "help@customer.test"]);
    let target = shown[0]["forwarding-target"].as_str().unwrap().to_owned();
    assert!(target.ends_with("@acme.desk.test"), "{target}");
    target
}

/// Forwards a message from a client at this address in the name of customer.test.
fn forward(site: &Site, client: &str, to: &str, message: &[u8]) -> Reply {
    let mut session = site.relay.client("mx");
    session.ehlo();
    session.command(&format!("XCLIENT ADDR={client} NAME=[UNAVAILABLE]"), 220);
    session.ehlo();
    session.deliver(REWRITTEN, &[to], message).unwrap()
}

#[test]
fn mail_to_a_forwarding_target_is_for_its_support_address() {
    let site = site();
    site.connect("forwarded");
    let target = target(&site);
    let reply = forward(&site, ITS_SERVER, &target, &eml("question"));
    assert_eq!(reply.code, 250);
    let taken = site.sink.take();
    assert_eq!(taken.to, ["help@customer.test"]);
    assert_eq!(
        taken.header("X-Gatepost-Tags").unwrap(),
        "forwarded, dmarc-fail"
    );
    let original = taken.header("X-Gatepost-Original-Recipient");
    assert_eq!(original.as_deref(), Some("help@customer.test"));
    // Nobody learns it from what is handed on.
    assert!(!taken.text().contains(&target), "{}", taken.text());
    let trace = site.relay.trace_until(&reply.transaction(), "delivered");
    assert!(
        trace.contains(&format!("recipient <{target}>: 250")),
        "{trace}"
    );

    // In any case, and with a sub-address.
    let sub = target.replace('@', "+tag@").to_uppercase();
    assert_eq!(forward(&site, ITS_SERVER, &sub, &eml("question")).code, 250);
    assert_eq!(site.sink.take().to, ["help@customer.test"]);

    // What the customer's own people write is forwarded like all other mail.
    let own = String::from_utf8(eml("question")).unwrap();
    let own = own.replace("ann@author.example", "boss@customer.test");
    assert_eq!(
        forward(&site, ITS_SERVER, &target, own.as_bytes()).code,
        250
    );
    assert!(site.tags().starts_with("forwarded"));
    site.ends();
}

#[test]
fn nobody_vouches_for_a_forwarder_that_is_not_known() {
    let site = site();
    let id = site.connect("forwarded");
    let target = target(&site);
    let stranger = || forward(&site, STRANGER, &target, &eml("question"));
    assert_eq!(stranger().code, 250, "SPF fails");
    assert_eq!(site.tags(), "forwarder-unknown, dmarc-fail");
    let network = ["--network", "203.0.113.0/24"];
    (site.relay).json(&[&["connector", "forwarders", &id], &network[..]].concat());
    assert_eq!(stranger().code, 250);
    assert_eq!(site.tags(), "forwarded, dmarc-fail");

    // Past the target it is direct mail, and a spoof is refused.
    let spoof = site.send("192.0.2.9", &["help@customer.test"], &eml("question"));
    assert_eq!(codes(&spoof), (550, "5.7.1"));
    site.ends();
}

#[test]
fn a_target_that_is_not_there_is_refused() {
    let site = site();
    site.connect("forwarded");
    let target = target(&site);
    let refused = |to: &str| {
        let reply = forward(&site, ITS_SERVER, to, &eml("question"));
        (reply.code, reply.enhanced().unwrap_or_default().to_owned())
    };
    let unknown = (550, "5.1.1".to_owned());
    assert_eq!(refused("f-aaaaaaaaaaaaaaaa@acme.desk.test"), unknown);
    let remove = ["address", "remove", "--account", "acme.desk.test"];
    let help = ["help@customer.test"];
    site.relay.json(&[&remove[..], &help].concat());
    assert_eq!(refused(&target), unknown);
    // The address gets another one when it is added again.
    let add = ["address", "add", "--account", "acme.desk.test"];
    let added = site.relay.json(&[&add[..], &help].concat());
    assert_ne!(added[0]["forwarding-target"], Value::String(target.clone()));
    assert_eq!(refused(&target), unknown);
    site.ends();
}

/// The kind changes while mail flows: what comes by the former way is taken, and by the new one.
#[test]
fn mail_arrives_both_ways_while_the_kind_of_a_connector_changes() {
    let site = site();
    let id = site.connect("forwarded");
    let target = target(&site);
    let forwarded = || {
        assert_eq!(
            forward(&site, ITS_SERVER, &target, &eml("question")).code,
            250
        );
        assert_eq!(site.tags(), "forwarded, dmarc-fail");
    };
    let refused = site.relay.refuses(&["credential", "add", "--inbound", &id]);
    assert!(refused.contains("connector set-kind"), "{refused}");
    forwarded();
    let kind = |kind| {
        site.relay
            .json(&["connector", "set-kind", &id, kind])
            .remove(0)
    };
    assert_eq!(kind("two-way")["kind"], "two-way");
    forwarded();
    let (user, secret) = site.credential(&["--inbound", &id]);
    let relayed = || {
        let mut client = site.secured();
        assert_eq!(client.plain(&user, &secret).code, 235);
        let to = ["help@customer.test"];
        let reply = client.deliver("ann@author.example", &to, &eml("question"));
        assert_eq!(reply.unwrap().code, 250);
        assert_eq!(site.tags(), "relay-secure");
    };
    relayed();
    forwarded();
    assert_eq!(kind("forwarded")["kind"], "forwarded");
    relayed();
    forwarded();
    site.ends();
}
