//! A sharing agreement follows every later change of either account, without a restart.

use test_support::Sink;

use crate::{guarded, send, two};

#[test]
fn an_agreement_follows_what_changes_later() {
    let sink = Sink::start();
    let relay = guarded(&sink).start();
    let (a, b) = two(&relay);
    let code = |from: &str, to: &str| {
        let reply = send(&relay, from, to, &format!("From: <{from}>"));
        if reply.code == 250 {
            sink.take();
        }
        reply.code
    };
    assert_eq!(code("help@b.desk.test", "help@a.desk.test"), 250);

    let made = relay.json(&["sharing", "add", "b.desk.test", "a.desk.test"]);
    let pair = [
        made[0]["one"].as_str().unwrap(),
        made[0]["other"].as_str().unwrap(),
    ];
    assert!(
        pair.contains(&a.as_str()) && pair.contains(&b.as_str()),
        "{made:?}"
    );
    assert_eq!(code("help@b.desk.test", "help@a.desk.test"), 550);
    assert_eq!(code("help@a.desk.test", "help@b.desk.test"), 550);
    assert_eq!(code("Help+7@B.desk.test", "help@a.desk.test"), 550);
    assert_eq!(code("sales@b.desk.test", "help@a.desk.test"), 250);

    // An address that is added counts at once, and one that is removed does no longer.
    relay.json(&["address", "add", "--account", &b, "sales@b.desk.test"]);
    assert_eq!(code("sales@b.desk.test", "help@a.desk.test"), 550);
    relay.json(&["address", "remove", "--account", &b, "sales@b.desk.test"]);
    assert_eq!(code("sales@b.desk.test", "help@a.desk.test"), 250);

    // So does a domain that is connected, once it is verified; disconnected, it goes on receiving.
    let domain = ["--domain", "b.test", "--kind", "outbound-only"];
    let add = [&["connector", "add", "--account", &b], &domain[..]].concat();
    let connector = relay.json(&add)[0]["id"].as_str().unwrap().to_owned();
    relay.json(&["address", "add", "--account", &b, "support@b.test"]);
    assert_eq!(
        code("support@b.test", "help@a.desk.test"),
        250,
        "a mere claim"
    );
    relay.json(&["connector", "vouch", &connector]);
    assert_eq!(code("support@b.test", "help@a.desk.test"), 550);
    relay.json(&["connector", "disconnect", &connector]);
    assert_eq!(code("support@b.test", "help@a.desk.test"), 550);
    relay.json(&["address", "remove", "--account", &b, "support@b.test"]);
    assert_eq!(code("support@b.test", "help@a.desk.test"), 250);

    let said = relay.refuses(&["sharing", "add", &a, &b]);
    assert!(said.contains("have a sharing agreement already"), "{said}");
    let said = relay.refuses(&["sharing", "add", &a, "a.desk.test"]);
    assert!(said.contains("cannot share with itself"), "{said}");
    assert_eq!(relay.json(&["sharing", "list", "--account", &a]).len(), 1);
    relay.json(&["sharing", "remove", "a.desk.test", "b.desk.test"]);
    assert_eq!(relay.json(&["sharing", "list"]).len(), 0);
    assert_eq!(code("help@b.desk.test", "help@a.desk.test"), 250);
    relay.leaves_nothing(sink);
}
