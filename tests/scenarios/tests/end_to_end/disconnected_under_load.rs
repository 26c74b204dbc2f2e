//! An address, a domain and all domains of an account are disconnected and connected again while mail
//! flows, a credential is removed, and the account is put on hold: nothing is lost, nothing comes twice,
//! and nothing leaves in a wrong name in any step.

use std::ops::Range;

use test_support::{Client, DnsServer};

use crate::customer::Customer;
use crate::desk::{Acknowledges, Draft};
use crate::load::{Arrived, Load, Outcome};
use crate::places::{ANN, DOMAIN, LATER, NATIVE, NEVER, SALES, SUPPORT, WORLD, zone};
use crate::rotated_under_load::each_address_has_its_own_user;
use crate::site::Site;
use crate::two_way;
use crate::world::{World, message};

#[test]
fn domains_are_disconnected_while_mail_flows() {
    let dns = DnsServer::start(zone(WORLD));
    let site = Site::start(dns, World::start(), Acknowledges::Never, &[DOMAIN]);
    let Some(customer) = two_way::connected(&site) else {
        return;
    };
    each_address_has_its_own_user(&site, &customer);
    let scene = Scene {
        site: &site,
        customer: &customer,
    };
    let mut steps = Steps::default();
    let outcome = Load::during(&site, &customer.postfix, |load| {
        load.flows(8);
        steps.address = scene.an_address(load);
        load.flows(8);
        steps.all.push(scene.a_domain(load));
        load.flows(8);
        steps.all.push(scene.all_domains(load));
        load.flows(8);
        scene.a_credential_is_removed(load);
        scene.an_account_on_hold(load);
        load.flows(8);
    });
    steps.assert_kept(&outcome);
    customer.postfix.drained();
    drop(customer);
    site.ends();
}

struct Scene<'a> {
    site: &'a Site,
    customer: &'a Customer,
}

impl Scene<'_> {
    /// Runs `connector disconnect` or `reconnect`.
    fn switch(&self, verb: &str, what: &[&str]) {
        self.site.relay.json(&[&["connector", verb], what].concat());
    }

    /// The desk writes to somebody for whom the customer's server takes nothing yet; returns the
    /// transaction once that is on record.
    fn waits(&self, from: &str, to: &str) -> String {
        let draft = Draft {
            from,
            to: &[to],
            subject: "it waits",
            text: "We have news for you.",
            trigger: "agent",
        };
        let (_, reply) = self.site.desk.writes(&draft);
        let id = reply.transaction();
        self.site.desk.told("deferred", &id);
        id
    }

    fn status(&self, id: &str) -> String {
        let shown = self.site.relay.json(&["queue", "show", id]).remove(0);
        let status = shown["recipients"][0]["status"].as_str();
        status.unwrap().to_owned()
    }

    fn is_held(&self, id: &str) {
        self.site
            .relay
            .eventually("it is held", |_| (self.status(id) == "held").then_some(()));
    }

    /// A message that waited has arrived at somebody: as what leaves from this address through the
    /// customer's server, as this user.
    fn arrives(&self, to: &str, from: &str, user: &str) {
        let arrived = Arrived::of(&self.site.world.gets(to));
        assert!(arrived.is_by_customer(from, &[user]), "{arrived:?}");
    }

    /// One address: its mail leaves from the default address, and what is queued waits for it. The
    /// other one is as before. Returns the steps in which it is so.
    fn an_address(&self, load: &Load<'_>) -> Range<usize> {
        let (first, second) = (format!("first@{LATER}"), format!("second@{LATER}"));
        let (held, other) = (self.waits(SUPPORT, &first), self.waits(SALES, &second));
        let connector = self.site.connector(DOMAIN);
        let address = [connector.as_str(), "--address", SUPPORT];
        load.step();
        self.switch("disconnect", &address);
        let begun = load.step();
        self.is_held(&held);
        load.flows(12);
        assert_ne!(self.status(&other), "held");
        self.customer.sends_what_came_later();
        self.arrives(&second, SALES, "sales");
        self.is_held(&held);
        let ended = load.step();
        self.switch("reconnect", &address);
        load.step();
        self.arrives(&first, SUPPORT, "help");
        begun..ended
    }

    /// A domain: its mail leaves from the default address, what is queued does, too, and the customer's
    /// server keeps what it cannot hand in. Mail that comes another way goes on. Returns the steps in
    /// which it is so.
    fn a_domain(&self, load: &Load<'_>) -> Range<usize> {
        let third = format!("third@{NEVER}");
        self.waits(SUPPORT, &third);
        let connector = self.site.connector(DOMAIN);
        load.step();
        self.switch("disconnect", &[&connector, "--queued", "reroute"]);
        let begun = load.step();
        let rerouted = Arrived::of(&self.site.world.gets(&third));
        assert!(rerouted.is_by_default(), "{rerouted:?}");
        load.goes(12);
        self.customer.postfix.logged("454 4.7.0");
        self.comes_past_the_customer();
        let ended = load.step();
        self.switch("reconnect", &[&connector]);
        load.step();
        begun..ended
    }

    /// Ann's server hands a message straight to the relay.
    fn comes_past_the_customer(&self) {
        let id = format!("<past.{}@author.example>", self.site.world.port());
        let text = message(ANN, SUPPORT, "another matter", &id, "");
        let mut client = Client::connect_from(WORLD.into(), self.site.inbound).unwrap();
        client.expect(220);
        client.ehlo();
        let reply = client.deliver(ANN, &[SUPPORT], text.as_bytes()).unwrap();
        assert_eq!(reply.code, 250, "{}", reply.text());
        let (_, letter) = self.site.desk.got(&id);
        assert!(
            !letter.tags.iter().any(|tag| tag.starts_with("relay-")),
            "{letter:?}"
        );
    }

    /// All domains of the account.
    fn all_domains(&self, load: &Load<'_>) -> Range<usize> {
        load.step();
        self.switch("disconnect", &["--account", NATIVE]);
        let begun = load.step();
        load.goes(12);
        let ended = load.step();
        self.switch("reconnect", &["--account", NATIVE]);
        load.step();
        begun..ended
    }

    /// A credential that is in use is removed: for the grace period the customer's server is asked to
    /// come again, and hands in all that it has kept once it has the next one.
    fn a_credential_is_removed(&self, load: &Load<'_>) {
        let relay = &self.site.relay;
        let connector = self.site.connector(DOMAIN);
        let all = relay.json(&["credential", "list", "--account", NATIVE]);
        let mut names = all.iter().map(|of| of["user-name"].as_str().unwrap());
        let former = names.find(|name| name.starts_with("in-")).unwrap();
        let made = relay
            .json(&["credential", "add", "--inbound", &connector])
            .remove(0);
        let before = self.customer.postfix.log_lines("454 4.7.0");
        relay.json(&["credential", "remove", former]);
        relay.eventually("the customer's server is asked to come again", |_| {
            (self.customer.postfix.log_lines("454 4.7.0") > before).then_some(())
        });
        load.goes(4);
        let text = |key: &str| made[key].as_str().unwrap();
        self.customer
            .logs_in_as(self.site, text("user-name"), text("secret"));
        load.flows(8);
    }

    /// The account is on hold: nothing leaves, and mail that comes in goes on.
    fn an_account_on_hold(&self, load: &Load<'_>) {
        let relay = &self.site.relay;
        relay.json(&["account", "hold", NATIVE, "--reason", "moving"]);
        let held = || {
            relay
                .json(&["queue", "list", "--messages", "--status", "held"])
                .len()
        };
        relay.eventually("mail is held", |_| (held() >= 4).then_some(()));
        load.comes(8);
        relay.json(&["account", "release", NATIVE]);
        load.goes(8);
    }
}

