//! Random histories that end in `kill -9`, and random damage to the files: accepted mail is
//! unchanged, or its loss is reported.

use crate::common;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use common::*;
use gatepost_files::Level;
use gatepost_message::TransactionId;
use gatepost_spool::*;
use proptest::{collection::vec, prelude::*, sample::Index, test_runner::RngSeed};

/// Seed of every run; proptest prints it when a case fails.
const SEED: u64 = 20_261_129;

/// Bounds of the WAL; the journal has half of that.
const USUAL: u64 = 32 << 20;
const SMALL: u64 = 128 << 10;

/// Octets of a page of database and journal.
const PAGE: u64 = 4096;

#[derive(Debug, Clone)]
enum Step {
    Accept {
        large: bool,
        kind: Kind,
    },
    /// Claims all due messages, and delivers or defers some.
    Deliver(Vec<u8>),
    /// Lists the queue, which checkpoints the journal.
    Look,
    /// Holds queued mail, as an operator does.
    Hold,
    /// Stops the relay in order and starts it again.
    Reopen,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Due,
    Later,
    Quarantined,
}

fn step() -> impl Strategy<Value = Step> {
    let kind =
        prop_oneof![4 => Just(Kind::Due), 1 => Just(Kind::Later), 1 => Just(Kind::Quarantined)];
    prop_oneof![
        8 => (any::<bool>(), kind).prop_map(|(large, kind)| Step::Accept { large, kind }),
        3 => vec(0..4_u8, 8).prop_map(Step::Deliver),
        2 => Just(Step::Look),
        1 => Just(Step::Hold),
        1 => Just(Step::Reopen),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Journal,
    Mark,
    Database,
    Log,
    Index,
    Body,
}

#[derive(Debug, Clone)]
enum Harm {
    Remove,
    Empty,
    Truncate(Index),
    /// Fills so many pages from there on with this octet.
    Fill(Index, u64, u8),
}

fn harm() -> impl Strategy<Value = (Place, Harm, Index)> {
    use Place::*;
    let place = prop_oneof![
        1 => Just(Journal),
        1 => Just(Mark),
        1 => Just(Database),
        3 => Just(Log),
        1 => Just(Index),
        1 => Just(Body),
    ];
    let at = any::<proptest::sample::Index>;
    let harm = prop_oneof![
        2 => Just(Harm::Remove),
        1 => Just(Harm::Empty),
        2 => at().prop_map(Harm::Truncate),
        3 => (at(), 1..4_u64, prop_oneof![Just(0), Just(0xa5)])
            .prop_map(|(at, pages, octet)| Harm::Fill(at, pages, octet)),
    ];
    (place, harm, at())
}

impl Harm {
    /// Applies the damage; returns true if there was anything to damage.
    fn apply(&self, path: &Path) -> bool {
        let length = fs::metadata(path).map_or(0, |file| file.len());
        if length == 0 {
            return false;
        }
        let file = fs::File::options().write(true).open(path).unwrap();
        match self {
            Self::Remove => fs::remove_file(path).unwrap(),
            Self::Empty => file.set_len(0).unwrap(),
            Self::Truncate(at) => file.set_len(at.index(length as usize) as u64).unwrap(),
            Self::Fill(at, pages, octet) => {
                let from = at.index(length.div_ceil(PAGE) as usize) as u64 * PAGE;
                let to = length.min(from + pages * PAGE);
                let octets = vec![*octet; (to - from) as usize];
                file.write_all_at(&octets, from).unwrap();
            }
        }
        true
    }
}

/// A store, and the messages accepted into it that are not delivered.
struct History {
    root: tempfile::TempDir,
    waiting: BTreeMap<TransactionId, Bytes>,
    delivered: BTreeSet<TransactionId>,
    /// Messages that wait for an operator.
    held: BTreeSet<TransactionId>,
    attached: bool,
    max_log_bytes: u64,
}

impl History {
    fn store(&self) -> PathBuf {
        self.root.path().join("live")
    }

    fn killed(&self) -> PathBuf {
        self.root.path().join("killed")
    }

    /// Runs a history with a WAL of that bound. With a small one the journal has room for a few
    /// messages only, and is overwritten many times.
    fn of(steps: &[Step], attached: bool, max_log_bytes: u64) -> Self {
        let mut history = Self {
            root: tempfile::tempdir().unwrap(),
            waiting: BTreeMap::new(),
            delivered: BTreeSet::new(),
            held: BTreeSet::new(),
            attached,
            max_log_bytes,
        };
        let (mut spool, mut owner) = history.open();
        for step in steps {
            match step {
                Step::Accept { large, kind } => history.accept(&spool, *large, *kind),
                Step::Deliver(outcomes) => history.deliver(&spool, owner, outcomes),
                Step::Look => drop(list(&spool)),
                Step::Hold => history.hold(&spool),
                Step::Reopen => {
                    drop(spool);
                    (spool, owner) = history.open();
                }
            }
        }
        history.kill();
        history
    }

    fn open(&self) -> (SqliteSpool, Owner) {
        let settings = SpoolSettings {
            max_log_bytes: self.max_log_bytes,
            ..settings(&self.store())
        };
        let (spool, owner) = (SqliteSpool::open(settings).unwrap(), Owner::new());
        if self.attached {
            spool.attach(owner, LEASE);
        }
        (spool, owner)
    }

    fn accept(&mut self, spool: &SqliteSpool, large: bool, kind: Kind) {
        let id = TransactionId::new();
        let mut new = message(id, &["bob@a.example", "eve@a.example"]);
        let octet = b'a' + (self.waiting.len() % 26) as u8;
        let length = if large { INLINE_LIMIT + 1 } else { 3000 };
        let body = vec![octet; length];
        if large {
            let mut staging = stage(spool, id);
            std::io::Write::write_all(&mut staging, &new.head).unwrap();
            std::io::Write::write_all(&mut staging, &body).unwrap();
            let staged = staging.finish().unwrap();
            (new.head, new.body) = (staged.head, staged.body);
        } else {
            new.body = NewBody::Inline(body.clone().into());
        }
        match kind {
            Kind::Due => {}
            Kind::Later => {
                for to in &mut new.recipients {
                    let next_attempt = START + minutes(5);
                    to.state = InitialState::Queued { next_attempt };
                }
            }
            Kind::Quarantined => {
                new.quarantine = Some(Quarantine {
                    reason: "bad".into(),
                    expires: START + minutes(600),
                });
            }
        }
        let octets = [&new.head[..], &body].concat();
        accept(spool, new);
        self.waiting.insert(id, octets.into());
    }

    fn hold(&mut self, spool: &SqliteSpool) {
        wait(spool.hold(Selection {
            recipient: Some("a.example".to_owned()),
            ..Selection::default()
        }))
        .unwrap();
        self.held = held(&list(spool));
    }

    fn deliver(&mut self, spool: &SqliteSpool, owner: Owner, outcomes: &[u8]) {
        let claims = wait(spool.claim(owner, START, 100, LEASE)).unwrap();
        for (claim, outcome) in claims.iter().zip(outcomes) {
            let outcome = match outcome {
                0 | 1 => delivered(),
                2 => deferred(START),
                _ => continue,
            };
            let recorded = wait(spool.record(report(claim, &outcome))).unwrap();
            if recorded.finished {
                let id = claim.transaction.id;
                self.waiting.remove(&id);
                self.delivered.insert(id);
            }
        }
    }

    /// Copies the files as they are now, as `kill -9` leaves them.
    fn kill(&self) {
        // The store may be doing maintenance.
        let (killed, again) = (self.killed(), self.root.path().join("again"));
        loop {
            for copied in [&killed, &again] {
                let _ = fs::remove_dir_all(copied);
                copy(&self.store(), copied);
            }
            if contents(&killed) == contents(&again) {
                break;
            }
        }
    }

    /// Damages a file; returns its name, if there was anything to damage.
    fn harm(&self, place: Place, harm: &Harm, which: &Index) -> Option<Place> {
        let store = self.killed();
        let path = match place {
            Place::Journal => store.join("journal"),
            Place::Mark => store.join("journal.synced"),
            Place::Database => store.join("spool.db"),
            Place::Log => store.join("spool.db-wal"),
            Place::Index => store.join("spool.db-shm"),
            Place::Body => {
                let mut names = bodies(&store);
                names.sort();
                match names.is_empty() {
                    true => return None,
                    false => store.join("incoming").join(which.get(&names)),
                }
            }
        };
        harm.apply(&path).then_some(place)
    }
}

/// Returns the messages of which every unfinished recipient is held.
fn held(summaries: &[Summary]) -> BTreeSet<TransactionId> {
    let is_held = |summary: &&Summary| {
        let mut recipients = summary.recipients.iter();
        recipients.all(|to| to.state == RecipientState::Held)
    };
    summaries
        .iter()
        .filter(is_held)
        .map(|summary| summary.id)
        .collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            // A body may have been removed since.
            false => drop(fs::copy(entry.path(), to)),
        }
    }
}

