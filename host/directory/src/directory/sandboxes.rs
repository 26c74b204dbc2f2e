//! Changes to sandboxes.

use gatepost_message::Address;

use crate::{Account, AccountId, Directory, DirectoryError, Name, Profile, SandboxSettings, rules};

type Result<T> = std::result::Result<T, DirectoryError>;

impl Directory {
    /// Adds an account that may be a sandbox with these settings.
    ///
    /// # Errors
    /// As [`Directory::add_account`], there are too many test users, or the account is no sandbox and
    /// has settings of one.
    pub fn add_account_with(&self, profile: Profile, sandbox: SandboxSettings) -> Result<Account> {
        let mut account = Self::new_account(profile)?;
        self.change(|view, state| {
            rules::sandbox::begin(&mut account, sandbox)?;
            rules::account::add(view, &state.reserved, account)
        })
    }

    /// Makes an account a sandbox, or changes the Maildir of one; with `None`, mail for others than
    /// its test users is refused.
    ///
    /// # Errors
    /// There is no such account, a domain that it connects is in production, or the store failed.
    pub fn set_sandbox(&self, account: AccountId, maildir: Option<Name>) -> Result<Account> {
        self.change(|view, _| rules::sandbox::set_sandbox(view, account, maildir))
    }

    /// Makes an account one of production. It has no test users any more.
    ///
    /// # Errors
    /// There is no such account, a domain that it connects is in a sandbox, or the store failed.
    pub fn set_production(&self, account: AccountId) -> Result<Account> {
        self.change(|view, _| rules::sandbox::set_production(view, account))
    }

    /// Adds a test user to a sandbox; nothing changes for one that it has.
    ///
    /// # Errors
    /// There is no such account, it is no sandbox or has as many as it may have, or the store failed.
    pub fn add_test_user(&self, account: AccountId, address: Address) -> Result<Account> {
        self.change(|view, _| rules::sandbox::add_test_user(view, account, address))
    }

    /// Removes a test user from a sandbox.
    ///
    /// # Errors
    /// There is no such account, it is no sandbox or has no such test user, or the store failed.
    pub fn remove_test_user(&self, account: AccountId, address: &Address) -> Result<Account> {
        self.change(|view, _| rules::sandbox::remove_test_user(view, account, address))
    }
}