/// Steps of the scenario in which something was disconnected.
#[derive(Default)]
struct Steps {
    /// One address.
    address: Range<usize>,
    /// Both.
    all: Vec<Range<usize>>,
}

impl Steps {
    /// Asserts that everything has arrived, once, and in the name that it had to have.
    fn assert_kept(&self, outcome: &Outcome) {
        outcome.assert_each_once();
        let own = |from: &str| if from == SUPPORT { "help" } else { "sales" };
        for sent in &outcome.out {
            let arrived = &sent.arrived[0];
            let is_own = arrived.is_by_customer(sent.from, &[own(sent.from)]);
            assert!(is_own || arrived.is_by_default(), "{sent:?}");
        }
        for (from, arrived) in outcome.out_within(self.address.clone()) {
            assert_eq!(arrived.is_by_default(), from == SUPPORT, "{arrived:?}");
        }
        for steps in &self.all {
            let within = outcome.out_within(steps.clone());
            assert!(!within.is_empty());
            for (_, arrived) in within {
                assert!(arrived.is_by_default(), "{arrived:?}");
            }
        }
        // What was submitted while all was connected leaves in its own name, also if it was queued when
        // that ended, unless it was to be re-routed.
        let [domain, all] = [&self.all[0], &self.all[1]];
        for steps in [0..1, domain.end + 1..all.start - 1, all.end + 1..usize::MAX] {
            let within = outcome.out_within(steps);
            assert!(!within.is_empty());
            for (from, arrived) in within {
                assert_eq!(arrived.from, from, "{arrived:?}");
            }
        }
        // What came in for the address that was disconnected was taken, and nothing vouched for it.
        let mut unvouched = 0;
        for came in &outcome.came {
            let is_tagged = came.letters[0].has_tag("relay-secure");
            assert!(is_tagged || came.to == SUPPORT, "{came:?}");
            unvouched += usize::from(!is_tagged);
        }
        assert!(unvouched > 0);
    }
}