fn contents(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(contents(&path)),
            false => drop(found.insert(
                path.strip_prefix(directory).unwrap().to_owned(),
                fs::read(&path).unwrap(),
            )),
        }
    }
    found
}

/// Returns the messages in queue and quarantine, with those octets that can be read.
fn found(spool: &SqliteSpool) -> Result<BTreeMap<TransactionId, Option<Bytes>>, SpoolError> {
    let all = Filter {
        limit: usize::MAX,
        ..Filter::default()
    };
    let mut found = BTreeMap::new();
    for summary in wait(spool.list(all.clone()))? {
        let record = wait(spool.show(summary.id))?.unwrap();
        let again = found.insert(summary.id, record.message.to_bytes().ok());
        assert!(again.is_none(), "{} is there twice", summary.id);
    }
    for summary in wait(spool.quarantine_list(all))? {
        let record = wait(spool.quarantine_show(summary.id))?.unwrap();
        found.insert(summary.id, record.message.to_bytes().ok());
    }
    Ok(found)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 40,
        rng_seed: RngSeed::Fixed(SEED),
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    })]

    #[test]
    fn accepted_mail_is_there_or_its_loss_is_reported(
        steps in vec(step(), 1..25),
        attached: bool,
        small: bool,
        harms in vec(harm(), 0..4),
    ) {
        let history = History::of(&steps, attached, if small { SMALL } else { USUAL });
        let harmed: BTreeSet<_> = harms.iter()
            .filter_map(|(place, harm, which)| history.harm(*place, harm, which))
            .collect();
        let findings = inspect(&history.killed(), false);
        let told_by_doctor = findings.iter().any(|it| it.level == Level::Error);
        if harmed.is_empty() {
            prop_assert!(!told_by_doctor, "nothing is damaged: {findings:?}");
        }
        let spool = match SqliteSpool::open(settings(&history.killed())) {
            Ok(spool) => spool,
            Err(error) => {
                prop_assert!(!harmed.is_empty(), "{error}");
                let words = error.to_string();
                prop_assert!(words.contains("spool.db"), "{words}");
                prop_assert!(told_by_doctor, "{error}, and: {findings:?}");
                return Ok(());
            }
        };
        let told = spool.damage().is_some()
            || spool.log_damage().is_some()
            || spool.mark_damage().is_some()
            || !spool.damaged_bodies().is_empty();
        let there = match found(&spool) {
            Ok(there) => there,
            Err(error) => {
                prop_assert!(harmed.contains(&Place::Database), "{error}");
                prop_assert!(matches!(spool.room(), Err(SpoolError::Corrupt(_))), "{error}");
                return Ok(());
            }
        };
        // Journal and database are whole, so no accepted message is lost.
        let must = !harmed.contains(&Place::Journal)
            && !harmed.contains(&Place::Database)
            && !harmed.contains(&Place::Body);
        let kept = history.killed().join("incoming.damaged-kept");
        for (id, octets) in &history.waiting {
            let is_there = there.get(id).is_some_and(|found| found.as_ref() == Some(octets));
            prop_assert!(
                is_there || !must,
                "{id} is lost, with {harmed:?}: {:?} {:?}", spool.damage(), spool.log_damage()
            );
            prop_assert!(
                is_there || told || told_by_doctor,
                "{id} is lost without a word, with {harmed:?}"
            );
            // A lost message with a large body has its body kept.
            let lost = !there.contains_key(id) && octets.len() > INLINE_LIMIT;
            let body = kept.join(id.to_string());
            prop_assert!(
                !lost || body.exists() || harmed.contains(&Place::Body),
                "the body of {id} is lost, with {harmed:?}"
            );
        }
        for id in there.keys() {
            let known = history.waiting.contains_key(id) || history.delivered.contains(id);
            prop_assert!(known, "{id} was never accepted");
            let again = history.delivered.contains(id);
            prop_assert!(
                !again || told,
                "{id} is delivered again without a word, with {harmed:?}"
            );
        }
        if harmed.contains(&Place::Mark) {
            prop_assert!(spool.mark_damage().is_some() && told_by_doctor, "with {harmed:?}");
        }
        let held = held(&list(&spool));
        prop_assert!(
            told || told_by_doctor || history.held.is_subset(&held),
            "{:?} are held no more, without a word, with {harmed:?}", history.held
        );
    }
}

