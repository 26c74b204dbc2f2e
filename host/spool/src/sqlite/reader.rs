//! Queries, on a thread with a read-only connection. With a WAL, readers and the writer do not wait
//! for each other.

use std::{
    collections::BTreeMap,
    sync::{Arc, mpsc},
};

use gatepost_message::TransactionId;
use gatepost_model::DestinationKey;
use rusqlite::{Connection, named_params};
use tokio::sync::oneshot;

use crate::{
    DestinationSummary, Filter, QueueDepth, Record, SpoolError, Status, Summary, Ticket, disk::Disk,
};

use super::{
    body::BodyReader,
    codec::{damaged, from_json, to_millis, to_u64},
    operate::SelectionSql,
    stored::{self, COLUMNS, MessageRow},
};

/// Part of the store that a query searches.
#[derive(Debug, Clone, Copy)]
pub(super) enum QueueSection {
    Queue,
    Quarantine,
    /// Finished messages that are kept because a recipient failed.
    Kept,
}

impl QueueSection {
    /// Returns a condition on a row of `messages`.
    fn sql(self) -> &'static str {
        match self {
            Self::Queue => "quarantine_reason IS NULL AND kept = 0",
            Self::Quarantine => "quarantine_reason IS NOT NULL AND kept = 0",
            Self::Kept => "kept = 1",
        }
    }
}

/// A query; it gets an error instead of a connection if the checkpoint before it failed.
pub(super) type ReadQuery = Box<dyn FnOnce(Result<&Connection, SpoolError>) + Send>;

/// Makes a query, and the ticket that resolves to its result. It sees one state of the store,
/// whatever is written meanwhile.
pub(super) fn query<T: Send + 'static>(
    disk: Arc<Disk>,
    at: impl FnOnce(&Connection) -> Result<T, SpoolError> + Send + 'static,
) -> (ReadQuery, Ticket<T>) {
    let (reply, answer) = oneshot::channel();
    let query = Box::new(move |connection: Result<&Connection, SpoolError>| {
        let seen = connection.and_then(|connection| {
            let snapshot = connection.unchecked_transaction()?;
            at(&snapshot)
        });
        if let Err(error) = &seen {
            disk.note_damage(error);
        }
        // The receiver is gone if nobody awaits the ticket.
        let _ = reply.send(seen);
    });
    (
        query,
        Box::pin(async { answer.await.unwrap_or(Err(SpoolError::Closed)) }),
    )
}

/// Runs queries until all senders are gone.
pub(super) fn run(connection: &Connection, waiting: mpsc::Receiver<ReadQuery>) {
    for query in waiting {
        query(Ok(connection));
    }
}

pub(super) fn list(
    connection: &Connection,
    section: QueueSection,
    filter: &Filter,
) -> Result<Vec<Summary>, SpoolError> {
    let selected = SelectionSql::new(&filter.selection);
    let status = filter.status.map(Status::word);
    let after = filter.after.map(|id| id.to_string());
    let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
    let mut select = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM messages
         WHERE {section} AND {messages} AND id > ifnull(:after, '')
            AND EXISTS (SELECT 1 FROM recipients WHERE message = messages.number
                AND (:status IS NULL OR state = :status) AND {recipients})
         ORDER BY id LIMIT :limit",
        section = section.sql(),
        messages = selected.messages(),
        recipients = SelectionSql::RECIPIENTS,
    ))?;
    let mut parameters = selected.parameters().to_vec();
    parameters
        .extend_from_slice(named_params! { ":status": status, ":after": after, ":limit": limit });
    let mut rows = select.query(&parameters[..])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let mut row = MessageRow::read(row)?;
        row.summary.recipients = stored::recipients(connection, row.number)?;
        found.push(row.summary);
    }
    Ok(found)
}

pub(super) fn show(
    connection: &Connection,
    body_reader: &Arc<BodyReader>,
    section: QueueSection,
    id: TransactionId,
) -> Result<Option<Record>, SpoolError> {
    let mut select = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM messages WHERE id = ?1 AND {}",
        section.sql()
    ))?;
    let mut rows = select.query([id.to_string()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let mut row = MessageRow::read(row)?;
    row.summary.recipients = stored::recipients(connection, row.number)?;
    let envelope = row.summary.recipients.iter().map(|to| to.address.clone());
    let contents = stored::contents(connection, body_reader, &row, envelope.collect())?;
    Ok(Some(Record {
        judgements: from_json(&format!("judgement of {id}"), &contents.judgements_json)?,
        summary: row.summary,
        transaction: contents.transaction,
        classification: contents.classification,
        smtputf8: contents.smtputf8,
        dsn: contents.dsn,
        metadata: contents.metadata,
        message: contents.message,
    }))
}

/// Returns the destinations of the queue with what waits there, in no order.
pub(super) fn destinations(connection: &Connection) -> Result<Vec<DestinationSummary>, SpoolError> {
    let open = "recipients JOIN messages ON messages.number = message
        WHERE state IN ('queued', 'leased', 'held') AND quarantine_reason IS NULL";
    let mut select = connection.prepare_cached(&format!(
        "SELECT destination, count(*), count(DISTINCT message), min(received_at),
            min(due) FILTER (WHERE state = 'queued')
         FROM {open} GROUP BY destination"
    ))?;
    let mut rows = select.query([])?;
    let mut found = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let key = row.get::<_, Option<String>>(0)?;
        let key = key.map(|key| DestinationKey::new(&key));
        let summary = DestinationSummary {
            recipients: to_u64(row.get(1)?),
            messages: to_u64(row.get(2)?),
            oldest: row.get::<_, Option<i64>>(3)?.map(to_millis),
            next_attempt: row.get::<_, Option<i64>>(4)?.map(to_millis),
            ..DestinationSummary::of(key.clone())
        };
        found.insert(key, summary);
    }
    // With max(), SQLite takes the other columns from the row that has it.
    let mut select = connection.prepare_cached(&format!(
        "SELECT destination, last_reply_json, max(last_attempt) FROM {open}
            AND last_reply_json IS NOT NULL GROUP BY destination"
    ))?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let key = row.get::<_, Option<String>>(0)?;
        let key = key.map(|key| DestinationKey::new(&key));
        if let Some(summary) = found.get_mut(&key) {
            let reply: String = row.get(1)?;
            summary.last_reply = Some(from_json("last reply", &reply)?);
        }
    }
    Ok(found.into_values().collect())
}

pub(super) fn depth(connection: &Connection) -> Result<QueueDepth, SpoolError> {
    let (messages, quarantined, oldest): (i64, i64, Option<i64>) = connection
        .prepare_cached(
            "SELECT count(*) FILTER (WHERE quarantine_reason IS NULL),
                count(*) FILTER (WHERE quarantine_reason IS NOT NULL),
                min(received_at) FILTER (WHERE quarantine_reason IS NULL)
             FROM messages WHERE kept = 0",
        )?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let mut depth = QueueDepth {
        messages: to_u64(messages),
        quarantined: to_u64(quarantined),
        oldest: oldest.map(to_millis),
        ..QueueDepth::default()
    };
    let mut select = connection.prepare_cached(
        "SELECT state, count(*) FROM recipients
         WHERE message NOT IN (SELECT number FROM messages WHERE kept = 1) GROUP BY state",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let word: String = row.get(0)?;
        let status = Status::from_word(&word)
            .ok_or_else(|| damaged("state of a recipient")(format!("`{word}`")))?;
        depth.recipients.insert(status, to_u64(row.get(1)?));
    }
    Ok(depth)
}
