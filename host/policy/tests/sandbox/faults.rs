//! Hostile guests: each of their faults ends in the policy's `on-error`, and in nothing else.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatepost_message::Message;
use gatepost_model::{FaultKind, Queued, Routing, Transaction, Verdict};
use gatepost_policy::{
    BreakerState, Chain, Definition, Engine, EngineSettings, Findings, Limits, MessageRuling,
    NoMemory, OnError, Slot,
};
use test_support::hostile;

use crate::{attack, judge, load, message, transaction};

fn definition(name: &str) -> Definition {
    Definition::new(name)
}

/// Sends the attack to a hostile module and checks the kind of fault, the reply, and that nothing
/// of the decision is left.
async fn ends_in_on_error(module: &str, kind: FaultKind, says: &str) {
    let ruling = judge(definition(module), hostile(module), attack()).await;
    let judgement = &ruling.findings.judgements[0];
    let fault = judgement
        .error
        .as_ref()
        .unwrap_or_else(|| panic!("{module} did not fail"));
    assert_eq!(fault.kind, kind, "{module}: {fault}");
    assert!(fault.detail.contains(says), "{module}: {fault}");
    let Verdict::Tempfail(reply) = &ruling.verdict else {
        panic!("{:?}", ruling.verdict)
    };
    assert_eq!(reply.code(), 451);
    assert_eq!(judgement.decision, Default::default());
    assert_eq!(
        ruling.message.to_bytes().unwrap(),
        attack().to_bytes().unwrap()
    );
    // The same module on an innocent message still answers: nothing stays behind.
    let innocent = message("From: <ann@sender.example>\r\n");
    let ruling = judge(definition(module), hostile(module), innocent).await;
    assert_eq!(ruling.verdict, Verdict::Pass, "{module}");
}

#[tokio::test]
async fn an_endless_loop_ends_at_the_deadline() {
    ends_in_on_error("endless_loop", FaultKind::Deadline, "deadline").await;
}

#[tokio::test]
async fn a_memory_bomb_ends_at_the_limit() {
    ends_in_on_error("memory_bomb", FaultKind::Limit, "16 MiB of memory").await;
}

#[tokio::test]
async fn a_stack_overflow_traps() {
    ends_in_on_error("stack_overflow", FaultKind::Trap, "").await;
}

#[tokio::test]
async fn a_trap_is_a_fault() {
    ends_in_on_error("trap", FaultKind::Trap, "unreachable").await;
}

#[tokio::test]
async fn a_huge_answer_ends_at_the_limit() {
    ends_in_on_error("huge_answer", FaultKind::Limit, "its answer is over").await;
}

#[tokio::test]
async fn a_header_injection_is_a_fault() {
    ends_in_on_error(
        "header_injection",
        FaultKind::Answer,
        "value of header X-Fine",
    )
    .await;
}

#[tokio::test]
async fn a_contradictory_answer_is_a_fault() {
    ends_in_on_error(
        "contradiction",
        FaultKind::Answer,
        "code 451 where one of 5xx is due",
    )
    .await;
}

#[tokio::test]
async fn suppressing_without_the_duty_is_a_fault() {
    ends_in_on_error(
        "suppress_without_duty",
        FaultKind::Answer,
        "without the duty",
    )
    .await;
}

#[tokio::test]
async fn discarding_without_the_grant_is_a_fault() {
    ends_in_on_error("discards", FaultKind::Answer, "without the `discard` grant").await;
    let mut granted = definition("discards");
    granted.grants.discard = true;
    let ruling = judge(granted, hostile("discards"), attack()).await;
    assert_eq!(ruling.verdict, Verdict::Discard);
}

#[tokio::test]
async fn with_skip_the_chain_goes_on_after_a_fault() {
    let mut skips = definition("trap");
    skips.on_error = OnError::Skip;
    let chain = Chain::new([
        Slot::new(load(skips, hostile("trap")).await),
        Slot::new(load(definition("marks"), hostile("marks")).await),
    ]);
    let ruling = chain
        .begin(Arc::new(NoMemory))
        .message(&transaction(), attack(), None, Findings::default())
        .await;
    assert_eq!(ruling.verdict, Verdict::Pass);
    assert!(ruling.findings.judgements[0].error.is_some());
    assert_eq!(ruling.message.count("X-Marked-By"), 1);
}

