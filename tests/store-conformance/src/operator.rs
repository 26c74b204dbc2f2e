//! An operator's listings and commands.

#![allow(
    missing_docs,
    reason = "the name of a function is the fact that it shows"
)]

use gatepost_message::TransactionId;
use gatepost_smtp::dsn;
use gatepost_spool::*;

use crate::{
    StoreUnderTest,
    support::{self, *},
};

fn selection(id: TransactionId) -> Selection {
    Selection::message(id)
}

fn recipient(text: &str) -> Selection {
    Selection {
        recipient: Some(text.into()),
        ..Selection::default()
    }
}

pub fn held_mail_waits_for_its_release<S: StoreUnderTest>() {
    let mut store = S::open();
    let id = accept(
        store.queue(),
        message(TransactionId::new(), &["bob@a.example"]),
    );
    let other = accept(
        store.queue(),
        message(TransactionId::new(), &["bob@a.example"]),
    );
    let changed = wait(store.admin().hold(selection(id))).unwrap();
    assert_eq!(
        changed,
        Changed {
            changed: 1,
            in_progress: 0
        }
    );
    assert_eq!(
        wait(store.admin().retry(selection(id), START))
            .unwrap()
            .changed,
        0
    );
    store.reopen();
    assert_eq!(states(store.admin(), id), [Status::Held]);
    assert_eq!(claim_one(store.queue(), START).transaction.id, other);
    let later = START + minutes(60);
    assert_eq!(
        wait(store.admin().release(selection(id), later))
            .unwrap()
            .changed,
        1
    );
    assert!(claim(store.queue(), START).is_empty());
    wait(store.admin().release(Selection::default(), later)).unwrap();
    assert_eq!(
        wait(store.queue().claim(Owner::new(), later, 1, LEASE))
            .unwrap()
            .len(),
        1
    );
}

pub fn cancelled_mail_is_deleted<S: StoreUnderTest>() {
    let store = S::open();
    let id = accept(
        store.queue(),
        message(TransactionId::new(), &["bob@a.example", "carol@b.example"]),
    );
    wait(store.admin().hold(recipient("B.example"))).unwrap();
    assert_eq!(states(store.admin(), id), [Status::Queued, Status::Held]);
    assert_eq!(
        wait(store.admin().cancel(recipient("bob@A.example"), START))
            .unwrap()
            .changed,
        1
    );
    assert_eq!(states(store.admin(), id), [Status::Cancelled, Status::Held]);
    assert_eq!(
        wait(store.admin().cancel(Selection::default(), START))
            .unwrap()
            .changed,
        1
    );
    assert!(list(store.admin()).is_empty());
    assert_eq!(wait(store.admin().depth()).unwrap(), QueueDepth::default());
}

pub fn recipients_in_progress_are_counted_and_left_alone<S: StoreUnderTest>() {
    let store = S::open();
    let id = accept(
        store.queue(),
        message(TransactionId::new(), &["bob@a.example"]),
    );
    let claim = claim_one(store.queue(), START);
    for operation in [
        store.admin().cancel(selection(id), START),
        store.admin().hold(selection(id)),
        store.admin().retry(selection(id), START),
    ] {
        assert_eq!(
            wait(operation).unwrap(),
            Changed {
                changed: 0,
                in_progress: 1
            }
        );
    }
    assert_eq!(
        wait(store.admin().release(selection(id), START)).unwrap(),
        Changed::default()
    );
    assert_eq!(
        wait(store.queue().record(report(&claim, &delivered())))
            .unwrap()
            .applied,
        1
    );
}

pub fn a_retry_is_due_at_once<S: StoreUnderTest>() {
    let store = S::open();
    let id = accept(
        store.queue(),
        message(TransactionId::new(), &["bob@a.example"]),
    );
    let claim = claim_one(store.queue(), START);
    wait(
        store
            .queue()
            .record(report(&claim, &deferred(START + minutes(60)))),
    )
    .unwrap();
    assert!(support::claim(store.queue(), START).is_empty());
    let account = Selection {
        account: Some("acme".into()),
        ..Selection::default()
    };
    let elsewhere = Selection {
        account: Some("other".into()),
        ..Selection::default()
    };
    assert_eq!(
        wait(store.admin().retry(elsewhere, START)).unwrap().changed,
        0
    );
    assert_eq!(
        wait(store.admin().retry(account, START)).unwrap().changed,
        1
    );
    assert_eq!(claim_one(store.queue(), START).transaction.id, id);
}

