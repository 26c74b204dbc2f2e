//! Who forwards a customer's mail is learnt from the probe that comes back: what authenticated the
//! server counts from then on, for mail to forwarding targets alone.

use serde_json::{Value, json};
use test_support::Reply;

use crate::{STRANGER, Site, author, codes, eml};

/// Server of a hoster that forwards for customer.test, as the SPF record of hoster.test says.
const HOSTER: &str = "198.51.100.77";

/// Address of the customer.
const HELP: &str = "help@customer.test";

/// As the hoster rewrites a reverse-path (Sender Rewriting Scheme).
const REWRITTEN: &str = "SRS0=ab12=XY=author.example=ann@hoster.test";

fn site() -> (Site, String) {
    let (mut zone, _) = author("reject");
    zone.txt("hoster.test", format!("v=spf1 ip4:{HOSTER} -all"));
    let site = Site::start(zone, "{}");
    let connector = site.connect("forwarded");
    (site, connector)
}

fn hand_in(site: &Site, client: &str, from: &str, to: &str, message: &[u8]) -> Reply {
    let mut session = site.relay.client("mx");
    session.ehlo();
    session.command(&format!("XCLIENT ADDR={client} NAME=[UNAVAILABLE]"), 220);
    session.ehlo();
    session.deliver(from, &[to], message).unwrap()
}

/// Returns the address as the command shows it.
fn shown(site: &Site) -> Value {
    site.relay.json(&["address", "show", HELP]).remove(0)
}

fn target(site: &Site) -> String {
    shown(site)["forwarding-target"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Sends a probe, and has a server at this address forward it with this reverse-path.
fn verified_by(site: &Site, client: &str, from: &str) {
    (site.relay).json(&["connector", "verify", HELP, "--inbound"]);
    let probe = site.sink.take();
    let reply = hand_in(site, client, from, &target(site), &probe.bytes());
    assert_eq!(reply.code, 250, "{}", reply.text());
    assert_eq!(shown(site)["inbound"]["state"], "verified");
}

/// Returns what was learnt, as the connector shows it.
fn learnt(site: &Site, connector: &str) -> Value {
    let mut shown = site.relay.json(&["connector", "show", connector]);
    shown[0]["learnt-forwarders"].take()
}

/// Returns the details of the entries of the audit log about what was learnt.
fn audited(site: &Site) -> Vec<String> {
    let entries = site.relay.json(&["audit"]).into_iter();
    let learnt = entries.filter(|entry| entry["action"] == "forwarder-learnt");
    learnt
        .map(|entry| entry["detail"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_forwarder_of_a_probe_is_known_from_then_on() {
    let (site, connector) = site();
    let target = target(&site);
    let question = eml("question");
    let forwarded = |client: &str, from: &str| {
        let reply = hand_in(&site, client, from, &target, &question);
        assert_eq!(reply.code, 250, "{}", reply.text());
        site.tags()
    };
    assert_eq!(
        forwarded(HOSTER, REWRITTEN),
        "forwarder-unknown, dmarc-fail"
    );

    verified_by(&site, HOSTER, REWRITTEN);
    let known = json!({
        "networks": [format!("{HOSTER}/32")],
        "dkim-domains": ["hoster.test"],
        "arc-sealers": [],
    });
    assert_eq!(learnt(&site, &connector), known);
    let told = audited(&site);
    assert_eq!(told.len(), 1, "{told:?}");
    let words = format!("domain hoster.test, network {HOSTER}/32, by the inbound probe ");
    assert!(told[0].starts_with(&words), "{told:?}");

    assert_eq!(forwarded(HOSTER, REWRITTEN), "forwarded, dmarc-fail");
    // The server alone, which leaves the reverse-path as it is.
    assert_eq!(
        forwarded(HOSTER, "ann@author.example"),
        "forwarded, dmarc-fail"
    );
    assert_eq!(
        forwarded(STRANGER, "ann@author.example"),
        "forwarder-unknown, dmarc-fail"
    );
    // It is no forwarder of other mail of the account.
    for to in ["help@acme.desk.test", HELP] {
        let reply = hand_in(&site, HOSTER, REWRITTEN, to, &question);
        assert_eq!(codes(&reply), (550, "5.7.1"), "{to}");
    }

    // What is known is not news.
    verified_by(&site, HOSTER, REWRITTEN);
    assert_eq!(audited(&site).len(), 1);
    let forget = ["connector", "forget-forwarders", &connector];
    let network = format!("{HOSTER}/32");
    (site.relay).json(&[&forget[..], &["--network", &network]].concat());
    assert_eq!(
        forwarded(HOSTER, "ann@author.example"),
        "forwarder-unknown, dmarc-fail"
    );
    site.relay.json(&[&forget[..], &["--all"]].concat());
    assert_eq!(learnt(&site, &connector), Value::Null);
    assert_eq!(
        forwarded(HOSTER, REWRITTEN),
        "forwarder-unknown, dmarc-fail"
    );
    site.ends();
}

#[test]
fn a_network_that_nothing_authenticates_is_not_learnt() {
    let (site, connector) = site();
    verified_by(
        &site,
        STRANGER,
        "SRS0=ab12=XY=author.example=ann@nowhere.test",
    );
    assert_eq!(learnt(&site, &connector), Value::Null);
    assert!(audited(&site).is_empty());
    site.ends();
}
