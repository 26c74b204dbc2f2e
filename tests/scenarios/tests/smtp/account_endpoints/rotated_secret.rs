//! A secret of an endpoint is made and shown once; a second one signs beside it until the older is
//! retired. Commands refuse a third, and to leave none.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::hmac;
use test_support::Sink;

use super::customer::{account, relay_with_site, sent_to};
use crate::application::desk::{Desk, Posted};

/// Returns true if one of the signatures of a request is by this secret.
fn is_signed_by(posted: &Posted, secret: &str) -> bool {
    let key = BASE64_STANDARD.decode(secret.strip_prefix("whsec_").unwrap());
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key.unwrap());
    let (id, timestamp) = (
        &posted.fields["webhook-id"],
        &posted.fields["webhook-timestamp"],
    );
    let signed = [format!("{id}.{timestamp}.").as_bytes(), &posted.body].concat();
    let due = format!("v1,{}", BASE64_STANDARD.encode(hmac::sign(&key, &signed)));
    posted.fields["webhook-signature"]
        .split(' ')
        .any(|signature| signature == due)
}

#[test]
fn two_secrets_sign_while_the_application_changes_to_the_new_one() {
    // It knows neither secret and so answers 401, after which the mail waits: what was signed, and
    // by which secret, is in the request.
    let (site, own, world) = (Desk::answering(200), Desk::answering(200), Sink::start());
    let relay = relay_with_site(site.address, &world).start();
    let acme = account(&relay, "acme.desk.test", &["help@acme.desk.test"], &[]);
    let run = |verb: &str, more: &[&str]| {
        let named = ["endpoint", verb, "--account", &acme, "tickets"];
        relay.json(&[&named[..], more].concat()).remove(0)
    };
    let secret = |shown: &serde_json::Value| shown["secret"].as_str().unwrap().to_owned();
    let url = format!("http://{}/mail", own.address);
    let first = secret(&run("add", &["--url", &url]));
    let signed = || {
        let id = sent_to(&relay, &["help@acme.desk.test"]);
        let posted = own.take();
        relay.eventually("the attempt is on record", |relay| {
            Some(()).filter(|()| !relay.events(&id, "attempt").is_empty())
        });
        relay.json(&["queue", "cancel", &id]);
        posted
    };
    assert!(is_signed_by(&signed(), &first));
    let refused = relay.refuses(&["endpoint", "retire-secret", "--account", &acme, "tickets"]);
    assert!(refused.contains("has no older secret"), "{refused}");

    let second = secret(&run("rotate-secret", &[]));
    assert_ne!(first, second);
    let posted = signed();
    assert!(is_signed_by(&posted, &first) && is_signed_by(&posted, &second));
    let refused = relay.refuses(&["endpoint", "rotate-secret", "--account", &acme, "tickets"]);
    assert!(
        refused.contains("two secrets of endpoint tickets"),
        "{refused}"
    );

    let shown = run("retire-secret", &[]);
    assert_eq!(shown["settings"]["secrets"], serde_json::json!(["…"]));
    let posted = signed();
    assert!(!is_signed_by(&posted, &first) && is_signed_by(&posted, &second));
    relay.leaves_nothing(world);
}
