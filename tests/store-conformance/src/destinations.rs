//! Destinations of the queue: routes, paces, turns, attention.

#![allow(
    missing_docs,
    reason = "the name of a function is the fact that it shows"
)]

use std::time::Duration;

use gatepost_message::{Millis, TransactionId};
use gatepost_model::{DestinationKey, Route};
use gatepost_spool::*;

use crate::{
    StoreUnderTest,
    support::{self, *},
};

fn key(domain: &str) -> DestinationKey {
    route(domain).destination.key()
}

/// Reports that each recipient of a claim is to be delivered to by the route to its own domain.
fn routed(claim: &Claim, outcome: &AttemptOutcome) -> Report {
    let mut report = report(claim, outcome);
    for (result, to) in report.results.iter_mut().zip(&claim.recipients) {
        result.route = Some(route(to.address.domain()));
    }
    report
}

/// Accepts a message of an account, which waits at the destinations of its recipients.
fn wait_at(queue: &dyn Queue, account: Option<&str>, to: &[&str]) -> TransactionId {
    let mut new = message(TransactionId::new(), to);
    new.transaction.account = account.map(Into::into);
    let id = accept(queue, new);
    let claim = unrouted(queue, id);
    wait(queue.record(routed(&claim, &returned(START)))).unwrap();
    id
}

/// Claims a message that has no route; what else is claimed goes back as it was.
fn unrouted(queue: &dyn Queue, id: TransactionId) -> Claim {
    let claims = claim(queue, START);
    let mut found = None;
    for claim in claims {
        match claim.transaction.id == id {
            true => found = Some(claim),
            false => drop(wait(queue.record(report(&claim, &returned(START)))).unwrap()),
        }
    }
    found.unwrap()
}

fn claimed(queue: &dyn Queue, now: Millis, limit: usize) -> Vec<Claim> {
    wait(queue.claim(Owner::new(), now, limit, LEASE)).unwrap()
}

fn ids(claims: &[Claim]) -> Vec<TransactionId> {
    claims.iter().map(|claim| claim.transaction.id).collect()
}

fn pace(queue: &dyn Queue, domain: &str, in_hand: u32, not_before: Millis) {
    let pace = Pace {
        in_hand,
        not_before,
    };
    queue.set_pace(&key(domain), pace);
}

fn at(domain: &str) -> Selection {
    Selection {
        destination: Some(key(domain)),
        ..Selection::default()
    }
}

pub fn a_route_is_kept_with_its_recipient<S: StoreUnderTest>() {
    let mut store = S::open();
    let id = wait_at(store.queue(), None, &["bob@a.example"]);
    for _ in 0..2 {
        let record = wait(store.admin().show(id)).unwrap().unwrap();
        assert_eq!(record.summary.recipients[0].route, Some(route("a.example")));
        store.reopen();
    }
    let claim = claim_one(store.queue(), START);
    assert_eq!(claim.recipients[0].route, Some(route("a.example")));
    assert_eq!(claim.recipients[0].attempts, 0);
    // A result without a route keeps the one that is stored.
    wait(store.queue().record(report(&claim, &deferred(START)))).unwrap();
    let claim = claim_one(store.queue(), START);
    assert_eq!(claim.recipients[0].route, Some(route("a.example")));
    let moved = Route {
        failures: 1,
        ..route("b.example")
    };
    let mut report = report(&claim, &deferred(START));
    report.results[0].route = Some(moved.clone());
    wait(store.queue().record(report)).unwrap();
    pace(store.queue(), "a.example", 0, START);
    let claim = claim_one(store.queue(), START);
    assert_eq!(claim.recipients[0].route, Some(moved));
}

pub fn a_held_recipient_keeps_its_route<S: StoreUnderTest>() {
    let store = S::open();
    let id = accept(
        store.queue(),
        message(TransactionId::new(), &["bob@a.example"]),
    );
    let claim = claim_one(store.queue(), START);
    let held = AttemptOutcome::Held {
        reply: reply(450, "4.7.1", "held by a policy"),
    };
    wait(store.queue().record(routed(&claim, &held))).unwrap();
    let record = wait(store.admin().show(id)).unwrap().unwrap();
    assert_eq!(record.summary.recipients[0].route, Some(route("a.example")));
    pace(store.queue(), "a.example", 0, START);
    wait(store.admin().release(Selection::message(id), START)).unwrap();
    assert!(support::claim(store.queue(), START).is_empty());
}

