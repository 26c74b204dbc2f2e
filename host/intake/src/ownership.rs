//! Ownership of domains and addresses: by an account of the configuration, which has whole domains,
//! or one of the directory, which has single addresses.

use gatepost_directory::{ConnectorState, Destination, Directory, Recipient, Reserved, View};
use gatepost_message::{Address, Domain};

use gatepost_config::{Config, SourceRoutes};

/// Configuration and directory snapshot, taken together.
#[derive(Debug, Clone, Copy)]
pub struct Ownership<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The directory.
    pub directory: &'a View,
}

/// Owner of a recipient's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecipientOwner {
    /// The account with this id, which takes mail for it.
    Account(String),
    /// Nobody: it is in a domain that only we answer for.
    Unknown,
    /// Nobody here: it is in no domain of ours.
    Elsewhere,
}

/// Returns the domains that no account of the directory may have as its native one.
pub fn reserved(config: &Config) -> Reserved {
    let owned = config.domains();
    owned
        .map(|(domain, account)| (domain.clone(), account.id.clone()))
        .collect()
}

/// Reserves the domains of the configuration's accounts. Warns of those that are already native
/// domains in the directory, because they were so before the configuration had them.
pub fn reserve_configured_domains(config: &Config, directory: &Directory) {
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

impl<'a> Ownership<'a> {
    /// Returns the owner of an address. A single address goes before a whole domain. If an account
    /// lists its [addresses](gatepost_config::Addresses), or is of the directory, nobody owns the
    /// others.
    pub fn owner_of(self, address: &Address) -> RecipientOwner {
        let nobodys = match self.directory.recipient(address) {
            Recipient::Of(destination) => {
                return RecipientOwner::Account(destination.account.to_string());
            }
            nobodys => nobodys,
        };
        if let Some(account) = self.config.account_of_domain(address.domain()) {
            let known = account.addresses.as_ref();
            return match known.is_none_or(|known| known.has(address)) {
                true => RecipientOwner::Account(account.id.clone()),
                false => RecipientOwner::Unknown,
            };
        }
        match nobodys == Recipient::Unknown || self.directory.domain(address.domain()).is_some() {
            true => RecipientOwner::Unknown,
            false => RecipientOwner::Elsewhere,
        }
    }

    /// Returns true if the account accepts this local part. One with a source route is accepted if
    /// the account permits that, or has this very address.
    pub fn accepts_local_part(self, account: &str, address: &Address) -> bool {
        let permitted = || {
            let of_config = self.config.account(account);
            of_config.is_some_and(|of| of.source_routes == SourceRoutes::Accept)
        };
        let listed = || {
            let of_config = self.config.account(account);
            let known = of_config.and_then(|of| of.addresses.as_ref());
            self.directory.names(address) || known.is_some_and(|known| known.names(address))
        };
        !address.is_source_routed() || permitted() || listed()
    }

    /// Returns true if an account may send in the name of an address, as reverse-path or in From
    /// (RFC 6409 section 6.1): an address or a domain of its own, or one of its sending domains.
    ///
    /// In a domain of its own any local part will do: servers encode in it which message came back
    /// to whom (VERP), that they sent the message (BATV), or for whom they forwarded it (SRS). A
    /// domain whose connector is not verified, or is disconnected, gives no right to send, nor does an
    /// address that is disconnected. A domain
    /// that belongs to nobody the relay knows still belongs to somebody.
    pub fn may_send_as(self, account: &str, address: &Address) -> bool {
        let of_directory = |destination: Destination| {
            destination.account.to_string() == account
                && self.is_vouched_for(destination)
                && (self.directory)
                    .disconnection(destination.account, address)
                    .is_none()
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

    /// Returns true if an account may submit mail in the name of an address: it [may send
    /// as](Self::may_send_as) it, or the address is disconnected and its mail leaves from a default
    /// address.
    pub fn may_submit_as(self, account: &str, address: &Address) -> bool {
        self.may_send_as(account, address) || self.stand_in(account, address).is_some()
    }

    /// Returns the default address from which mail of a disconnected address leaves.
    pub fn stand_in(self, account: &str, address: &Address) -> Option<&'a Address> {
        let id = account.parse().ok()?;
        self.directory.disconnection(id, address)?;
        let default = self.directory.default_address(id, address)?;
        self.may_send_as(account, default).then_some(default)
    }

    /// Returns true if an address is in a native domain: one that the site has given to an account.
    pub fn is_native(self, address: &Address) -> bool {
        let domain = self.directory.domain(address.domain());
        domain.is_some_and(|of| of.connector.is_none())
    }

    /// Returns true if the claim on a domain is still verified. A native domain is the site's own.
    fn is_vouched_for(self, destination: Destination) -> bool {
        let Some(connector) = destination.connector else {
            return true;
        };
        let connector = self.directory.connector(destination.account, connector);
        connector.is_some_and(|of| of.state == ConnectorState::Verified)
    }
}