/// Makes a store that was killed with a message of 300 KB in the WAL of its database.
fn history_with_a_large_message_in_the_wal() -> History {
    let copies = (0..50).map(|_| {
        let steps = [
            Step::Accept {
                large: true,
                kind: Kind::Due,
            },
            Step::Accept {
                large: false,
                kind: Kind::Later,
            },
            Step::Look,
        ];
        History::of(&steps, true, USUAL)
    });
    let mut copies = copies.filter(|history| {
        let log = fs::metadata(history.killed().join("spool.db-wal"));
        log.is_ok_and(|log| log.len() > 0)
    });
    copies
        .next()
        .expect("the machine is too slow for this test")
}

#[test]
fn a_large_message_survives_the_loss_of_the_wal() {
    for garble in [false, true] {
        let history = history_with_a_large_message_in_the_wal();
        let log = history.killed().join("spool.db-wal");
        let length = fs::metadata(&log).unwrap().len();
        match garble {
            true => fs::write(&log, vec![b'x'; length as usize]).unwrap(),
            false => fs::remove_file(&log).unwrap(),
        }
        let findings = inspect(&history.killed(), false);
        assert!(
            findings.iter().any(|it| it.about.ends_with("spool.db-wal")),
            "{findings:?}"
        );
        let spool = open(&history.killed());
        let damage = spool.log_damage().expect("the loss is told");
        assert!(damage.commits > 0);
        if let Some(kept) = &damage.kept {
            assert_eq!(fs::read(kept).unwrap(), vec![b'x'; length as usize]);
        }
        assert_eq!(damage.kept.is_some(), garble);
        let there = found(&spool).unwrap();
        for (id, octets) in &history.waiting {
            assert_eq!(there[id].as_ref(), Some(octets));
        }
        drop(spool);
        // The loss is reported once: the store is whole from now on.
        assert_eq!(open(&history.killed()).log_damage(), None);
    }
}

