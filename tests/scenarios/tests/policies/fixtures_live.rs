//! Every fixture through the running relay: the reply, what the policies said, and what arrives
//! where.

use std::collections::BTreeMap;

use serde_json::json;
use test_support::{Client, Fixture, Relay, RelayBuilder, Reply, Sink, fixtures};

#[test]
fn every_fixture_is_decided_as_expected_live() {
    let hops = BTreeMap::from([("application", Sink::start()), ("smarthost", Sink::start())]);
    let mut relay =
        RelayBuilder::fixtures(hops["application"].address(), hops["smarthost"].address()).start();
    for fixture in fixtures() {
        let name = &fixture.name;
        let reply = send(&relay, &fixture);
        assert_eq!(reply.code, fixture.expect.code, "{name}: {}", reply.text());
        if let Some(hop) = &fixture.expect.hop {
            let taken = hops[hop.as_str()].take();
            let surprises = fixture.arrival_surprises(&taken);
            assert!(surprises.is_empty(), "{name}: {surprises:?}");
        }
        said_as_expected(&relay, &fixture, &reply.transaction());
    }

    assert!(relay.terminate().success());
    assert_eq!(relay.json(&["queue", "list", "--messages"]).len(), 0);
    for (name, hop) in hops {
        let rest = hop.rest();
        assert!(rest.is_empty(), "{name} got more: {rest:?}");
    }
}

fn send(relay: &Relay, fixture: &Fixture) -> Reply {
    let client = Client::greeted(relay.address(&fixture.listener));
    let mut client = match &fixture.user {
        Some((user, password)) => client.authenticated(user, password),
        None => {
            let mut client = client;
            client.ehlo();
            client
        }
    };
    let recipients: Vec<&str> = fixture.rcpt_to.iter().map(String::as_str).collect();
    let message = fixture.message();
    client
        .deliver(&fixture.mail_from, &recipients, &message)
        .unwrap()
}

/// Reason and class, as they are on record. The route's reason is there once the message is.
fn said_as_expected(relay: &Relay, fixture: &Fixture, id: &str) {
    let Fixture { name, expect, .. } = fixture;
    let delivered = |relay: &Relay| {
        let attempts = relay.events(id, "attempt").len();
        (expect.hop.is_none() || attempts == fixture.rcpt_to.len()).then_some(())
    };
    relay.eventually("the delivery is on record", delivered);
    let judgements = relay.judgements(id);
    let decisions = || judgements.iter().map(|judgement| &judgement["decision"]);
    if let Some(reason) = &expect.reason {
        let reasons: Vec<String> = decisions().map(|d| d["reasons"].to_string()).collect();
        assert!(
            reasons.iter().any(|said| said.contains(reason)),
            "{name}: {reason:?} is not in {reasons:?}"
        );
    }
    let class = decisions()
        .map(|decision| &decision["classification"])
        .rfind(|class| !class.is_null());
    if let Some(expected) = &expect.class {
        assert_eq!(class.unwrap()["class"], json!(expected), "{name}");
    }
    if let Some(allowed) = expect.reply_allowed {
        assert_eq!(class.unwrap()["reply-allowed"], json!(allowed), "{name}");
    }
}
