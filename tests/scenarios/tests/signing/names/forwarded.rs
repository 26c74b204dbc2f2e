//! The addresses of a forwarded connector leave in their own names once DKIM or SPF proves the domain
//! for this relay, and from the default address until then.

use serde_json::Value;
use test_support::{DnsServer, Relay, RelayBuilder, Taken};

use crate::{CUSTOMER, Customer, assert_signed, attempt, by_mx, server, zone};

const HELP: &str = "help@customer.example";
const DEFAULT: &str = "acme@acme.desk.test";

/// Has the relay forget what it knows of the DNS.
fn forgets_the_dns(relay: &Relay, built: &RelayBuilder) {
    let other = built.clone().replace("attempts = 1", "attempts = 2");
    relay.reloads(&other);
    relay.reloads(built);
}

/// Asserts that a message left from the default address, and that answers to it go to the support
/// address.
fn assert_from_default(taken: &Taken) {
    let from = taken.header("From").unwrap();
    assert_eq!(from, format!("\"Desk\" <{DEFAULT}>"), "{}", taken.text());
    let answers = taken.header("Reply-To").unwrap();
    assert_eq!(answers, format!("Desk <{HELP}>"), "{}", taken.text());
    assert!(taken.from.ends_with("@acme.desk.test"), "{}", taken.from);
}

fn assert_own_name(taken: &Taken) {
    assert_eq!(taken.header("From").unwrap(), format!("Desk <{HELP}>"));
    assert_eq!(taken.header("Reply-To"), None, "{}", taken.text());
}

#[test]
fn a_forwarded_domain_leaves_in_its_own_name_where_dkim_or_spf_proves_it() {
    let (server, dns) = (server(""), DnsServer::start(zone()));
    let built = by_mx(&dns, server.address().port());
    let customer = Customer::connected(built.clone().start(), &[CUSTOMER], "forwarded", &[]);
    customer.address(HELP);
    let id = customer.submit(HELP);
    let (reply, _) = attempt(&customer.relay, &id);
    assert!(
        reply.starts_with("451 4.7.1 not sent as help@customer.example"),
        "{reply}"
    );
    assert!(reply.contains("set-default-address"), "{reply}");
    customer.relay.json(&["queue", "cancel", &id]);

    customer.default_address(DEFAULT);
    for _ in 0..2 {
        customer.submit(HELP);
        assert_from_default(&server.take());
    }
    let shown = customer.relay.eventually("the messages are counted", |_| {
        let shown = customer.left_from_default(HELP);
        (shown["messages"] == 2).then_some(shown)
    });
    assert_eq!(shown["reason"], "unproved", "{shown}");

    // A permission of the domain is enough: the reverse-path is its own then.
    dns.zone().txt(CUSTOMER, "v=spf1 ip4:203.0.113.9 -all");
    forgets_the_dns(&customer.relay, &built);
    customer.submit(HELP);
    let taken = server.take();
    assert_own_name(&taken);
    assert_eq!(taken.from, HELP);
    customer.relay.eventually("it is shown no more", |_| {
        (customer.left_from_default(HELP) == Value::Null).then_some(())
    });

    // That of another server is none, and a key of its own is.
    dns.zone()
        .forget(CUSTOMER)
        .txt(CUSTOMER, "v=spf1 ip4:198.51.100.7 -all");
    forgets_the_dns(&customer.relay, &built);
    customer.submit(HELP);
    assert_from_default(&server.take());
    customer.sign_for(CUSTOMER, &dns);
    customer.submit(HELP);
    let taken = server.take();
    assert_own_name(&taken);
    assert_signed(&dns, &taken, CUSTOMER, 1);
    customer.relay.leaves_nothing(server);
}

/// A message may leave in the name of another address of its account, whatever it answers.
#[test]
fn a_brand_has_a_default_address_of_its_own() {
    let (server, dns) = (server(""), DnsServer::start(zone()));
    let relay = by_mx(&dns, server.address().port()).start();
    let account = ["account", "add", "--native-domain", "shop.desk.test"];
    relay.json(&[&account[..], &["--product", "Shop", "--brand", "Shop"]].concat());
    let connector = [
        "connector",
        "add",
        "--kind",
        "forwarded",
        "--account",
        "shop.desk.test",
    ];
    let made = relay.json(&[&connector[..], &["--domain", "shop.example"]].concat());
    relay.json(&["connector", "vouch", made[0]["id"].as_str().unwrap()]);
    let add = |arguments: &[&str]| {
        let add = ["address", "add", "--account", "shop.desk.test"];
        relay.json(&[&add[..], arguments].concat());
    };
    add(&["--brand", "Shop", "shop@shop.example"]);
    add(&["help@shop.example"]);
    add(&["shop@shop.desk.test"]);
    add(&["help@shop.desk.test"]);
    let default = ["account", "set-default-address", "shop.desk.test"];
    relay.json(&[&default[..], &["help@shop.desk.test"]].concat());
    let of_brand = ["--brand", "Shop", "shop@shop.desk.test"];
    let shown = relay.json(&[&default[..], &of_brand].concat());
    assert_eq!(shown[0]["brand-addresses"]["Shop"], "shop@shop.desk.test");
    let made = relay.json(&["credential", "add", "--submission", "shop.desk.test"]);
    let text = |key: &str| made[0][key].as_str().unwrap().to_owned();
    let customer = Customer {
        user: text("user-name"),
        secret: text("secret"),
        relay,
    };
    for (from, named) in [
        ("shop@shop.example", "\"Desk\" <shop@shop.desk.test>"),
        ("help@shop.example", "\"Desk\" <help@shop.desk.test>"),
        ("shop@shop.desk.test", "Desk <shop@shop.desk.test>"),
    ] {
        customer.submit(from);
        assert_eq!(server.take().header("From").unwrap(), named, "{from}");
    }
    let remove = [
        "address",
        "remove",
        "--account",
        "shop.desk.test",
        "help@shop.desk.test",
    ];
    let said = customer.relay.refuses(&remove);
    assert!(said.contains("is a default address"), "{said}");
    customer.relay.leaves_nothing(server);
}
