//! Erasure of a correspondent's address from the trace.
//!
//! A [`CorrespondentSearch`] reads all rows, some at a time, and finds the transactions that name the
//! address. One that comes from the address or involves nobody else [goes](NamingTransaction::goes) as a
//! whole, with the reports and notices about it; of another one, the rest is kept without the address.
//! What is removed is overwritten in the database.

use std::collections::BTreeSet;

use gatepost_message::{Address, Millis, SoughtAddress, TransactionId};
use gatepost_model::Flow;
use rusqlite::{Connection, params};

use crate::erase::{SWEPT_AT_ONCE, overwriting};
use crate::writer::{self, RowEntry};
use crate::{Kind, TracedMessage, headers, messages};

/// Rows of messages and of sent headers that one step of a search reads.
const READ_AT_ONCE: i64 = 1000;

/// Search for the transactions that name an address.
#[derive(Debug, Clone)]
pub struct CorrespondentSearch {
    address: SoughtAddress,
    place: SearchPlace,
}

/// Row behind which a search goes on.
#[derive(Debug, Clone)]
enum SearchPlace {
    Events(i64),
    Messages(String),
    Sent(String),
    End,
}

/// Transaction that names an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamingTransaction {
    /// Id.
    pub id: TransactionId,
    /// Account that its message is known to be of.
    pub account: Option<String>,
    /// Its events.
    pub kinds: Vec<Kind>,
    /// True if it comes from the address, or involves nobody else.
    pub goes: bool,
    /// Notices and reports about it that are about nobody else.
    pub about_it: Vec<TransactionId>,
}

impl CorrespondentSearch {
    /// Begins a search.
    pub fn new(address: SoughtAddress) -> Self {
        Self {
            address,
            place: SearchPlace::Events(0),
        }
    }

    /// Returns the address.
    pub fn address(&self) -> &SoughtAddress {
        &self.address
    }

    /// Returns true once all rows were read.
    pub fn is_over(&self) -> bool {
        matches!(self.place, SearchPlace::End)
    }

    /// Reads the next rows; returns the transactions that they name.
    pub(crate) fn read(&mut self, reader: &Connection) -> rusqlite::Result<Vec<NamingTransaction>> {
        let ids = match &self.place {
            SearchPlace::Events(after) => self.in_events(reader, *after)?,
            SearchPlace::Messages(after) => self.in_messages(reader, &after.clone())?,
            SearchPlace::Sent(after) => self.in_sent(reader, &after.clone())?,
            SearchPlace::End => BTreeSet::new(),
        };
        let transactions = ids.into_iter();
        let transactions =
            transactions.map(|id| NamingTransaction::read(reader, id, &self.address));
        transactions.collect()
    }

    fn in_events(
        &mut self,
        reader: &Connection,
        after: i64,
    ) -> rusqlite::Result<BTreeSet<TransactionId>> {
        let mut select = reader.prepare_cached(
            "SELECT number, id, event_json FROM events WHERE number > ?1 ORDER BY number LIMIT ?2",
        )?;
        let mut rows = select.query([after, SWEPT_AT_ONCE])?;
        let (mut found, mut last) = (BTreeSet::new(), None);
        while let Some(row) = rows.next()? {
            last = Some(row.get(0)?);
            let json: String = row.get(2)?;
            if self.address.is_in_json(&json) {
                found.extend(row.get::<_, String>(1)?.parse::<TransactionId>().ok());
            }
        }
        self.place = match last {
            Some(last) => SearchPlace::Events(last),
            None => SearchPlace::Messages(String::new()),
        };
        Ok(found)
    }

