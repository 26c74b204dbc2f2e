//! A greylisted recipient is tried again when the server asks for it, not by the relay's schedule;
//! the lane to the server stays open for others.

use crate::{MESSAGE, attempt, relay, server, submitted, waits, zone};
use test_support::DnsServer;

const GREYLISTS: &str = "
    [greylist]
    tries = 1
    reply = '451 4.7.1 Greylisted, try again in 300 seconds'
";

#[test]
fn a_greylisted_recipient_is_tried_again_at_the_servers_pace() {
    let server = server(GREYLISTS);
    let dns = DnsServer::start(zone(&[(10, 2)]));
    // The schedule would say an hour.
    let relay = relay(&dns, server.address().port()).start();
    let id = submitted(&relay, &["x@b.example"], MESSAGE);
    waits(&relay, &id, "451 4.7.1 Greylisted");
    let first = attempt(&relay, &id, 1);
    let next = first["ending"]["deferred"]["next-attempt"]
        .as_u64()
        .unwrap();
    let wait = next - first["at"].as_u64().unwrap();
    assert!((295_000..=300_000).contains(&wait), "{wait} ms");

    let listed = relay.json(&["queue", "list"]).remove(0);
    assert_eq!(listed["destination"], "mx:b.example");
    assert_eq!(listed["next-attempt"], next);
    assert_eq!(listed["last-reply"]["code"], 451, "{listed}");
    let output = relay.command(&["queue", "show", &id]);
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(shown.contains("Greylisted, try again"), "{shown}");
    assert!(
        shown.contains("waits      its next attempt is at"),
        "{shown}"
    );

    relay.json(&["queue", "retry", &id]);
    assert_eq!(server.take().to, ["x@b.example"]);
    relay.leaves_nothing(server);
}
