//! Rules of tokens by which programs use the HTTP API.

use gatepost_message::Millis;

use super::{RuleResult, account, unknown};
use crate::{
    AccountId, ApiToken, DirectoryChange, DirectoryRow, PresentedToken, Refusal, RowKey,
    StoredApiToken, View,
};

/// Most tokens that an account may have, and the site.
const MOST: usize = 50;

/// Shortest time between two records of a use: the store is not to be written at every request.
const USE_INTERVAL: Millis = Millis(60_000);

/// Adds a token. Those of the same owner that have expired are removed.
pub(crate) fn add(view: &View, added: StoredApiToken) -> RuleResult<ApiToken> {
    let token = added.token.clone();
    if let Some(owner) = token.account {
        account(view, owner)?;
    }
    let of_owner = || {
        view.api_tokens()
            .filter(|of| of.token.account == token.account)
    };
    let is_over = |of: &&StoredApiToken| is_expired(&of.token, token.created);
    let live = of_owner().filter(|of| !is_over(of)).count();
    if live >= MOST {
        return Err(Refusal::TooManyTokens { limit: MOST });
    }
    let over = of_owner()
        .filter(is_over)
        .map(|of| remove_row(&of.token.id));
    let mut changes: Vec<_> = over.collect();
    let row = DirectoryRow::ApiToken(Box::new(added));
    changes.push(DirectoryChange::Put(row));
    Ok((token, changes))
}

/// Removes a token: of this account, or any if none is given.
pub(crate) fn remove(view: &View, owner: Option<AccountId>, id: &str) -> RuleResult<ApiToken> {
    let found = view.api_token(id).map(|of| &of.token);
    let found = found.filter(|of| owner.is_none() || of.account == owner);
    let found = found.ok_or_else(|| unknown("token", id))?;
    Ok((found.clone(), vec![remove_row(id)]))
}

/// Returns the token that is presented, if it is one that is in force.
pub(crate) fn find<'v>(
    view: &'v View,
    presented: &PresentedToken,
    now: Millis,
) -> Option<&'v ApiToken> {
    let found = view.api_token(presented.id())?;
    (presented.is(found) && !is_expired(&found.token, now)).then_some(&found.token)
}

/// Returns true if a use at this time is to be recorded.
pub(crate) fn is_use_recorded(token: &ApiToken, now: Millis) -> bool {
    (token.last_used).is_none_or(|last| last.0 + USE_INTERVAL.0 <= now.0)
}

/// Records a use, unless another request has done so meanwhile.
pub(crate) fn used(view: &View, id: &str, now: Millis) -> RuleResult<()> {
    let stored = view.api_token(id);
    let due = stored.filter(|of| is_use_recorded(&of.token, now));
    let Some(mut stored) = due.cloned() else {
        return Ok(((), Vec::new()));
    };
    stored.token.last_used = Some(now);
    let row = DirectoryRow::ApiToken(Box::new(stored));
    Ok(((), vec![DirectoryChange::Put(row)]))
}

fn is_expired(token: &ApiToken, now: Millis) -> bool {
    token.expires.is_some_and(|expires| expires <= now)
}

fn remove_row(id: &str) -> DirectoryChange {
    DirectoryChange::Remove(RowKey::ApiToken(id.to_owned()))
}
