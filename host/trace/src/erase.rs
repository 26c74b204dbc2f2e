//! Erasure of an account from the trace.
//!
//! Events name no account. So a [`TraceSweep`] reads all of them, oldest first, and asks of each
//! whether it shows whose its transaction is; the transactions of the account are then removed by
//! their ids, with the reports on them and the notices about them. What is removed is overwritten in
//! the database.

use std::collections::HashSet;

use gatepost_message::TransactionId;
use rusqlite::{Connection, params};

use crate::{Kind, messages, writer};

/// Rows of events that one step of a sweep reads.
pub(crate) const SWEPT_AT_ONCE: i64 = 1000;

/// Transactions that are removed in one commit.
const REMOVED_AT_ONCE: usize = 500;

/// Sent headers that are looked at together.
const HEADERS_AT_ONCE: i64 = 2000;

/// Sign of the account that a transaction belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TraceOwner {
    /// It belongs to the account that is erased.
    Erased,
    /// It belongs to that account unless another sign says that it is another's.
    PerhapsErased,
    /// It belongs to another account.
    Other,
}

/// State of a sweep over all events.
#[derive(Debug, Default)]
pub struct TraceSweep {
    /// Number of the last row that was read.
    position: i64,
    erased: HashSet<TransactionId>,
    perhaps: HashSet<TransactionId>,
    other: HashSet<TransactionId>,
}

/// Step of a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SweepStep {
    /// Rows that were read.
    pub read: u64,
    /// True if there are more.
    pub more: bool,
}

impl TraceSweep {
    /// Takes these transactions for those of the account, whatever the events say.
    pub fn with(ids: impl IntoIterator<Item = TransactionId>) -> Self {
        Self {
            erased: ids.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Reads the next rows; returns the transactions that are to be removed.
    pub(crate) fn read(
        &mut self,
        reader: &Connection,
        owner: &dyn Fn(&Kind) -> Option<TraceOwner>,
    ) -> rusqlite::Result<(SweepStep, Vec<TransactionId>)> {
        let mut select = reader.prepare_cached(
            "SELECT number, id, event_json FROM events WHERE number > ?1 ORDER BY number LIMIT ?2",
        )?;
        let mut rows = select.query([self.position, SWEPT_AT_ONCE])?;
        let mut step = SweepStep::default();
        let mut found = HashSet::new();
        while let Some(row) = rows.next()? {
            step.read += 1;
            self.position = row.get(0)?;
            let (id, json): (String, String) = (row.get(1)?, row.get(2)?);
            // What cannot be read cannot be told apart, and stays until its time is over.
            let (Ok(id), Ok(entries)) = (id.parse(), writer::read(Default::default(), &json))
            else {
                continue;
            };
            for entry in &entries {
                self.note(id, &entry.kind, owner(&entry.kind));
            }
            if self.erased.contains(&id) {
                found.insert(id);
            }
        }
        step.more = step.read == SWEPT_AT_ONCE.unsigned_abs();
        if !step.more {
            let perhaps = self.perhaps.iter();
            let unclaimed = perhaps.filter(|id| !self.other.contains(id));
            found.extend(unclaimed.copied());
        }
        Ok((step, found.into_iter().collect()))
    }

    fn note(&mut self, id: TransactionId, kind: &Kind, owner: Option<TraceOwner>) {
        let is_known = self.other.contains(&id) || self.erased.contains(&id);
        let known = match owner.filter(|_| !is_known) {
            Some(TraceOwner::Erased) => Some(&mut self.erased),
            Some(TraceOwner::PerhapsErased) => Some(&mut self.perhaps),
            Some(TraceOwner::Other) => Some(&mut self.other),
            None => None,
        };
        if let Some(known) = known {
            known.insert(id);
        }
        match kind {
            Kind::Report(read) if read.about.is_some_and(|of| self.erased.contains(&of)) => {
                self.erased.insert(read.report);
                self.erased.insert(id);
            }
            Kind::Bounced { notice, .. } | Kind::Notified { notice, .. }
                if self.erased.contains(&id) =>
            {
                self.erased.insert(*notice);
            }
            _ => {}
        }
    }
}

/// Removes events and sent headers of transactions. Returns the number of rows of events, and that of
/// messages whose headers were kept.
pub(crate) fn remove(
    connection: &mut Connection,
    ids: &[TransactionId],
) -> rusqlite::Result<(u64, i64)> {
    let mut removed = (0, 0);
    overwriting(connection, |connection| {
        for some in ids.chunks(REMOVED_AT_ONCE) {
            let batch = connection.transaction()?;
            for id in some {
                let id = id.to_string();
                let events = "DELETE FROM events WHERE id = ?1";
                removed.0 += batch.prepare_cached(events)?.execute([&id])? as u64;
                let sent = "DELETE FROM sent WHERE id = ?1";
                removed.1 += batch.prepare_cached(sent)?.execute([&id])? as i64;
                messages::remove(&batch, &id)?;
            }
            batch.commit()?;
        }
        Ok(())
    })?;
    Ok(removed)
}

/// Removes what was found of an account's headers on the way, and its messages, whether or not an
/// event tells of them.
pub(crate) fn remove_findings(connection: &mut Connection, account: &str) -> rusqlite::Result<u64> {
    let mut removed = 0;
    overwriting(connection, |connection| {
        messages::remove_of(connection, account)?;
        let delete = "DELETE FROM header_findings WHERE account = ?1";
        removed = connection.execute(delete, [account])? as u64;
        Ok(())
    })?;
    Ok(removed)
}

/// Returns some messages of an account whose headers are kept, behind this id, and the last id that
/// was looked at; `None` at the end.
pub(crate) fn sent_of(
    reader: &Connection,
    account: &str,
    after: &str,
) -> rusqlite::Result<(Vec<TransactionId>, Option<String>)> {
    let mut select = reader
        .prepare_cached("SELECT id, account = ?2 FROM sent WHERE id > ?1 ORDER BY id LIMIT ?3")?;
    let mut rows = select.query(params![after, account, HEADERS_AT_ONCE])?;
    let (mut ids, mut last, mut seen) = (Vec::new(), None, 0);
    while let Some(row) = rows.next()? {
        let id: String = row.get(0)?;
        seen += 1;
        if row.get(1)? {
            ids.extend(id.parse::<TransactionId>().ok());
        }
        last = Some(id);
    }
    Ok((ids, last.filter(|_| seen == HEADERS_AT_ONCE)))
}

/// Removes rows in a way that overwrites them.
pub(crate) fn overwriting(
    connection: &mut Connection,
    remove: impl FnOnce(&mut Connection) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    connection.pragma_update(None, "secure_delete", true)?;
    let removed = remove(connection);
    connection.pragma_update(None, "secure_delete", false)?;
    removed
}
