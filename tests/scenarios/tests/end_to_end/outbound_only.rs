//! Outbound only: the customer's Postfix forwards mail to the relay in the name of its own domain, and
//! sends what the relay hands it.

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
fn an_outbound_only_domain_is_set_up_and_has_conversations() {
    let dns = DnsServer::start(zone(WORLD));
    let site = Site::start(dns, World::start(), Acknowledges::NewTickets, &[DOMAIN]);
    let set_up = |options: &[&str]| {
        let addresses = ["--address", SUPPORT, "--address", SALES];
        site.set_up("outbound-only", &[&addresses, options].concat())
    };
    set_up(&[]);
    site.publish_proof(DOMAIN);
    let (_, said) = set_up(&[]);
    assert!(
        said.contains("the DNS proves that customer.example"),
        "{said}"
    );
    let Some(customer) = Customer::forwarding(&site, &[SUPPORT, SALES]) else {
        return;
    };
    let options = customer.options(&site);
    let options: Vec<_> = options.iter().map(String::as_str).collect();
    let (_, said) = set_up(&options);
    assert!(said.contains("was tested: it works"), "{said}");
    for address in [SUPPORT, SALES] {
        let known = site.verifies(address, &[]);
        for direction in ["inbound", "outbound"] {
            assert_eq!(known[direction]["state"], "verified", "{known}");
        }
    }
    let (is_done, said) = set_up(&[]);
    assert!(is_done, "{said}");

    let forwarded = answers_stay_in_their_thread(&site, ANN, SUPPORT);
    assert_eq!(forwarded.arrival, "forwarded");
    assert!(forwarded.has_tag("forwarded"), "{forwarded:?}");
    marks_survive(&site, SUPPORT);
    thread_survives_another_message_id(&site, &customer);
    partners_are_left_alone(&site);
    machines_do_not_loop(&site);
    desks_do_not_loop(&site);
    customer.postfix.drained();
    drop(customer);
    site.ends();
}
