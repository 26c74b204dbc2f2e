//! Copies of a store that is used meanwhile, and stores that are opened from one.

use crate::common;

use std::{
    collections::BTreeSet,
    io::Write as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use bytes::Bytes;
use common::*;
use gatepost_message::TransactionId;
use gatepost_model::{Event, NoticeSubject};
use gatepost_spool::*;

fn copy_to(spool: &SqliteSpool, folder: &Path, report: CopyReport) -> Result<(), SpoolError> {
    std::fs::create_dir(folder).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    runtime.block_on(spool.copy_to(folder.to_owned(), report))
}

fn open_copy(directory: &Path) -> SqliteSpool {
    SqliteSpool::open_copy(settings(directory)).unwrap()
}

/// Makes a message whose body has a file of its own.
fn large(spool: &SqliteSpool, id: TransactionId) -> NewMessage {
    let mut staging = stage(spool, id);
    staging.write_all(b"Subject: large\r\n\r\n").unwrap();
    staging.write_all(&vec![b'x'; INLINE_LIMIT + 1]).unwrap();
    let staged = staging.finish().unwrap();
    NewMessage {
        head: staged.head,
        body: staged.body,
        ..message(id, &["large@a.example"])
    }
}

/// Makes a message that fills pages of the database.
fn bulky(id: TransactionId) -> NewMessage {
    NewMessage {
        body: NewBody::Inline(Bytes::from(vec![b'y'; 100 << 10])),
        ..message(id, &["bob@a.example"])
    }
}

fn ids(spool: &SqliteSpool) -> BTreeSet<TransactionId> {
    let filter = Filter {
        limit: usize::MAX,
        ..Filter::default()
    };
    let listed = wait(spool.list(filter)).unwrap();
    listed.into_iter().map(|message| message.id).collect()
}

/// Messages are accepted, and others delivered, while the database is copied.
#[test]
fn a_copy_has_all_that_was_accepted_before_and_waits_still() {
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("store");
    let spool = Arc::new(open(&store));
    let mut before = BTreeSet::new();
    for _ in 0..40 {
        before.insert(accept(&*spool, bulky(TransactionId::new())));
    }
    let finished: Vec<_> = (0..4)
        .map(|_| accept(&*spool, large(&spool, TransactionId::new())))
        .collect();
    let kept = accept(&*spool, large(&spool, TransactionId::new()));
    before.insert(kept);
    // In the journal alone: nothing has asked for it.
    before.insert(accept(
        &*spool,
        message(TransactionId::new(), &["carl@a.example"]),
    ));

    let stop = Arc::new(AtomicBool::new(false));
    let load = {
        let (spool, stop) = (Arc::clone(&spool), Arc::clone(&stop));
        thread::spawn(move || {
            let mut accepted = 0;
            while !stop.load(Ordering::Relaxed) {
                accept(&*spool, bulky(TransactionId::new()));
                accepted += 1;
            }
            accepted
        })
    };
    let copied = directory.path().join("copy");
    // Some messages end while the copy is made. Their bodies stay until it has been.
    let (ending, first) = (Arc::clone(&spool), AtomicBool::new(true));
    let canceled = finished.clone();
    let bodies_while_copied = Arc::new(AtomicBool::new(true));
    let (there, bodies_of) = (Arc::clone(&bodies_while_copied), store.clone());
    let report = CopyReport::new(move |progress| match progress {
        CopyProgress::Database { .. } if first.swap(false, Ordering::Relaxed) => {
            for id in &canceled {
                drop(ending.cancel(Selection::message(*id), START));
            }
        }
        CopyProgress::Bodies { .. } => {
            let all = bodies(&bodies_of).len() == canceled.len() + 1;
            there.fetch_and(all, Ordering::Relaxed);
        }
        CopyProgress::Database { .. } => {}
    });
    copy_to(&spool, &copied, report).unwrap();
    stop.store(true, Ordering::Relaxed);
    assert!(load.join().unwrap() > 0, "no load");
    assert!(bodies_while_copied.load(Ordering::Relaxed));
    wait(spool.depth()).unwrap();
    assert_eq!(bodies(&store), [kept.to_string()], "bodies are left");
    assert!(!copied.join("journal").exists());
    assert!(!copied.join("spool.db-wal").exists());

    let restored = open_copy(&copied);
    assert_eq!(restored.damage(), None);
    assert_eq!(restored.log_damage(), None);
    assert_eq!(restored.mark_damage(), None);
    assert!(restored.damaged_bodies().is_empty());
    let there = ids(&restored);
    assert!(before.is_subset(&there), "{:?}", before.difference(&there));
    assert!(finished.iter().all(|id| !there.contains(id)));
    assert_eq!(bodies(&copied), [kept.to_string()]);
    let shown = wait(restored.show(kept)).unwrap().unwrap();
    assert_eq!(octets(&shown.message).len(), 18 + INLINE_LIMIT + 1);
}

/// The advice for a damaged database: its copy is put back beside the journal.
#[test]
fn a_copied_database_put_back_takes_over_the_journal() {
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("store");
    let spool = open(&store);
    let before = accept(&spool, message(TransactionId::new(), &["bob@a.example"]));
    let copied = directory.path().join("copy");
    copy_to(&spool, &copied, CopyReport::default()).unwrap();
    let since = accept(&spool, message(TransactionId::new(), &["carl@a.example"]));
    // As a crash would leave it: the journal has the message, no orderly stop has taken it over.
    let crashed = directory.path().join("crashed");
    std::fs::create_dir_all(crashed.join("incoming")).unwrap();
    for name in ["journal.synced", "journal"] {
        std::fs::copy(store.join(name), crashed.join(name)).unwrap();
    }
    std::fs::copy(copied.join("spool.db"), crashed.join("spool.db")).unwrap();
    drop(spool);
    assert_eq!(ids(&open(&crashed)), BTreeSet::from([before, since]));
}

#[test]
fn one_copy_is_made_at_a_time_and_one_that_fails_is_given_up() {
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("store");
    let spool = open(&store);
    let id = accept(&spool, large(&spool, TransactionId::new()));
    let missing = directory.path().join("missing");
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    // A copy that nobody has begun to wait for is under way already.
    let first = spool.copy_to(missing.clone(), CopyReport::default());
    let second = runtime.block_on(spool.copy_to(missing, CopyReport::default()));
    assert!(
        matches!(second, Err(SpoolError::CopyUnderWay)),
        "{second:?}"
    );
    let error = runtime.block_on(first).unwrap_err();
    assert!(matches!(error, SpoolError::NotCopied(_)), "{error}");
    // The store goes on.
    wait(spool.cancel(Selection::message(id), START)).unwrap();
    wait(spool.depth()).unwrap();
    assert!(bodies(&store).is_empty());
    copy_to(
        &spool,
        &directory.path().join("copy"),
        CopyReport::default(),
    )
    .unwrap();
}

#[test]
fn a_restored_queue_is_held_and_has_its_time_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("store");
    let spool = open(&store);
    let queued = accept(&spool, message(TransactionId::new(), &["bob@a.example"]));
    let by_hand = accept(&spool, message(TransactionId::new(), &["carl@a.example"]));
    wait(spool.hold(Selection::message(by_hand))).unwrap();
    let leased = accept(&spool, message(TransactionId::new(), &["dora@a.example"]));
    let claimed: Vec<_> = claim(&spool, START)
        .iter()
        .map(|of| of.transaction.id)
        .collect();
    assert_eq!(claimed.len(), 2);
    let copied = directory.path().join("copy");
    copy_to(&spool, &copied, CopyReport::default()).unwrap();

    let restored = open_copy(&copied);
    let later = START + minutes(60);
    assert_eq!(
        wait(restored.restored(START, later, RestoredQueue::Held)).unwrap(),
        2
    );
    assert!(
        claim(&restored, later).is_empty(),
        "nothing leaves by itself"
    );
    let lasts = START + minutes(5 * 24 * 60) + minutes(60);
    for (id, by_restore) in [(queued, true), (by_hand, false), (leased, true)] {
        let shown = wait(restored.show(id)).unwrap().unwrap().summary;
        assert_eq!(shown.recipients[0].state, RecipientState::Held);
        assert_eq!(is_held_by_restore(&shown.recipients[0]), by_restore, "{id}");
        assert_eq!(shown.expires_at, lasts);
    }
    wait(restored.release(Selection::message(queued), later)).unwrap();
    assert_eq!(claim_one(&restored, later).transaction.id, queued);
}

