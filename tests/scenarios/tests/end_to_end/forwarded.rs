//! Forwarded: the customer's Postfix forwards mail to the relay in the name of its own domain (SRS), and
//! the relay sends in the customer's name by MX: by the records that the customer publishes, SPF, DKIM
//! and DMARC pass at the correspondent's server. Without the records, the default address stands in.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use test_support::{DnsServer, Postfix, Relay, Taken, free_port};

use crate::checks::{
    answers_stay_in_their_thread, desks_do_not_loop, machines_do_not_loop, marks_survive,
    partners_are_left_alone,
};
use crate::customer::Customer;
use crate::desk::Acknowledges;
use crate::places::{ANN, DEFAULT, DOMAIN, SALES, SUPPORT, zone};
use crate::site::Site;
use crate::world::World;

#[test]
fn a_forwarded_domain_is_set_up_and_has_conversations() {
    // Programs that verify look for it at port 53.
    let resolver = resolver();
    let dns = DnsServer::at(zone(Ipv4Addr::LOCALHOST), SocketAddr::new(resolver, 53)).unwrap();
    let verifying = |sink: SocketAddr| Postfix::verifying(sink, "", resolver);
    let Some(world) = World::verifying(verifying) else {
        return;
    };
    let site = Site::start(dns, world, Acknowledges::NewTickets, &[]);
    let set_up = |options: &[&str]| {
        let addresses = ["--address", SUPPORT, "--address", SALES];
        site.set_up("forwarded", &[&addresses, options].concat())
    };
    set_up(&[]);
    site.publish_proof(DOMAIN);
    set_up(&[]);
    publish_keys(&site);
    let Some(customer) = Customer::forwarding(&site, &[SUPPORT, SALES]) else {
        return;
    };
    let (_, said) = set_up(&["--wait", "1m"]);
    assert!(said.contains("customer.example is connected ("), "{said}");
    for address in [SUPPORT, SALES] {
        let known = site.verifies(address, &[]);
        assert_eq!(known["inbound"]["state"], "verified", "{known}");
    }

    let forwarded = answers_stay_in_their_thread(&site, ANN, SUPPORT);
    assert_eq!(forwarded.arrival, "forwarded");
    assert!(forwarded.has_tag("forwarded"), "{forwarded:?}");
    marks_survive(&site, SUPPORT);
    partners_are_left_alone(&site);
    machines_do_not_loop(&site);
    desks_do_not_loop(&site);
    leaves_in_the_customers_name(&site);
    leaves_from_the_default_address(&site);
    customer.postfix.drained();
    drop(customer);
    site.ends();
}

/// Returns an address of this machine that is nobody else's.
fn resolver() -> IpAddr {
    let [high, low] = free_port().port().to_be_bytes();
    Ipv4Addr::new(127, 53, high, low).into()
}

/// Publishes the records of the customer's keys.
fn publish_keys(site: &Site) {
    for key in site.relay.json(&["dkim", "show", DOMAIN]) {
        let strings = key["record"]["strings"].as_array().unwrap().iter();
        let strings: Vec<_> = strings
            .map(|text| text.as_str().unwrap().as_bytes())
            .collect();
        let name = key["record"]["name"].as_str().unwrap();
        site.dns.zone().txt_strings(name, &strings);
    }
}

/// Checks what the correspondent's server finds: SPF passes for the reverse-path, and DKIM by the
/// signature of the customer, so DMARC does.
fn leaves_in_the_customers_name(site: &Site) {
    let (desk, world) = (&site.desk, &site.world);
    let question = world.writes(ANN, SUPPORT, "my parcel", "");
    desk.got(&question);
    let acknowledged = world.gets(ANN);
    assert!(from(&acknowledged).contains(SUPPORT));
    let found = acknowledged.text();
    for result in [
        "spf=pass",
        "dkim=pass (2048-bit key",
        "header.d=customer.example",
        "dmarc=pass",
    ] {
        assert!(found.contains(result), "{result}: {found}");
    }
}

/// Checks that nothing leaves in the customer's name when its records have gone.
fn leaves_from_the_default_address(site: &Site) {
    for key in site.relay.json(&["dkim", "show", DOMAIN]) {
        let name = key["record"]["name"].as_str().unwrap();
        site.dns.zone().forget(name);
    }
    let no_longer = "v=spf1 ip4:127.0.0.3 -all";
    (site.dns.zone().forget(DOMAIN))
        .mx(DOMAIN, 10, &format!("mx.{DOMAIN}"))
        .txt(DOMAIN, no_longer);
    site.relay.json(&["dkim", "check", DOMAIN]);
    let (desk, world) = (&site.desk, &site.world);
    let question = world.writes(ANN, SUPPORT, "my other parcel", "");
    let (ticket, _) = desk.got(&question);
    world.gets(ANN);
    // The relay keeps an answer of the DNS for ten seconds at least.
    let answer = |_: &Relay| {
        desk.answers(ticket, "It is on its way.");
        from(&world.gets(ANN)).contains(DEFAULT).then_some(())
    };
    (site.relay).eventually("mail leaves from the default address", answer);
    let shown = |relay: &Relay| {
        let known = relay.json(&["address", "show", SUPPORT]).remove(0);
        (known["leaves-from-default"]["reason"] == "unproved").then_some(())
    };
    (site.relay).eventually("the address shows that", shown);
}

fn from(taken: &Taken) -> String {
    taken.header("From").unwrap()
}
