//! The narrowest endpoint gets the mail: that of the address, else of its brand, else of the account.
//! One message for several is delivered to each with its own recipients.

use std::collections::BTreeSet;

use test_support::Sink;

use super::customer::{account, endpoint, relay_with_site, sent_to};
use crate::application::desk::Desk;

/// Returns the transaction of the next request, and its recipients.
fn taken(desk: &Desk) -> (String, BTreeSet<String>) {
    let posted = desk.take();
    assert!(posted.is_signed());
    let (facts, _) = posted.parts();
    let to = facts["rcpt-to"].as_array().unwrap();
    let to = to
        .iter()
        .map(|one| one["address"].as_str().unwrap().to_owned());
    (
        facts["transaction"].as_str().unwrap().to_owned(),
        to.collect(),
    )
}

#[test]
fn each_recipient_is_delivered_to_the_narrowest_endpoint() {
    let world = Sink::start();
    let [site, all, brand, one] = [(); 4].map(|()| Desk::answering(200));
    let relay = relay_with_site(site.address, &world).start();
    let plain = ["help@acme.desk.test", "plain@acme.desk.test"];
    let branded = ["shop@acme.desk.test", "boss@acme.desk.test"];
    let acme = account(&relay, "acme.desk.test", &plain, &branded);
    let add = |name: &str, desk: &Desk, scope: &str| {
        endpoint(&relay, &acme, name, desk.address, &["--for", scope]);
    };
    add("brand", &brand, "brand Shop");
    add("one", &one, "boss@acme.desk.test");
    let everybody = [&plain[..], &branded[..]].concat();
    let set = |addresses: &[&str]| -> BTreeSet<String> {
        addresses.iter().map(|one| (*one).to_owned()).collect()
    };

    // Without an endpoint of the account, the rest goes the site's way.
    let id = sent_to(&relay, &everybody);
    assert_eq!(taken(&site), (id.clone(), set(&plain)));
    assert_eq!(taken(&brand), (id.clone(), set(&["shop@acme.desk.test"])));
    assert_eq!(taken(&one), (id, set(&["boss@acme.desk.test"])));

    add("all", &all, "account");
    let id = sent_to(&relay, &everybody);
    assert_eq!(taken(&all), (id.clone(), set(&plain)));
    assert_eq!(taken(&brand), (id.clone(), set(&["shop@acme.desk.test"])));
    assert_eq!(taken(&one), (id, set(&["boss@acme.desk.test"])));

    // What is narrower goes, and what is wider gets the mail.
    relay.json(&["endpoint", "remove", "--account", &acme, "one"]);
    let id = sent_to(&relay, &["boss@acme.desk.test"]);
    assert_eq!(taken(&brand), (id, set(&["boss@acme.desk.test"])));
    assert!([&site, &all, &brand, &one].into_iter().all(Desk::is_idle));
    relay.leaves_nothing(world);
}
