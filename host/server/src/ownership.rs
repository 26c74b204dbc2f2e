//! Whose a domain or an address is: an account's of the configuration, which has whole domains, or
//! one of the directory, which has single addresses.

use gatepost_directory::{Directory, Recipient, Reserved, View};
use gatepost_message::Address;

use crate::config::Config;

/// Both at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Ownership<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The directory.
    pub directory: &'a View,
}

/// Whose an address is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// The account with this id takes mail for it.
    Of(String),
    /// Nobody's, in a domain that we answer for alone.
    Unknown,
    /// It is in no domain of ours.
    Elsewhere,
}

/// Domains that no account of the directory may have as its native one.
pub fn reserved(config: &Config) -> Reserved {
    let owned = config.domains();
    owned
        .map(|(domain, account)| (domain.clone(), account.id.clone()))
        .collect()
}

/// Reserves the domains of the configuration's accounts, and warns of those that are native domains
/// of the directory already, since they were before the configuration had them.
pub fn keep_apart(config: &Config, directory: &Directory) {
    directory.reserve(reserved(config));
    for account in directory.view().accounts() {
        let domain = &account.profile.native_domain;
        let Some((_, owner)) = config
            .domains()
            .find(|(configured, _)| *configured == domain)
        else {
            continue;
        };
        tracing::warn!(
            %domain,
            account = %account.id,
            configured = owner.id,
            "a native domain of the directory is in the domains of an [[account]], too: addresses \
             that the directory has are its account's, and all others the [[account]]'s; remove it \
             from one of them"
        );
    }
}

impl Ownership<'_> {
    /// Whose an address is. A single address goes before a whole domain.
    pub fn recipient(self, address: &Address) -> Whose {
        let of_domain = || self.config.account_of_domain(address.domain());
        match self.directory.recipient(address) {
            Recipient::Of(destination) => Whose::Of(destination.account.to_string()),
            nobodys => match of_domain() {
                Some(account) => Whose::Of(account.id.clone()),
                None if nobodys == Recipient::Unknown => Whose::Unknown,
                None => Whose::Elsewhere,
            },
        }
    }

    /// Whether a domain belongs to another account than this one; one that belongs to nobody is
    /// not foreign.
    pub fn is_foreign(self, account: &str, domain: &str) -> bool {
        if let Some(owner) = self.config.account_of_domain(domain) {
            return owner.id != account;
        }
        let owner = self.directory.domain(domain);
        owner.is_some_and(|owner| owner.account.to_string() != account)
    }
}
