//! An account's endpoint gets its mail, in its form and signed by its own secret; mail of another
//! account goes the site's way.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use test_support::Sink;

use super::customer::{account, endpoint, relay_with_site, secret_file, sent_to};
use crate::application::desk::{Desk, WRONG_SECRET};

#[test]
fn an_account_gets_its_mail_at_its_endpoint_and_others_go_the_sites_way() {
    let (site, own, world) = (Desk::answering(200), Desk::answering(200), Sink::start());
    let relay = relay_with_site(site.address, &world).start();
    let acme = account(&relay, "acme.desk.test", &["help@acme.desk.test"], &[]);
    account(&relay, "other.desk.test", &["help@other.desk.test"], &[]);
    let json = ["--form", "json", "--attachments", "none"];
    let added = endpoint(&relay, &acme, "tickets", own.address, &json);
    assert_eq!(added["for"], "account");
    assert_eq!(added["settings"]["secrets"], serde_json::json!(["…"]));
    assert_eq!(added["secret"], Value::Null, "{added}");

    let id = sent_to(&relay, &["help@acme.desk.test"]);
    let posted = own.take();
    assert!(posted.is_signed());
    assert_eq!(posted.fields["content-type"], "application/json");
    let body: Value = serde_json::from_slice(&posted.body).unwrap();
    assert_eq!(body["transaction"], id.as_str());
    assert_eq!(body["account"], acme.as_str());
    let attempts = relay.eventually("the attempt is on record", |relay| {
        Some(relay.events(&id, "attempt")).filter(|of| !of.is_empty())
    });
    let destination = attempts[0]["destination"].to_string();
    assert!(destination.contains("tickets"), "{destination}");

    let other = sent_to(&relay, &["help@other.desk.test"]);
    let (facts, _) = site.take().parts();
    assert_eq!(facts["transaction"], other.as_str());
    // The account of the configuration has none, either.
    sent_to(&relay, &["help@desk.example"]);
    assert_eq!(site.take().parts().0["account"], "acme");
    assert!(own.is_idle() && site.is_idle());

    // Signed by the secret of the site's endpoint, it is none of the account's.
    let folder = tempfile::tempdir().unwrap();
    let file = secret_file(folder.path(), WRONG_SECRET);
    let set = ["endpoint", "set", "--account", &acme, "tickets"];
    relay.json(&[&set[..], &["--secret-file", &file]].concat());
    let id = sent_to(&relay, &["help@acme.desk.test"]);
    assert!(!own.take().is_signed());
    let alarms = "gatepost_application_alarms_total{destination=\"account-endpoint\"}";
    relay.eventually("the alarm is counted", |relay| {
        relay.metric(alarms).filter(|count| *count >= 1.0)
    });
    let shown = relay.eventually("it is shown with the endpoint", |relay| {
        let shown = relay.json(&["endpoint", "show", "--account", &acme, "tickets"]);
        let shown = shown.into_iter().next()?;
        Some(shown).filter(|shown| !shown["trouble"].is_null())
    });
    let reply = shown["trouble"]["reply"].as_str().unwrap();
    assert!(reply.contains("HTTP 401"), "{reply}");
    relay.json(&["queue", "cancel", &id]);
    let secret = BASE64_STANDARD.encode(WRONG_SECRET);
    let log = relay.log();
    assert!(
        !log.contains(WRONG_SECRET) && !log.contains(&secret),
        "{log}"
    );
    relay.leaves_nothing(world);
}
