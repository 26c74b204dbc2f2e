//! A webhook gets the events of its accounts and kinds, and no others; a new one begins with what
//! comes.

use test_support::Sink;

use super::endpoint::Endpoint;
use super::{builder, secret, webhook};

#[test]
fn a_webhook_gets_the_events_of_its_accounts() {
    let (sink, own, all) = (Sink::start(), Endpoint::start(), Endpoint::start());
    let relay = builder(&sink).start();
    let account = |domain: &str| {
        let add = [
            "account",
            "add",
            "--native-domain",
            domain,
            "--product",
            "Desk",
        ];
        relay.json(&add)[0]["id"].as_str().unwrap().to_owned()
    };
    let (one, two) = (account("one.desk.test"), account("two.desk.test"));
    relay.json(&["account", "suspend", &one]);
    let of_one = format!("{}\naccounts = [{one:?}]", secret());
    relay.reloads(
        &builder(&sink)
            .with(&webhook("own", own.address, &of_one))
            .with(&webhook("all", all.address, &secret())),
    );
    relay.json(&["account", "suspend", &two]);
    relay.json(&["account", "resume", &one]);
    let events = own.take(1);
    assert_eq!(events[0]["account"], one.as_str());
    assert_eq!(
        (&events[0]["kind"], &events[0]["subject"]),
        (&"notice".into(), &"suspend".into())
    );
    let events = all.take(2);
    assert_eq!(events[0]["account"], two.as_str());
    assert_eq!(events[1]["account"], one.as_str());
    relay.leaves_nothing(sink);
}