pub fn a_claim_has_the_recipients_of_one_destination<S: StoreUnderTest>() {
    let store = S::open();
    let to = ["bob@a.example", "carol@b.example", "dave@a.example"];
    let id = wait_at(store.queue(), None, &to);
    let claims = claim(store.queue(), START);
    assert_eq!(ids(&claims), [id, id]);
    let mut numbers: Vec<Vec<u32>> = (claims.iter())
        .map(|claim| claim.recipients.iter().map(|to| to.number).collect())
        .collect();
    numbers.sort();
    assert_eq!(numbers, [vec![0, 2], vec![1]]);
    assert_eq!(claims[0].transaction.recipients.len(), 3);
}

pub fn a_closed_destination_costs_one_probe<S: StoreUnderTest>() {
    let store = S::open();
    let waiting: Vec<_> = (0..20)
        .map(|_| wait_at(store.queue(), None, &["bob@dead.example"]))
        .collect();
    let probe = START + minutes(10);
    pace(store.queue(), "dead.example", 1, probe);
    let living = wait_at(store.queue(), None, &["bob@living.example"]);
    let claim_of_living = claim_one(store.queue(), START);
    assert_eq!(claim_of_living.transaction.id, living);
    wait((store.queue()).record(report(&claim_of_living, &delivered()))).unwrap();
    assert_eq!(wait(store.queue().next_due()).unwrap(), Some(probe));
    assert!(claim(store.queue(), Millis(probe.0 - 1)).is_empty());
    let probed = claim_one(store.queue(), probe);
    assert_eq!(probed.transaction.id, waiting[0]);
    assert!(claim(store.queue(), probe).is_empty(), "one is in hand");
    // It is back, and the destination is closed again.
    let closed = probe + minutes(20);
    pace(store.queue(), "dead.example", 1, closed);
    let later = deferred(probe + minutes(1));
    wait(store.queue().record(report(&probed, &later))).unwrap();
    let early = claim(store.queue(), probe + minutes(2));
    assert!(early.is_empty(), "{early:?}");
    // It opens: all of them come.
    let changed = store.queue().changed();
    while wait(has_wake_up(&changed)) {}
    pace(store.queue(), "dead.example", 100, START);
    assert!(wait(has_wake_up(&changed)), "there is work");
    let all = claim(store.queue(), probe + minutes(2));
    let all = ids(&all);
    assert!(waiting.iter().all(|id| all.contains(id)));
}

pub fn nothing_is_claimed_where_nothing_may_be_in_hand<S: StoreUnderTest>() {
    let store = S::open();
    wait_at(store.queue(), None, &["bob@a.example"]);
    pace(store.queue(), "a.example", 0, START);
    let stopped = Pace {
        in_hand: 0,
        not_before: START,
    };
    assert_eq!(store.admin().pace(&key("a.example")), stopped);
    assert!(claim(store.queue(), START + minutes(60)).is_empty());
    store.queue().set_pace(&key("a.example"), Pace::default());
    assert_eq!(claim(store.queue(), START).len(), 1);
}

pub fn room_that_a_result_makes_wakes_delivery<S: StoreUnderTest>() {
    let store = S::open();
    let first = wait_at(store.queue(), None, &["bob@a.example"]);
    let second = wait_at(store.queue(), None, &["bob@a.example"]);
    pace(store.queue(), "a.example", 1, START);
    let claim = claim_one(store.queue(), START);
    assert_eq!(claim.transaction.id, first);
    assert_eq!(
        wait(store.queue().next_due()).unwrap(),
        Some(claim.lease.until)
    );
    let changed = store.queue().changed();
    while wait(has_wake_up(&changed)) {}
    wait(store.queue().record(report(&claim, &delivered()))).unwrap();
    assert!(wait(has_wake_up(&changed)));
    assert_eq!(wait(store.queue().next_due()).unwrap(), Some(START));
    assert_eq!(claim_one(store.queue(), START).transaction.id, second);
}

