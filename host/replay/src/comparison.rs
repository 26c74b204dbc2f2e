//! Both sides on many entries, on several threads.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use gatepost_message::Millis;
use gatepost_model::FaultKind;
use gatepost_record::{MissingBody, RecordEntry, RecordReader, Segment};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::changes::{DecisionChange, changes};
use crate::judges::Judges;
use crate::recorded::ReplayEntry;
use crate::replayed::Replayed;
use crate::tally::Tally;

/// Entries that a thread takes at a time.
const CHUNK: usize = 64;

/// The two sides of a comparison.
pub struct Comparison {
    /// Versions as they are, or were.
    pub old: Judges,
    /// Versions as they would be.
    pub new: Judges,
    /// Threads.
    pub threads: usize,
    alone: Mutex<()>,
}

/// Entries of a record that a comparison takes.
#[derive(Debug, Clone)]
pub struct WantedEntries {
    /// Entries from this time on.
    pub since: Millis,
    /// Entries of this account alone.
    pub account: Option<String>,
}

impl WantedEntries {
    fn wants(&self, entry: &RecordEntry) -> bool {
        let account = &entry.transaction().account;
        entry.at() >= self.since && (self.account.is_none() || self.account == *account)
    }
}

/// One entry, compared.
#[derive(Debug)]
pub struct Compared {
    /// Decisions of the old side.
    pub old: Replayed,
    /// Decisions of the new side.
    pub new: Replayed,
    /// True if the old side read a body that was not recorded: then its decision means nothing.
    pub old_lacks_body: bool,
    /// True if the new side read a body that was not recorded: then its decision means nothing.
    pub new_lacks_body: bool,
    /// Changes; none if both decided the same, and where a side lacks the body.
    pub changes: Vec<DecisionChange>,
}

/// Progress of a comparison.
#[derive(Debug, Default)]
pub struct CompareProgress {
    /// Files of the record that are done.
    pub files: AtomicUsize,
    /// Entries that are done.
    pub entries: AtomicU64,
}

impl Comparison {
    /// Makes a comparison on so many threads.
    pub fn new(old: Judges, new: Judges, threads: usize) -> Arc<Self> {
        Arc::new(Self {
            old,
            new,
            threads: threads.max(1),
            alone: Mutex::new(()),
        })
    }

    /// Compares one entry.
    pub async fn compare(&self, recorded: &ReplayEntry) -> Compared {
        let compared = self.once(recorded).await;
        if !compared.is_late() {
            return compared;
        }
        // On a busy machine a call may run past its deadline that would not have alone.
        let _alone = self.alone.lock().await;
        self.once(recorded).await
    }

    async fn once(&self, recorded: &ReplayEntry) -> Compared {
        let missing = recorded.missing.as_deref();
        let reads = || missing.map_or(0, MissingBody::reads);
        let before = reads();
        let old = self.old.judge(recorded).await;
        let between = reads();
        let new = self.new.judge_like(&old, recorded).await;
        let old_lacks_body = between > before;
        // A call that both make alike is made once: if it failed without the body, it failed for both.
        let new_lacks_body = reads() > between || old_lacks_body && share_a_fault(&old, &new);
        let changes = match old_lacks_body || new_lacks_body {
            true => Vec::new(),
            false => changes(&old, &new),
        };
        Compared {
            old,
            new,
            old_lacks_body,
            new_lacks_body,
            changes,
        }
    }

    /// Compares the entries of a record.
    ///
    /// # Errors
    /// A file of it cannot be read.
    pub async fn of_record(
        self: &Arc<Self>,
        reader: &RecordReader,
        wanted: &WantedEntries,
        progress: &Arc<CompareProgress>,
    ) -> io::Result<Tally> {
        let mut tally = Tally::default();
        let mut next = read(reader, 0);
        for number in 0..reader.files().len() {
            let segment = next.await.map_err(io::Error::other)??;
            // The next file is read while this one is judged.
            next = read(reader, number + 1);
            if let Some(segment) = segment {
                tally.merge(self.of_segment(segment, wanted, progress).await?);
            }
            progress.files.fetch_add(1, Ordering::Relaxed);
        }
        Ok(tally)
    }

    async fn of_segment(
        self: &Arc<Self>,
        segment: Segment,
        wanted: &WantedEntries,
        progress: &Arc<CompareProgress>,
    ) -> io::Result<Tally> {
        let segment = Arc::new(segment);
        let at = Arc::new(AtomicUsize::new(0));
        let mut threads = JoinSet::new();
        for _ in 0..self.threads {
            let (this, segment, at) = (Arc::clone(self), Arc::clone(&segment), Arc::clone(&at));
            let (wanted, progress) = (wanted.clone(), Arc::clone(progress));
            threads.spawn(async move {
                let mut tally = Tally::default();
                loop {
                    let begin = at.fetch_add(CHUNK, Ordering::Relaxed);
                    if begin >= segment.len() {
                        return tally;
                    }
                    let end = (begin + CHUNK).min(segment.len());
                    for number in begin..end {
                        if let Some((recorded, missing)) = segment.entry(number)
                            && wanted.wants(&recorded.entry)
                        {
                            let recorded = ReplayEntry::new(recorded, missing);
                            this.count(recorded, &mut tally).await;
                        }
                    }
                    let done = (end - begin) as u64;
                    progress.entries.fetch_add(done, Ordering::Relaxed);
                }
            });
        }
        let mut tally = Tally::default();
        while let Some(done) = threads.join_next().await {
            tally.merge(done.map_err(io::Error::other)?);
        }
        Ok(tally)
    }

    /// Compares an entry and counts it.
    pub async fn count(&self, recorded: ReplayEntry, tally: &mut Tally) {
        if !self.old.know(&recorded.entry) {
            tally.without_listener += 1;
            return;
        }
        let compared = self.compare(&recorded).await;
        if compared.lacks_body() {
            tally.without_body += 1;
            return;
        }
        if !compared.new.unknown.is_empty() || !compared.old.unknown.is_empty() {
            tally.answered_now += 1;
        }
        tally.add(recorded.entry.id(), compared.changes);
    }
}

impl Compared {
    /// Returns true if a side read a body that was not recorded, so that there is nothing to compare.
    pub fn lacks_body(&self) -> bool {
        self.old_lacks_body || self.new_lacks_body
    }

    /// Returns true if a call ran past its deadline.
    fn is_late(&self) -> bool {
        let judgements = self.old.judgements.iter().chain(&self.new.judgements);
        let mut faults = judgements.filter_map(|of| of.error.as_ref());
        faults.any(|fault| matches!(fault.kind, FaultKind::Deadline | FaultKind::Overload))
    }
}

/// Returns true if both sides have the same failure of the same version at the same call.
fn share_a_fault(old: &Replayed, new: &Replayed) -> bool {
    let mut both = old.trail.iter().zip(&*new.trail);
    both.any(|(old, new)| {
        old.error.is_some() && (&old.error, &old.digest) == (&new.error, &new.digest)
    })
}

fn read(
    reader: &RecordReader,
    number: usize,
) -> tokio::task::JoinHandle<io::Result<Option<Segment>>> {
    let (reader, path) = (reader.clone(), reader.files().get(number).cloned());
    tokio::task::spawn_blocking(move || match path {
        Some(path) => reader.read(&path),
        None => Ok(None),
    })
}