pub fn lists_are_filtered_and_paged<S: StoreUnderTest>() {
    let store = S::open();
    let ids: Vec<_> = (0..7)
        .map(|number| {
            let to = format!("user{number}@{}.example", ["a", "b"][number % 2]);
            accept(store.queue(), message(TransactionId::new(), &[&to]))
        })
        .collect();
    wait(store.admin().hold(selection(ids[4]))).unwrap();
    let found = |filter: Filter| -> Vec<TransactionId> {
        wait(store.admin().list(filter))
            .unwrap()
            .iter()
            .map(|summary| summary.id)
            .collect()
    };
    let in_a = Filter {
        selection: recipient("a.example"),
        ..Filter::default()
    };
    assert_eq!(found(in_a), [ids[0], ids[2], ids[4], ids[6]]);
    let one = Filter {
        selection: recipient("user3@b.example"),
        ..Filter::default()
    };
    assert_eq!(found(one), [ids[3]]);
    // A domain does not select a longer one that ends alike.
    let outcome = Filter {
        selection: recipient("example"),
        ..Filter::default()
    };
    assert!(found(outcome).is_empty());
    let held = Filter {
        status: Some(Status::Held),
        ..Filter::default()
    };
    assert_eq!(found(held), [ids[4]]);

    let page = |after| Filter {
        limit: 3,
        after,
        ..Filter::default()
    };
    assert_eq!(found(page(None)), ids[..3]);
    // Paging continues though the page's last message is deleted meanwhile.
    wait(store.admin().cancel(selection(ids[2]), START)).unwrap();
    assert_eq!(found(page(Some(ids[2]))), ids[3..6]);
    assert_eq!(found(page(Some(ids[5]))), ids[6..]);
}

fn quarantined(admin: &dyn QueueAdmin) -> Vec<TransactionId> {
    let found = wait(admin.quarantine_list(Filter::default())).unwrap();
    found.iter().map(|summary| summary.id).collect()
}

fn quarantine_one_message(queue: &dyn Queue, expires: u64) -> TransactionId {
    let mut new = message(TransactionId::new(), &["bob@a.example"]);
    new.quarantine = Some(Quarantine {
        reason: "looks bad".into(),
        expires: START + minutes(expires),
    });
    new.recipients.push(NewRecipient {
        address: address("dave@c.example"),
        dsn: dsn::RecipientRequest::default(),
        state: InitialState::Suppressed {
            reason: "unsubscribed".into(),
        },
    });
    accept(queue, new)
}

pub fn quarantine_is_apart_from_the_queue<S: StoreUnderTest>() {
    let mut store = S::open();
    let id = quarantine_one_message(store.queue(), 60);
    assert!(claim(store.queue(), START + minutes(600)).is_empty());
    assert!(list(store.admin()).is_empty());
    assert!(wait(store.admin().show(id)).unwrap().is_none());
    for operation in [
        store.admin().cancel(Selection::default(), START),
        store.admin().hold(Selection::default()),
        store.admin().release(Selection::default(), START),
        store.admin().retry(selection(id), START),
    ] {
        assert_eq!(wait(operation).unwrap(), Changed::default());
    }
    store.reopen();
    assert_eq!(quarantined(store.admin()), [id]);
    let record = wait(store.admin().quarantine_show(id)).unwrap().unwrap();
    assert_eq!(record.summary.quarantine.unwrap().reason, "looks bad");
    let suppressed = RecipientState::Suppressed {
        reason: "unsubscribed".into(),
    };
    assert_eq!(record.summary.recipients[1].state, suppressed);
}

pub fn released_mail_has_its_whole_time_to_live<S: StoreUnderTest>() {
    let store = S::open();
    let id = quarantine_one_message(store.queue(), 60);
    let now = START + minutes(30 * 24 * 60);
    assert!(wait(store.admin().quarantine_release(id, now)).unwrap());
    assert!(!wait(store.admin().quarantine_release(id, now)).unwrap());
    assert!(!wait(store.admin().quarantine_delete(id, START)).unwrap());
    assert!(quarantined(store.admin()).is_empty());
    let claim = claim_one(store.queue(), now);
    assert_eq!(claim.transaction.id, id);
    assert_eq!(claim.expires_at, now + minutes(5 * 24 * 60));
    let to: Vec<_> = claim
        .recipients
        .iter()
        .map(|to| to.address.as_str())
        .collect();
    assert_eq!(to, ["bob@a.example"]);
    assert!(
        wait(store.queue().record(report(&claim, &delivered())))
            .unwrap()
            .finished
    );
}

pub fn quarantine_ends_by_deletion_or_by_time<S: StoreUnderTest>() {
    let store = S::open();
    let [deleted, late, early] =
        [10, 20, 10].map(|expires| quarantine_one_message(store.queue(), expires));
    let queued = accept(
        store.queue(),
        message(TransactionId::new(), &["bob@a.example"]),
    );
    assert!(!wait(store.admin().quarantine_delete(queued, START)).unwrap());
    assert!(wait(store.admin().quarantine_delete(deleted, START)).unwrap());
    assert_eq!(quarantined(store.admin()), [late, early]);
    assert!(
        wait(store.admin().quarantine_expire(START + minutes(9)))
            .unwrap()
            .quarantined
            .is_empty()
    );
    assert_eq!(
        wait(store.admin().quarantine_expire(START + minutes(10)))
            .unwrap()
            .quarantined,
        [early]
    );
    assert_eq!(quarantined(store.admin()), [late]);
    assert_eq!(states(store.admin(), queued), [Status::Queued]);
}
