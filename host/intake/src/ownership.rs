//! Whose a domain or an address is: an account's of the configuration, which has whole domains, or
//! one of the directory, which has single addresses.

use gatepost_directory::{ConnectorState, Destination, Directory, Recipient, Reserved, View};
use gatepost_message::{Address, Domain};

use gatepost_config::{Config, SourceRoutes};

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
    directory.set_reserved_domains(reserved(config));
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
    /// Whose an address is. A single address goes before a whole domain. Of an account that lists
    /// its [addresses](gatepost_config::Addresses), or is of the directory, all others are nobody's.
    pub fn recipient(self, address: &Address) -> Whose {
        let nobodys = match self.directory.recipient(address) {
            Recipient::Of(destination) => return Whose::Of(destination.account.to_string()),
            nobodys => nobodys,
        };
        if let Some(account) = self.config.account_of_domain(address.domain()) {
            let known = account.addresses.as_ref();
            return match known.is_none_or(|known| known.has(address)) {
                true => Whose::Of(account.id.clone()),
                false => Whose::Unknown,
            };
        }
        match nobodys == Recipient::Unknown || self.directory.domain(address.domain()).is_some() {
            true => Whose::Unknown,
            false => Whose::Elsewhere,
        }
    }

    /// Whether mail for an address of an account is taken as far as its local part goes: one that
    /// names a further way is, where the account has said so, or has this very address.
    pub fn takes_for(self, account: &str, address: &Address) -> bool {
        let said = || {
            let of_config = self.config.account(account);
            of_config.is_some_and(|of| of.source_routes == SourceRoutes::Accept)
        };
        let listed = || {
            let of_config = self.config.account(account);
            let known = of_config.and_then(|of| of.addresses.as_ref());
            self.directory.names(address) || known.is_some_and(|known| known.names(address))
        };
        !address.is_source_routed() || said() || listed()
    }

    /// Whether an account may send in the name of an address, be it as reverse-path or in From (RFC
    /// 6409 section 6.1): an address or a domain of its own, or one of its sending domains.
    ///
    /// Of a domain that is its own every local part will do: a server finds out by it which message
    /// came back to whom (VERP), that it sent the message (BATV), or for whom it forwarded it
    /// (SRS). A domain whose connector is not verified, or disconnected, gives no right to send.
    /// What belongs to nobody whom the relay knows belongs to somebody all the same.
    pub fn may_send_as(self, account: &str, address: &Address) -> bool {
        let of_directory = |destination: Destination| {
            destination.account.to_string() == account && self.is_vouched_for(destination)
        };
        let domain = address.domain();
        if let Recipient::Of(destination) = self.directory.recipient(address) {
            return of_directory(destination);
        }
        if let Some(owner) = self.config.account_of_domain(domain) {
            return owner.id == account;
        }
        if let Some(destination) = self.directory.domain(domain) {
            return of_directory(destination);
        }
        let domain: Option<Domain> = domain.parse().ok();
        let sends = |domain| {
            self.config
                .account(account)?
                .sending_domains
                .contains(&domain)
                .then_some(())
        };
        domain.and_then(sends).is_some()
    }

    /// Whether the word that a domain is its account's still holds. A native domain is the site's
    /// own.
    fn is_vouched_for(self, destination: Destination) -> bool {
        let Some(connector) = destination.connector else {
            return true;
        };
        let connector = self.directory.connector(destination.account, connector);
        connector.is_some_and(|of| of.state == ConnectorState::Verified)
    }
}
