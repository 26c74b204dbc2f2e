//! Credentials are changed in both directions while mail flows: nothing is lost, nothing comes twice, and
//! everything leaves in its own name, through the server of its own customer.

use serde_json::Value;
use test_support::DnsServer;

use crate::customer::{Customer, HELP_PASSWORD, PASSWORD, SALES_PASSWORD};
use crate::desk::Acknowledges;
use crate::load::Load;
use crate::places::{DOMAIN, NATIVE, SALES, SMART_HOST, SUPPORT, WORLD, zone};
use crate::second::Second;
use crate::site::Site;
use crate::two_way;
use crate::world::World;

/// Password of the user that takes the place of two.
const NEXT_PASSWORD: &str = "another-hush-of-the-desk";

#[test]
fn credentials_are_changed_while_mail_flows() {
    let dns = DnsServer::start(zone(WORLD));
    let site = Site::start(
        dns,
        World::start(),
        Acknowledges::Never,
        &[DOMAIN, "second.example"],
    );
    let Some(customer) = two_way::connected(&site) else {
        return;
    };
    each_address_has_its_own_user(&site, &customer);
    let second = Second::start(&site);
    let outcome = Load::during(&site, &customer.postfix, |load| {
        load.flows(10);
        second.sends(5);
        let former = credentials(&site).remove(0);
        let next = rotate(&site, &customer, &former, load);
        assert_eq!(credentials(&site), [next]);
        second.sends(5);
        change_the_way_out(&site, &customer, load);
        second.sends(5);
        load.flows(15);
    });
    let (came, went) = outcome.assert_each_once();
    assert!(came >= 60 && went >= 60, "{came} and {went}");
    for came in &outcome.came {
        assert!(came.letters[0].has_tag("relay-secure"), "{came:?}");
    }
    // Each as its own user before the change, and as the common one after it.
    let as_own = |(from, arrived): &(&str, _)| {
        let own = if *from == SUPPORT { "help" } else { "sales" };
        crate::load::Arrived::is_by_customer(arrived, from, &[own])
    };
    for sent in &outcome.out {
        let own = if sent.from == SUPPORT {
            "help"
        } else {
            "sales"
        };
        let arrived = &sent.arrived[0];
        assert!(
            arrived.is_by_customer(sent.from, &[own, "desk"]),
            "{sent:?}"
        );
    }
    assert!(outcome.out_within(0..1).iter().all(as_own));
    let after = outcome.out_within(2..3);
    assert!(!after.is_empty());
    for (from, arrived) in &after {
        assert!(arrived.is_by_customer(from, &["desk"]), "{arrived:?}");
    }
    second.ends();
    customer.postfix.drained();
    drop(customer);
    site.ends();
}

/// Has each address leave by a connection of its own, as a user of its own.
pub fn each_address_has_its_own_user(site: &Site, customer: &Customer) {
    for (name, address, password) in [
        ("help", SUPPORT, HELP_PASSWORD),
        ("sales", SALES, SALES_PASSWORD),
    ] {
        let port = customer.submission.port();
        let ca = site.file("smart-host.pem", &customer.certificate);
        let settings = format!(
            "host = '{SMART_HOST}'\nport = {port}\nuser = '{name}'\nserves = ['{address}']\n\
             ca = {{ file = {ca:?} }}\n"
        );
        let settings = site.file("settings", &settings);
        let password = site.file("password", password);
        let add = ["connection", "add", name, "--account", NATIVE];
        let files = ["--settings", &settings, "--password-file", &password];
        site.relay.json(&[&add[..], &files].concat());
    }
    site.relay
        .json(&["connection", "remove", DOMAIN, "--account", NATIVE]);
}

/// User names of the live credentials of the customer's domain.
fn credentials(site: &Site) -> Vec<String> {
    let all = site
        .relay
        .json(&["credential", "list", "--account", NATIVE]);
    let live = all.iter().filter(|of| of["ended"].is_null());
    let names = live.map(|of| of["user-name"].as_str().unwrap().to_owned());
    names.filter(|name| name.starts_with("in-")).collect()
}

/// Rotates the credential by which the customer's server logs in: the server moves to the next one,
/// then the former one is retired. Returns the user name of the next.
fn rotate(site: &Site, customer: &Customer, former: &str, load: &Load<'_>) -> String {
    let relay = &site.relay;
    let connector = site.connector(DOMAIN);
    let rotated = relay.json(&["credential", "rotate", &connector]).remove(0);
    assert_eq!(rotated["replaces"], former);
    let text = |key: &str| rotated[key].as_str().unwrap().to_owned();
    let (next, secret) = (text("user-name"), text("secret"));
    load.comes(10);
    customer.logs_in_as(site, &next, &secret);
    relay.eventually("mail comes with the next credential", |_| {
        (used(site, &next)["messages-in-a-day"].as_u64()? > 0).then_some(())
    });
    let said = relay.refuses(&["credential", "retire", former]);
    assert!(said.contains("was used on"), "{said}");
    relay.json(&["credential", "retire", former, "--force"]);
    load.comes(10);
    next
}

fn used(site: &Site, user: &str) -> Value {
    let shown = site.relay.json(&["credential", "show", user]).remove(0);
    shown["accepted"].clone()
}

/// Changes user and password of both connections in one go. What the customer's server refuses changes
/// nothing.
fn change_the_way_out(site: &Site, customer: &Customer, load: &Load<'_>) {
    let set = |password: &str| {
        let file = site.file("next-password", password);
        let set = [
            "connection",
            "set-credential",
            "--account",
            NATIVE,
            "--user",
            "desk",
        ];
        let files = ["--password-file", &file, "help", "sales"];
        let output = site.relay.command(&[&set[..], &files].concat());
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    };
    load.step();
    assert_ne!(NEXT_PASSWORD, PASSWORD);
    let (is_set, said) = set(NEXT_PASSWORD);
    assert!(!is_set && said.contains("535"), "{said}");
    load.goes(10);
    customer.postfix.set_password("desk", NEXT_PASSWORD);
    let (is_set, said) = set(NEXT_PASSWORD);
    assert!(is_set, "{said}");
    load.step();
    // Nobody logs in as the former users any more.
    for user in ["help", "sales"] {
        customer.postfix.set_password(user, "of-nobody");
    }
    load.goes(15);
}
