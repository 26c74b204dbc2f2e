//! Rules of sandboxes: what makes an account one, and its test users.

use std::sync::Arc;

use gatepost_message::{Address, Domain};

use super::{RuleResult, account};
use crate::{
    Account, AccountId, AccountKind, DirectoryChange, DirectoryRow, MAX_TEST_USERS, Name, Refusal,
    SandboxSettings, View,
};

/// Makes an account a sandbox, or changes the Maildir of one. Its test users stay.
pub(crate) fn set_sandbox(
    view: &View,
    id: AccountId,
    maildir: Option<Name>,
) -> RuleResult<Account> {
    let mut changed = of_kind(view, id, AccountKind::Sandbox)?;
    changed.details.sandbox.maildir = maildir;
    Ok(put(changed))
}

/// Makes an account one of production, whose mail goes out into the world.
pub(crate) fn set_production(view: &View, id: AccountId) -> RuleResult<Account> {
    let mut changed = of_kind(view, id, AccountKind::Production)?;
    changed.details.sandbox = SandboxSettings::default();
    Ok(put(changed))
}

/// Adds a test user to a sandbox; nothing changes for one that it has.
pub(crate) fn add_test_user(view: &View, id: AccountId, address: Address) -> RuleResult<Account> {
    let mut changed = sandbox(view, id)?;
    check_new(&changed, &address)?;
    let settings = &mut changed.details.sandbox;
    if settings.position(&address).is_some() {
        return Ok((changed, Vec::new()));
    }
    settings.test_users.push(address);
    Ok(put(changed))
}

/// Removes a test user from a sandbox.
pub(crate) fn remove_test_user(
    view: &View,
    id: AccountId,
    address: &Address,
) -> RuleResult<Account> {
    let mut changed = sandbox(view, id)?;
    let settings = &mut changed.details.sandbox;
    let Some(position) = settings.position(address) else {
        return Err(Refusal::NoTestUser {
            account: id,
            address: address.clone(),
        });
    };
    settings.test_users.remove(position);
    Ok(put(changed))
}

/// Sets up the sandbox of an account that is about to be added.
pub(crate) fn begin(account: &mut Account, settings: SandboxSettings) -> Result<(), Refusal> {
    if !settings.is_empty() && account.profile.kind != AccountKind::Sandbox {
        return Err(Refusal::NotSandbox(account.id));
    }
    account.details.sandbox.maildir = settings.maildir;
    for address in settings.test_users {
        check_new(account, &address)?;
        let sandbox = &mut account.details.sandbox;
        if sandbox.position(&address).is_none() {
            sandbox.test_users.push(address);
        }
    }
    Ok(())
}

/// Returns the refusal of a domain that an account of the other kind owns, for an account of this
/// kind.
pub(super) fn clash(
    view: &View,
    kind: AccountKind,
    owner: AccountId,
    domain: &Domain,
) -> Option<Refusal> {
    let other = view.account(owner)?.profile.kind;
    (other != kind).then(|| Refusal::DomainInOther {
        domain: domain.clone(),
        owner,
        kind: other,
    })
}

/// Returns an account with this kind, unless one of another kind owns a domain that it connects.
fn of_kind(view: &View, id: AccountId, kind: AccountKind) -> Result<Account, Refusal> {
    let holdings = account(view, id)?;
    for connector in holdings.connectors.iter() {
        let domain = &connector.claim.domain;
        let owner = view.domain(domain.as_ascii()).map(|of| of.account);
        let other = owner.filter(|owner| *owner != id);
        if let Some(clash) = other.and_then(|owner| clash(view, kind, owner, domain)) {
            return Err(clash);
        }
    }
    let mut changed = Account::clone(&holdings.account);
    changed.profile.kind = kind;
    Ok(changed)
}

/// Returns a sandbox.
fn sandbox(view: &View, id: AccountId) -> Result<Account, Refusal> {
    let found = &account(view, id)?.account;
    match found.profile.kind {
        AccountKind::Sandbox => Ok(Account::clone(found)),
        AccountKind::Production => Err(Refusal::NotSandbox(id)),
    }
}

/// Refuses one test user more than a sandbox may have.
fn check_new(account: &Account, address: &Address) -> Result<(), Refusal> {
    let settings = &account.details.sandbox;
    match settings.test_users.len() < MAX_TEST_USERS || settings.position(address).is_some() {
        true => Ok(()),
        false => Err(Refusal::TooManyTestUsers {
            account: account.id,
            limit: MAX_TEST_USERS,
        }),
    }
}

fn put(account: Account) -> (Account, Vec<DirectoryChange>) {
    let row = DirectoryRow::Account(Arc::new(account.clone()));
    (account, vec![DirectoryChange::Put(row)])
}
