//! While the secret of a webhook is changed, requests are signed by both: the endpoint verifies by
//! either. The change holds after a reload, and no secret is shown.

use test_support::Sink;

use super::endpoint::Endpoint;
use super::{NEXT_SECRET, SECRET, builder, secret, webhook};

#[test]
fn two_secrets_sign_while_one_takes_the_place_of_the_other() {
    let (sink, endpoint) = (Sink::start(), Endpoint::start());
    let with = |keys: &str| builder(&sink).with(&webhook("desk", endpoint.address, keys));
    let relay = with(&secret()).start();
    let signed = |suspend: bool| {
        let command = if suspend { "suspend" } else { "resume" };
        relay.json(&["account", command, "acme"]);
        let request = endpoint.request();
        let signed = [SECRET, NEXT_SECRET].map(|secret| request.is_signed_by(secret));
        request.answer("200 OK", "");
        signed
    };
    assert_eq!(signed(true), [true, false]);
    let both = format!("secrets = [{NEXT_SECRET:?}, {SECRET:?}]");
    let changed = relay.reloads(&with(&both)).to_string();
    assert!(!changed.contains("whsec_"), "{changed}");
    assert_eq!(signed(false), [true, true]);
    let next = with(&format!("secrets = [{NEXT_SECRET:?}]"));
    relay.reloads(&next);
    assert_eq!(signed(true), [false, true]);
    assert!(!relay.log().contains("whsec_"));
    let none = with("secrets = []");
    let refused = relay.refuses_to_reload(&none);
    assert!(refused.contains("give 1 to 5 secrets"), "{refused}");
    next.write(relay.directory());
    relay.leaves_nothing(sink);
}
