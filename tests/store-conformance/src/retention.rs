//! What an account keeps for a shorter time than the site: its old events and failed mail go, and nothing
//! of others.

use std::sync::Arc;

use gatepost_message::{Millis, TransactionId};
use gatepost_model::{Event, EventKind};
use gatepost_spool::{EraseCursor, ErasedRows, EventFilter, KeptSince, Ledger};

use crate::{StoreUnderTest, support::*};

/// Puts a message of an account into the store, which is kept since its recipient has failed, with one
/// event.
fn kept(store: &impl StoreUnderTest, account: &str, at: Millis) -> TransactionId {
    let mut new = message(TransactionId::new(), &["bad@b.example"]);
    let id = new.transaction.id;
    new.transaction.account = Some(account.to_owned());
    new.received_at = at;
    new.ledger = Ledger::of([Event {
        account: Some(account.to_owned()),
        address: None,
        transaction: Some(id),
        message_id: None,
        recipient: Some(address("bad@b.example")),
        metadata: None,
        at,
        kind: EventKind::Queued,
    }]);
    accept(store.queue(), new);
    let claim = claim_one(store.queue(), at);
    let mut report = report(&claim, &failed());
    report.keep_until = Some(at + minutes(1000));
    wait(store.queue().record(report)).unwrap();
    id
}

/// Walks over the whole store; returns what was dropped.
fn drop_older(store: &impl StoreUnderTest, since: &[(&str, Millis)]) -> ErasedRows {
    let since = since.iter().map(|(of, at)| ((*of).to_owned(), *at));
    let since: Arc<KeptSince> = Arc::new(since.collect());
    let mut all = ErasedRows::default();
    let mut next = Some(EraseCursor::default());
    while let Some(from) = next {
        let step = wait(store.erasure().drop_older(&since, from)).unwrap();
        all.add(step.erased);
        next = step.next;
    }
    all
}

/// Returns the messages that are kept, and those that events are about, in order.
fn left(store: &impl StoreUnderTest) -> [Vec<TransactionId>; 2] {
    let kept = wait(store.admin().kept_list(Default::default())).unwrap();
    let events = wait(store.events().read(0, EventFilter::default(), 1000)).unwrap();
    let of_events = events.events.iter().filter_map(|of| of.event.transaction);
    let mut found: [Vec<_>; 2] = [kept.iter().map(|of| of.id).collect(), of_events.collect()];
    for ids in &mut found {
        ids.sort_unstable();
        ids.dedup();
    }
    found
}

/// Events and kept messages from before the time of their account go, but for the last event of all.
pub fn an_account_forgets_sooner_than_others<S: StoreUnderTest>() {
    let mut store = S::open();
    let old = kept(&store, "acme", START);
    let of_other = kept(&store, "other", START);
    let new = kept(&store, "acme", START + minutes(10));
    let since = [("acme", START + minutes(5)), ("third", START + minutes(60))];

    let dropped = drop_older(&store, &since);
    assert_eq!((dropped.messages, dropped.events), (1, 1));
    let mut expected = vec![of_other, new];
    expected.sort_unstable();
    assert_eq!(left(&store), [expected.clone(), expected.clone()]);
    assert!(!expected.contains(&old));
    assert_eq!(drop_older(&store, &since), ErasedRows::default());
    assert_eq!(drop_older(&store, &[]), ErasedRows::default());

    // The next number follows from the last event, which stays.
    let dropped = drop_older(&store, &[("acme", START + minutes(60))]);
    assert_eq!((dropped.messages, dropped.events), (1, 0));
    store.reopen();
    let [kept, events] = left(&store);
    assert_eq!(kept, [of_other]);
    assert_eq!(events, expected);
}

/// Mail that still waits for its recipients is not dropped, however old it is.
pub fn queued_mail_is_never_too_old<S: StoreUnderTest>() {
    let store = S::open();
    let mut new = message(TransactionId::new(), &["bob@b.example"]);
    new.transaction.account = Some("acme".to_owned());
    accept(store.queue(), new);
    drop_older(&store, &[("acme", START + minutes(60))]);
    assert_eq!(
        wait(store.admin().list(Default::default())).unwrap().len(),
        1
    );
}
