//! The budget of a transaction, shared by all its calls.

use std::sync::Arc;

use gatepost_message::{Address, ReversePath};
use gatepost_model::{Effect, FaultKind, Transaction, Verdict};
use gatepost_policy::{Chain, Definition, Findings, NoMemory, Pinned, Sizes, Slot};
use test_support::hostile;

use crate::{address, load, message, transaction};

/// Returns a chain of the policy that asks for as much as it can, of the kind that the
/// reverse-path names.
async fn asks_much() -> Chain {
    let version = load(Definition::new("asks_much"), hostile("asks_much")).await;
    Chain::new([Slot::new(version)])
}

/// Returns a transaction that makes the policy ask for much of this kind.
fn asking(what: &str) -> Transaction {
    let mut transaction = transaction();
    let sender = address(&format!("{what}@sender.example"));
    transaction.reverse_path = ReversePath::Address(sender);
    transaction.recipients.clear();
    transaction
}

/// Adds recipients as a session does, unless they are refused. Returns the findings.
async fn add_recipients(policies: &Pinned, of: &mut Transaction, count: usize) -> Findings {
    let mut findings = Findings::default();
    for n in 0..count {
        let recipient: Address = address(&format!("r{n}@desk.example"));
        let ruling = policies.recipient(of, &recipient).await;
        match ruling.verdict {
            Verdict::Pass => {
                findings.add(ruling.judgements, of.account.as_deref());
                of.recipients.push(recipient);
            }
            _ => findings.note(ruling.judgements),
        }
    }
    findings
}

#[tokio::test]
async fn reasons_beyond_the_budget_are_dropped_without_a_fault() {
    let chain = asks_much().await;
    let mut of = asking("reasons");
    let policies = chain.begin(Arc::new(NoMemory));
    let findings = add_recipients(&policies, &mut of, 50).await;
    assert_eq!(of.recipients.len(), 50, "nobody is refused for it");
    let judgements = &findings.judgements;
    let reasons = judgements
        .iter()
        .flat_map(|judged| &judged.decision.reasons);
    let octets: usize = reasons.map(String::len).sum();
    assert!(
        (200 << 10..=256 << 10).contains(&octets),
        "{octets} octets of reasons"
    );
    let most = judgements
        .iter()
        .map(|judged| judged.decision.reasons.len())
        .max();
    assert_eq!(most, Some(20));
    let dropped = &judgements[49].decision.dropped;
    assert_eq!(dropped, &["60 more reasons were not kept"]);
}

#[tokio::test]
async fn a_transaction_has_at_most_four_thousand_effects() {
    let chain = asks_much().await;
    let mut of = asking("effects");
    let policies = chain.begin(Arc::new(NoMemory));
    let findings = add_recipients(&policies, &mut of, 6).await;
    assert_eq!(
        of.recipients.len(),
        4,
        "the others are to come in another transaction"
    );
    assert_eq!(findings.effects.len(), 4000);
    let refused = &findings.judgements[4];
    assert_eq!(refused.error.as_ref().unwrap().kind, FaultKind::Budget);
    let Verdict::Tempfail(reply) = &refused.verdict else {
        panic!("{:?}", refused.verdict)
    };
    assert_eq!(reply.to_string().get(..9), Some("452 4.5.3"));
    // In another transaction they are accepted.
    let policies = chain.begin(Arc::new(NoMemory));
    let mut of = asking("effects");
    assert_eq!(
        add_recipients(&policies, &mut of, 1).await.effects.len(),
        1000
    );
    assert!(
        findings
            .effects
            .iter()
            .all(|(_, effect)| matches!(effect, Effect::MarkSeen { .. }))
    );
}

#[tokio::test]
async fn tags_protected_fields_and_edits_are_bounded() {
    for what in ["tags", "protected", "edits"] {
        let chain = asks_much().await;
        let mut of = asking(what);
        let policies = chain.begin(Arc::new(NoMemory));
        let findings = add_recipients(&policies, &mut of, 12).await;
        assert!(findings.tags.len() <= 100, "{what}");
        assert!(findings.protected.len() <= 200, "{what}");
        assert!(findings.edits.len() <= 1000, "{what}");
        let kinds = findings
            .judgements
            .iter()
            .filter_map(|judged| judged.error.as_ref());
        let mut kinds = kinds.map(|fault| fault.kind);
        assert!(kinds.any(|kind| kind == FaultKind::Budget), "{what}");
    }
}

#[tokio::test]
async fn edits_that_make_a_message_too_large_are_a_fault() {
    let chain = asks_much().await;
    let sizes = |header| Sizes {
        header,
        message: u64::MAX,
    };
    let of = asking("grows");
    for (header, kind) in [(10_000, Some(FaultKind::Limit)), (1 << 20, None)] {
        let ruling = chain
            .begin(Arc::new(NoMemory))
            .within(sizes(header))
            .message(
                &of,
                message("Subject: hello\r\n"),
                None,
                Findings::default(),
            )
            .await;
        let fault = ruling.findings.judgements[0].error.as_ref();
        assert_eq!(fault.map(|fault| fault.kind), kind, "{header}");
        let grown = ruling.message.head().len();
        assert_eq!(grown > 10_000, kind.is_none(), "{grown} octets");
    }
    // A message that came larger may stay so.
    let large = format!("X-Large: {}\r\n", "x".repeat(20_000));
    let ruling = chain
        .begin(Arc::new(NoMemory))
        .within(sizes(10_000))
        .message(
            &asking("removes"),
            message(&large),
            None,
            Findings::default(),
        )
        .await;
    assert!(ruling.findings.judgements[0].error.is_none());
    assert_eq!(ruling.message.count("X-Gone"), 0);
}

#[tokio::test]
async fn edits_of_earlier_hooks_that_make_a_message_too_large_are_dropped() {
    let chain = asks_much().await;
    let mut of = asking("large-edits");
    let policies = chain.begin(Arc::new(NoMemory)).within(Sizes {
        header: 10_000,
        message: u64::MAX,
    });
    let findings = add_recipients(&policies, &mut of, 1).await;
    assert!(!findings.edits.is_empty());
    let original = message("Subject: hello\r\n");
    let ruling = policies
        .message(&of, original.clone(), None, findings)
        .await;
    assert_eq!(ruling.message.head(), original.head());
    let dropped = &ruling.findings.judgements[0].decision.dropped;
    assert!(
        dropped[0].contains("edits of earlier hooks dropped"),
        "{dropped:?}"
    );
}

#[tokio::test]
async fn a_policy_runs_for_at_most_a_hundred_deadlines_before_the_end_of_data() {
    let mut slow = Definition::new("asks_much");
    slow.limits.deadline = std::time::Duration::from_millis(2);
    let chain = Chain::new([Slot::new(load(slow, hostile("asks_much")).await)]);
    let mut of = asking("time");
    let policies = chain.begin(Arc::new(NoMemory));
    let findings = add_recipients(&policies, &mut of, 150).await;
    let kinds = findings
        .judgements
        .iter()
        .filter_map(|judged| judged.error.as_ref());
    let kinds: Vec<_> = kinds.map(|fault| fault.kind).collect();
    let ran = kinds
        .iter()
        .filter(|kind| **kind == FaultKind::Deadline)
        .count();
    assert!(
        (1..=100).contains(&ran),
        "{ran} calls ran to their deadline"
    );
    assert_eq!(kinds.last(), Some(&FaultKind::Budget));
}