#[test]
fn a_missing_short_or_altered_body_is_reported() {
    for (alter, words) in [
        ("remove", "is missing"),
        ("cut", "octets of"),
        ("alter", "is not what was written"),
    ] {
        let history = history_with_a_large_message_in_the_wal();
        let name = bodies(&history.killed()).remove(0);
        let path = history.killed().join("incoming").join(&name);
        let file = fs::File::options().write(true).open(&path).unwrap();
        match alter {
            "remove" => fs::remove_file(&path).unwrap(),
            "cut" => file.set_len(1000).unwrap(),
            _ => file.write_all_at(b"!", 1000).unwrap(),
        }
        let findings = inspect(&history.killed(), false);
        let told = findings.iter().find(|it| it.about.ends_with(&name));
        let told = told.unwrap_or_else(|| panic!("{alter}: {findings:?}"));
        assert_eq!(told.level, Level::Error);
        assert!(told.found.contains(words), "{alter}: {told:?}");
        let spool = open(&history.killed());
        let damaged: Vec<_> = spool.damaged_bodies().iter().map(|it| it.id).collect();
        match alter {
            "alter" => assert_eq!(damaged, []),
            _ => assert_eq!(damaged, [name.parse().unwrap()]),
        }
        if alter == "cut" {
            let there = found(&spool).unwrap();
            assert_eq!(
                there[&name.parse().unwrap()],
                None,
                "it is not delivered cut"
            );
        }
    }
}
