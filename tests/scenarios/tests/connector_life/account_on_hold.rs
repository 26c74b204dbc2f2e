//! An account on hold submits, and what it submits waits in the queue, also over a restart. Mail that
//! comes in goes on.

use crate::{DEFAULT, NATIVE, QUESTION, Site};

#[test]
fn mail_of_an_account_on_hold_is_taken_and_waits() {
    let mut site = Site::start();
    let own = site.submission();
    let hold = ["account", "hold", NATIVE, "--reason", "moving servers"];
    let held = site.relay.json(&hold).remove(0);
    assert_eq!(held["hold"]["reason"], "moving servers");
    let id = site.submit(&own, DEFAULT, "x@elsewhere.example");
    assert_eq!(id.code, 250, "{}", id.text());
    let id = id.transaction();
    let waits = site.has_status(&id, "held");
    assert!(
        waits["last-reply"].to_string().contains("on hold"),
        "{waits}"
    );

    site.relay.restart();
    let shown = site.relay.json(&["account", "show", NATIVE]).remove(0);
    assert_eq!(shown["hold"]["reason"], "moving servers");
    let second = site
        .submit(&own, DEFAULT, "y@elsewhere.example")
        .transaction();
    site.has_status(&second, "held");
    let mut client = site.relay.client("mx");
    client.ehlo();
    let reply = client.deliver("ann@author.example", &[DEFAULT], QUESTION);
    assert_eq!(reply.unwrap().code, 250);
    assert_eq!(site.application.take().to, [DEFAULT]);

    // A suspension on top has its own end.
    site.relay.json(&["account", "suspend", NATIVE]);
    let released = site.relay.json(&["account", "release", NATIVE]).remove(0);
    assert_eq!(released["released"], 0, "{released}");
    let resumed = site.relay.json(&["account", "resume", NATIVE]).remove(0);
    assert_eq!(resumed["released"], 2, "{resumed}");
    let mut went = [site.world.take().to, site.world.take().to];
    went.sort();
    assert_eq!(went, [["x@elsewhere.example"], ["y@elsewhere.example"]]);
    assert_eq!(site.notices("hold").len(), 2);
    site.ends();
}
