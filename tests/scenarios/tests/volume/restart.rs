//! A restart, even by kill -9, forgets nothing of a day's count.

use test_support::Sink;

use crate::{Credential, account, builder};

#[test]
fn counts_and_suspensions_outlive_a_kill() {
    let sink = Sink::start();
    let mut relay = builder(&sink)
        .with("[caps.account]\nmessages-a-day = 3")
        .start();
    let acme = account(&relay, "acme.desk.test");
    account(&relay, "other.desk.test");
    let own = Credential::issue(&relay, "acme.desk.test");
    let other = Credential::issue(&relay, "other.desk.test");
    assert_eq!(own.submit(&relay, "a@world.example").code, 250);
    relay.restart();
    assert_eq!(own.submit(&relay, "a@world.example").code, 250);
    assert_eq!(own.submit(&relay, "a@world.example").code, 250);
    relay.json(&["account", "suspend", "other.desk.test"]);
    relay.restart();
    assert_eq!(own.submit(&relay, "a@world.example").code, 451);
    let mut client = relay.client("submission");
    client.ehlo();
    client.starttls();
    assert_eq!(client.plain(&other.user, &other.secret).code, 525);
    let shown = relay.json(&["account", "volume", &acme]);
    assert!(shown[0]["suspended"].is_null());
    for _ in 0..3 {
        sink.take();
    }
    relay.leaves_nothing(sink);
}
