//! Probes of each kind that come back as they should.

use serde_json::json;

use crate::{ADDRESS, NATIVE, OPEN, Site, SmartHost};

#[test]
fn mail_that_comes_in_over_the_session_is_verified() {
    let site = Site::start("two-way");
    assert_eq!(site.known()["inbound"], json!({"state": "unverified"}));
    let begun = site.verify("--inbound");
    assert_eq!(begun["inbound"]["state"], "pending", "{begun}");
    assert_eq!(begun["waiting"].as_array().unwrap().len(), 1);
    let probe = site.world.take();
    assert_eq!(probe.to, [ADDRESS]);
    assert!(
        probe.from.starts_with("probe+") && probe.from.ends_with(NATIVE),
        "{probe:?}"
    );
    assert_eq!(probe.header("Auto-Submitted").unwrap(), "auto-generated");

    let reply = site.relay_in(&site.connector, ADDRESS, &probe.bytes());
    assert_eq!(reply.code, 250, "{}", reply.text());
    let known = site.settled();
    assert_eq!(known["inbound"]["state"], "verified", "{known}");
    assert_eq!(known["outbound"]["state"], "unverified", "{known}");
    let check = &known["inbound"]["check"];
    assert_eq!(check["results"]["dmarc"], "none", "{known}");
    let told = site.relay.json(&["events", "--kind", "notice"]);
    let text = told[0]["text"].as_str().unwrap();
    assert!(text.contains("help@customer.test is verified"), "{told:?}");
    assert_eq!(told[0]["subject"], "verification");
    site.ends();
}

#[test]
fn mail_that_is_forwarded_is_verified() {
    let site = Site::start("forwarded");
    site.verify("--inbound");
    let probe = site.world.take();
    let target = site.known()["forwarding-target"].clone();
    let reply = site.forward(target.as_str().unwrap(), &probe.bytes());
    assert_eq!(reply.code, 250, "{}", reply.text());
    let known = site.settled();
    assert_eq!(known["inbound"]["state"], "verified", "{known}");
    assert_eq!(
        known["inbound"]["check"]["results"]["spf"], "pass",
        "{known}"
    );
    site.ends();
}

#[test]
fn mail_that_leaves_through_the_smart_host_is_verified() {
    let (site, smart_host) = (Site::start("outbound-only"), SmartHost::start(OPEN));
    site.connection(&smart_host.plain(), None);
    site.sign();
    site.verify("--outbound");
    let probe = smart_host.sink.take();
    assert_eq!(probe.from, ADDRESS);
    assert!(
        probe.to[0].starts_with("probe+") && probe.to[0].ends_with(NATIVE),
        "{probe:?}"
    );
    assert!(probe.header("DKIM-Signature").is_some());
    let reply = site.deliver(&probe, &probe.bytes());
    assert_eq!(reply.code, 250, "{}", reply.text());
    let known = site.settled();
    assert_eq!(known["outbound"]["state"], "verified", "{known}");
    assert_eq!(known["inbound"]["state"], "unverified", "{known}");
    let results = &known["outbound"]["check"]["results"];
    assert_eq!(
        *results,
        json!({"spf": "pass", "dkim": "pass", "dmarc": "pass"})
    );
    site.ends();
}

#[test]
fn a_circuit_verifies_both_directions() {
    let (site, smart_host) = (Site::start("two-way"), SmartHost::start(OPEN));
    site.connection(&smart_host.plain(), None);
    let begun = site.verify("--circuit");
    assert_eq!(begun["inbound"]["state"], "pending", "{begun}");
    assert_eq!(begun["outbound"]["state"], "pending", "{begun}");
    let probe = smart_host.sink.take();
    assert_eq!(
        (probe.from.as_str(), &probe.to[..]),
        (ADDRESS, &[ADDRESS.to_owned()][..])
    );
    site.relay_in(&site.connector, ADDRESS, &probe.bytes());
    let known = site.settled();
    assert_eq!(known["inbound"]["state"], "verified", "{known}");
    assert_eq!(known["outbound"]["state"], "verified", "{known}");
    site.ends();
}

/// Without a choice, the probes that the connector needs are sent.
#[test]
fn all_that_a_connector_needs_is_verified() {
    let (site, smart_host) = (Site::start("two-way"), SmartHost::start(OPEN));
    site.connection(&smart_host.plain(), None);
    let begun = site.relay.json(&["connector", "verify", ADDRESS]).remove(0);
    assert_eq!(begun["waiting"].as_array().unwrap().len(), 2, "{begun}");
    let shown = site
        .relay
        .json(&["connector", "show", &site.connector])
        .remove(0);
    assert_eq!(
        shown["addresses"][0]["inbound"]["state"], "pending",
        "{shown}"
    );
    site.relay_in(&site.connector, ADDRESS, &site.world.take().bytes());
    let probe = smart_host.sink.take();
    site.deliver(&probe, &probe.bytes());
    let known = site.settled();
    assert_eq!(known["inbound"]["state"], "verified", "{known}");
    assert_eq!(known["outbound"]["state"], "verified", "{known}");
    site.ends();
}
