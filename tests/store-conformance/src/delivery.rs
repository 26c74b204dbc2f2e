//! Claims, results and leases, across restarts.

#![allow(
    missing_docs,
    reason = "the name of a function is the fact that it shows"
)]

use std::time::Duration;

use gatepost_message::{Millis, TransactionId};
use gatepost_model::{Classification, Effect, Judgement, MessageClass, Verdict};
use gatepost_smtp::dsn;
use gatepost_spool::*;

use crate::{
    StoreUnderTest,
    support::{self, *},
};

pub fn an_accepted_message_is_claimed_unchanged<S: StoreUnderTest>() {
    let store = S::open();
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
        routing: None,
        decision: Default::default(),
        micros: 7,
        error: None,
    }];
    let (transaction, judgements) = (new.transaction.clone(), new.judgements.clone());
    let id = accept(store.queue(), new);

    let claim = claim_one(store.queue(), START);
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

    let record = wait(store.admin().show(id)).unwrap().unwrap();
    assert_eq!(record.judgements, judgements);
    assert_eq!(record.transaction, transaction);
    assert_eq!(record.summary.size, raw.len() as u64);
}

pub fn a_message_is_deleted_with_its_last_recipient<S: StoreUnderTest>() {
    let store = S::open();
    let id = accept(
        store.queue(),
        message(TransactionId::new(), &["bob@a.example", "carol@b.example"]),
    );
    let claim = claim_one(store.queue(), START);
    let part = |number, outcome| Report {
        results: vec![RecipientResult::of(number, outcome)],
        ..report(&claim, &delivered())
    };

    let first = wait(store.queue().record(part(0, delivered()))).unwrap();
    assert_eq!((first.applied, first.finished), (1, false));
    assert_eq!(
        states(store.admin(), id),
        [Status::Delivered, Status::Leased]
    );
    let last = wait(store.queue().record(part(1, failed()))).unwrap();
    assert_eq!((last.applied, last.finished), (1, true));
    assert!(list(store.admin()).is_empty());
    assert_eq!(wait(store.admin().depth()).unwrap(), QueueDepth::default());
    assert_eq!(wait(store.queue().next_due()).unwrap(), None);
}

pub fn a_deferred_recipient_waits_and_keeps_its_last_reply<S: StoreUnderTest>() {
    let store = S::open();
    accept(
        store.queue(),
        message(TransactionId::new(), &["bob@a.example"]),
    );
    let later = START + minutes(5);
    let claim = claim_one(store.queue(), START);
    wait(store.queue().record(report(&claim, &deferred(later)))).unwrap();

    assert!(support::claim(store.queue(), later - Duration::from_millis(1)).is_empty());
    assert_eq!(wait(store.queue().next_due()).unwrap(), Some(later));
    let again = claim_one(store.queue(), later);
    let recipient = &again.recipients[0];
    assert_eq!(recipient.attempts, 1);
    assert_eq!(recipient.last_reply.as_ref().unwrap().text(), "later");
    assert_eq!(recipient.last_server.as_deref(), Some("mx.example:25"));
}

pub fn returning_a_recipient_counts_no_attempt<S: StoreUnderTest>() {
    let store = S::open();
    accept(
        store.queue(),
        message(TransactionId::new(), &["bob@a.example"]),
    );
    let claim = claim_one(store.queue(), START);
    let returned = returned(START);
    wait(store.queue().record(report(&claim, &returned))).unwrap();
    assert_eq!(claim_one(store.queue(), START).recipients[0].attempts, 0);
}

pub fn reopening_keeps_messages_and_ends_leases<S: StoreUnderTest>() {
    let mut store = S::open();
    let ids: Vec<_> = (0..20)
        .map(|_| {
            accept(
                store.queue(),
                message(TransactionId::new(), &["bob@a.example"]),
            )
        })
        .collect();
    assert_eq!(claim(store.queue(), START).len(), 20);
    assert!(claim(store.queue(), START).is_empty());
    store.reopen();
    let found: Vec<_> = list(store.admin())
        .into_iter()
        .map(|summary| summary.id)
        .collect();
    assert_eq!(found, ids);
    // They are due at once, not only when the leases would have run out.
    assert_eq!(wait(store.queue().next_due()).unwrap(), Some(START));
    let claims = claim(store.queue(), START);
    assert_eq!(claims.len(), 20);
    assert_eq!(octets(&claims[7].message).len(), 26);
}

