//! A postmaster steps in; and what had its time goes.

use std::collections::BTreeSet;

use gatepost_message::{Address, Millis, TransactionId};
use rusqlite::{OptionalExtension, ToSql, named_params};

use crate::{
    Changed, Expired, Selection, SpoolError,
    memory::{Change, LONGEST_WINDOW, first_bucket},
};

use super::{
    codec::{account_key, damaged, from_millis, from_u64, to_scope, to_u64},
    deliver::{drop_message, finish},
    operation::Step,
};

/// The most messages, and the most marks and counts, that one call drops.
const EXPIRE_AT_ONCE: usize = 1000;

/// What an operator does to recipients.
#[derive(Debug, Clone, Copy)]
pub(super) enum Intervention {
    Retry(Millis),
    Cancel,
    Hold,
    Release(Millis),
}

impl Intervention {
    /// The states it takes recipients from, the state it puts them in, and when they are due.
    fn columns(self) -> (&'static str, &'static str, Option<Millis>) {
        match self {
            Self::Retry(now) => ("'queued'", "queued", Some(now)),
            Self::Cancel => ("'queued', 'held'", "cancelled", None),
            Self::Hold => ("'queued'", "held", None),
            Self::Release(now) => ("'held'", "queued", Some(now)),
        }
    }

    /// Whether it would have meant recipients that are being attempted, too.
    fn means_leased(self) -> bool {
        !matches!(self, Self::Release(_))
    }
}

/// A selection as conditions and their parameters.
pub(super) struct Chosen {
    id: Option<String>,
    account: Option<String>,
    recipient: Option<String>,
}

impl Chosen {
    pub(super) fn new(selection: &Selection) -> Self {
        // Domains are stored in lower case, as an address has them.
        let canonical = |text: &String| match Address::parse(text) {
            Ok(address) => address.to_string(),
            Err(_) => text.to_lowercase(),
        };
        Self {
            id: selection.id.map(|id| id.to_string()),
            account: selection.account.clone(),
            recipient: selection.recipient.as_ref().map(canonical),
        }
    }

    /// A condition on a row of `messages`. Written so that one id is found by its index.
    pub(super) fn messages(&self) -> String {
        let id = if self.id.is_some() {
            "id = :id"
        } else {
            ":id IS NULL"
        };
        format!("{id} AND (:account IS NULL OR account = :account)")
    }

    /// A condition on a row of `recipients`: the address, or one in the domain.
    pub(super) const RECIPIENTS: &'static str = "(:recipient IS NULL OR address = :recipient
        OR substr(address, -length(:recipient) - 1) = '@' || :recipient)";

    /// The parameters of both conditions.
    pub(super) fn parameters(&self) -> [(&'static str, &dyn ToSql); 3] {
        [
            (":id", &self.id),
            (":account", &self.account),
            (":recipient", &self.recipient),
        ]
    }
}

/// Does it to all recipients of the queue that are chosen.
pub(super) fn intervene(
    step: &mut Step<'_>,
    selection: &Selection,
    intervention: Intervention,
) -> Result<Changed, SpoolError> {
    let chosen = Chosen::new(selection);
    let (from, to, due) = intervention.columns();
    let due = due.map(from_millis);
    let which = format!(
        "message IN (SELECT number FROM messages WHERE quarantine_reason IS NULL AND {}) AND {}",
        chosen.messages(),
        Chosen::RECIPIENTS
    );
    let mut parameters = chosen.parameters().to_vec();
    let in_progress = if intervention.means_leased() {
        step.connection
            .prepare_cached(&format!(
                "SELECT count(*) FROM recipients WHERE state = 'leased' AND {which}"
            ))?
            .query_row(&parameters[..], |row| row.get(0))
            .map(to_u64)?
    } else {
        0
    };
    parameters.push((":to", &to));
    parameters.push((":due", &due));
    let mut update = step.connection.prepare_cached(&format!(
        "UPDATE recipients SET state = :to, due = :due WHERE state IN ({from}) AND {which}
         RETURNING message"
    ))?;
    let messages = update
        .query_map(&parameters[..], |row| row.get(0))?
        .collect::<Result<Vec<i64>, _>>()?;
    let changed = messages.len() as u64;
    step.after.due |= changed > 0 && due.is_some();
    if let Intervention::Cancel = intervention {
        for message in messages.into_iter().collect::<BTreeSet<_>>() {
            finish(step, message)?;
        }
    }
    Ok(Changed {
        changed,
        in_progress,
    })
}

/// Moves a message from quarantine to the queue.
pub(super) fn release_from_quarantine(
    step: &mut Step<'_>,
    id: TransactionId,
    now: Millis,
) -> Result<bool, SpoolError> {
    let mut update = step.connection.prepare_cached(
        "UPDATE messages SET quarantine_reason = NULL, quarantine_expires = NULL,
            expires_at = :now + max(expires_at - received_at, 0)
         WHERE id = :id AND quarantine_reason IS NOT NULL RETURNING number",
    )?;
    let now = from_millis(now);
    let number: Option<i64> = update
        .query_row(
            named_params! { ":id": id.to_string(), ":now": now },
            |row| row.get(0),
        )
        .optional()?;
    let Some(number) = number else {
        return Ok(false);
    };
    step.connection
        .prepare_cached(
            "UPDATE recipients SET state = 'queued', due = ?1
             WHERE message = ?2 AND state = 'quarantined'",
        )?
        .execute([now, number])?;
    step.after.due = true;
    Ok(true)
}

