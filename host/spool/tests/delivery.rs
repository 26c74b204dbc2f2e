//! Claims, results and leases, across restarts.

#![allow(clippy::unwrap_used)] // clippy.toml lets tests unwrap, not their helpers

mod common;

use std::time::Duration;

use common::*;
use gatepost_message::{Millis, TransactionId};
use gatepost_model::{Classification, Effect, Judgement, MessageClass, Verdict};
use gatepost_smtp::dsn;
use gatepost_spool::*;

#[test]
fn an_accepted_message_is_claimed_unchanged() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let mut new = message(TransactionId::new(), &["bob@a.example", "carol@b.example"]);
    new.classification = Some(Classification {
        class: MessageClass::Human,
        reply_allowed: true,
    });
    new.judgements = vec![Judgement {
        policy: "loop-guard".into(),
        digest: "ab12".into(),
        hook: "message".into(),
        verdict: Verdict::Pass,
        decision: Default::default(),
        micros: 7,
        error: None,
    }];
    let (transaction, judgements) = (new.transaction.clone(), new.judgements.clone());
    let id = accept(&spool, new);

    let claim = claim_one(&spool, START);
    assert_eq!(claim.transaction, transaction);
    assert_eq!(claim.tags, ["first", "second"]);
    assert!(claim.classification.unwrap().reply_allowed);
    assert_eq!(claim.received_at, START);
    let raw = b"Subject: hello\r\n\r\nHello.\r\n";
    assert_eq!(octets(&claim.message), &raw[..]);
    let addresses: Vec<_> = claim
        .recipients
        .iter()
        .map(|to| to.address.as_str())
        .collect();
    assert_eq!(addresses, ["bob@a.example", "carol@b.example"]);

    let record = wait(spool.show(id)).unwrap().unwrap();
    assert_eq!(record.judgements, judgements);
    assert_eq!(record.transaction, transaction);
    assert_eq!(record.summary.size, raw.len() as u64);
}

#[test]
fn a_message_is_deleted_with_its_last_recipient() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let id = accept(
        &spool,
        message(TransactionId::new(), &["bob@a.example", "carol@b.example"]),
    );
    let claim = claim_one(&spool, START);
    let part = |number, outcome| Report {
        results: vec![RecipientResult { number, outcome }],
        ..report(&claim, &delivered())
    };

    let first = wait(spool.record(part(0, delivered()))).unwrap();
    assert_eq!((first.applied, first.finished), (1, false));
    assert_eq!(states(&spool, id), [Status::Delivered, Status::Leased]);
    let last = wait(spool.record(part(1, failed()))).unwrap();
    assert_eq!((last.applied, last.finished), (1, true));
    assert!(list(&spool).is_empty());
    assert_eq!(wait(spool.depth()).unwrap(), QueueDepth::default());
    assert_eq!(wait(spool.next_due()).unwrap(), None);
}

#[test]
fn a_deferred_recipient_waits_and_keeps_its_last_reply() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    accept(&spool, message(TransactionId::new(), &["bob@a.example"]));
    let later = START + minutes(5);
    let claim = claim_one(&spool, START);
    wait(spool.record(report(&claim, &deferred(later)))).unwrap();

    assert!(common::claim(&spool, later - Duration::from_millis(1)).is_empty());
    assert_eq!(wait(spool.next_due()).unwrap(), Some(later));
    let again = claim_one(&spool, later);
    let recipient = &again.recipients[0];
    assert_eq!(recipient.attempts, 1);
    assert_eq!(recipient.last_reply.as_ref().unwrap().text(), "later");
    assert_eq!(recipient.last_server.as_deref(), Some("mx.example:25"));
}

#[test]
fn returning_a_recipient_counts_no_attempt() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    accept(&spool, message(TransactionId::new(), &["bob@a.example"]));
    let claim = claim_one(&spool, START);
    let returned = AttemptOutcome::Returned {
        next_attempt: START,
    };
    wait(spool.record(report(&claim, &returned))).unwrap();
    assert_eq!(claim_one(&spool, START).recipients[0].attempts, 0);
}

#[test]
fn reopening_keeps_messages_and_ends_leases() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let ids: Vec<_> = (0..20)
        .map(|_| accept(&spool, message(TransactionId::new(), &["bob@a.example"])))
        .collect();
    assert_eq!(claim(&spool, START).len(), 20);
    assert!(claim(&spool, START).is_empty());
    drop(spool);

    let spool = open(directory.path());
    let found: Vec<_> = list(&spool).into_iter().map(|summary| summary.id).collect();
    assert_eq!(found, ids);
    // They are due at once, not only when the leases would have run out.
    assert_eq!(wait(spool.next_due()).unwrap(), Some(START));
    let claims = claim(&spool, START);
    assert_eq!(claims.len(), 20);
    assert_eq!(octets(&claims[7].message).len(), 26);
}

#[test]
fn a_lease_that_ran_out_is_due_again_and_its_results_do_not_count() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let id = accept(&spool, message(TransactionId::new(), &["bob@a.example"]));
    let late = claim_one(&spool, START);
    assert!(claim(&spool, late.lease.until - Duration::from_millis(1)).is_empty());
    let second = claim_one(&spool, late.lease.until);

    let mut stale = report(&late, &failed());
    stale.notices = vec![message(TransactionId::new(), &["alice@sender.example"])];
    let recorded = wait(spool.record(stale)).unwrap();
    assert_eq!(
        (recorded.applied, recorded.ignored, recorded.finished),
        (0, 1, false)
    );
    // The bounce reported a failure that was not recorded.
    assert_eq!(list(&spool).len(), 1);
    assert_eq!(states(&spool, id), [Status::Leased]);

    let recorded = wait(spool.record(report(&second, &delivered()))).unwrap();
    assert!(recorded.finished);
    let recorded = wait(spool.record(report(&second, &delivered()))).unwrap();
    assert_eq!((recorded.applied, recorded.ignored), (0, 1));
}