pub fn room_that_a_message_leaves_for_another_destination_wakes_delivery<S: StoreUnderTest>() {
    let store = S::open();
    wait_at(store.queue(), None, &["bob@a.example"]);
    let second = wait_at(store.queue(), None, &["bob@a.example"]);
    pace(store.queue(), "a.example", 1, START);
    let claim = claim_one(store.queue(), START);
    let changed = store.queue().changed();
    while wait(has_wake_up(&changed)) {}
    let id = claim.transaction.id;
    assert!((store.queue()).enter(id, claim.lease, &[0], &key("b.example")));
    assert!(wait(has_wake_up(&changed)));
    assert_eq!(claim_one(store.queue(), START).transaction.id, second);
}

pub fn accounts_take_turns_at_a_destination<S: StoreUnderTest>() {
    let store = S::open();
    for _ in 0..40 {
        wait_at(store.queue(), Some("large"), &["bob@a.example"]);
    }
    let small: Vec<_> = (0..3)
        .map(|_| wait_at(store.queue(), Some("small"), &["bob@a.example"]))
        .collect();
    let none = wait_at(store.queue(), None, &["bob@a.example"]);
    let next = ids(&claimed(store.queue(), START, 9));
    assert!(small.iter().all(|id| next.contains(id)), "{next:?}");
    assert!(next.contains(&none), "mail of no account has turns, too");
}

pub fn destinations_take_turns<S: StoreUnderTest>() {
    let store = S::open();
    for _ in 0..40 {
        wait_at(store.queue(), None, &["bob@large.example"]);
    }
    let small: Vec<_> = (0..3)
        .map(|_| wait_at(store.queue(), None, &["bob@small.example"]))
        .collect();
    let unrouted = accept(
        store.queue(),
        message(TransactionId::new(), &["bob@a.example"]),
    );
    let next = ids(&claimed(store.queue(), START, 10));
    assert!(small.iter().all(|id| next.contains(id)), "{next:?}");
    assert!(next.contains(&unrouted), "mail without a route has turns");
}

pub fn a_message_expires_at_a_closed_destination<S: StoreUnderTest>() {
    let mut store = S::open();
    let id = wait_at(store.queue(), None, &["bob@dead.example"]);
    let expires = START + minutes(5 * 24 * 60);
    for _ in 0..2 {
        pace(store.queue(), "dead.example", 0, START);
        assert_eq!(wait(store.queue().next_due()).unwrap(), Some(expires));
        assert!(claim(store.queue(), Millis(expires.0 - 1)).is_empty());
        store.reopen();
    }
    pace(store.queue(), "dead.example", 0, START);
    let claim = claim_one(store.queue(), expires);
    assert_eq!(claim.transaction.id, id);
    assert_eq!(claim.recipients[0].cause, ClaimCause::Attention);
    let recorded = wait(store.queue().record(report(&claim, &failed()))).unwrap();
    assert!(recorded.finished);
}

pub fn attention_is_heeded_once_and_at_its_time<S: StoreUnderTest>() {
    let mut store = S::open();
    wait_at(store.queue(), None, &["bob@dead.example"]);
    let claim = claim_one(store.queue(), START);
    let mut wanted = report(&claim, &deferred(START + minutes(1)));
    wanted.results[0].attention_at = Some(START + minutes(240));
    wait(store.queue().record(wanted)).unwrap();
    store.reopen();
    pace(store.queue(), "dead.example", 0, START);
    assert!(support::claim(store.queue(), START + minutes(239)).is_empty());
    let claim = claim_one(store.queue(), START + minutes(240));
    assert_eq!(claim.recipients[0].cause, ClaimCause::Attention);
    // What delivery has seen does not come again at once.
    let mut seen = report(&claim, &returned(START));
    seen.results[0].attention_at = Some(START + minutes(240));
    wait(store.queue().record(seen)).unwrap();
    assert_eq!(wait(store.queue().next_due()).unwrap(), None);
    store
        .queue()
        .set_pace(&key("dead.example"), Pace::default());
    let claim = claim_one(store.queue(), START + minutes(240));
    assert_eq!(claim.recipients[0].cause, ClaimCause::Due);
}

