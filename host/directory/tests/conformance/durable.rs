//! Facts that a durable store has to pass.

use gatepost_directory::{Directory, DirectoryChange, DirectoryRow, Limits, RowKey, Settings};
use gatepost_message::Separators;

use crate::{
    Durable, contents,
    rows::{add_entries, agreement, all, connection, credential, dkim_keys, endpoint},
};

/// Writes, each of several changes.
fn writes() -> Vec<Vec<DirectoryChange>> {
    let mut writes: Vec<_> = (1..6).map(all).collect();
    writes.push(vec![
        DirectoryChange::Put(DirectoryRow::Agreement(agreement(1, 2))),
        DirectoryChange::Remove(RowKey::Credential(credential(3).credential.user_name)),
        DirectoryChange::Remove(RowKey::List(4)),
    ]);
    let many: Vec<_> = (0..300)
        .map(|n| format!("user{n}@partner.example"))
        .collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    writes.push(vec![
        add_entries(7, &many),
        DirectoryChange::Remove(RowKey::List(5)),
    ]);
    writes
}

/// Makes the writes and crashes at many moments, also at those just before and after each write.
/// Gives what the store held after each write, with its moment.
fn crash(subject: &impl Durable, mut check: impl FnMut(u64, &[(u64, Contents)])) {
    let mut store = subject.open();
    let mut held = vec![(subject.moment(), contents(&*store))];
    for write in writes() {
        store.write(&write).unwrap();
        held.push((subject.moment(), contents(&*store)));
    }
    let (first, last) = (held[0].0, subject.moment());
    assert!(first < last, "a moment is a number that grows");
    let spread = (0..60).map(|n| first + (last - first) * n / 60);
    let mut moments: Vec<_> = spread.collect();
    let near = |moment: u64| [moment.saturating_sub(1), moment, moment + 1];
    moments.extend(held.iter().flat_map(|(moment, _)| near(*moment)));
    for moment in moments {
        check(moment.clamp(first, last), &held);
    }
}

type Contents = (Vec<DirectoryRow>, Vec<(u32, Vec<String>)>);

pub fn a_crash_at_any_moment_leaves_whole_writes_only(subject: &impl Durable) {
    crash(subject, |moment, held| {
        let found = contents(&*subject.crashed_at(moment));
        let before = held.iter().rposition(|(at, _)| *at <= moment).unwrap();
        let mut expected = held[before..].iter().take(2);
        assert!(
            expected.any(|(_, contents)| *contents == found),
            "a crash at {moment} left neither {before} nor {} writes",
            before + 1
        );
        if moment == held[before].0 {
            assert_eq!(found, held[before].1, "at {moment}");
        }
    });
}

pub fn a_directory_opens_after_a_crash_at_any_moment(subject: &impl Durable) {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        path: folder.path().join("directory.db"),
        key_ring: folder.path().join("key-ring"),
        limits: Limits::default(),
        separators: Separators::default(),
    };
    crash(subject, |moment, _| {
        let mut store = subject.crashed_at(moment);
        // They are encrypted by no key ring.
        for number in 1..6 {
            let user = credential(number).credential.user_name;
            let key = DirectoryRow::Connection(connection(number).into()).key();
            let keys = dkim_keys(number).map(|row| row.key());
            let of_endpoint = DirectoryRow::Endpoint(endpoint(number).into()).key();
            let encrypted = [RowKey::Credential(user), key, of_endpoint];
            let encrypted = encrypted.into_iter().chain(keys);
            let changes: Vec<_> = encrypted.map(DirectoryChange::Remove).collect();
            store.write(&changes).unwrap();
        }
        let accounts = contents(&*store).0;
        let accounts = accounts
            .iter()
            .filter(|row| matches!(row, DirectoryRow::Account(_)));
        let accounts = accounts.count();
        let directory = Directory::open_on(store, &settings).unwrap();
        assert_eq!(directory.view().accounts().count(), accounts);
    });
}
