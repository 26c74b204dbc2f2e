//! The queued mail of a suspended account is held, neither sent nor bounced; mail that comes in for
//! it goes on, and so does mail of others. Once resumed, it all goes.

use serde_json::Value;
use test_support::{Relay, Sink};

use crate::{Credential, account, builder};

fn recipients(relay: &Relay, id: &str) -> Vec<Value> {
    let shown = relay.json(&["queue", "show", id]);
    shown[0]["recipients"].as_array().unwrap().clone()
}

#[test]
fn queued_mail_is_held_and_goes_once_resumed() {
    let sink = Sink::start();
    // The world takes nothing for now.
    let busy = Sink::with(&["--tempfail-first", "100000"]);
    let port = |sink: &Sink| format!("port = {}", sink.address().port());
    let toward_busy = builder(&sink).replace(&port(&sink), &port(&busy));
    let relay = toward_busy.start();
    account(&relay, "acme.desk.test");
    account(&relay, "other.desk.test");
    let own = Credential::issue(&relay, "acme.desk.test");
    let other = Credential::issue(&relay, "other.desk.test");
    let waits = own.submit(&relay, "a@world.example").transaction();
    let held_by_hand = own.submit(&relay, "b@world.example").transaction();
    let others = other.submit(&relay, "c@world.example").transaction();
    relay.eventually("it was tried", |relay| {
        let all = recipients(relay, &held_by_hand);
        (all[0]["attempts"].as_u64() > Some(0) && all[0]["status"] == "queued").then_some(())
    });
    relay.eventually("it is held by hand", |relay| {
        let output = relay.command(&["queue", "hold", &held_by_hand, "--json"]);
        output.status.success().then_some(())
    });
    relay.json(&[
        "account",
        "suspend",
        "acme.desk.test",
        "--reason",
        "token stolen",
    ]);

    let held = relay.eventually("it is held", |relay| {
        let all = recipients(relay, &waits);
        (all[0]["status"] == "held").then_some(all)
    });
    let reply = held[0]["last-reply"].to_string();
    assert!(reply.contains("the account is suspended"), "{reply}");
    let attempts = relay.events(&waits, "attempt");
    let last = attempts.last().unwrap();
    assert_eq!(last["ending"], "held", "{last}");

    // The world takes mail again: that of others, and what comes in.
    relay.reloads(&builder(&sink));
    relay.command(&["queue", "retry", &others]);
    assert_eq!(sink.take().to, ["c@world.example"]);
    let mut client = relay.client("mx");
    client.ehlo();
    let message = b"From: <ann@world.example>\r\nSubject: hello\r\n\r\nHello!\r\n";
    let reply = client.deliver("ann@world.example", &["help@acme.desk.test"], message);
    assert_eq!(reply.unwrap().code, 250);
    assert_eq!(sink.take().to, ["help@acme.desk.test"]);

    // What an operator held by hand is the operator's.
    let resumed = relay.json(&["account", "resume", "acme.desk.test"]);
    assert_eq!(resumed[0]["released"], 1, "{resumed:?}");
    assert_eq!(sink.take().to, ["a@world.example"]);
    assert_eq!(recipients(&relay, &held_by_hand)[0]["status"], "held");
    assert_eq!(own.submit(&relay, "d@world.example").code, 250);
    assert_eq!(sink.take().to, ["d@world.example"]);
    relay.json(&["queue", "release", &held_by_hand]);
    assert_eq!(sink.take().to, ["b@world.example"]);
    let released = relay.events(&waits, "released");
    assert_eq!(released.len(), 1);
    relay.leaves_nothing(sink);
}