#[test]
fn a_restored_queue_of_which_nothing_was_delivered_is_due() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(&directory.path().join("store"));
    let id = accept(&spool, message(TransactionId::new(), &["bob@a.example"]));
    let copied = directory.path().join("copy");
    copy_to(&spool, &copied, CopyReport::default()).unwrap();
    let restored = open_copy(&copied);
    assert_eq!(
        wait(restored.restored(START, START, RestoredQueue::Due)).unwrap(),
        0
    );
    assert_eq!(claim_one(&restored, START).transaction.id, id);
}

/// An application that has read events since the copy was made waits for none in vain.
#[test]
fn events_of_a_restored_store_come_behind_those_told_since() {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(&directory.path().join("store"));
    let notice = |text: &str| Event::notice(None, NoticeSubject::Dkim, text.into(), START);
    assert_eq!(
        wait(spool.append(vec![notice("one"), notice("two")])).unwrap(),
        2
    );
    wait(spool.set_cursor("webhook", Some(2))).unwrap();
    wait(spool.set_cursor("behind", Some(1))).unwrap();
    let copied = directory.path().join("copy");
    copy_to(&spool, &copied, CopyReport::default()).unwrap();
    // Told since, and not in the copy.
    assert_eq!(wait(spool.append(vec![notice("three")])).unwrap(), 3);

    let restored = open_copy(&copied);
    let later = START + minutes(1);
    wait(restored.restored(START, later, RestoredQueue::Held)).unwrap();
    let last = 2 + 1_000_000 + 60 * 10_000;
    let next = wait(restored.append(vec![notice("four")])).unwrap();
    assert_eq!(next, last + 1);
    assert_eq!(wait(restored.cursor("webhook")).unwrap(), Some(last));
    assert_eq!(wait(restored.cursor("behind")).unwrap(), Some(1));
    let behind = wait(restored.read(1, EventFilter::default(), 10)).unwrap();
    let seqs: Vec<_> = behind.events.iter().map(|event| event.seq).collect();
    assert_eq!(seqs, [last, next]);
}
