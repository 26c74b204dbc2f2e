//! Mail that waits for an endpoint follows its changes: it goes to the new URL at once, and the
//! site's way when the endpoint is removed. Meanwhile the mail of another account flows.

use std::net::SocketAddr;

use test_support::Sink;

use super::customer::{account, endpoint, relay_with_site, sent_to};
use crate::application::desk::Desk;

/// Nobody listens at this address of the loopback network.
fn nobody() -> SocketAddr {
    let process = std::process::id().to_be_bytes();
    SocketAddr::from(([127, 78, process[2], process[3].max(1)], 8026))
}

#[test]
fn mail_that_waits_goes_to_the_present_endpoint() {
    let (site, own, world) = (Desk::answering(200), Desk::answering(200), Sink::start());
    let relay = relay_with_site(site.address, &world).start();
    let acme = account(&relay, "acme.desk.test", &["help@acme.desk.test"], &[]);
    let other = account(&relay, "other.desk.test", &["help@other.desk.test"], &[]);
    // Only a change has it tried within the patience of the test.
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("settings.toml");
    std::fs::write(&settings, "retry-seconds = [3600]\n").unwrap();
    let slow = ["--settings", settings.to_str().unwrap()];
    endpoint(&relay, &acme, "tickets", nobody(), &slow);
    endpoint(&relay, &other, "tickets", own.address, &slow);
    let waits = |id: &str| {
        relay.eventually("the attempt is on record", |relay| {
            let attempts = relay.events(id, "attempt");
            attempts
                .into_iter()
                .find(|of| of["ending"].get("deferred").is_some())
        });
    };
    let id = sent_to(&relay, &["help@acme.desk.test"]);
    waits(&id);
    let of_other = sent_to(&relay, &["help@other.desk.test"]);
    assert_eq!(own.take().parts().0["transaction"], of_other.as_str());

    let url = format!("http://{}/mail", own.address);
    let set = [
        "endpoint",
        "set",
        "--account",
        &acme,
        "tickets",
        "--url",
        &url,
    ];
    relay.json(&set);
    let posted = own.take();
    assert!(posted.is_signed());
    assert_eq!(posted.parts().0["transaction"], id.as_str());

    let url = format!("http://{}/mail", nobody());
    let set = [
        "endpoint",
        "set",
        "--account",
        &acme,
        "tickets",
        "--url",
        &url,
    ];
    relay.json(&set);
    let id = sent_to(&relay, &["help@acme.desk.test"]);
    waits(&id);
    relay.json(&["endpoint", "remove", "--account", &acme, "tickets"]);
    assert_eq!(site.take().parts().0["transaction"], id.as_str());
    assert!(own.is_idle() && site.is_idle());
    relay.leaves_nothing(world);
}
