//! An operator's listings and commands.

#![allow(clippy::unwrap_used)] // clippy.toml lets tests unwrap, not their helpers

mod common;

use common::*;
use gatepost_message::TransactionId;
use gatepost_smtp::dsn;
use gatepost_spool::*;

fn selection(id: TransactionId) -> Selection {
    Selection::message(id)
}

fn recipient(text: &str) -> Selection {
    Selection {
        recipient: Some(text.into()),
        ..Selection::default()
    }
}

#[test]
fn held_mail_waits_for_its_release() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let id = accept(&spool, message(TransactionId::new(), &["bob@a.example"]));
    let other = accept(&spool, message(TransactionId::new(), &["bob@a.example"]));
    let changed = wait(spool.hold(selection(id))).unwrap();
    assert_eq!(
        changed,
        Changed {
            changed: 1,
            in_progress: 0
        }
    );
    assert_eq!(wait(spool.retry(selection(id), START)).unwrap().changed, 0);
    drop(spool);

    let spool = open(directory.path());
    assert_eq!(states(&spool, id), [Status::Held]);
    assert_eq!(claim_one(&spool, START).transaction.id, other);
    let later = START + minutes(60);
    assert_eq!(
        wait(spool.release(selection(id), later)).unwrap().changed,
        1
    );
    assert!(claim(&spool, START).is_empty());
    wait(spool.release(Selection::default(), later)).unwrap();
    assert_eq!(
        wait(spool.claim(Owner::new(), later, 1, LEASE))
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn cancelled_mail_is_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let id = accept(
        &spool,
        message(TransactionId::new(), &["bob@a.example", "carol@b.example"]),
    );
    wait(spool.hold(recipient("B.example"))).unwrap();
    assert_eq!(states(&spool, id), [Status::Queued, Status::Held]);
    assert_eq!(
        wait(spool.cancel(recipient("bob@A.example")))
            .unwrap()
            .changed,
        1
    );
    assert_eq!(states(&spool, id), [Status::Cancelled, Status::Held]);
    assert_eq!(wait(spool.cancel(Selection::default())).unwrap().changed, 1);
    assert!(list(&spool).is_empty());
    assert_eq!(wait(spool.depth()).unwrap(), QueueDepth::default());
}

#[test]
fn recipients_in_progress_are_counted_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let id = accept(&spool, message(TransactionId::new(), &["bob@a.example"]));
    let claim = claim_one(&spool, START);
    for operation in [
        spool.cancel(selection(id)),
        spool.hold(selection(id)),
        spool.retry(selection(id), START),
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
        wait(spool.release(selection(id), START)).unwrap(),
        Changed::default()
    );
    assert_eq!(
        wait(spool.record(report(&claim, &delivered())))
            .unwrap()
            .applied,
        1
    );
}

#[test]
fn a_retry_is_due_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let id = accept(&spool, message(TransactionId::new(), &["bob@a.example"]));
    let claim = claim_one(&spool, START);
    wait(spool.record(report(&claim, &deferred(START + minutes(60))))).unwrap();
    assert!(common::claim(&spool, START).is_empty());
    let account = Selection {
        account: Some("acme".into()),
        ..Selection::default()
    };
    let elsewhere = Selection {
        account: Some("other".into()),
        ..Selection::default()
    };
    assert_eq!(wait(spool.retry(elsewhere, START)).unwrap().changed, 0);
    assert_eq!(wait(spool.retry(account, START)).unwrap().changed, 1);
    assert_eq!(claim_one(&spool, START).transaction.id, id);
}

#[test]
fn lists_are_filtered_and_paged() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let ids: Vec<_> = (0..7)
        .map(|number| {
            let to = format!("user{number}@{}.example", ["a", "b"][number % 2]);
            accept(&spool, message(TransactionId::new(), &[&to]))
        })
        .collect();
    wait(spool.hold(selection(ids[4]))).unwrap();
    let found = |filter: Filter| -> Vec<TransactionId> {
        wait(spool.list(filter))
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
    wait(spool.cancel(selection(ids[2]))).unwrap();
    assert_eq!(found(page(Some(ids[2]))), ids[3..6]);
    assert_eq!(found(page(Some(ids[5]))), ids[6..]);
}

fn quarantined(spool: &SqliteSpool) -> Vec<TransactionId> {
    let found = wait(spool.quarantine_list(Filter::default())).unwrap();
    found.iter().map(|summary| summary.id).collect()
}

fn quarantine_one_message(spool: &SqliteSpool, expires: u64) -> TransactionId {
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
    accept(spool, new)
}

#[test]
fn quarantine_is_apart_from_the_queue() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let id = quarantine_one_message(&spool, 60);
    assert!(claim(&spool, START + minutes(600)).is_empty());
    assert!(list(&spool).is_empty());
    assert!(wait(spool.show(id)).unwrap().is_none());
    for operation in [
        spool.cancel(Selection::default()),
        spool.hold(Selection::default()),
        spool.release(Selection::default(), START),
        spool.retry(selection(id), START),
    ] {
        assert_eq!(wait(operation).unwrap(), Changed::default());
    }
    drop(spool);

    let spool = open(directory.path());
    assert_eq!(quarantined(&spool), [id]);
    let record = wait(spool.quarantine_show(id)).unwrap().unwrap();
    assert_eq!(record.summary.quarantine.unwrap().reason, "looks bad");
    let suppressed = RecipientState::Suppressed {
        reason: "unsubscribed".into(),
    };
    assert_eq!(record.summary.recipients[1].state, suppressed);
}

#[test]
fn released_mail_has_its_whole_time_to_live() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let id = quarantine_one_message(&spool, 60);
    let now = START + minutes(30 * 24 * 60);
    assert!(wait(spool.quarantine_release(id, now)).unwrap());
    assert!(!wait(spool.quarantine_release(id, now)).unwrap());
    assert!(!wait(spool.quarantine_delete(id)).unwrap());
    assert!(quarantined(&spool).is_empty());
    let claim = claim_one(&spool, now);
    assert_eq!(claim.transaction.id, id);
    assert_eq!(claim.expires_at, now + minutes(5 * 24 * 60));
    let to: Vec<_> = claim
        .recipients
        .iter()
        .map(|to| to.address.as_str())
        .collect();
    assert_eq!(to, ["bob@a.example"]);
    assert!(
        wait(spool.record(report(&claim, &delivered())))
            .unwrap()
            .finished
    );
}

#[test]
fn quarantine_ends_by_deletion_or_by_time() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let [deleted, late, early] =
        [10, 20, 10].map(|expires| quarantine_one_message(&spool, expires));
    let queued = accept(&spool, message(TransactionId::new(), &["bob@a.example"]));
    assert!(!wait(spool.quarantine_delete(queued)).unwrap());
    assert!(wait(spool.quarantine_delete(deleted)).unwrap());
    assert_eq!(quarantined(&spool), [late, early]);
    assert!(
        wait(spool.quarantine_expire(START + minutes(9)))
            .unwrap()
            .quarantined
            .is_empty()
    );
    assert_eq!(
        wait(spool.quarantine_expire(START + minutes(10)))
            .unwrap()
            .quarantined,
        [early]
    );
    assert_eq!(quarantined(&spool), [late]);
    assert_eq!(states(&spool, queued), [Status::Queued]);
}
