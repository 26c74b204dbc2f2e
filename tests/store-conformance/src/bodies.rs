//! Bodies of large messages.

#![allow(
    missing_docs,
    reason = "the name of a function is the fact that it shows"
)]

use std::io::Write as _;

use bytes::Bytes;
use gatepost_message::TransactionId;
use gatepost_spool::{NewBody, SpoolError, Staged, Staging};

use crate::{
    StoreUnderTest,
    support::{START, accept, claim_one, delivered, list, message, octets, report, stage, wait},
};

/// Makes a message of `length` octets after its header section.
fn raw(length: usize) -> Vec<u8> {
    let mut raw = b"Subject: large\r\nX-Long: y\r\n\r\n".to_vec();
    raw.extend((0..length).map(|position| b'a' + (position % 26) as u8));
    raw
}

fn accept_staged(store: &impl StoreUnderTest, id: TransactionId, staged: Staged) {
    let mut new = message(id, &["bob@a.example"]);
    new.head = staged.head;
    new.body = staged.body;
    accept(store.queue(), new);
}

pub fn a_small_message_is_not_in_the_body_store<S: StoreUnderTest>() {
    let store = S::open();
    let raw = raw(1000);
    let staged = stage(store.bodies(), TransactionId::new(), &raw, 100);
    assert!(matches!(staged.body, NewBody::Inline(_)));
    assert_eq!(staged.head, &raw[..raw.len() - 1000]);
    assert_eq!(octets(&staged.message()), raw);
    assert!(store.body_ids().is_empty());
}

pub fn a_large_message_is_in_the_body_store_until_it_is_delivered<S: StoreUnderTest>() {
    let mut store = S::open();
    for chunk in [7001, 64 << 10, 3 << 20] {
        let id = TransactionId::new();
        let raw = raw(2 << 20);
        let staged = stage(store.bodies(), id, &raw, chunk);
        assert!(matches!(staged.body, NewBody::Staged(_)));
        assert_eq!(octets(&staged.message()), raw);
        accept_staged(&store, id, staged);

        store.reopen();
        assert_eq!(store.body_ids(), [id]);
        let claim = claim_one(store.queue(), START);
        assert_eq!(octets(&claim.message), raw);
        let mut tail = [0; 10];
        let last = claim.message.body().len() - 4;
        assert_eq!(claim.message.body().read_at(last, &mut tail).unwrap(), 4);
        assert_eq!(tail[..4], raw[raw.len() - 4..]);
        wait(store.queue().record(report(&claim, &delivered()))).unwrap();
        // A later operation: the body of the one before is removed by then.
        wait(store.admin().quarantine_expire(START)).unwrap();
        assert!(store.body_ids().is_empty());
    }
}

pub fn policies_edit_the_head_of_a_large_message_and_its_body_stays<S: StoreUnderTest>() {
    let store = S::open();
    let id = TransactionId::new();
    let mut staged = stage(store.bodies(), id, &raw(400_000), 5000);
    staged.head = Bytes::from_static(b"Subject: a much longer header section than before\r\n\r\n");
    let expected = octets(&staged.message());
    accept_staged(&store, id, staged);
    assert_eq!(octets(&claim_one(store.queue(), START).message), expected);
}

pub fn an_abandoned_staging_leaves_nothing_behind<S: StoreUnderTest>() {
    let store = S::open();
    let mut staging = Staging::begin(store.bodies(), TransactionId::new()).unwrap();
    staging.write_all(&raw(300_000)).unwrap();
    assert_eq!(store.body_ids().len(), 1);
    drop(staging);
    assert!(store.body_ids().is_empty());

    let staged = stage(store.bodies(), TransactionId::new(), &raw(300_000), 5000);
    let seen_by_policy = staged.message();
    drop(staged);
    assert_eq!(
        octets(&seen_by_policy),
        raw(300_000),
        "whoever still reads it can"
    );
    drop(seen_by_policy);
    assert!(store.body_ids().is_empty());
}

pub fn the_body_of_a_refused_message_is_removed<S: StoreUnderTest>() {
    let store = S::open();
    let id = accept(
        store.queue(),
        message(TransactionId::new(), &["bob@a.example"]),
    );
    let staged = stage(store.bodies(), id, &raw(300_000), 5000);
    let mut twice = message(id, &["bob@a.example"]);
    twice.body = staged.body;
    let error = wait(store.queue().accept(twice)).unwrap_err();
    assert!(matches!(error, SpoolError::Duplicate(_)), "{error}");
    claim_one(store.queue(), START);
    assert!(store.body_ids().is_empty());
}

pub fn a_body_staged_for_another_transaction_is_refused<S: StoreUnderTest>() {
    let store = S::open();
    let staged = stage(store.bodies(), TransactionId::new(), &raw(300_000), 5000);
    let mut other = message(TransactionId::new(), &["bob@a.example"]);
    other.body = staged.body;
    let error = wait(store.queue().accept(other)).unwrap_err();
    assert!(matches!(error, SpoolError::OtherBody { .. }), "{error}");
    assert!(list(store.admin()).is_empty());
}