    fn in_messages(
        &mut self,
        reader: &Connection,
        after: &str,
    ) -> rusqlite::Result<BTreeSet<TransactionId>> {
        let ids = ids_after(reader, "messages", after)?;
        let mut found = BTreeSet::new();
        for id in ids.iter().filter_map(|id| id.parse::<TransactionId>().ok()) {
            let message = messages::with_recipients(reader, id)?;
            if message.is_some_and(|message| is_named_in(&message, &self.address)) {
                found.insert(id);
            }
        }
        self.place = match ids.into_iter().next_back() {
            Some(last) => SearchPlace::Messages(last),
            None => SearchPlace::Sent(String::new()),
        };
        Ok(found)
    }

    fn in_sent(
        &mut self,
        reader: &Connection,
        after: &str,
    ) -> rusqlite::Result<BTreeSet<TransactionId>> {
        let ids = ids_after(reader, "sent", after)?;
        let mut found = BTreeSet::new();
        for id in ids.iter().filter_map(|id| id.parse::<TransactionId>().ok()) {
            let sent = headers::by_id(reader, id)?;
            let values = sent.iter().flat_map(|sent| &sent.headers);
            if values
                .into_iter()
                .any(|(_, value)| self.address.is_in(value))
            {
                found.insert(id);
            }
        }
        self.place = match ids.into_iter().next_back() {
            Some(last) => SearchPlace::Sent(last),
            None => SearchPlace::End,
        };
        Ok(found)
    }
}

fn ids_after(reader: &Connection, table: &str, after: &str) -> rusqlite::Result<Vec<String>> {
    let select = format!("SELECT id FROM {table} WHERE id > ?1 ORDER BY id LIMIT ?2");
    let mut select = reader.prepare_cached(&select)?;
    let ids = select.query_map(params![after, READ_AT_ONCE], |row| row.get(0))?;
    ids.collect()
}

fn is_named_in(message: &TracedMessage, address: &SoughtAddress) -> bool {
    let mut recipients = message.recipients.iter();
    let texts = [
        Some(&message.sender),
        Some(&message.author),
        Some(&message.message_id),
        Some(&message.subject),
        message.metadata.as_ref(),
    ];
    let mut texts = texts.into_iter().flatten();
    recipients.any(|to| address.is(to)) || texts.any(|text| address.is_in(text))
}

impl NamingTransaction {
    fn read(
        reader: &Connection,
        id: TransactionId,
        address: &SoughtAddress,
    ) -> rusqlite::Result<Self> {
        let mut select =
            reader.prepare_cached("SELECT event_json FROM events WHERE id = ?1 ORDER BY number")?;
        let rows = select.query_map([id.to_string()], |row| row.get::<_, String>(0))?;
        let mut kinds = Vec::new();
        for json in rows {
            let entries = writer::read(Millis(0), &json?).unwrap_or_default();
            kinds.extend(entries.into_iter().map(|entry| entry.kind));
        }
        let message = messages::with_recipients(reader, id)?;
        let of_message = message.as_ref().and_then(|message| message.account.clone());
        let account = match of_message {
            None => headers::by_id(reader, id)?.map(|sent| sent.account),
            of_message => of_message,
        };
        let goes = goes(id, &kinds, message.as_ref(), address);
        let is_about_nobody_else = |recipients: &[&Address]| {
            let is_named = !recipients.is_empty();
            goes || is_named && recipients.iter().all(|of| address.is(of.as_str()))
        };
        let about_it = kinds.iter().filter_map(|kind| match kind {
            Kind::Report(read) if read.report != id => {
                let recipients = read.recipients.iter().map(|of| &of.address);
                is_about_nobody_else(&recipients.collect::<Vec<_>>()).then_some(read.report)
            }
            Kind::Bounced { notice, recipients }
            | Kind::Notified {
                notice, recipients, ..
            } => {
                let recipients: Vec<_> = recipients.iter().collect();
                is_about_nobody_else(&recipients).then_some(*notice)
            }
            _ => None,
        });
        Ok(Self {
            id,
            account,
            about_it: about_it.collect(),
            goes,
            kinds,
        })
    }
}