#[test]
fn no_two_leases_are_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    accept(&spool, message(TransactionId::new(), &["bob@a.example"]));
    let owner = Owner::new();
    let first = wait(spool.claim(owner, START, 1, LEASE)).unwrap().remove(0);
    let returned = AttemptOutcome::Returned {
        next_attempt: START,
    };
    wait(spool.record(report(&first, &returned))).unwrap();
    let second = wait(spool.claim(owner, START, 1, LEASE)).unwrap().remove(0);
    assert_ne!(first.lease, second.lease);
    let recorded = wait(spool.record(report(&first, &failed()))).unwrap();
    assert_eq!(recorded.ignored, 1);
}

#[test]
fn a_failure_and_its_bounce_are_one_commit() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let id = accept(&spool, message(TransactionId::new(), &["bob@a.example"]));
    let claim = claim_one(&spool, START);
    let with_bounce = |bounce| Report {
        notices: vec![message(bounce, &["alice@sender.example"])],
        ..report(&claim, &failed())
    };

    // If a bounce cannot be stored, the failure is not recorded either.
    let error = wait(spool.record(with_bounce(id))).unwrap_err();
    assert!(
        matches!(error, SpoolError::Duplicate(duplicate) if duplicate == id),
        "{error}"
    );
    assert_eq!(states(&spool, id), [Status::Leased]);

    let bounce = TransactionId::new();
    assert!(wait(spool.record(with_bounce(bounce))).unwrap().finished);
    drop(spool);
    let spool = open(directory.path());
    assert_eq!(claim_one(&spool, START).transaction.id, bounce);
}

#[test]
fn claims_come_longest_due_first_and_whole() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let due_at = |minute: u64| {
        let mut new = message(TransactionId::new(), &["bob@a.example", "carol@b.example"]);
        for recipient in &mut new.recipients {
            recipient.state = InitialState::Queued {
                next_attempt: START + minutes(minute),
            };
        }
        accept(&spool, new)
    };
    let [third, first, second, future] = [3, 1, 2, 60].map(due_at);
    let now = START + minutes(10);
    let ids = |limit| -> Vec<_> {
        let claims = wait(spool.claim(Owner::new(), now, limit, LEASE)).unwrap();
        assert!(claims.iter().all(|claim| claim.recipients.len() == 2));
        claims.iter().map(|claim| claim.transaction.id).collect()
    };
    assert_eq!(ids(2), [first, second]);
    assert_eq!(ids(2), [third]);
    assert_eq!(wait(spool.next_due()).unwrap(), Some(now + LEASE));
    assert_eq!(states(&spool, future), [Status::Queued, Status::Queued]);
}

#[test]
fn a_waiter_is_woken_when_mail_becomes_due() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let changed = spool.changed();
    let woken = || wait(has_wake_up(&changed));
    assert!(woken(), "what was there at open may be due");
    assert!(!woken());
    accept(&spool, message(TransactionId::new(), &["bob@a.example"]));
    assert!(woken());
    let claim = claim_one(&spool, START);
    assert!(!woken(), "a claim makes nothing due");
    wait(spool.record(report(&claim, &deferred(START + minutes(1))))).unwrap();
    assert!(woken());
}

/// Returns true if a wake-up was kept.
async fn has_wake_up(changed: &tokio::sync::Notify) -> bool {
    tokio::time::timeout(Duration::ZERO, changed.notified())
        .await
        .is_ok()
}

#[test]
fn depth_counts_recipients_by_state() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let mut new = message(TransactionId::new(), &["bob@a.example", "carol@b.example"]);
    new.received_at = Millis(START.0 - 5);
    new.recipients.push(NewRecipient {
        address: address("dave@c.example"),
        dsn: dsn::RecipientRequest::default(),
        state: InitialState::Suppressed {
            reason: "unsubscribed".into(),
        },
    });
    accept(&spool, new);
    let mut quarantined_message = message(TransactionId::new(), &["bob@a.example"]);
    quarantined_message.quarantine = Some(Quarantine {
        reason: "looks bad".into(),
        expires: START,
    });
    quarantined_message.received_at = Millis(0);
    accept(&spool, quarantined_message);

    let depth = wait(spool.depth()).unwrap();
    assert_eq!((depth.messages, depth.quarantined), (1, 1));
    assert_eq!(depth.oldest, Some(Millis(START.0 - 5)));
    let expected = [
        (Status::Queued, 2),
        (Status::Quarantined, 1),
        (Status::Suppressed, 1),
    ];
    assert_eq!(depth.recipients, expected.into());
}

#[test]
fn a_message_without_open_recipients_leaves_only_its_effects() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let scope = Scope {
        policy: "loop-guard".into(),
        account: None,
    };
    let mut new = message(TransactionId::new(), &[]);
    new.recipients.push(NewRecipient {
        address: address("dave@c.example"),
        dsn: dsn::RecipientRequest::default(),
        state: InitialState::Suppressed {
            reason: "unsubscribed".into(),
        },
    });
    let mark = Effect::MarkSeen {
        key: "a".into(),
        seconds: 60,
    };
    new.effects.push((scope.clone(), mark));
    accept(&spool, new);
    assert!(list(&spool).is_empty());
    assert_eq!(wait(spool.depth()).unwrap(), QueueDepth::default());
    assert!(spool.seen(&scope, "a", START));
}