pub fn a_lease_that_ran_out_is_due_again_and_its_results_do_not_count<S: StoreUnderTest>() {
    let store = S::open();
    let id = accept(
        store.queue(),
        message(TransactionId::new(), &["bob@a.example"]),
    );
    let late = claim_one(store.queue(), START);
    assert!(claim(store.queue(), late.lease.until - Duration::from_millis(1)).is_empty());
    let second = claim_one(store.queue(), late.lease.until);

    let mut stale = report(&late, &failed());
    stale.notices = vec![message(TransactionId::new(), &["alice@sender.example"])];
    let recorded = wait(store.queue().record(stale)).unwrap();
    assert_eq!(
        (recorded.applied, recorded.ignored, recorded.finished),
        (0, 1, false)
    );
    // The bounce reported a failure that was not recorded.
    assert_eq!(list(store.admin()).len(), 1);
    assert_eq!(states(store.admin(), id), [Status::Leased]);

    let recorded = wait(store.queue().record(report(&second, &delivered()))).unwrap();
    assert!(recorded.finished);
    let recorded = wait(store.queue().record(report(&second, &delivered()))).unwrap();
    assert_eq!((recorded.applied, recorded.ignored), (0, 1));
}

pub fn no_two_leases_are_the_same<S: StoreUnderTest>() {
    let store = S::open();
    accept(
        store.queue(),
        message(TransactionId::new(), &["bob@a.example"]),
    );
    let owner = Owner::new();
    let first = wait(store.queue().claim(owner, START, 1, LEASE))
        .unwrap()
        .remove(0);
    let returned = returned(START);
    wait(store.queue().record(report(&first, &returned))).unwrap();
    let second = wait(store.queue().claim(owner, START, 1, LEASE))
        .unwrap()
        .remove(0);
    assert_ne!(first.lease, second.lease);
    let recorded = wait(store.queue().record(report(&first, &failed()))).unwrap();
    assert_eq!(recorded.ignored, 1);
}

pub fn a_failure_and_its_bounce_are_one_commit<S: StoreUnderTest>() {
    let mut store = S::open();
    let id = accept(
        store.queue(),
        message(TransactionId::new(), &["bob@a.example"]),
    );
    let claim = claim_one(store.queue(), START);
    let with_bounce = |bounce| Report {
        notices: vec![message(bounce, &["alice@sender.example"])],
        ..report(&claim, &failed())
    };

    // If a bounce cannot be stored, the failure is not recorded either.
    let error = wait(store.queue().record(with_bounce(id))).unwrap_err();
    assert!(
        matches!(error, SpoolError::Duplicate(duplicate) if duplicate == id),
        "{error}"
    );
    assert_eq!(states(store.admin(), id), [Status::Leased]);

    let bounce = TransactionId::new();
    assert!(
        wait(store.queue().record(with_bounce(bounce)))
            .unwrap()
            .finished
    );
    store.reopen();
    assert_eq!(claim_one(store.queue(), START).transaction.id, bounce);
}

pub fn claims_come_longest_due_first_and_whole<S: StoreUnderTest>() {
    let store = S::open();
    let due_at = |minute: u64| {
        let mut new = message(TransactionId::new(), &["bob@a.example", "carol@b.example"]);
        for recipient in &mut new.recipients {
            recipient.state = InitialState::Queued {
                next_attempt: START + minutes(minute),
            };
        }
        accept(store.queue(), new)
    };
    let [third, first, second, future] = [3, 1, 2, 60].map(due_at);
    let now = START + minutes(10);
    let ids = |limit| -> Vec<_> {
        let claims = wait(store.queue().claim(Owner::new(), now, limit, LEASE)).unwrap();
        assert!(claims.iter().all(|claim| claim.recipients.len() == 2));
        claims.iter().map(|claim| claim.transaction.id).collect()
    };
    assert_eq!(ids(2), [first, second]);
    assert_eq!(ids(2), [third]);
    assert_eq!(wait(store.queue().next_due()).unwrap(), Some(now + LEASE));
    assert_eq!(
        states(store.admin(), future),
        [Status::Queued, Status::Queued]
    );
}

pub fn a_waiter_is_woken_when_mail_becomes_due<S: StoreUnderTest>() {
    let store = S::open();
    let changed = store.queue().changed();
    let woken = || wait(has_wake_up(&changed));
    assert!(woken(), "what was there at open may be due");
    assert!(!woken());
    accept(
        store.queue(),
        message(TransactionId::new(), &["bob@a.example"]),
    );
    assert!(woken());
    let claim = claim_one(store.queue(), START);
    assert!(!woken(), "a claim makes nothing due");
    wait(
        store
            .queue()
            .record(report(&claim, &deferred(START + minutes(1)))),
    )
    .unwrap();
    assert!(woken());
}

/// Returns true if a wake-up was kept.
async fn has_wake_up(changed: &tokio::sync::Notify) -> bool {
    tokio::time::timeout(Duration::ZERO, changed.notified())
        .await
        .is_ok()
}

