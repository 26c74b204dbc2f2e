//! While another domain of the account is being connected, step by step and with mistakes, the addresses
//! that there are go on: their mail comes in and goes out as before, and none of it is put off.

use test_support::DnsServer;

use crate::desk::Acknowledges;
use crate::load::Load;
use crate::places::{DOMAIN, NATIVE, WORLD, zone};
use crate::rotated_under_load::each_address_has_its_own_user;
use crate::site::Site;
use crate::two_way;
use crate::world::World;

const ANOTHER: &str = "second.example";
const ADDRESS: &str = "info@second.example";

#[test]
fn mail_flows_while_another_domain_is_connected() {
    let dns = DnsServer::start(zone(WORLD));
    let site = Site::start(dns, World::start(), Acknowledges::Never, &[DOMAIN, ANOTHER]);
    let Some(customer) = two_way::connected(&site) else {
        return;
    };
    each_address_has_its_own_user(&site, &customer);
    let outcome = Load::during(&site, &customer.postfix, |load| {
        load.flows(5);
        is_connected(&site, load);
        load.flows(5);
    });
    outcome.assert_each_once();
    for sent in &outcome.out {
        let own = sent.from.split('@').next().unwrap();
        assert!(
            sent.arrived[0].is_by_customer(sent.from, &[own]),
            "{sent:?}"
        );
    }
    for came in &outcome.came {
        assert!(came.letters[0].has_tag("relay-secure"), "{came:?}");
    }
    let events = site.desk.state().events.clone();
    let put_off = events
        .iter()
        .filter(|of| of["kind"] == "deferred" || of["kind"] == "held");
    assert_eq!(put_off.count(), 0, "{events:#?}");
    assert_eq!(customer.postfix.log_lines("status=deferred"), 0);
    customer.postfix.drained();
    drop(customer);
    site.ends();
}

/// Connects the other domain: each step is begun, some fail at first.
fn is_connected(site: &Site, load: &Load<'_>) {
    let set_up = |options: &[&str]| {
        let of = [
            "connector",
            "setup",
            "--yes",
            "--account",
            NATIVE,
            "--domain",
            ANOTHER,
        ];
        let output = site
            .relay
            .command(&[&of[..], &["--kind", "two-way"], options].concat());
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    };
    set_up(&[]);
    load.flows(5);
    site.publish_proof(ANOTHER);
    let (_, said) = set_up(&["--address", ADDRESS]);
    assert!(said.contains("the DNS proves"), "{said}");
    load.flows(5);
    // Nobody listens there, and nobody takes the probe.
    let nowhere = [
        "--smart-host",
        "smtp.customer.example",
        "--smart-host-port",
        "1",
    ];
    let (is_done, said) = set_up(&nowhere);
    assert!(!is_done && !said.contains("it works"), "{said}");
    load.flows(5);
    site.relay.command(&["connector", "verify", ADDRESS]);
    load.flows(5);
    let connector = site.connector(ANOTHER);
    site.relay
        .json(&["connector", "set-kind", &connector, "forwarded"]);
    site.relay.json(&["connector", "disconnect", &connector]);
    load.flows(5);
    site.relay
        .json(&["address", "remove", ADDRESS, "--account", NATIVE]);
}