pub fn what_is_entered_counts_as_in_hand<S: StoreUnderTest>() {
    let store = S::open();
    pace(store.queue(), "a.example", 1, START);
    let owner = Owner::new();
    store.queue().attach(owner, LEASE);
    let new = || {
        let new = message(TransactionId::new(), &["bob@a.example", "carol@a.example"]);
        accept(store.queue(), new);
        wait(store.queue().claim(owner, START, 1, LEASE))
            .unwrap()
            .remove(0)
    };
    let enter = |claim: &Claim, numbers: &[u32], lease| {
        let id = claim.transaction.id;
        (store.queue()).enter(id, lease, numbers, &key("a.example"))
    };
    let (first, second) = (new(), new());
    assert!(enter(&first, &[0], first.lease));
    assert!(enter(&first, &[1], first.lease), "the same message");
    assert!(!enter(&second, &[0, 1], second.lease), "there is no room");
    let none = Lease {
        until: START,
        ..second.lease
    };
    pace(store.queue(), "a.example", 2, START);
    assert!(!enter(&second, &[0, 1], none), "that lease is not held");
    assert!(enter(&second, &[0, 1], second.lease));
    pace(store.queue(), "a.example", 1, START);
    let third = new();
    for claim in [&first, &second] {
        assert!(!enter(&third, &[0, 1], third.lease));
        wait(store.queue().record(report(claim, &delivered()))).unwrap();
    }
    assert!(enter(&third, &[0, 1], third.lease));
}

pub fn nobody_enters_before_those_who_wait<S: StoreUnderTest>() {
    let store = S::open();
    let before = wait_at(store.queue(), None, &["bob@a.example"]);
    let owner = Owner::new();
    store.queue().attach(owner, LEASE);
    pace(store.queue(), "a.example", 0, START);
    let id = accept(
        store.queue(),
        message(TransactionId::new(), &["carol@a.example"]),
    );
    let claims = wait(store.queue().claim(owner, START, 9, LEASE)).unwrap();
    assert_eq!(ids(&claims), [id]);
    let enter = || (store.queue()).enter(id, claims[0].lease, &[0], &key("a.example"));
    pace(store.queue(), "a.example", 1, START);
    assert!(!enter(), "the place is of the message that waits");
    wait(store.queue().record(routed(&claims[0], &returned(START)))).unwrap();
    let next = wait(store.queue().claim(owner, START, 9, LEASE)).unwrap();
    assert_eq!(ids(&next), [before]);
    pace(store.queue(), "a.example", 2, START);
    let next = wait(store.queue().claim(owner, START, 9, LEASE)).unwrap();
    assert_eq!(ids(&next), [id]);
}

/// Claims two messages for `a.example`, where one may be in hand and is, and lets the other wait in
/// memory.
fn keep_one(queue: &dyn Queue, owner: Owner) -> [Claim; 2] {
    pace(queue, "a.example", 1, START);
    let both = [(); 2].map(|()| {
        accept(queue, message(TransactionId::new(), &["bob@a.example"]));
    });
    let claims = wait(queue.claim(owner, START, both.len(), LEASE)).unwrap();
    let [first, second] = claims.try_into().unwrap();
    let enter = |claim: &Claim| {
        let id = claim.transaction.id;
        queue.enter(id, claim.lease, &[0], &key("a.example"))
    };
    assert!(enter(&first) && !enter(&second));
    let waits = routed(&second, &returned(START));
    queue.set_aside(&second, waits).unwrap();
    [first, second]
}

pub fn a_kept_claim_has_its_turn_without_a_commit<S: StoreUnderTest>() {
    let store = S::open();
    let (queue, owner) = (store.queue(), Owner::new());
    let [first, second] = keep_one(queue, owner);
    assert!(
        wait(queue.claim(owner, START, 9, LEASE))
            .unwrap()
            .is_empty()
    );
    let changed = queue.changed();
    while wait(has_wake_up(&changed)) {}
    wait(queue.record(report(&first, &delivered()))).unwrap();
    assert!(wait(has_wake_up(&changed)));
    let now = START + minutes(1).min(LEASE / 32);
    let claims = wait(queue.claim(owner, now, 9, LEASE)).unwrap();
    assert_eq!(ids(&claims), [second.transaction.id]);
    let claim = &claims[0];
    assert_eq!(claim.lease, second.lease);
    assert_eq!(claim.recipients[0].route, Some(route("a.example")));
    assert_eq!(claim.recipients[0].cause, ClaimCause::Due);
    assert!(wait(queue.claim(owner, now, 9, LEASE)).unwrap().is_empty());
    let recorded = wait(queue.record(report(claim, &delivered()))).unwrap();
    assert!(recorded.applied == 1 && recorded.finished);
    assert_eq!(wait(queue.next_due()).unwrap(), None);
}

