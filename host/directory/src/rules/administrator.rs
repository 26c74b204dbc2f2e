//! Rules of administrators.

use gatepost_message::{Address, Millis};

use super::{RuleResult, account};
use crate::{
    AccountId, Administrator, CODE_PAUSE, Canonical, CodeOutcome, DirectoryChange, DirectoryRow,
    MAX_ADMINISTRATORS, MOST_WRONG_CODES, Refusal, RowKey, SentCode, View,
};

/// Adds an administrator, whose address is to be proved.
pub(crate) fn add(view: &View, administrator: Administrator) -> RuleResult<Administrator> {
    let id = administrator.account;
    account(view, id)?;
    let others = view.administrators(id);
    if position(others, &administrator.address).is_some() {
        return Err(Refusal::AdministratorExists {
            account: id,
            address: administrator.address,
        });
    }
    if others.len() >= MAX_ADMINISTRATORS {
        return Err(Refusal::TooManyAdministrators {
            account: id,
            limit: MAX_ADMINISTRATORS,
        });
    }
    Ok(put(administrator))
}

/// Keeps a new code in the place of the one that was sent before.
pub(crate) fn send_code(
    view: &View,
    id: AccountId,
    address: &Address,
    code: SentCode,
) -> RuleResult<Administrator> {
    let mut administrator = find(view, id, address)?.clone();
    let again = administrator
        .code
        .as_ref()
        .map(|last| last.sent + CODE_PAUSE);
    if let Some(again) = again.filter(|again| code.sent < *again) {
        return Err(Refusal::CodeSentLately {
            address: administrator.address,
            again,
        });
    }
    administrator.code = Some(code);
    Ok(put(administrator))
}

/// Takes a code that was given; `is_right` is what was found of it by this verifier. A wrong one
/// counts, also beside others that are given at the same time.
pub(crate) fn take_code(
    view: &View,
    id: AccountId,
    address: &Address,
    (found, is_right): (Option<&SentCode>, bool),
    now: Millis,
) -> RuleResult<CodeOutcome> {
    let mut administrator = find(view, id, address)?.clone();
    let good = administrator.code.as_mut().filter(|code| code.is_good(now));
    let Some(code) = good.filter(|code| found.is_some_and(|found| found.sent == code.sent)) else {
        return Ok((CodeOutcome::NoCode, Vec::new()));
    };
    if !is_right {
        code.wrong += 1;
        let left = MOST_WRONG_CODES - code.wrong;
        let (_, changes) = put(administrator);
        return Ok((CodeOutcome::Wrong(left), changes));
    }
    administrator.code = None;
    administrator.verified = Some(now);
    let (administrator, changes) = put(administrator);
    Ok((CodeOutcome::Verified(Box::new(administrator)), changes))
}

/// Sets the language of an administrator.
pub(crate) fn set_language(
    view: &View,
    id: AccountId,
    address: &Address,
    language: String,
) -> RuleResult<Administrator> {
    let mut administrator = find(view, id, address)?.clone();
    administrator.language = language;
    Ok(put(administrator))
}

/// Removes an administrator.
pub(crate) fn remove(view: &View, id: AccountId, address: &Address) -> RuleResult<()> {
    let found = find(view, id, address)?;
    let key = RowKey::Administrator {
        account: id,
        canonical: found.canonical(),
    };
    Ok(((), vec![DirectoryChange::Remove(key)]))
}

/// Finds an administrator of an account.
pub(crate) fn find<'v>(
    view: &'v View,
    id: AccountId,
    address: &Address,
) -> Result<&'v Administrator, Refusal> {
    account(view, id)?;
    let all = view.administrators(id);
    let at = position(all, address).ok_or_else(|| Refusal::NoAdministrator {
        account: id,
        address: address.clone(),
    })?;
    Ok(&all[at])
}

fn position(all: &[Administrator], address: &Address) -> Option<usize> {
    let canonical = Canonical::as_compared(address);
    all.iter().position(|of| of.canonical() == canonical)
}

fn put(administrator: Administrator) -> (Administrator, Vec<DirectoryChange>) {
    let row = DirectoryRow::Administrator(Box::new(administrator.clone()));
    (administrator, vec![DirectoryChange::Put(row)])
}
