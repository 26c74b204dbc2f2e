//! Changes to restrictions.

use gatepost_message::Millis;
use gatepost_volume::{Caps, Subject};

use crate::{Directory, DirectoryError, Reason, Restriction, rules};

type Result<T> = std::result::Result<T, DirectoryError>;

impl Directory {
    /// Sets the caps of an account, or of a domain or credential of it, in place of its former
    /// ones.
    ///
    /// # Errors
    /// There is no such account or credential, or the store failed.
    pub fn set_caps(&self, account: &str, subject: &Subject, caps: Caps) -> Result<Restriction> {
        self.change(|view, state| {
            rules::restriction::set_caps(view, &state.reserved, account, subject, caps)
        })
    }

    /// Suspends an account: its submissions are refused, and its queued mail is held.
    ///
    /// # Errors
    /// There is no such account, or the store failed.
    pub fn suspend(&self, account: &str, reason: Option<Reason>) -> Result<Restriction> {
        let now = Millis::now();
        self.change(|view, state| {
            rules::restriction::suspend(view, &state.reserved, account, reason, now)
        })
    }

    /// Ends the suspension of an account, if there is one.
    ///
    /// # Errors
    /// There is no such account, or the store failed.
    pub fn resume(&self, account: &str) -> Result<Restriction> {
        self.change(|view, state| rules::restriction::resume(view, &state.reserved, account))
    }
}