#[tokio::test]
async fn other_sessions_run_while_a_guest_loops_until_its_deadline() {
    let mut slow = definition("endless_loop");
    slow.limits = Limits {
        deadline: Duration::from_millis(300),
        ..Limits::default()
    };
    let slot = Slot::new(load(slow, hostile("endless_loop")).await);
    let looping = Chain::new([slot]).begin(Arc::new(NoMemory));
    let marks = Slot::new(load(definition("marks"), hostile("marks")).await);
    let marks = Chain::new([marks]).begin(Arc::new(NoMemory));
    // Both run on this thread: a guest that never gave way would block the other until its end.
    let begun = Instant::now();
    let (transaction, other) = (transaction(), transaction());
    let ended = Cell::new(false);
    let loops = async {
        let ruling = looping
            .message(&transaction, attack(), None, Findings::default())
            .await;
        ended.set(true);
        (ruling, begun.elapsed())
    };
    let answers = async {
        let mut served = 0;
        while !ended.get() {
            let message = message("From: <a@b.example>\r\n");
            let ruling = marks
                .message(&other, message, None, Findings::default())
                .await;
            assert_eq!(ruling.verdict, Verdict::Pass);
            served += 1;
            tokio::task::yield_now().await;
        }
        served
    };
    let ((ruling, took), served) = tokio::join!(loops, answers);
    assert_eq!(
        ruling.findings.judgements[0].error.as_ref().unwrap().kind,
        FaultKind::Deadline
    );
    assert!(took >= Duration::from_millis(250), "{took:?}");
    assert!(
        served >= 10,
        "served {served} messages while the other looped"
    );
}

#[tokio::test]
async fn overload_ends_in_451_even_with_skip() {
    // The engine has one instance: while a guest loops in it, no other policy has one, not even one
    // that may be skipped.
    let tiny = Engine::new(EngineSettings {
        instances: 1,
        ..EngineSettings::default()
    })
    .unwrap();
    let mut slow = definition("endless_loop");
    slow.limits = Limits {
        deadline: Duration::from_millis(300),
        ..Limits::default()
    };
    let slow = tiny
        .load(slow, hostile("endless_loop").into())
        .await
        .unwrap();
    let mut skips = definition("marks");
    skips.on_error = OnError::Skip;
    let skips = tiny.load(skips, hostile("marks").into()).await.unwrap();
    let slow = Chain::new([Slot::new(slow)]).begin(Arc::new(NoMemory));
    let skips = Chain::new([Slot::new(skips)]).begin(Arc::new(NoMemory));
    let transaction = transaction();
    let (looped, refused) = tokio::join!(
        slow.message(&transaction, attack(), None, Findings::default()),
        skips.message(&transaction, message("A: b\r\n"), None, Findings::default()),
    );
    let kind =
        |ruling: &MessageRuling| ruling.findings.judgements[0].error.as_ref().map(|f| f.kind);
    assert_eq!(kind(&looped), Some(FaultKind::Deadline));
    assert_eq!(kind(&refused), Some(FaultKind::Overload));
    assert!(matches!(&refused.verdict, Verdict::Tempfail(reply) if reply.code() == 451));
    let later = skips
        .message(&transaction, message("A: b\r\n"), None, Findings::default())
        .await;
    assert_eq!(
        later.verdict,
        Verdict::Pass,
        "with an instance free it is asked again"
    );
}

/// Returns a message on which the hostile guests misbehave, with a digest of its own.
fn another_attack(number: usize) -> Message {
    message(&format!("X-Attack: {number}\r\n"))
}

/// Returns a transaction of a client in this network, for this account.
fn from(network: usize, account: &str) -> Transaction {
    let mut transaction = transaction();
    transaction.session.client = format!("198.51.{network}.7:25").parse().ok();
    transaction.account = Some(account.into());
    transaction
}

async fn ask(chain: &Chain, transaction: &Transaction, message: Message) -> (Verdict, FaultKind) {
    let ruling = chain
        .begin(Arc::new(NoMemory))
        .message(transaction, message, None, Findings::default())
        .await;
    let fault = ruling.findings.judgements[0].error.clone();
    (ruling.verdict, fault.unwrap().kind)
}

#[tokio::test]
async fn a_policy_that_fails_for_unrelated_senders_is_no_longer_called() {
    let slot = Slot::new(load(definition("trap"), hostile("trap")).await);
    let chain = Chain::new([slot.clone()]);
    let mut kinds = Vec::new();
    for n in 0..20 {
        let of = from(n, ["acme", "other"][n % 2]);
        let (verdict, kind) = ask(&chain, &of, another_attack(n)).await;
        assert!(matches!(verdict, Verdict::Tempfail(_)));
        kinds.push(kind);
    }
    assert_eq!(kinds[0], FaultKind::Trap);
    assert_eq!(kinds[19], FaultKind::BreakerOpen);
    assert_eq!(slot.breaker(), BreakerState::Open);
    // A mended version is called at once.
    slot.activate(load(definition("trap"), hostile("marks")).await);
    assert_eq!(slot.breaker(), BreakerState::Closed);
    let ruling = chain
        .begin(Arc::new(NoMemory))
        .message(&transaction(), attack(), None, Findings::default())
        .await;
    assert_eq!(ruling.verdict, Verdict::Pass);
}