/// Returns true if a transaction goes as a whole.
fn goes(
    id: TransactionId,
    kinds: &[Kind],
    message: Option<&TracedMessage>,
    address: &SoughtAddress,
) -> bool {
    let mut is_submitted = message.is_some_and(|message| message.flow == "submission");
    let mut is_sender = message.is_some_and(|message| address.is(&message.sender));
    let mut recipients: Vec<&str> = Vec::new();
    let known = message.iter().flat_map(|message| &message.recipients);
    recipients.extend(known.map(String::as_str));
    let mut is_report = false;
    for kind in kinds {
        match kind {
            Kind::Begun { session } => is_submitted |= session.flow == Flow::Submission,
            Kind::Sender { reverse_path, .. } => is_sender |= address.is(reverse_path.as_str()),
            Kind::Recipient { address, .. }
            | Kind::Suppressed { address, .. }
            | Kind::Attempt { address, .. } => recipients.push(address.as_str()),
            Kind::Queued { recipients: queued } => {
                recipients.extend(queued.iter().map(Address::as_str));
            }
            Kind::Report(read) if read.report == id => {
                let mut about = read.recipients.iter();
                is_report |=
                    !read.recipients.is_empty() && about.all(|of| address.is(of.address.as_str()));
            }
            _ => {}
        }
    }
    let is_author = !is_submitted && message.is_some_and(|message| address.is(&message.author));
    let is_to_nobody_else = !recipients.is_empty() && recipients.iter().all(|to| address.is(to));
    is_sender || is_author || is_to_nobody_else || is_report
}

/// Returns an event without the address; `None` if it is about nothing else.
fn without(kind: Kind, address: &SoughtAddress) -> Option<Kind> {
    let is = |of: &Address| address.is(of.as_str());
    let others = |recipients: Vec<Address>| {
        let others: Vec<_> = recipients.into_iter().filter(|of| !is(of)).collect();
        (!others.is_empty()).then_some(others)
    };
    Some(match kind {
        Kind::Recipient { address, .. }
        | Kind::Suppressed { address, .. }
        | Kind::Attempt { address, .. }
            if is(&address) =>
        {
            return None;
        }
        Kind::Queued { recipients } => Kind::Queued {
            recipients: others(recipients)?,
        },
        Kind::Bounced { notice, recipients } => Kind::Bounced {
            notice,
            recipients: others(recipients)?,
        },
        Kind::Notified {
            notice,
            of,
            recipients,
        } => Kind::Notified {
            notice,
            of,
            recipients: others(recipients)?,
        },
        Kind::Expired { recipients } => Kind::Expired {
            recipients: others(recipients)?,
        },
        Kind::Report(mut read) => {
            let before = read.recipients.len();
            read.recipients.retain(|of| !is(&of.address));
            if read.recipients.is_empty() && before > 0 {
                return None;
            }
            Kind::Report(read)
        }
        kind => kind,
    })
}

/// Erases the address from transactions that stay; returns the number of rows that were changed or
/// removed.
pub(crate) fn erase(
    connection: &mut Connection,
    ids: &[TransactionId],
    address: &SoughtAddress,
) -> rusqlite::Result<u64> {
    let mut erased = 0;
    overwriting(connection, |connection| {
        let batch = connection.transaction()?;
        for id in ids {
            let id = id.to_string();
            erased += erase_from_events(&batch, &id, address)?;
            erased += messages::erase(&batch, &id, address)?;
            erased += erase_from_texts(&batch, "sent", "headers_json", &id, address)?;
        }
        batch.commit()
    })?;
    Ok(erased)
}

