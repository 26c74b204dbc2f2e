//! Removal of what accounts keep for a shorter time than the site.

use rusqlite::params;

use crate::{ERASE_AT_ONCE, EraseCursor, ErasedRows, ErasureStep, KeptSince, SpoolError};

use super::codec::{from_millis, from_u64, to_u64};
use super::deliver::drop_message;
use super::operation::OperationContext;

/// Rows that a step has found.
struct OlderRows {
    numbers: Vec<i64>,
    /// Number of the last row that was looked at.
    last: u64,
    /// True if there may be more behind it.
    more: bool,
}

/// Makes a step.
pub(super) fn drop_older(
    context: &mut OperationContext<'_>,
    since: &KeptSince,
    from: EraseCursor,
) -> Result<ErasureStep, SpoolError> {
    // What is newer than all of these times is of nobody's concern.
    let Some(newest) = since.values().max() else {
        return Ok(ErasureStep::default());
    };
    let newest = from_millis(*newest);
    let events = "SELECT seq, account, at FROM events
        WHERE seq > ?1 AND seq < (SELECT max(seq) FROM events) AND at < ?2 ORDER BY seq LIMIT ?3";
    let events = older(context, events, since, from.event, newest)?;
    let messages = "SELECT number, account, received_at FROM messages
        WHERE kept = 1 AND number > ?1 AND received_at < ?2 ORDER BY number LIMIT ?3";
    let messages = older(context, messages, since, from.message, newest)?;
    let mut delete = (context.connection).prepare_cached("DELETE FROM events WHERE seq = ?1")?;
    for seq in &events.numbers {
        delete.execute([seq])?;
    }
    drop(delete);
    for message in &messages.numbers {
        drop_message(context, *message)?;
    }
    let next = EraseCursor {
        event: events.last,
        message: messages.last,
    };
    Ok(ErasureStep {
        erased: ErasedRows {
            messages: messages.numbers.len() as u64,
            events: events.numbers.len() as u64,
            ..ErasedRows::default()
        },
        next: (events.more || messages.more).then_some(next),
    })
}

/// Returns the rows of accounts whose time for them is over.
fn older(
    context: &OperationContext<'_>,
    select: &str,
    since: &KeptSince,
    behind: u64,
    newest: i64,
) -> Result<OlderRows, SpoolError> {
    let mut select = context.connection.prepare_cached(select)?;
    let most = ERASE_AT_ONCE as i64;
    let mut rows = select.query(params![from_u64(behind), newest, most])?;
    let (mut numbers, mut seen, mut last) = (Vec::new(), 0, behind);
    while let Some(row) = rows.next()? {
        let number: i64 = row.get(0)?;
        let account: Option<String> = row.get(1)?;
        let at: i64 = row.get(2)?;
        seen += 1;
        last = to_u64(number);
        let since = account.and_then(|account| since.get(&account));
        if since.is_some_and(|since| at < from_millis(*since)) {
            numbers.push(number);
        }
    }
    Ok(OlderRows {
        numbers,
        last,
        more: seen == ERASE_AT_ONCE,
    })
}
