//! An endpoint of an account leads nobody into the relay's own network, and mail of a customer does
//! not travel in clear.

use test_support::Sink;

use super::customer::{account, endpoint, relay_with_site, sent_to};
use crate::application::desk::{Desk, recipient};

#[test]
fn an_endpoint_inside_the_network_gets_nothing_unless_it_is_allowed() {
    let (site, own, world) = (Desk::answering(200), Desk::answering(200), Sink::start());
    let relay = relay_with_site(site.address, &world)
        .replace("allowed-networks = [\"127.0.0.0/8\"]", "")
        .start();
    let acme = account(&relay, "acme.desk.test", &["help@acme.desk.test"], &[]);
    for (url, words) in [
        ("http://desk.test/mail", "begins with https://"),
        ("ftp://desk.test/mail", "write a URL"),
        ("https://user:pass@desk.test/", "write a URL"),
    ] {
        let named = ["endpoint", "add", "--account", &acme, "tickets"];
        let refused = relay.refuses(&[&named[..], &["--url", url]].concat());
        assert!(refused.contains(words), "{url}: {refused}");
    }
    endpoint(&relay, &acme, "tickets", own.address, &[]);
    let id = sent_to(&relay, &["help@acme.desk.test"]);
    let waits = relay.eventually("the attempt is on record", |relay| {
        Some(recipient(relay, &id)).filter(|one| one["attempts"] != 0)
    });
    assert_eq!(waits["status"], "queued", "{waits}");
    assert!(relay.log().contains("127.0.0.1"), "{}", relay.log());
    // The site's own endpoint is not restricted.
    relay.json(&["endpoint", "remove", "--account", &acme, "tickets"]);
    assert_eq!(site.take().parts().0["transaction"], id.as_str());
    assert!(own.is_idle());
    relay.leaves_nothing(world);
}
