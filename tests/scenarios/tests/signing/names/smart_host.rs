//! Mail leaves through a customer's smart host in the customer's name once that is proved or vouched
//! for, and from the default address before that, and where the smart host refuses it by name.

use serde_json::Value;
use test_support::{DnsServer, Sink, free_port};

use crate::{CUSTOMER, Customer, by_mx, server, zone};

const HELP: &str = "help@customer.example";
const DEFAULT: &str = "\"Desk\" <acme@acme.desk.test>";

/// A smart host that lets nobody send.
const REFUSES: &str = "[[on]]\ncommand = 'MAIL'\nreply = '530 5.7.0 Authentication required'\n";

/// Id of the customer's connector.
fn connector(customer: &Customer) -> String {
    let id = customer.relay.json(&["connector", "list"]).remove(0);
    id["id"].as_str().unwrap().to_owned()
}

/// Sets the kind of the customer's connector.
fn set_kind(customer: &Customer, kind: &str) {
    let id = connector(customer);
    customer.relay.json(&["connector", "set-kind", &id, kind]);
}

/// Vouches for the way out through the smart host.
fn vouch(customer: &Customer) {
    let id = connector(customer);
    (customer.relay).json(&["connector", "vouch", &id, "--outbound"]);
}

#[test]
fn an_address_leaves_by_a_way_that_is_vouched_for_until_it_is_refused_by_name() {
    let (world, dns) = (server(""), DnsServer::start(zone()));
    let service = Sink::start();
    let relay = by_mx(&dns, world.address().port())
        .with(
            "[[policy]]\nname = 'outbound-route'\nbuiltin = 'outbound-route'\n\
             [policy.settings]\nroutes = [{ by = 'connection-of-sender' }]\n",
        )
        .replace(
            "direction = \"submission\"\n        chain = []",
            "direction = \"submission\"\n        chain = [\"outbound-route\"]",
        );
    let customer = Customer::connected(relay.start(), &[CUSTOMER], "outbound-only", &[]);
    customer.address(HELP);
    customer.default_address("acme@acme.desk.test");
    customer.connect(&service, "");
    let own = |taken: test_support::Taken| {
        assert_eq!(taken.header("From").unwrap(), format!("Desk <{HELP}>"));
    };
    // Nothing has shown that the smart host sends in its name.
    customer.submit(HELP);
    assert_eq!(world.take().header("From").unwrap(), DEFAULT);
    let shown = customer.relay.eventually("the message is counted", |_| {
        let shown = customer.left_from_default(HELP);
        (shown["messages"] == 1).then_some(shown)
    });
    assert_eq!(shown["reason"], "unproved", "{shown}");
    let shown = customer.relay.json(&["address", "show", HELP]).remove(0);
    assert_eq!(shown["way-out"], "default-route", "{shown}");
    vouch(&customer);
    customer.submit(HELP);
    own(service.take());
    let shown = customer.relay.json(&["address", "show", HELP]).remove(0);
    assert_eq!(shown["way-out"], "vouched", "{shown}");
    // The word of the operator holds for either kind.
    set_kind(&customer, "two-way");
    customer.submit(HELP);
    own(service.take());
    customer.relay.eventually("it is shown no more", |_| {
        (customer.left_from_default(HELP) == Value::Null).then_some(())
    });

    let refusing = Sink::scripted(REFUSES, &[]);
    let port = refusing.address().port().to_string();
    let set = [
        "connection",
        "set",
        "outlook",
        "--account",
        "acme.desk.test",
    ];
    customer
        .relay
        .json(&[&set[..], &["--port", &port]].concat());
    for _ in 0..2 {
        customer.submit(HELP);
        let taken = world.take();
        assert_eq!(taken.header("From").unwrap(), DEFAULT);
        let answers = taken.header("Reply-To").unwrap();
        assert_eq!(answers, format!("Desk <{HELP}>"));
    }
    let shown = customer.relay.eventually("the messages are counted", |_| {
        let shown = customer.left_from_default(HELP);
        (shown["messages"] == 2).then_some(shown)
    });
    assert_eq!(shown["reason"], "broken", "{shown}");
    let connection = [
        "connection",
        "show",
        "outlook",
        "--account",
        "acme.desk.test",
    ];
    let connection = customer.relay.json(&connection).remove(0);
    assert_eq!(connection["status"]["state"], "broken", "{connection}");

    // Mended, it takes the mail again in the customer's name.
    let port = service.address().port().to_string();
    customer
        .relay
        .json(&[&set[..], &["--port", &port]].concat());
    customer.submit(HELP);
    own(service.take());
    customer.relay.eventually("it is shown no more", |_| {
        (customer.left_from_default(HELP) == Value::Null).then_some(())
    });
    assert!(refusing.rest().is_empty());
    assert!(service.rest().is_empty());
    customer.relay.leaves_nothing(world);
}

/// A server that is not reached has refused nobody: its mail waits for it.
#[test]
fn silence_changes_no_name() {
    let (world, dns) = (server(""), DnsServer::start(zone()));
    let service = Sink::start();
    let relay = by_mx(&dns, world.address().port()).with(
        "[[policy]]\nname = 'outbound-route'\nbuiltin = 'outbound-route'\n\
         [policy.settings]\nroutes = [{ by = 'connection-of-sender' }]\n",
    );
    let relay = relay.replace(
        "direction = \"submission\"\n        chain = []",
        "direction = \"submission\"\n        chain = [\"outbound-route\"]",
    );
    let customer = Customer::on(relay.start(), &[CUSTOMER]);
    customer.address(HELP);
    customer.default_address("acme@acme.desk.test");
    customer.connect(&service, "retry = ['200ms']\nprobe = ['200ms']\n");
    let set = [
        "connection",
        "set",
        "outlook",
        "--account",
        "acme.desk.test",
    ];
    let port = |port: u16| {
        let port = port.to_string();
        customer
            .relay
            .json(&[&set[..], &["--port", &port]].concat());
    };
    // Nobody listens there.
    port(free_port().port());
    let id = customer.submit(HELP);
    crate::attempt(&customer.relay, &id);
    port(service.address().port());
    let taken = service.take();
    assert_eq!(taken.header("From").unwrap(), format!("Desk <{HELP}>"));
    assert!(world.rest().is_empty());
    customer.relay.leaves_nothing(service);
}
