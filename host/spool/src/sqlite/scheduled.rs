//! Rows of recipients as the schedule knows them.

use gatepost_message::TransactionId;
use gatepost_model::DestinationKey;
use rusqlite::{Connection, Row};

use crate::{
    SpoolError, Status,
    schedule::{Schedule, ScheduleChange, WaitingPlace},
};

use super::{
    codec::{damaged, to_millis},
    deliver,
};

/// Columns that [`change`] reads, of recipients joined with their messages.
const SCHEDULED: &str = "SELECT messages.id, recipients.number, state, due,
        ifnull(attention, expires_at), account, destination, messages.number
     FROM recipients JOIN messages ON messages.number = recipients.message";

/// Returns the change that brings the schedule to what a row says. The row is not leased.
fn change(row: &Row<'_>) -> Result<ScheduleChange, SpoolError> {
    let id: String = row.get(0)?;
    let id: TransactionId = id.parse().map_err(damaged("transaction id"))?;
    let number = row.get(1)?;
    let state: String = row.get(2)?;
    let due: Option<i64> = row.get(3)?;
    let destination: Option<String> = row.get(6)?;
    Ok(match (Status::from_word(&state), due) {
        (Some(Status::Queued), Some(due)) => ScheduleChange::Waits(
            id,
            number,
            WaitingPlace {
                due: to_millis(due),
                attention_at: to_millis(row.get(4)?),
                account: row.get(5)?,
                destination: destination.map(|key| DestinationKey::new(&key)),
            },
        ),
        _ => ScheduleChange::Ended(id, number),
    })
}

/// Returns the change for one recipient; `None` if it has no row.
pub(super) fn one(
    connection: &Connection,
    message: i64,
    number: u32,
) -> Result<Option<ScheduleChange>, SpoolError> {
    let mut select = connection.prepare_cached(&format!(
        "{SCHEDULED} WHERE recipients.message = ?1 AND recipients.number = ?2"
    ))?;
    let mut rows = select.query((message, number))?;
    rows.next()?.map(change).transpose()
}

/// Makes the schedule of all recipients that are queued. Messages that cannot be read are held.
pub(super) fn load(connection: &Connection) -> Result<Schedule, SpoolError> {
    let mut schedule = Schedule::default();
    let mut unreadable = Vec::new();
    let mut select = connection.prepare(&format!("{SCHEDULED} WHERE state = 'queued'"))?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        match change(row) {
            Ok(change) => schedule.apply(change),
            Err(error @ SpoolError::Damaged { .. }) => unreadable.push((row.get(7)?, error)),
            Err(error) => return Err(error),
        }
    }
    for (message, error) in unreadable {
        deliver::hold_unreadable(connection, message, &error)?;
    }
    Ok(schedule)
}
