//! Rules of restrictions.

use gatepost_message::Millis;
use gatepost_volume::{Caps, Subject};

use super::{RuleResult, unknown};
use crate::{
    DirectoryChange, DirectoryRow, Reason, Refusal, Reserved, Restriction, RowKey, Scope,
    Suspension, UserName, View,
};

/// Sets the caps of a subject of an account, in place of its former ones.
pub(crate) fn set_caps(
    view: &View,
    reserved: &Reserved,
    account: &str,
    subject: &Subject,
    caps: Caps,
) -> RuleResult<Restriction> {
    let mut restriction = find(view, reserved, account)?;
    if let Subject::Credential(name) = subject {
        is_credential_of(view, account, name)?;
    }
    restriction.caps.set(subject, caps);
    Ok(put(restriction))
}

/// Suspends an account. One that is suspended already keeps the time, and the reason if no other is
/// given.
pub(crate) fn suspend(
    view: &View,
    reserved: &Reserved,
    account: &str,
    reason: Option<Reason>,
    now: Millis,
) -> RuleResult<Restriction> {
    let mut restriction = find(view, reserved, account)?;
    let former = restriction.suspended.take();
    let (since, before) = former.map_or((now, None), |former| (former.since, former.reason));
    restriction.suspended = Some(Suspension {
        since,
        reason: reason.or(before),
    });
    Ok(put(restriction))
}

/// Ends the suspension of an account, if there is one.
pub(crate) fn resume(view: &View, reserved: &Reserved, account: &str) -> RuleResult<Restriction> {
    let mut restriction = find(view, reserved, account)?;
    restriction.suspended = None;
    Ok(put(restriction))
}

/// Returns the change that takes a removed credential out of an account's caps, if it has some.
pub(crate) fn without_credential(
    view: &View,
    account: &str,
    user: &UserName,
) -> Vec<DirectoryChange> {
    let Some(found) = view.restriction(account) else {
        return Vec::new();
    };
    let mut restriction = found.clone();
    let subject = Subject::Credential(user.as_str().to_owned());
    restriction.caps.set(&subject, Caps::default());
    put(restriction).1
}

/// Returns the restrictions of an account, which must be one of the directory or of the
/// configuration; or have restrictions from before it was removed there.
fn find(view: &View, reserved: &Reserved, account: &str) -> Result<Restriction, Refusal> {
    if let Some(found) = view.restriction(account) {
        return Ok(found.clone());
    }
    let id = account.parse().ok();
    let is_known = id.is_some_and(|id| view.account(id).is_some())
        || reserved.values().any(|owner| owner == account);
    match is_known {
        true => Ok(Restriction::none(account)),
        false => Err(unknown("account", account)),
    }
}

/// Refuses a credential for submission that is not the account's. Users of the configuration are
/// not known here.
fn is_credential_of(view: &View, account: &str, name: &str) -> Result<(), Refusal> {
    let found = view.sealed_credential(&UserName::new(name));
    let is_of_directory = account.parse().is_ok_and(|id| view.account(id).is_some());
    let fits = match found {
        Some(found) => {
            let credential = found.credential;
            credential.account.to_string() == account && credential.scope == Scope::Submission
        }
        None => !is_of_directory,
    };
    match fits {
        true => Ok(()),
        false => Err(unknown("credential", name)),
    }
}

fn put(restriction: Restriction) -> (Restriction, Vec<DirectoryChange>) {
    let change = match restriction.is_empty() {
        true => DirectoryChange::Remove(RowKey::Restriction(restriction.account.clone())),
        false => DirectoryChange::Put(DirectoryRow::Restriction(Box::new(restriction.clone()))),
    };
    (restriction, vec![change])
}
