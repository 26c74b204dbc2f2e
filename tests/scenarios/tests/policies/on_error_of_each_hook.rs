//! What a fault means in each hook: where a client is waiting it hears 4xx, or with `skip` the
//! policy is passed by; in `route` the message waits; in `outcome` nothing changes. Never 5xx,
//! never a lost message.

use test_support::{Client, RelayBuilder, Sink, hostile_file};

use crate::{INNOCENT, send_to};

const HOOKS: [&str; 6] = [
    "connect",
    "sender",
    "recipient",
    "message",
    "route",
    "outcome",
];

#[test]
fn a_fault_while_a_client_waits_is_a_temporary_refusal() {
    let sink = Sink::start();
    let relay = builder(&sink).start();
    let mut client = Client::connect(relay.address("connect-tempfail")).unwrap();
    // The greeting is 220, 421 or 554 (RFC 5321 section 4.2.3).
    assert_eq!(client.expect(421).enhanced(), Some("4.3.0"));
    assert!(client.closed());

    let mut client = relay.client("sender-tempfail");
    client.ehlo();
    let reply = client.command("MAIL FROM:<ann@sender.example>", 451);
    assert_eq!(reply.enhanced(), Some("4.3.0"));

    let mut client = relay.client("recipient-tempfail");
    client.ehlo();
    client.command("MAIL FROM:<ann@sender.example>", 250);
    let reply = client.command("RCPT TO:<help@desk.example>", 451);
    assert_eq!(reply.enhanced(), Some("4.3.0"));

    let reply = send_to(&relay, "message-tempfail", INNOCENT);
    assert_eq!((reply.code, reply.enhanced()), (451, Some("4.3.0")));
    drop(client);
    relay.leaves_nothing(sink);
}

#[test]
fn with_skip_the_policy_is_passed_by() {
    let sink = Sink::start();
    let relay = builder(&sink).start();
    for hook in ["connect", "sender", "recipient", "message"] {
        let reply = send_to(&relay, &format!("{hook}-skip"), INNOCENT);
        assert_eq!(reply.code, 250, "{hook}: {}", reply.text());
        sink.take();
        let judgements = relay.judgements(&reply.transaction());
        let faults = judgements
            .iter()
            .filter(|judged| !judged["error"].is_null());
        let hooks: Vec<_> = faults.map(|judged| &judged["hook"]).collect();
        assert_eq!(hooks, [hook]);
    }
    relay.leaves_nothing(sink);
}

#[test]
fn without_a_route_the_message_waits_until_the_policy_is_mended() {
    let sink = Sink::start();
    let builder = builder(&sink).replace("retry = [\"1s\"]", "retry = [\"1h\"]");
    let relay = builder.clone().start();
    let waiting = ["route-tempfail", "route-skip"].map(|listener| {
        let reply = send_to(&relay, listener, INNOCENT);
        assert_eq!(reply.code, 250, "{}", reply.text());
        let id = reply.transaction();
        let attempt = relay.eventually("the attempt is on record", |relay| {
            relay.events(&id, "attempt").pop()
        });
        assert_eq!(attempt["reply"]["code"], 451, "{attempt}");
        assert!(attempt["ending"]["deferred"].is_object(), "{attempt}");
        id
    });

    let mended = builder.replace("{ hook = \"route\" }", "{ hook = \"none\" }");
    mended.write(relay.directory());
    relay.reload();
    for id in &waiting {
        relay.json(&["queue", "retry", id]);
        assert_eq!(sink.take().to, ["help@desk.example"]);
        relay.eventually("the delivery is recorded", |relay| {
            (relay.events(id, "attempt").len() == 2).then_some(())
        });
    }
    relay.leaves_nothing(sink);
}

#[test]
fn a_fault_of_the_outcome_hook_changes_nothing() {
    let sink = Sink::start();
    let relay = builder(&sink).start();
    for listener in ["outcome-tempfail", "outcome-skip"] {
        let reply = send_to(&relay, listener, INNOCENT);
        assert_eq!(reply.code, 250, "{listener}");
        assert_eq!(sink.take().to, ["help@desk.example"]);
        let id = reply.transaction();
        let fault = relay.eventually("the fault is on record", |relay| {
            let mut judgements = relay.judgements(&id).into_iter();
            judgements.find(|judged| !judged["error"].is_null())
        });
        assert_eq!(fault["hook"], "outcome");
        let attempts = relay.events(&id, "attempt");
        assert_eq!(attempts.len(), 1);
        assert_eq!(attempts[0]["ending"], "delivered");
    }
    relay.leaves_nothing(sink);
}

/// A relay with two listeners for each hook, one for each `on-error`, and a chain of a policy that
/// traps in that hook.
fn builder(sink: &Sink) -> RelayBuilder {
    let mut builder = RelayBuilder::usual(sink.address());
    let file = hostile_file("traps_in");
    for hook in HOOKS {
        for on_error in ["tempfail", "skip"] {
            let name = format!("{hook}-{on_error}");
            let keys = format!("on-error = \"{on_error}\"\nsettings = {{ hook = \"{hook}\" }}");
            builder = builder.judged_by(&name, &file, &keys);
        }
    }
    builder
}
