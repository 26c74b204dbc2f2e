//! Events that the store itself tells: of operators' commands, and of mail that waits for long.

use std::sync::atomic::Ordering;

use gatepost_message::{Address, Millis};
use gatepost_model::{EventKind, EventSubject};

use crate::{Ledger, SpoolError};

use super::{
    codec::damaged,
    ledger,
    operation::OperationContext,
    stored::{self, COLUMNS, MessageRow},
};

/// Recipients of a message that are told of.
#[derive(Debug, Clone, Copy)]
pub(super) enum ToldRecipients<'a> {
    /// Those with these numbers.
    Numbered(&'a [u32]),
    /// Those that wait in the queue.
    Waiting,
    /// Those in quarantine.
    Quarantined,
}

/// Writes an event for each of these recipients, if the account of the message is told of it.
pub(super) fn tell(
    context: &mut OperationContext<'_>,
    message: i64,
    recipients: ToldRecipients<'_>,
    at: Millis,
    kind: &EventKind,
) -> Result<(), SpoolError> {
    if !context.records_events.load(Ordering::Relaxed) {
        return Ok(());
    }
    match events(context, message, recipients, at, kind) {
        Ok(ledger) => ledger::write_all(context, &ledger),
        // One message that cannot be read must not stop the others.
        Err(error @ SpoolError::Damaged { .. }) => {
            tracing::error!(%error, "what becomes of a message cannot be told");
            Ok(())
        }
        Err(error) => Err(error),
    }
}

fn events(
    context: &OperationContext<'_>,
    message: i64,
    recipients: ToldRecipients<'_>,
    at: Millis,
    kind: &EventKind,
) -> Result<Ledger, SpoolError> {
    let connection = context.connection;
    let mut select =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM messages WHERE number = ?1"))?;
    let mut rows = select.query([message])?;
    let mut told = Ledger::default();
    let Some(row) = rows.next()? else {
        return Ok(told);
    };
    let row = MessageRow::read(row)?;
    let contents = stored::contents(connection, context.body_reader, &row, Vec::new())?;
    let metadata = contents.metadata.as_deref();
    let subject = EventSubject::of(&contents.transaction, &contents.message, metadata);
    let Some(subject) = subject else {
        return Ok(told);
    };
    let mut select = connection.prepare_cached(
        "SELECT number, address, state FROM recipients WHERE message = ?1 ORDER BY number",
    )?;
    let mut rows = select.query([message])?;
    while let Some(row) = rows.next()? {
        let (number, state): (u32, String) = (row.get(0)?, row.get(2)?);
        let is_told = match recipients {
            ToldRecipients::Numbered(numbers) => numbers.contains(&number),
            ToldRecipients::Waiting => matches!(&*state, "queued" | "leased"),
            ToldRecipients::Quarantined => state == "quarantined",
        };
        if is_told {
            let address: String = row.get(1)?;
            let address = Address::parse(&address).map_err(damaged("recipient"))?;
            told.tell([subject.event(&address, at, kind.clone())]);
        }
    }
    told.bound();
    Ok(told)
}