#[tokio::test]
async fn faults_of_one_sender_open_no_breaker() {
    let slot = Slot::new(load(definition("trap"), hostile("trap")).await);
    let chain = Chain::new([slot.clone()]);
    for n in 0..50 {
        let (_, kind) = ask(&chain, &from(1, "acme"), another_attack(n)).await;
        assert_eq!(kind, FaultKind::Trap);
    }
    assert_eq!(slot.breaker(), BreakerState::Closed);
    let innocent = message("From: <ann@sender.example>\r\n");
    let ruling = chain
        .begin(Arc::new(NoMemory))
        .message(&from(2, "acme"), innocent, None, Findings::default())
        .await;
    assert_eq!(ruling.verdict, Verdict::Pass);
}

#[tokio::test]
async fn a_message_that_keeps_failing_while_others_are_answered_is_rejected() {
    let slot = Slot::new(load(definition("trap"), hostile("trap")).await);
    let chain = Chain::new([slot]);
    let (verdict, kind) = ask(&chain, &transaction(), attack()).await;
    assert!(matches!(&verdict, Verdict::Tempfail(reply) if reply.code() == 451));
    assert_eq!(kind, FaultKind::Trap);
    // As long as it has answered nobody, the version may be at fault.
    let (verdict, _) = ask(&chain, &transaction(), attack()).await;
    assert!(matches!(verdict, Verdict::Tempfail(_)));
    let innocent = message("From: <ann@sender.example>\r\n");
    let ruling = chain
        .begin(Arc::new(NoMemory))
        .message(&transaction(), innocent, None, Findings::default())
        .await;
    assert_eq!(ruling.verdict, Verdict::Pass);
    let (verdict, kind) = ask(&chain, &transaction(), attack()).await;
    let Verdict::Reject(reply) = verdict else {
        panic!("{verdict:?}")
    };
    assert_eq!(reply.to_string().get(..9), Some("554 5.6.0"));
    assert_eq!(kind, FaultKind::Repeated, "and it is not called");
}

#[tokio::test]
async fn with_skip_a_message_that_keeps_failing_is_judged_without_the_policy() {
    let mut skips = definition("trap");
    skips.on_error = OnError::Skip;
    let chain = Chain::new([Slot::new(load(skips, hostile("trap")).await)]);
    let (verdict, kind) = ask(&chain, &transaction(), attack()).await;
    assert_eq!((verdict, kind), (Verdict::Pass, FaultKind::Trap));
    let innocent = message("From: <ann@sender.example>\r\n");
    chain
        .begin(Arc::new(NoMemory))
        .message(&transaction(), innocent, None, Findings::default())
        .await;
    ask(&chain, &transaction(), attack()).await;
    let (verdict, kind) = ask(&chain, &transaction(), attack()).await;
    assert_eq!((verdict, kind), (Verdict::Pass, FaultKind::Repeated));
}

fn queued(of: &Transaction) -> Arc<Queued> {
    Arc::new(Queued {
        attempt_time: of.time,
        accepted: of.time,
        expires: of.time,
        message: message(""),
        tags: Vec::new(),
        class: None,
        metadata: Vec::new(),
        last_reply: None,
        steps_tried: Vec::new(),
    })
}

/// Uses a policy whose route hook fails on one listener's mail.
#[tokio::test]
async fn a_route_that_keeps_failing_fails_and_is_not_deferred_for_ever() {
    let mut traps = definition("traps_in");
    traps.settings = serde_json::json!({ "hook": "route" });
    let chain = Chain::new([Slot::new(load(traps, hostile("traps_in")).await)]);
    let mut hostile = transaction();
    hostile.session.listener = "route".into();
    let route = async |of: &Transaction| {
        let policies = chain.begin(Arc::new(NoMemory));
        let queued = queued(of);
        let ruling = policies.route(of, &of.recipients[0], 0, &queued);
        ruling.await.routing
    };
    assert!(matches!(route(&hostile).await, Routing::Defer(reply) if reply.code() == 451));
    assert_eq!(route(&transaction()).await, Routing::Pass);
    let Routing::Fail(reply) = route(&hostile).await else {
        panic!("it is deferred for ever")
    };
    assert_eq!(reply.to_string().get(..9), Some("554 5.6.0"));
}
