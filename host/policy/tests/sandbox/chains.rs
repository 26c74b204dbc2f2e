//! Chains: what later policies see, which verdicts stick, and which stop the chain.

use std::sync::{Arc, Mutex};

use gatepost_contract::identity::Identity;
use gatepost_message::{FieldName, Millis, TransactionId};
use gatepost_model::{Effect, Scope, Verdict};
use gatepost_policy::{Chain, Definition, Findings, Memory, NoMemory, PolicyContext, Slot};
use serde_json::json;
use test_support::{hostile, policy};

use crate::{load, message, transaction};

async fn slot(name: &str, module: Vec<u8>, settings: serde_json::Value) -> Arc<Slot> {
    let mut definition = Definition::new(name);
    definition.settings = settings;
    Slot::new(load(definition, module).await)
}

#[tokio::test]
async fn a_later_policy_sees_the_edits_of_an_earlier_one() {
    let adds =
        json!({ "rules": [{ "header": "Received", "action": { "set": { "value": "x" } } }] });
    let chain = Chain::new([
        slot("header-guard", policy("header-guard"), adds).await,
        slot(
            "loop-guard",
            policy("loop-guard"),
            json!({ "hop-limit": 1 }),
        )
        .await,
    ]);
    let two_hops = message("Received: a\r\nReceived: b\r\n");
    let ruling = chain
        .begin(Arc::new(NoMemory))
        .message(&transaction(), two_hops, None, Findings::default())
        .await;
    assert_eq!(
        ruling.verdict,
        Verdict::Pass,
        "one Received is left after the edit"
    );
    assert_eq!(ruling.message.headers_named("Received"), ["x"]);
}

#[tokio::test]
async fn an_edit_of_a_protected_field_is_dropped_and_recorded() {
    let protects = json!({ "rules": [{ "header": "subject", "protect": true }] });
    let edits = json!({ "rules": [
        { "header": "Subject", "action": { "set": { "value": "other" } } },
        { "header": "X-New", "action": { "set": { "value": "fine" } } },
    ] });
    let chain = Chain::new([
        slot("first", policy("header-guard"), protects).await,
        slot("second", policy("header-guard"), edits).await,
    ]);
    let ruling = chain
        .begin(Arc::new(NoMemory))
        .message(
            &transaction(),
            message("Subject: mine\r\n"),
            None,
            Findings::default(),
        )
        .await;
    assert_eq!(ruling.message.header("Subject").as_deref(), Some("mine"));
    assert_eq!(ruling.message.header("X-New").as_deref(), Some("fine"));
    let dropped = &ruling.findings.judgements[1].decision.dropped;
    assert_eq!(
        dropped,
        &["edit of Subject dropped: the field is protected"]
    );
}

#[tokio::test]
async fn a_reject_stops_the_chain() {
    let forbids = json!({ "rules": [{ "header": "X-Bad", "action": "forbid" }] });
    let chain = Chain::new([
        slot("header-guard", policy("header-guard"), forbids).await,
        slot("marks", hostile("marks"), json!({})).await,
    ]);
    let ruling = chain
        .begin(Arc::new(NoMemory))
        .message(
            &transaction(),
            message("X-Bad: 1\r\n"),
            None,
            Findings::default(),
        )
        .await;
    assert!(matches!(&ruling.verdict, Verdict::Reject(reply) if reply.code() == 550));
    assert_eq!(ruling.findings.judgements.len(), 1);
    assert!(ruling.findings.effects.is_empty());
}

#[tokio::test]
async fn every_call_starts_from_the_configured_snapshot() {
    let chain = Chain::new([slot("marks", hostile("marks"), json!({ "version": "one" })).await]);
    for _ in 0..3 {
        let ruling = chain
            .begin(Arc::new(NoMemory))
            .message(
                &transaction(),
                message("A: b\r\n"),
                None,
                Findings::default(),
            )
            .await;
        // The instance is configured and knows nothing of the calls before.
        assert_eq!(ruling.message.header("X-Marked-By").as_deref(), Some("one"));
        assert_eq!(
            ruling.findings.judgements[0].decision.reasons,
            ["call 1 of this instance"]
        );
    }
}

