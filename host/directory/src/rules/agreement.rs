//! Rules of sharing agreements.

use gatepost_message::Millis;

use super::{RuleResult, account};
use crate::{AccountId, Agreement, DirectoryChange, DirectoryRow, Refusal, RowKey, View};

/// Makes an agreement between two accounts that have none.
pub(crate) fn add(
    view: &View,
    id: AccountId,
    partner: AccountId,
    now: Millis,
) -> RuleResult<Agreement> {
    let (one, other) = (id.min(partner), id.max(partner));
    if one == other {
        return Err(Refusal::SharesWithItself(one));
    }
    account(view, id)?;
    account(view, partner)?;
    if view.shares(one, other) {
        return Err(Refusal::Shares { one, other });
    }
    let agreement = Agreement {
        one,
        other,
        created: now,
    };
    Ok((
        agreement,
        vec![DirectoryChange::Put(DirectoryRow::Agreement(agreement))],
    ))
}

/// Ends an agreement.
pub(crate) fn remove(view: &View, id: AccountId, partner: AccountId) -> RuleResult<()> {
    let (one, other) = (id.min(partner), id.max(partner));
    match view.shares(one, other) {
        true => Ok((
            (),
            vec![DirectoryChange::Remove(RowKey::Agreement { one, other })],
        )),
        false => Err(Refusal::SharesNot { one, other }),
    }
}