fn erase_from_events(
    batch: &Connection,
    id: &str,
    address: &SoughtAddress,
) -> rusqlite::Result<u64> {
    let mut select =
        batch.prepare_cached("SELECT number, at, event_json FROM events WHERE id = ?1")?;
    let rows = select.query_map([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let rows = rows.collect::<rusqlite::Result<Vec<(i64, i64, String)>>>()?;
    let mut erased = 0;
    for (number, at, json) in rows {
        if !address.is_in_json(&json) {
            continue;
        }
        erased += 1;
        let left = json_without(writer::from_millis(at), &json, address);
        match left {
            Some(left) => batch
                .prepare_cached("UPDATE events SET event_json = ?1 WHERE number = ?2")?
                .execute(params![left, number])?,
            None => batch
                .prepare_cached("DELETE FROM events WHERE number = ?1")?
                .execute([number])?,
        };
    }
    Ok(erased)
}

/// Returns the events of a row without the address; `None` if none is left.
fn json_without(at: Millis, json: &str, address: &SoughtAddress) -> Option<String> {
    let erased = |json: String| address.erased_from_json(&json).unwrap_or(json);
    // What cannot be read keeps its form.
    let Ok(entries) = writer::read(at, json) else {
        return Some(erased(json.to_owned()));
    };
    let entries = entries.into_iter().filter_map(|RowEntry { at, kind }| {
        let kind = without(kind, address)?;
        Some(RowEntry { at, kind })
    });
    let entries: Vec<_> = entries.collect();
    let json = serde_json::to_string(&entries).ok()?;
    (!entries.is_empty()).then(|| erased(json))
}

/// Erases the address from a text of a row that an id names; returns 1 if it was there.
pub(crate) fn erase_from_texts(
    batch: &Connection,
    table: &str,
    column: &str,
    id: &str,
    address: &SoughtAddress,
) -> rusqlite::Result<u64> {
    let select = format!("SELECT {column} FROM {table} WHERE id = ?1");
    let mut select = batch.prepare_cached(&select)?;
    let texts = select.query_map([id], |row| row.get::<_, String>(0))?;
    let texts = texts.collect::<rusqlite::Result<Vec<_>>>()?;
    let erased = texts
        .first()
        .and_then(|text| address.erased_from_json(text));
    let Some(erased) = erased else {
        return Ok(0);
    };
    let update = format!("UPDATE {table} SET {column} = ?1 WHERE id = ?2");
    let changed = batch.prepare_cached(&update)?.execute([&erased, id])?;
    Ok(changed as u64)
}

/// Erases the address from what was found of headers on the way, of one account or of all; returns the
/// number of rows.
pub(crate) fn erase_from_findings(
    connection: &mut Connection,
    account: Option<&str>,
    address: &SoughtAddress,
) -> rusqlite::Result<u64> {
    let mut erased = 0;
    overwriting(connection, |connection| {
        let batch = connection.transaction()?;
        let mut select = batch.prepare_cached(
            "SELECT domain, account, header, finding, sent, came FROM header_findings
             WHERE ?1 IS NULL OR account = ?1",
        )?;
        let mut rows = select.query([account])?;
        let mut changed = Vec::new();
        while let Some(row) = rows.next()? {
            let key = (0..4).map(|column| row.get::<_, String>(column));
            let key = key.collect::<rusqlite::Result<Vec<_>>>()?;
            let (sent, came): (String, String) = (row.get(4)?, row.get(5)?);
            let values = [address.erased_from(&sent), address.erased_from(&came)];
            if values.iter().any(Option::is_some) {
                let [of_sent, of_came] = values;
                changed.push((key, of_sent.unwrap_or(sent), of_came.unwrap_or(came)));
            }
        }
        drop(rows);
        drop(select);
        for (key, sent, came) in &changed {
            let update = "UPDATE header_findings SET sent = ?5, came = ?6
                WHERE domain = ?1 AND account = ?2 AND header = ?3 AND finding = ?4";
            let values = key.iter().chain([sent, came]);
            batch
                .prepare_cached(update)?
                .execute(rusqlite::params_from_iter(values))?;
        }
        erased = changed.len() as u64;
        batch.commit()
    })?;
    Ok(erased)
}
