//! Return paths: the reverse-path of mail that leaves by MX, and the addresses to which reports on
//! it come back.
//!
//! Such an address is `b+TOKEN@` a domain of this relay. The token names the message, and nobody
//! but this relay can make one, so a report that comes to it is about that message, whoever sends
//! it.

use std::time::Duration;

use gatepost_directory::{ProbeId, View};
use gatepost_message::{Address, Millis, TransactionId};
use gatepost_model::{Flow, Transaction};

use crate::ownership::Ownership;

/// Letters before the token in the local part.
const PREFIX: &str = "b+";

/// Time by which the clocks of a message's acceptance and of its report may differ.
const CLOCK_SKEW: Duration = Duration::from_mins(5);

/// Meaning of an address as a return path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReturnAddress {
    /// No return path: it is a mailbox, or of another's domain.
    No,
    /// In a domain of return paths, or in the form of one, without a valid token.
    Invalid,
    /// The return path of this message.
    Of(TransactionId),
    /// The mailbox of this probe, which is waited for.
    Probe(ProbeId),
}

impl Ownership<'_> {
    /// Returns the reverse-path with which a message leaves by MX, sent as this address: `None` if
    /// it leaves with its own. A notice has none, mail that came in keeps the one that it came
    /// with, and so does mail where no domain of this relay can take reports.
    pub fn return_path(self, transaction: &Transaction, sender: &Address) -> Option<Address> {
        if transaction.session.flow != Flow::Submission || transaction.reverse_path.is_null() {
            return None;
        }
        let account = transaction.account.as_deref();
        let account = account.and_then(|account| self.directory.account(account.parse().ok()?));
        let own = account.and_then(|of| self.directory.return_path(of.id, sender.domain()));
        let native = account.map(|of| &of.profile.native_domain);
        let settings = &self.config.return_path;
        let domain = own.or(settings.of_sender(sender.domain())).or(native)?;
        let token = self.directory.return_token(transaction.id)?;
        Address::parse(&format!("{PREFIX}{token}@{}", domain.as_ascii())).ok()
    }

    /// Returns what an address is as a return path at this time.
    pub fn return_address(self, address: &Address, now: Millis) -> ReturnAddress {
        if let Some(probe) = gatepost_probes::mailbox(self.directory, address, now) {
            return ReturnAddress::Probe(probe);
        }
        let settings = &self.config.return_path;
        let alone = settings.has(address.domain())
            || self
                .directory
                .connector_of_return_path(address.domain())
                .is_some();
        if !alone && !self.is_native(address) {
            return ReturnAddress::No;
        }
        let local = address.local();
        let prefix = local.get(..PREFIX.len());
        let begins = prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(PREFIX));
        let token = local
            .get(PREFIX.len()..)
            .filter(|_| begins)
            .unwrap_or_default();
        if !View::is_like_return_token(token) {
            // A site may have mailboxes in the same domain.
            let owned = self.config.account_of_domain(address.domain()).is_some()
                || self.directory.domain(address.domain()).is_some();
            return match owned {
                true => ReturnAddress::No,
                false => ReturnAddress::Invalid,
            };
        }
        let living = |id: &TransactionId| {
            let accepted = Millis(id.unix_millis());
            accepted + settings.life >= now && accepted <= now + CLOCK_SKEW
        };
        let message = self.directory.returned(token).filter(living);
        message.map_or(ReturnAddress::Invalid, ReturnAddress::Of)
    }
}