pub fn a_kept_claim_goes_back_before_an_operator_looks<S: StoreUnderTest>() {
    let mut store = S::open();
    let [_, second] = keep_one(store.queue(), Owner::new());
    let id = second.transaction.id;
    let record = wait(store.admin().show(id)).unwrap().unwrap();
    let recipient = &record.summary.recipients[0];
    assert_eq!(recipient.route, Some(route("a.example")));
    let queued = RecipientState::Queued {
        next_attempt: START,
    };
    assert_eq!(recipient.state, queued);
    let held = wait(store.admin().hold(Selection::message(id))).unwrap();
    assert_eq!((held.changed, held.in_progress), (1, 0));
    store.reopen();
    let claims = claimed(store.queue(), START, 9);
    assert!(!ids(&claims).contains(&id));
}

pub fn a_kept_claim_goes_back_when_its_destination_closes<S: StoreUnderTest>() {
    let store = S::open();
    let (queue, owner) = (store.queue(), Owner::new());
    let [first, second] = keep_one(queue, owner);
    let probe = START + minutes(10);
    pace(queue, "a.example", 1, probe);
    let waits = routed(&first, &returned(START));
    let refused = queue.set_aside(&first, waits);
    assert!(refused.is_err(), "the destination is closed");
    wait(queue.record(*refused.unwrap_err())).unwrap();
    assert!(
        wait(queue.claim(owner, START, 9, LEASE))
            .unwrap()
            .is_empty()
    );
    let claims = wait(queue.claim(owner, probe, 9, LEASE)).unwrap();
    assert_eq!(claims.len(), 1);
    assert!(claims[0].lease != first.lease && claims[0].lease != second.lease);
    assert_eq!(claims[0].recipients[0].route, Some(route("a.example")));
}

pub fn a_kept_claim_goes_back_when_its_lease_may_not_suffice<S: StoreUnderTest>() {
    let store = S::open();
    let (queue, owner) = (store.queue(), Owner::new());
    let [first, second] = keep_one(queue, owner);
    wait(queue.record(report(&first, &delivered()))).unwrap();
    let late = START + LEASE / 8;
    let none = wait(queue.claim(owner, late, 9, LEASE)).unwrap();
    assert!(none.is_empty(), "it goes back first");
    // That is recorded before this is answered.
    wait(store.admin().depth()).unwrap();
    let claims = wait(queue.claim(owner, late, 9, LEASE)).unwrap();
    assert_eq!(ids(&claims), [second.transaction.id]);
    assert!(claims[0].lease.until > second.lease.until);
    let stale = report(&second, &delivered());
    assert_eq!(wait(queue.record(stale)).unwrap().applied, 0);
    assert!(
        wait(queue.record(report(&claims[0], &delivered())))
            .unwrap()
            .finished
    );
}

pub fn a_kept_claim_is_wanted_at_the_time_of_its_attention<S: StoreUnderTest>() {
    let store = S::open();
    let (queue, owner) = (store.queue(), Owner::new());
    pace(queue, "a.example", 1, START);
    let busy = wait_at(queue, None, &["bob@a.example"]);
    assert_eq!(claim_one(queue, START).transaction.id, busy);
    accept(queue, message(TransactionId::new(), &["bob@a.example"]));
    let claim = wait(queue.claim(owner, START, 9, LEASE)).unwrap().remove(0);
    let mut waits = routed(&claim, &returned(START));
    let at = Millis(START.0 + 50);
    waits.results[0].attention_at = Some(at);
    queue.set_aside(&claim, waits).unwrap();
    assert_eq!(wait(queue.next_due()).unwrap(), Some(at));
    let wanted = wait(queue.claim(owner, at, 9, LEASE)).unwrap();
    assert_eq!(ids(&wanted), [claim.transaction.id]);
    assert_eq!(wanted[0].recipients[0].cause, ClaimCause::Attention);
}

