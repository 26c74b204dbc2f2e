//! One message, judged by three policies and delivered at the second attempt, is one trace: its
//! transaction is the root, all other spans are below it, and it links to its session.

use std::collections::BTreeSet;

use serde_json::Value;
use test_support::{RelayBuilder, Sink};

use super::collector::Request;
use super::{Collector, Span, exported_to, named, only, root_of};
use crate::{MESSAGE, accepted};

/// Traces of one message: requests to the collector, and judgements on record.
struct Message {
    id: String,
    requests: Vec<Request>,
    judged: Vec<Value>,
    port: u16,
}

impl Message {
    /// Sends it, lets its first attempt fail and its second succeed, and stops the relay.
    fn delivered() -> Self {
        let collector = Collector::start();
        let sink = Sink::with(&["--tempfail-first", "1"]);
        let mut relay = RelayBuilder::usual(sink.address())
            .with(&exported_to(&collector))
            .with("service-name = \"desk\"\nheaders = { Authorization = \"Bearer hush\" }")
            .start();
        let id = accepted(&relay, &["help@desk.example"], MESSAGE);
        sink.take();
        let judged = relay.eventually("the second attempt is on record", |relay| {
            (relay.events(&id, "attempt").len() == 2).then(|| relay.judgements(&id))
        });
        relay.terminate();
        let requests = collector.requests();
        let port = sink.address().port();
        relay.restart();
        relay.leaves_nothing(sink);
        Self {
            id,
            requests,
            judged,
            port,
        }
    }

    fn spans(&self) -> Vec<Span> {
        let requests = self.requests.iter();
        requests.flat_map(|request| request.spans.clone()).collect()
    }
}

#[test]
fn each_export_names_its_service_and_no_address() {
    let message = Message::delivered();
    for request in &message.requests {
        assert!(request.head.starts_with("post /v1/traces http/1.1\r\n"));
        assert!(request.head.contains("authorization: bearer hush\r\n"));
        assert!(
            request
                .head
                .contains("content-type: application/x-protobuf\r\n")
        );
        assert_eq!(request.resource["service.name"], "desk");
        assert_eq!(request.resource["host.name"], "mx.desk.example");
    }
    let spans = message.spans();
    let all: BTreeSet<_> = spans.iter().map(|span| &span.id).collect();
    assert_eq!(all.len(), spans.len(), "each span has an id of its own");
    for span in &spans {
        assert!(span.began <= span.ended, "{span:?}");
        let personal = span.attributes.values().find(|value| value.contains('@'));
        assert_eq!(personal, None, "no addresses unless they are asked for");
    }
}

#[test]
fn a_transaction_is_the_root_and_its_session_is_linked() {
    let message = Message::delivered();
    let spans = message.spans();

    // The root has the transaction's id; the session has a trace of its own.
    let (trace, root) = root_of(&message.id);
    let transaction = only(&spans, "smtp.transaction");
    assert_eq!((&transaction.trace, &transaction.id), (&trace, &root));
    assert_eq!(transaction.parent, "");
    assert_eq!(transaction.error, None);
    for (attribute, value) in [
        ("gatepost.transaction", message.id.as_str()),
        ("gatepost.listener", "mx"),
        ("gatepost.account", "acme"),
        ("gatepost.recipients", "1"),
        ("gatepost.verdict", "accept"),
        ("gatepost.reply.code", "250"),
        ("gatepost.reply.enhanced", "2.6.0"),
        ("gatepost.size", &MESSAGE.len().to_string()),
        ("client.address", "127.0.0.1"),
    ] {
        assert_eq!(transaction.get(attribute), value, "{attribute}");
    }
    let session = only(&spans, "smtp.session");
    assert_ne!(session.trace, trace);
    assert_eq!(session.parent, "");
    assert_eq!(session.get("gatepost.transactions"), "1");
    let link = (session.trace.clone(), session.id.clone());
    assert_eq!(transaction.links, [link]);
    assert!(session.began <= transaction.began && transaction.ended <= session.ended);

    let accept = only(&spans, "spool.accept");
    assert_eq!((&accept.trace, &accept.parent), (&trace, &root));
    assert_eq!(accept.error, None);
    assert_eq!(accept.get("gatepost.staged"), "false");
    assert!(transaction.began <= accept.began && accept.ended <= transaction.ended);
}

#[test]
fn both_attempts_stand_below_the_root() {
    let message = Message::delivered();
    let spans = message.spans();
    let (trace, root) = root_of(&message.id);
    let attempts = named(&spans, "delivery.attempt");
    let [first, second] = attempts.as_slice() else {
        panic!("two attempts: {attempts:#?}");
    };
    for (attempt, number, ending, code) in [
        (first, "1", "deferred", "451"),
        (second, "2", "delivered", "250"),
    ] {
        assert_eq!((&attempt.trace, &attempt.parent), (&trace, &root));
        assert_eq!(attempt.get("gatepost.attempt"), number);
        assert_eq!(attempt.get("gatepost.ending"), ending);
        assert_eq!(attempt.get("gatepost.reply.code"), code);
        assert_eq!(attempt.get("server.address"), "127.0.0.1");
        let port = message.port.to_string();
        assert_eq!(attempt.get("server.port"), port);
        assert_eq!(attempt.error.is_some(), ending == "deferred");
    }
    assert!(first.ended <= second.began);
}

/// Each call on record has its span, with the same policy, version, hook and verdict: those of a
/// route below the attempt that it was for, all others below the root.
#[test]
fn each_call_of_a_policy_has_its_span() {
    let message = Message::delivered();
    let spans = message.spans();
    let (trace, root) = root_of(&message.id);
    let calls = spans.iter().filter(|span| span.name.starts_with("policy."));
    let calls: Vec<_> = calls.filter(|span| span.trace == trace).collect();
    let mut called: Vec<_> = calls
        .iter()
        .map(|call| {
            let hook = call.name.strip_prefix("policy.").unwrap();
            let of = |attribute| call.get(attribute);
            [
                of("gatepost.policy"),
                of("gatepost.policy.digest"),
                hook,
                of("gatepost.verdict"),
            ]
        })
        .collect();
    let of = |judgement: &'static str| {
        move |judged: &Value| judged[judgement].as_str().unwrap().to_owned()
    };
    let mut on_record: Vec<_> = message
        .judged
        .iter()
        .map(|judged| {
            [
                of("policy")(judged),
                of("digest")(judged),
                of("hook")(judged),
                of("verdict")(judged),
            ]
        })
        .collect();
    called.sort_unstable();
    on_record.sort_unstable();
    assert_eq!(called, on_record);
    let policies: BTreeSet<_> = called.iter().map(|call| call[0]).collect();
    assert_eq!(
        policies,
        ["header-guard", "loop-guard", "outbound-route"].into()
    );
    let routes = named(&spans, "policy.route");
    let below: Vec<_> = routes.iter().map(|route| &route.parent).collect();
    let attempts = named(&spans, "delivery.attempt");
    let attempts: Vec<_> = attempts.iter().map(|attempt| &attempt.id).collect();
    assert_eq!(attempts.len(), 2);
    // The queue keeps the route for the second attempt.
    assert_eq!(below, attempts[..1]);
    let transaction = only(&spans, "smtp.transaction");
    for call in calls.iter().filter(|call| call.name != "policy.route") {
        assert_eq!(call.parent, root, "{call:?}");
        assert!(transaction.began <= call.began && call.ended <= transaction.ended);
    }
}
