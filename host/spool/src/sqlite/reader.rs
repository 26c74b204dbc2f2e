//! Those who look: a thread with a read-only connection. In the WAL, readers and the writer do
//! not wait for each other.

use std::sync::{Arc, mpsc};

use gatepost_message::TransactionId;
use rusqlite::{Connection, named_params};
use tokio::sync::oneshot;

use crate::{Filter, QueueDepth, Record, SpoolError, Status, Summary, Ticket, disk::Disk};

use super::{
    body::Shelf,
    codec::{damaged, from_json, to_millis, to_u64},
    operate::Chosen,
    stored::{self, COLUMNS, MessageRow},
};

/// Where a message is looked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    Queue,
    Quarantine,
}

impl Place {
    /// A condition on a row of `messages`.
    fn sql(self) -> &'static str {
        match self {
            Self::Queue => "quarantine_reason IS NULL",
            Self::Quarantine => "quarantine_reason IS NOT NULL",
        }
    }
}

/// Something to look up; told of the error if the store cannot be looked at.
pub(super) type Look = Box<dyn FnOnce(Result<&Connection, SpoolError>) + Send>;

/// Makes a look-up, and the ticket that resolves to what was seen. It sees one state of the
/// store, whatever is written meanwhile.
pub(super) fn look<T: Send + 'static>(
    disk: Arc<Disk>,
    at: impl FnOnce(&Connection) -> Result<T, SpoolError> + Send + 'static,
) -> (Look, Ticket<T>) {
    let (reply, answer) = oneshot::channel();
    let look = Box::new(move |connection: Result<&Connection, SpoolError>| {
        let seen = connection.and_then(|connection| {
            let snapshot = connection.unchecked_transaction()?;
            at(&snapshot)
        });
        if let Err(error) = &seen {
            disk.judge(error);
        }
        // Whoever asked may have stopped waiting.
        let _ = reply.send(seen);
    });
    (
        look,
        Box::pin(async { answer.await.unwrap_or(Err(SpoolError::Closed)) }),
    )
}

/// Works until all senders are gone.
pub(super) fn run(connection: &Connection, waiting: mpsc::Receiver<Look>) {
    for look in waiting {
        look(Ok(connection));
    }
}

pub(super) fn list(
    connection: &Connection,
    place: Place,
    filter: &Filter,
) -> Result<Vec<Summary>, SpoolError> {
    let chosen = Chosen::new(&filter.selection);
    let status = filter.status.map(Status::word);
    let after = filter.after.map(|id| id.to_string());
    let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
    let mut select = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM messages
         WHERE {place} AND {messages} AND id > ifnull(:after, '')
            AND EXISTS (SELECT 1 FROM recipients WHERE message = messages.number
                AND (:status IS NULL OR state = :status) AND {recipients})
         ORDER BY id LIMIT :limit",
        place = place.sql(),
        messages = chosen.messages(),
        recipients = Chosen::RECIPIENTS,
    ))?;
    let mut parameters = chosen.parameters().to_vec();
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
    shelf: &Arc<Shelf>,
    place: Place,
    id: TransactionId,
) -> Result<Option<Record>, SpoolError> {
    let mut select = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM messages WHERE id = ?1 AND {}",
        place.sql()
    ))?;
    let mut rows = select.query([id.to_string()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let mut row = MessageRow::read(row)?;
    row.summary.recipients = stored::recipients(connection, row.number)?;
    let contents = stored::contents(connection, shelf, &row)?;
    Ok(Some(Record {
        judgements: from_json(&format!("judgement of {id}"), &contents.judgements_json)?,
        summary: row.summary,
        transaction: contents.transaction,
        classification: contents.classification,
        smtputf8: contents.smtputf8,
        dsn: contents.dsn,
        message: contents.message,
    }))
}

pub(super) fn depth(connection: &Connection) -> Result<QueueDepth, SpoolError> {
    let (messages, quarantined, oldest): (i64, i64, Option<i64>) = connection
        .prepare_cached(
            "SELECT count(*) FILTER (WHERE quarantine_reason IS NULL),
                count(*) FILTER (WHERE quarantine_reason IS NOT NULL),
                min(received_at) FILTER (WHERE quarantine_reason IS NULL)
             FROM messages",
        )?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let mut depth = QueueDepth {
        messages: to_u64(messages),
        quarantined: to_u64(quarantined),
        oldest: oldest.map(to_millis),
        ..QueueDepth::default()
    };
    let mut select =
        connection.prepare_cached("SELECT state, count(*) FROM recipients GROUP BY state")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let word: String = row.get(0)?;
        let status = Status::from_word(&word)
            .ok_or_else(|| damaged("state of a recipient")(format!("`{word}`")))?;
        depth.recipients.insert(status, to_u64(row.get(1)?));
    }
    Ok(depth)
}