pub fn only_so_many_claims_are_kept<S: StoreUnderTest>() {
    let store = S::open();
    let (queue, owner) = (store.queue(), Owner::new());
    pace(queue, "a.example", 1, START);
    let busy = wait_at(queue, None, &["bob@a.example"]);
    assert_eq!(claim_one(queue, START).transaction.id, busy);
    for _ in 0..600 {
        accept(queue, message(TransactionId::new(), &["bob@a.example"]));
    }
    let mut now = START;
    let (mut kept, mut ahead) = (0, Vec::new());
    for _ in 0..20 {
        let claims = wait(queue.claim(owner, now, 200, LEASE)).unwrap();
        ahead.push(claims.len());
        for claim in claims {
            match queue.set_aside(&claim, routed(&claim, &returned(now))) {
                Ok(()) => kept += 1,
                Err(report) => drop(wait(queue.record(*report)).unwrap()),
            }
        }
        if ahead.len() % 2 == 0 {
            now = Millis(now.0 + 100);
        }
    }
    // All that may be in hand, and then a few now and again.
    assert_eq!(ahead[..4], [200, 20, 20, 0]);
    assert!(ahead[2..].iter().all(|few| *few <= 20), "{ahead:?}");
    assert!((200..=400).contains(&kept), "{kept}");
}

pub fn a_lease_that_runs_out_leaves_its_place<S: StoreUnderTest>() {
    let store = S::open();
    let lost = wait_at(store.queue(), None, &["bob@a.example"]);
    let next = wait_at(store.queue(), None, &["bob@a.example"]);
    pace(store.queue(), "a.example", 1, START);
    let claim = claim_one(store.queue(), START);
    assert_eq!(claim.transaction.id, lost);
    let over = claim.lease.until;
    let again = claimed(store.queue(), over, 9);
    assert_eq!(
        ids(&again),
        [next],
        "it waits behind those that are due longer"
    );
    wait(store.queue().record(report(&again[0], &delivered()))).unwrap();
    assert_eq!(claim_one(store.queue(), over).transaction.id, lost);
}

pub fn a_discarded_recipient_is_on_record<S: StoreUnderTest>() {
    let store = S::open();
    let id = accept(
        store.queue(),
        message(TransactionId::new(), &["bob@a.example", "carol@b.example"]),
    );
    let claim = claim_one(store.queue(), START);
    let discarded = AttemptOutcome::Discarded {
        reason: "unwanted".into(),
    };
    let mut one = report(&claim, &discarded);
    one.results.truncate(1);
    let recorded = wait(store.queue().record(one)).unwrap();
    assert_eq!((recorded.applied, recorded.finished), (1, false));
    let record = wait(store.admin().show(id)).unwrap().unwrap();
    let suppressed = RecipientState::Suppressed {
        reason: "unwanted".into(),
    };
    assert_eq!(record.summary.recipients[0].state, suppressed);
    assert_eq!(record.summary.recipients[0].attempts, 0);
    let mut rest = report(&claim, &discarded);
    rest.results.remove(0);
    assert!(wait(store.queue().record(rest)).unwrap().finished);
}

pub fn a_returned_recipient_may_keep_a_reply<S: StoreUnderTest>() {
    let store = S::open();
    accept(
        store.queue(),
        message(TransactionId::new(), &["bob@a.example"]),
    );
    let claim = claim_one(store.queue(), START);
    let returned_with = |reply, server| AttemptOutcome::Returned {
        next_attempt: START,
        reply,
        server,
    };
    let refused = returned_with(
        Some(reply(421, "4.3.2", "busy")),
        Some("mx.a.example:25".into()),
    );
    wait(store.queue().record(report(&claim, &refused))).unwrap();
    for _ in 0..2 {
        let claim = claim_one(store.queue(), START);
        let recipient = &claim.recipients[0];
        assert_eq!(recipient.attempts, 0);
        assert_eq!(recipient.last_reply.as_ref().unwrap().code(), 421);
        assert_eq!(recipient.last_server.as_deref(), Some("mx.a.example:25"));
        // Without a reply the last one stays.
        let returned = returned_with(None, None);
        wait(store.queue().record(report(&claim, &returned))).unwrap();
    }
}