/// Marks, stored as a spool would.
#[derive(Default)]
struct Marks(Mutex<Vec<(Scope, String)>>);

impl Memory for Marks {
    fn counted(&self, _: &Scope, _: &str, _: u32, _: Millis) -> u64 {
        0
    }
    fn seen(&self, scope: &Scope, key: &str, _: Millis) -> bool {
        self.0
            .lock()
            .unwrap()
            .iter()
            .any(|(s, k)| s == scope && k == key)
    }
    fn machine(&self, _: &str, _: &str, _: Millis) -> Option<gatepost_model::Machine> {
        None
    }
}

/// Identity of a relay that has issued the email id 42.
struct Issuer;

impl Identity for Issuer {
    fn host_name(&self) -> String {
        "relay.example".to_owned()
    }
    fn email_id(&self, transaction: TransactionId) -> String {
        transaction.to_string()
    }
    fn is_ours(&self, email_id: &str) -> bool {
        email_id == "42"
    }
}

#[tokio::test]
async fn effects_are_seen_only_after_the_host_applied_them() {
    let memory = Arc::new(Marks::default());
    let chain = Chain::new([slot("loop-guard", policy("loop-guard"), json!({})).await]);
    let look_ups = || PolicyContext {
        identity: Arc::new(Issuer),
        ..memory.clone().into()
    };
    let ours = || message("X-Gatepost-Email-Id: 42\r\n");
    // A message that is sent back has one more hop.
    let back = || message("Received: from a by b; now\r\nX-Gatepost-Email-Id: 42\r\n");
    let ruling = chain
        .begin(look_ups())
        .message(&transaction(), ours(), None, Findings::default())
        .await;
    assert_eq!(ruling.verdict, Verdict::Pass);
    assert_eq!(
        ruling.findings.effects.len(),
        8,
        "for each recipient the id, and by which a resend is known: its octets and its client; of the \
         newcomer one count and one mark"
    );
    // Before the effects are applied, it decides the same again: a hook changes nothing.
    let again = chain
        .begin(look_ups())
        .message(&transaction(), ours(), None, Findings::default())
        .await;
    assert_eq!(again.findings.effects, ruling.findings.effects);
    for (scope, effect) in ruling.findings.effects {
        assert_eq!(scope.account.as_deref(), Some("acme"));
        match effect {
            Effect::MarkSeen { key, .. } => memory.0.lock().unwrap().push((scope, key)),
            // This memory keeps marks alone: a returned message is known by them.
            Effect::Count { .. } => {}
            effect => panic!("{effect:?}"),
        }
    }
    let returned = chain
        .begin(look_ups())
        .message(&transaction(), back(), None, Findings::default())
        .await;
    let Verdict::Reject(reply) = returned.verdict else {
        panic!("{:?}", returned.verdict)
    };
    assert_eq!(reply.to_string().get(..9), Some("554 5.4.6"));
    // The marks of one account are not those of another.
    let mut other = transaction();
    other.account = Some("other".into());
    let elsewhere = chain
        .begin(look_ups())
        .message(&other, back(), None, Findings::default())
        .await;
    assert_eq!(elsewhere.verdict, Verdict::Pass);
}

#[tokio::test]
async fn a_field_protected_by_an_earlier_hook_is_not_edited() {
    let mut earlier = Findings::default();
    earlier.protected.insert(FieldName::new("Subject").unwrap());
    let edits = json!({ "rules": [{ "header": "SUBJECT", "action": "strip" }] });
    let chain = Chain::new([slot("header-guard", policy("header-guard"), edits).await]);
    let ruling = chain
        .begin(Arc::new(NoMemory))
        .message(&transaction(), message("Subject: mine\r\n"), None, earlier)
        .await;
    assert_eq!(ruling.message.header("Subject").as_deref(), Some("mine"));
    assert_eq!(ruling.findings.judgements[0].decision.dropped.len(), 1);
}
