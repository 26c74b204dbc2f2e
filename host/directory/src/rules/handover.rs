//! Rules of handovers: secrets of credentials that a link shows once.

use gatepost_message::Millis;

use super::{RuleResult, credential};
use crate::{
    AuditEntry, Credential, DirectoryChange, DirectoryRow, Handover, Refusal, RowKey, Sealed,
    UserName, View,
};

/// Gives a credential that was never used a new secret, which a link shows. Links to its former
/// secret are taken back, and so are all that have expired.
pub(crate) fn hand_over(
    view: &View,
    verifier: Sealed,
    handover: Handover,
) -> RuleResult<Credential> {
    let user = &handover.user_name;
    let credential = credential::find(view, user)?.credential;
    if credential.ended.is_some() {
        return Err(Refusal::CredentialEnded(user.clone()));
    }
    if credential.last_used.is_some() {
        return Err(Refusal::CredentialUsed(user.clone()));
    }
    let mut changes = take_back(view, user);
    changes.extend(expired(view, handover.created));
    changes.push(credential::put(credential.clone(), verifier));
    let row = DirectoryRow::Handover(Box::new(handover));
    changes.push(DirectoryChange::Put(row));
    Ok((credential, changes))
}

/// Returns the handover with this id if its link still shows the secret.
pub(crate) fn find<'v>(view: &'v View, id: &str, now: Millis) -> Option<&'v Handover> {
    let found = view.handover(id).filter(|of| now < of.expires);
    let has_ended =
        |user| credential::find(view, user).map_or(true, |of| of.credential.ended.is_some());
    found.filter(|of| !has_ended(&of.user_name))
}

/// Takes the handover with this id away, so that its link shows the secret once; `None` if it
/// shows it no more.
pub(crate) fn open(
    view: &View,
    id: &str,
    now: Millis,
    audit: impl FnOnce(&Handover) -> AuditEntry,
) -> RuleResult<Option<Handover>> {
    let Some(found) = find(view, id, now).cloned() else {
        return Ok((None, Vec::new()));
    };
    let changes = vec![
        DirectoryChange::Remove(RowKey::Handover(found.id.clone())),
        DirectoryChange::Audit(audit(&found)),
    ];
    Ok((Some(found), changes))
}

/// Takes back the links to the secret of a credential.
pub(super) fn take_back(view: &View, user: &UserName) -> Vec<DirectoryChange> {
    remove(view, |of| of.user_name == *user)
}

/// Takes back the links that have expired.
pub(crate) fn expired(view: &View, now: Millis) -> Vec<DirectoryChange> {
    remove(view, |of| of.expires <= now)
}

fn remove(view: &View, which: impl Fn(&Handover) -> bool) -> Vec<DirectoryChange> {
    let taken = view.handovers().filter(|of| which(of));
    let keys = taken.map(|of| RowKey::Handover(of.id.clone()));
    keys.map(DirectoryChange::Remove).collect()
}