pub fn destinations_are_listed_with_what_waits_there<S: StoreUnderTest>() {
    let store = S::open();
    assert!(wait(store.admin().destinations(9)).unwrap().is_empty());
    let mut old = message(TransactionId::new(), &["bob@a.example", "carol@a.example"]);
    old.received_at = Millis(START.0 - 60_000);
    let old = accept(store.queue(), old);
    let claim = unrouted(store.queue(), old);
    let due = START + minutes(3);
    wait(store.queue().record(routed(&claim, &deferred(due)))).unwrap();
    wait_at(store.queue(), None, &["bob@a.example"]);
    wait_at(store.queue(), None, &["bob@b.example"]);
    let in_hand = claim_one_of(store.queue(), "b.example");
    let unrouted = message(TransactionId::new(), &["bob@c.example"]);
    let later = START + minutes(60);
    let unrouted = NewMessage {
        recipients: vec![NewRecipient {
            state: InitialState::Queued {
                next_attempt: later,
            },
            ..queued("bob@c.example")
        }],
        ..unrouted
    };
    accept(store.queue(), unrouted);
    pace(store.queue(), "a.example", 2, due);

    let found = wait(store.admin().destinations(9)).unwrap();
    let summary = |destination: Option<DestinationKey>| DestinationSummary {
        destination,
        recipients: 1,
        messages: 1,
        in_hand: 0,
        oldest: Some(START),
        next_attempt: Some(later),
        last_reply: None,
        pace: Pace::default(),
    };
    let expected_a = DestinationSummary {
        recipients: 3,
        messages: 2,
        oldest: Some(Millis(START.0 - 60_000)),
        next_attempt: Some(START),
        last_reply: Some(reply(451, "4.3.0", "later")),
        pace: Pace {
            in_hand: 2,
            not_before: due,
        },
        ..summary(Some(key("a.example")))
    };
    let expected_b = DestinationSummary {
        in_hand: 1,
        next_attempt: None,
        ..summary(Some(key("b.example")))
    };
    assert_eq!(found[0], expected_a);
    assert!(found.contains(&expected_b), "{found:?}");
    assert!(found.contains(&summary(None)), "{found:?}");
    assert_eq!(found.len(), 3);
    let first = wait(store.admin().destinations(1)).unwrap();
    assert_eq!(first, [expected_a]);
    wait(store.queue().record(report(&in_hand, &delivered()))).unwrap();
    assert_eq!(wait(store.admin().destinations(9)).unwrap().len(), 2);
}

/// Claims the one message that waits at the destination; what else is claimed goes back.
fn claim_one_of(queue: &dyn Queue, domain: &str) -> Claim {
    let mut found = None;
    for claim in claim(queue, START) {
        match claim.recipients[0].address.domain() == domain {
            true => found = Some(claim),
            false => drop(wait(queue.record(report(&claim, &returned(START)))).unwrap()),
        }
    }
    found.unwrap()
}

pub fn commands_are_for_a_destination<S: StoreUnderTest>() {
    let store = S::open();
    let id = wait_at(store.queue(), None, &["bob@a.example", "carol@b.example"]);
    let other = wait_at(store.queue(), None, &["bob@b.example"]);
    let unrouted = accept(
        store.queue(),
        message(TransactionId::new(), &["bob@a.example"]),
    );
    let listed = |selection| {
        let filter = Filter {
            selection,
            ..Filter::default()
        };
        let found = wait(store.admin().list(filter)).unwrap();
        let found = found.iter().map(|summary| summary.id);
        found.collect::<Vec<_>>()
    };
    assert_eq!(listed(at("a.example")), [id]);
    assert_eq!(listed(at("b.example")), [id, other]);
    let changed = wait(store.admin().hold(at("b.example"))).unwrap();
    assert_eq!(changed.changed, 2);
    assert_eq!(states(store.admin(), id), [Status::Queued, Status::Held]);
    assert_eq!(states(store.admin(), unrouted), [Status::Queued]);
    let later = START + minutes(30);
    let changed = wait(store.admin().retry(at("a.example"), later)).unwrap();
    assert_eq!(changed.changed, 1);
    let changed = wait(store.admin().release(at("b.example"), later)).unwrap();
    assert_eq!(changed.changed, 2);
    assert_eq!(ids(&claim(store.queue(), START)), [unrouted]);
    let changed = wait(store.admin().cancel(at("b.example"), START)).unwrap();
    assert_eq!(changed.changed, 2);
    assert_eq!(listed(Selection::default()), [id, unrouted]);
}

/// Returns true if a wake-up was kept.
async fn has_wake_up(changed: &tokio::sync::Notify) -> bool {
    tokio::time::timeout(Duration::ZERO, changed.notified())
        .await
        .is_ok()
}
