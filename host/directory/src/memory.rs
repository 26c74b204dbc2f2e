//! Store in memory, for tests and dry runs.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::Arc,
};

use crate::{
    AuditQuery, AuditRecord, DirectoryChange, DirectoryError, DirectoryRow, DirectoryStore,
    KeptRequest, PartnerEntry, RowKey, Rows, erasure,
};
use gatepost_message::Millis;
use parking_lot::{Mutex, MutexGuard};

/// Store that lives as long as its clones, which share what it holds.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    tables: Arc<Mutex<Tables>>,
}

#[derive(Debug, Default)]
struct Tables {
    rows: BTreeMap<RowKey, DirectoryRow>,
    /// Texts of entries, by list.
    entries: BTreeMap<u32, BTreeSet<String>>,
    last_list: u32,
    /// Audit log, oldest first.
    audit: Vec<AuditRecord>,
    last_seq: u64,
    /// Requests of the HTTP API, by token and key.
    kept_requests: BTreeMap<(String, String), KeptRequest>,
}

impl MemoryStore {
    /// Makes an empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock()
    }
}

impl DirectoryStore for MemoryStore {
    fn rows(&self) -> Result<Rows, DirectoryError> {
        let tables = self.tables();
        Ok(Rows {
            rows: tables.rows.values().cloned().collect(),
            last_list: tables.last_list,
        })
    }

    fn entries(
        &self,
        list: u32,
        after: &str,
        limit: usize,
    ) -> Result<Vec<PartnerEntry>, DirectoryError> {
        let tables = self.tables();
        let entries = tables.entries.get(&list).into_iter();
        let rest =
            entries.flat_map(|of| of.range::<str, _>((Bound::Excluded(after), Bound::Unbounded)));
        let entries = rest.take(limit).map(|text| {
            let damaged = |_| DirectoryError::Damaged(format!("partner {text}"));
            text.parse().map_err(damaged)
        });
        entries.collect()
    }

    fn contains(&self, list: u32, entry: &PartnerEntry) -> Result<bool, DirectoryError> {
        let tables = self.tables();
        let entries = tables.entries.get(&list);
        Ok(entries.is_some_and(|entries| entries.contains(&entry.to_string())))
    }

    fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRecord>, DirectoryError> {
        let tables = self.tables();
        let asked = |record: &&AuditRecord| {
            query.before.is_none_or(|before| record.seq < before)
                && (query.account.is_none() || record.entry.account == query.account)
        };
        let newest = tables.audit.iter().rev().filter(asked);
        Ok(newest.take(query.limit).cloned().collect())
    }

    fn kept_request(&self, token: &str, key: &str) -> Result<Option<KeptRequest>, DirectoryError> {
        let of = (token.to_owned(), key.to_owned());
        Ok(self.tables().kept_requests.get(&of).cloned())
    }

    fn kept_requests_since(&self, token: &str, since: Millis) -> Result<u64, DirectoryError> {
        let tables = self.tables();
        let kept = tables.kept_requests.values();
        Ok(kept
            .filter(|kept| kept.token == token && kept.at > since)
            .count() as u64)
    }

    fn write(&mut self, changes: &[DirectoryChange]) -> Result<(), DirectoryError> {
        for change in changes {
            if let DirectoryChange::Put(DirectoryRow::List(list)) = change {
                list.source.list_of(list.id)?;
            }
        }
        let mut tables = self.tables();
        for change in changes {
            tables.apply(change);
        }
        Ok(())
    }
}

impl Tables {
    fn apply(&mut self, change: &DirectoryChange) {
        match change {
            DirectoryChange::Put(row) => {
                if let DirectoryRow::List(list) = row {
                    self.last_list = self.last_list.max(list.id);
                }
                self.rows.insert(row.key(), row.clone());
            }
            DirectoryChange::Remove(key) => {
                if let RowKey::List(list) = key {
                    self.entries.remove(list);
                }
                self.rows.remove(key);
            }
            DirectoryChange::Audit(entry) => {
                self.last_seq += 1;
                self.audit.push(AuditRecord {
                    seq: self.last_seq,
                    entry: entry.clone(),
                });
            }
            DirectoryChange::KeepRequest(kept) => {
                let of = (kept.token.clone(), kept.key.clone());
                self.kept_requests.insert(of, (**kept).clone());
            }
            DirectoryChange::ForgetRequest { token, key } => {
                self.kept_requests.remove(&(token.clone(), key.clone()));
            }
            DirectoryChange::ForgetRequests(before) => {
                self.kept_requests.retain(|_, kept| kept.at >= *before);
            }
            DirectoryChange::EraseAudit { account, names } => {
                for kept in self.kept_requests.values_mut() {
                    kept.answer = None;
                }
                (self.audit).retain(|record| !erasure::goes(&record.entry, account, names));
            }
            DirectoryChange::EraseFromAudit { account, address } => {
                for kept in self.kept_requests.values_mut() {
                    kept.answer = None;
                }
                for record in &mut self.audit {
                    let erased = erasure::without(&record.entry, account.as_deref(), address);
                    record.entry = erased.unwrap_or(record.entry.clone());
                }
            }
            DirectoryChange::ForgetAudit(before) => {
                self.audit.retain(|record| record.entry.at >= *before);
            }
            DirectoryChange::AddEntries { list, entries, .. } => {
                let texts = entries.iter().map(ToString::to_string);
                self.entries.entry(*list).or_default().extend(texts);
            }
            DirectoryChange::RemoveEntries { list, entries } => {
                if let Some(texts) = self.entries.get_mut(list) {
                    for entry in entries {
                        texts.remove(&entry.to_string());
                    }
                }
            }
        }
    }
}
