//! Events of messages that wait for long.

use std::time::Duration;

use gatepost_message::Millis;
use gatepost_model::EventKind;

use crate::{
    EXPIRE_AT_ONCE, SpoolError,
    journal::{CheckpointBatch, Journal},
    message::minutes_late,
};

use super::{
    codec::to_millis,
    operation::{OperationClass, OperationContext, Work},
    told::{ToldRecipients, tell},
};

/// Telling of messages that were accepted so long ago.
pub(super) struct TellLate {
    pub(super) now: Millis,
    pub(super) after: Duration,
}

impl TellLate {
    /// Returns true if a message that waits since then is late.
    fn is_late(&self, since: Millis) -> bool {
        since + self.after <= self.now
    }
}

impl Work for TellLate {
    type Value = Option<Millis>;
    const CLASS: OperationClass = OperationClass::Work;

    fn needs(&self, journal: &Journal) -> CheckpointBatch {
        let late = journal.messages().filter(|message| {
            let since = message.untold_since();
            since.is_some_and(|since| self.is_late(since))
        });
        let late = journal.only(late.map(|message| message.transaction.id));
        late.merge(journal.all_changes())
    }

    fn in_database(
        &mut self,
        context: &mut OperationContext<'_>,
    ) -> Result<Option<Millis>, SpoolError> {
        let mut select = context.connection.prepare_cached(
            "SELECT number, untold_since FROM messages
             WHERE untold_since IS NOT NULL ORDER BY untold_since LIMIT ?1",
        )?;
        let waiting = select
            .query_map([EXPIRE_AT_ONCE as i64 + 1], |row| {
                Ok((row.get(0)?, to_millis(row.get(1)?)))
            })?
            .collect::<Result<Vec<(i64, Millis)>, _>>()?;
        for (place, (message, since)) in waiting.into_iter().enumerate() {
            if !self.is_late(since) || place == EXPIRE_AT_ONCE {
                return Ok(Some(since + self.after));
            }
            let mut update = context
                .connection
                .prepare_cached("UPDATE messages SET untold_since = NULL WHERE number = ?1")?;
            update.execute([message])?;
            let kind = EventKind::Late {
                minutes: minutes_late(since, self.now),
            };
            tell(context, message, ToldRecipients::Waiting, self.now, &kind)?;
        }
        Ok(None)
    }
}
