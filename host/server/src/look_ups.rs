//! What policies may look up of an account: by the [configuration](Config) and the directory at
//! one moment.

use std::sync::Arc;

use gatepost_directory::{ConnectorKind, ConnectorState, Recipient, Scope, View};
use gatepost_message::Address;
use gatepost_policy::{
    CredentialScope, Directory, DomainKind, DomainState, Forwarders, LookUps, Memory,
    ReceivingDomain,
};

use crate::config::{self, Config};
use crate::ownership::{Ownership, Whose};

/// Both at one moment.
pub struct Accounts {
    /// The configuration.
    pub config: Arc<Config>,
    /// The directory.
    pub directory: Arc<View>,
}

impl Accounts {
    /// With what policies counted and marked.
    pub fn and(self, memory: Arc<dyn Memory>) -> LookUps {
        LookUps {
            memory,
            directory: Arc::new(self),
        }
    }

    fn ownership(&self) -> Ownership<'_> {
        Ownership {
            config: &self.config,
            directory: &self.directory,
        }
    }

    fn is_of(&self, account: &str, address: &Address) -> bool {
        self.ownership().recipient(address) == Whose::Of(account.to_owned())
    }

    /// The domain of an address of the directory: the connected one, if it is one.
    fn connected(&self, address: &Address) -> Option<(DomainKind, DomainState)> {
        let Recipient::Of(of) = self.directory.recipient(address) else {
            return None;
        };
        let connector = self.directory.connector(of.account, of.connector?)?;
        let kind = match connector.claim.kind {
            ConnectorKind::TwoWay => DomainKind::TwoWay,
            ConnectorKind::OutboundOnly => DomainKind::OutboundOnly,
        };
        let state = match connector.state {
            ConnectorState::Claimed => DomainState::Claimed,
            ConnectorState::Verified => DomainState::Verified,
            ConnectorState::Disconnected => DomainState::Disconnected,
        };
        Some((kind, state))
    }
}

impl Directory for Accounts {
    fn destination(&self, account: &str, address: &str) -> Option<ReceivingDomain> {
        let address = Address::parse(address).ok()?;
        let domain: gatepost_message::Domain = address.domain().parse().ok()?;
        if !self.is_of(account, &address) {
            return None;
        }
        // The site itself gave what is in the configuration, and native domains.
        let given = (DomainKind::Native, DomainState::Verified);
        let (kind, state) = self.connected(&address).unwrap_or(given);
        let of = self.config.account(account);
        let known = of.and_then(|of| of.forwarders.iter().find(|known| known.domain == domain));
        Some(ReceivingDomain {
            domain: domain.as_ascii().to_owned(),
            kind,
            state,
            forwarders: known.map_or_else(Forwarders::default, forwarders),
        })
    }

    fn is_support_address(&self, account: &str, address: &str) -> bool {
        Address::parse(address).is_ok_and(|address| self.is_of(account, &address))
    }

    fn credential(&self, user: &str) -> Option<CredentialScope> {
        let Some(known) = self.directory.credential(user) else {
            // The users of the configuration submit, and nothing else.
            let account = self.config.account_of_user(user);
            return account.map(|_| CredentialScope::Submission);
        };
        Some(match &known.credential.scope {
            Scope::Inbound { domain, .. } => CredentialScope::Inbound(domain.as_ascii().to_owned()),
            Scope::Submission => CredentialScope::Submission,
        })
    }

    fn settings(&self, account: &str, policy: &str) -> Option<String> {
        let settings = self.config.account(account)?.settings.get(policy)?;
        serde_json::to_string(settings).ok()
    }
}

fn forwarders(known: &config::Forwarders) -> Forwarders {
    let domains = |domains: &[gatepost_message::Domain]| {
        let domains = domains.iter().map(|domain| domain.as_ascii().to_owned());
        domains.collect()
    };
    Forwarders {
        networks: known.networks.iter().map(ToString::to_string).collect(),
        dkim_domains: domains(&known.dkim_domains),
        arc_sealers: domains(&known.arc_sealers),
    }
}
