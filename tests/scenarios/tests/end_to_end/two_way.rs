//! Two-way: the customer's Postfix logs in at the relay and hands mail in, and sends what the relay
//! hands it.

use test_support::DnsServer;

use crate::checks::{
    answers_stay_in_their_thread, desks_do_not_loop, machines_do_not_loop, marks_survive,
    partners_are_left_alone, thread_survives_another_message_id,
};
use crate::customer::Customer;
use crate::desk::Acknowledges;
use crate::places::{ANN, DOMAIN, SALES, SUPPORT, WORLD, zone};
use crate::site::Site;
use crate::world::World;

#[test]
fn a_two_way_domain_is_set_up_and_has_conversations() {
    let dns = DnsServer::start(zone(WORLD));
    let site = Site::start(dns, World::start(), Acknowledges::NewTickets, &[DOMAIN]);
    let Some(customer) = connected(&site) else {
        return;
    };
    let relayed = answers_stay_in_their_thread(&site, ANN, SUPPORT);
    assert_eq!(relayed.arrival, "relayed");
    assert!(relayed.has_tag("relay-secure"), "{relayed:?}");
    marks_survive(&site, SUPPORT);
    thread_survives_another_message_id(&site, &customer);
    partners_are_left_alone(&site);
    machines_do_not_loop(&site);
    desks_do_not_loop(&site);
    customer.postfix.drained();
    drop(customer);
    site.ends();
}

/// Sets the customer's domain up two-way, with two addresses that are verified; returns the customer's
/// server. If something is missing for it, reports that in one line and returns `None`.
pub fn connected(site: &Site) -> Option<Customer> {
    let set_up = |options: &[&str]| {
        let addresses = ["--address", SUPPORT, "--address", SALES];
        site.set_up("two-way", &[&addresses, options].concat())
    };
    let (_, begun) = set_up(&[]);
    assert!(begun.contains("_gatepost.customer.example"), "{begun}");
    site.publish_proof("customer.example");
    let (_, said) = set_up(&[]);
    assert!(
        said.contains("the DNS proves that customer.example"),
        "{said}"
    );
    let link = begun
        .lines()
        .find_map(|line| line.strip_prefix("link       "));
    let link = link.unwrap_or_else(|| panic!("no link: {begun}"));
    let customer = Customer::relaying(site, &site.secret_behind(link))?;
    let options = customer.options(site);
    let options: Vec<_> = options.iter().map(String::as_str).collect();
    let (_, said) = set_up(&options);
    assert!(said.contains("was tested: it works"), "{said}");
    for address in [SUPPORT, SALES] {
        let known = site.verifies(address, &[]);
        for direction in ["inbound", "outbound"] {
            assert_eq!(known[direction]["state"], "verified", "{known}");
        }
    }
    site.verifies(SUPPORT, &["--circuit"]);
    let (is_done, said) = set_up(&[]);
    assert!(is_done, "{said}");
    Some(customer)
}