/// Drops a message in quarantine.
pub(super) fn delete_from_quarantine(
    step: &mut Step<'_>,
    id: TransactionId,
) -> Result<bool, SpoolError> {
    let mut select = step.connection.prepare_cached(
        "SELECT number FROM messages WHERE id = ?1 AND quarantine_reason IS NOT NULL",
    )?;
    match select
        .query_row([id.to_string()], |row| row.get(0))
        .optional()?
    {
        Some(number) => drop_message(step, number).map(|()| true),
        None => Ok(false),
    }
}

/// Drops what had its time, the oldest first.
pub(super) fn expire(step: &mut Step<'_>, now: Millis) -> Result<Expired, SpoolError> {
    let mut expired = Expired::default();
    let over = step
        .connection
        .prepare_cached(
            "SELECT number, id FROM messages WHERE quarantine_expires <= ?1
             ORDER BY quarantine_expires LIMIT ?2",
        )?
        .query_map([from_millis(now), EXPIRE_AT_ONCE as i64], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<Result<Vec<(i64, String)>, _>>()?;
    expired.more = over.len() == EXPIRE_AT_ONCE;
    for (number, id) in over {
        drop_message(step, number)?;
        expired
            .quarantined
            .push(id.parse().map_err(damaged("transaction id"))?);
    }
    let before = step.after.changes.len();
    expired.more |= forget_marks(step, now)?;
    expired.more |= forget_counts(step, now)?;
    expired.more |= forget_machines(step, now)?;
    expired.remembered = step.after.changes.len() - before;
    Ok(expired)
}

/// Whether there may be more of them.
fn forget_marks(step: &mut Step<'_>, now: Millis) -> Result<bool, SpoolError> {
    let over = step
        .connection
        .prepare_cached(
            "SELECT policy, account, key FROM marks WHERE until <= ?1 ORDER BY until LIMIT ?2",
        )?
        .query_map([from_millis(now), EXPIRE_AT_ONCE as i64], |row| {
            Ok((to_scope(row.get(0)?, row.get(1)?), row.get(2)?))
        })?
        .collect::<Result<Vec<(_, String)>, _>>()?;
    let more = over.len() == EXPIRE_AT_ONCE;
    let mut delete = step
        .connection
        .prepare_cached("DELETE FROM marks WHERE policy = ?1 AND account = ?2 AND key = ?3")?;
    for (scope, key) in over {
        delete.execute([&scope.policy, account_key(&scope), &key])?;
        step.after.changes.push(Change::Unmark { scope, key });
    }
    Ok(more)
}

/// Knows an address as a machine's no more; whether it was known.
pub(super) fn forget_machine(
    step: &mut Step<'_>,
    account: &str,
    address: &str,
    now: Millis,
) -> Result<bool, SpoolError> {
    let mut delete = step.connection.prepare_cached(
        "DELETE FROM machines WHERE account = ?1 AND address = ?2 RETURNING until",
    )?;
    let until: Option<i64> = delete
        .query_row([account, address], |row| row.get(0))
        .optional()?;
    step.after.changes.push(Change::NoMachine {
        account: account.to_owned(),
        address: address.to_owned(),
    });
    Ok(until.is_some_and(|until| until > from_millis(now)))
}

/// Whether there may be more of them.
fn forget_machines(step: &mut Step<'_>, now: Millis) -> Result<bool, SpoolError> {
    let over = step
        .connection
        .prepare_cached(
            "SELECT account, address FROM machines WHERE until <= ?1 ORDER BY until LIMIT ?2",
        )?
        .query_map([from_millis(now), EXPIRE_AT_ONCE as i64], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<Result<Vec<(String, String)>, _>>()?;
    let more = over.len() == EXPIRE_AT_ONCE;
    for (account, address) in over {
        forget_machine(step, &account, &address, now)?;
    }
    Ok(more)
}

/// Whether there may be more of them.
fn forget_counts(step: &mut Step<'_>, now: Millis) -> Result<bool, SpoolError> {
    let first = from_u64(first_bucket(now, LONGEST_WINDOW));
    let over = step
        .connection
        .prepare_cached(
            "SELECT policy, account, key, minute FROM counts WHERE minute < ?1
             ORDER BY minute LIMIT ?2",
        )?
        .query_map([first, EXPIRE_AT_ONCE as i64], |row| {
            Ok((to_scope(row.get(0)?, row.get(1)?), row.get(2)?, row.get(3)?))
        })?
        .collect::<Result<Vec<(_, String, i64)>, _>>()?;
    let more = over.len() == EXPIRE_AT_ONCE;
    let mut delete = step.connection.prepare_cached(
        "DELETE FROM counts WHERE policy = ?1 AND account = ?2 AND key = ?3 AND minute = ?4",
    )?;
    for (scope, key, minute) in over {
        delete.execute((&scope.policy, account_key(&scope), &key, minute))?;
        step.after.changes.push(Change::Uncount {
            scope,
            key,
            bucket: to_u64(minute),
        });
    }
    Ok(more)
}
