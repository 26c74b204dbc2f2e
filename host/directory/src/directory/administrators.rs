//! Changes to administrators.

use gatepost_message::{Address, Millis};

use crate::{
    AccountId, Administrator, CodeOutcome, Directory, DirectoryError, Name, SentCode,
    rules::administrator,
};

type Result<T> = std::result::Result<T, DirectoryError>;

impl Directory {
    /// Adds an administrator of an account, whose address is not proved yet.
    ///
    /// # Errors
    /// There is no such account, it has the address or as many administrators as it may have, or the
    /// store failed.
    pub fn add_administrator(
        &self,
        account: AccountId,
        address: Address,
        name: Option<Name>,
        language: String,
    ) -> Result<Administrator> {
        let administrator = Administrator {
            account,
            address,
            name,
            language,
            added: Millis::now(),
            verified: None,
            code: None,
        };
        self.change(|view, _| administrator::add(view, administrator))
    }

    /// Makes a code for the address of an administrator, in the place of the one that was sent before;
    /// returns it as people read it. Only its verifier is kept.
    ///
    /// # Errors
    /// There is no such administrator, a code was made a moment ago, or the store failed.
    pub fn make_code(
        &self,
        account: AccountId,
        address: &Address,
        now: Millis,
    ) -> Result<(String, Administrator)> {
        let (code, kept) = SentCode::make(now)?;
        let changed =
            self.change(|view, _| administrator::send_code(view, account, address, kept))?;
        Ok((code, changed))
    }

    /// Takes a code that an administrator gives. The right one proves the address, once; a wrong one
    /// counts, and too many make the code worthless.
    ///
    /// # Errors
    /// There is no such administrator, or the store failed.
    pub fn take_code(
        &self,
        account: AccountId,
        address: &Address,
        given: &str,
        now: Millis,
    ) -> Result<CodeOutcome> {
        // Outside the lock, since it takes its time.
        let view = self.view();
        let found = administrator::find(&view, account, address)?.code.clone();
        let is_right = found.as_ref().is_some_and(|code| code.is(given));
        let found = (found.as_ref(), is_right);
        self.change(|view, _| administrator::take_code(view, account, address, found, now))
    }

    /// Sets the language of an administrator.
    ///
    /// # Errors
    /// There is no such administrator, or the store failed.
    pub fn set_administrator_language(
        &self,
        account: AccountId,
        address: &Address,
        language: String,
    ) -> Result<Administrator> {
        self.change(|view, _| administrator::set_language(view, account, address, language))
    }

    /// Removes an administrator.
    ///
    /// # Errors
    /// There is no such administrator, or the store failed.
    pub fn remove_administrator(&self, account: AccountId, address: &Address) -> Result<()> {
        self.change(|view, _| administrator::remove(view, account, address))
    }
}