pub fn depth_counts_recipients_by_state<S: StoreUnderTest>() {
    let store = S::open();
    let mut new = message(TransactionId::new(), &["bob@a.example", "carol@b.example"]);
    new.received_at = Millis(START.0 - 5);
    new.recipients.push(NewRecipient {
        address: address("dave@c.example"),
        dsn: dsn::RecipientRequest::default(),
        state: InitialState::Suppressed {
            reason: "unsubscribed".into(),
        },
    });
    accept(store.queue(), new);
    let mut quarantined_message = message(TransactionId::new(), &["bob@a.example"]);
    quarantined_message.quarantine = Some(Quarantine {
        reason: "looks bad".into(),
        expires: START,
    });
    quarantined_message.received_at = Millis(0);
    accept(store.queue(), quarantined_message);

    let depth = wait(store.admin().depth()).unwrap();
    assert_eq!((depth.messages, depth.quarantined), (1, 1));
    assert_eq!(depth.oldest, Some(Millis(START.0 - 5)));
    let expected = [
        (Status::Queued, 2),
        (Status::Quarantined, 1),
        (Status::Suppressed, 1),
    ];
    assert_eq!(depth.recipients, expected.into());
}

pub fn a_message_without_open_recipients_leaves_only_its_effects<S: StoreUnderTest>() {
    let store = S::open();
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
    accept(store.queue(), new);
    assert!(list(store.admin()).is_empty());
    assert_eq!(wait(store.admin().depth()).unwrap(), QueueDepth::default());
    assert!(store.counters().seen(&scope, "a", START));
}

pub fn mail_is_leased_to_attached_delivery_as_it_is_accepted<S: StoreUnderTest>() {
    let store = S::open();
    let owner = Owner::new();
    store.queue().attach(owner, LEASE);
    let id = accept(
        store.queue(),
        message(TransactionId::new(), &["bob@a.example"]),
    );
    assert_eq!(
        wait(store.queue().next_due()).unwrap(),
        Some(START + LEASE),
        "when the lease runs out"
    );
    assert!(claim(store.queue(), START).is_empty(), "it is another's");
    let claims = wait(store.queue().claim(owner, START, 1, LEASE)).unwrap();
    assert_eq!(claims.len(), 1);
    assert_eq!(claims[0].transaction.id, id);
    let raw = b"Subject: hello\r\n\r\nHello.\r\n";
    assert_eq!(octets(&claims[0].message), &raw[..]);
    assert_eq!(states(store.admin(), id), [Status::Leased]);
    let recorded = wait(store.queue().record(report(&claims[0], &delivered()))).unwrap();
    assert!(recorded.finished);
    assert!(list(store.admin()).is_empty());
}

pub fn delivery_is_not_attached_to_a_store_that_was_reopened<S: StoreUnderTest>() {
    let mut store = S::open();
    let owner = Owner::new();
    store.queue().attach(owner, LEASE);
    let id = accept(
        store.queue(),
        message(TransactionId::new(), &["bob@a.example"]),
    );
    store.reopen();
    assert_eq!(states(store.admin(), id), [Status::Queued]);
    assert_eq!(claim_one(store.queue(), START).transaction.id, id);
    let later = accept(
        store.queue(),
        message(TransactionId::new(), &["bob@a.example"]),
    );
    assert_eq!(states(store.admin(), later), [Status::Queued]);
}

pub fn intake_stops_below_the_watermark_while_deliveries_are_recorded<S: StoreUnderTest>() {
    let store = S::open();
    let id = accept(
        store.queue(),
        message(TransactionId::new(), &["bob@a.example"]),
    );
    store.queue().room().unwrap();
    store.admin().set_min_free(u64::MAX / 2);
    let is_full = |error: &SpoolError| matches!(error, SpoolError::Full { .. });
    assert!(store.queue().room().is_err_and(|error| is_full(&error)));
    assert!(store.bodies().room().is_err_and(|error| is_full(&error)));
    let refused = message(TransactionId::new(), &["bob@a.example"]);
    let refused = wait(store.queue().accept(refused));
    assert!(refused.is_err_and(|error| is_full(&error)));
    let staging = Staging::begin(store.bodies(), TransactionId::new());
    assert!(staging.is_err_and(|error| is_full(&error)));

    let claim = claim_one(store.queue(), START);
    assert_eq!(claim.transaction.id, id);
    let bounce = TransactionId::new();
    let with_bounce = Report {
        notices: vec![message(bounce, &["alice@sender.example"])],
        ..report(&claim, &failed())
    };
    let recorded = wait(store.queue().record(with_bounce)).unwrap();
    assert!(recorded.finished);
    assert_eq!(states(store.admin(), bounce), [Status::Queued]);

    store.admin().set_min_free(1);
    store.queue().room().unwrap();
    accept(
        store.queue(),
        message(TransactionId::new(), &["bob@a.example"]),
    );
}

pub fn an_operation_runs_though_its_ticket_is_dropped<S: StoreUnderTest>() {
    let mut store = S::open();
    for _ in 0..10 {
        let new = message(TransactionId::new(), &["bob@a.example"]);
        drop(store.queue().accept(new));
    }
    store.reopen();
    assert_eq!(list(store.admin()).len(), 10);
}
