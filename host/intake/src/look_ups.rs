//! Answers to policies' look-ups about accounts, from one [configuration](Config) and one directory
//! snapshot.

use std::sync::Arc;

use gatepost_authentication::Sasl;
use gatepost_contract::directory::{
    CredentialScope, Directory, DomainKind, DomainState, Forwarders, Partner, PartnerSource,
    ReceivingDomain,
};
use gatepost_contract::identity::Identity;
use gatepost_directory::{ConnectorKind, ConnectorState, Recipient, Scope, View};
use gatepost_message::{Address, Domain, TransactionId};
use gatepost_policy::{Memory, PolicyContext};
use ipnet::IpNet;

use crate::ownership::{Ownership, RecipientOwner};
use gatepost_config::Config;

/// Configuration and directory snapshot, taken together, for look-ups.
pub struct AccountView {
    /// The configuration.
    pub config: Arc<Config>,
    /// The directory.
    pub directory: Arc<View>,
}

impl AccountView {
    /// Returns the context of a chain: these look-ups, and the counts and marks of `memory`.
    pub fn policy_context(self, memory: Arc<dyn Memory>) -> PolicyContext {
        let known = Arc::new(self);
        PolicyContext {
            memory,
            directory: Arc::<Self>::clone(&known),
            identity: known,
        }
    }

    /// Returns the authenticated user, for the record.
    pub fn sasl(&self, user: &str) -> Sasl {
        let domain = match self.credential(user) {
            Some(CredentialScope::Inbound(domain)) => Some(domain),
            Some(CredentialScope::Submission | CredentialScope::Other) | None => None,
        };
        Sasl {
            user: user.to_owned(),
            domain,
        }
    }

    /// Returns the owners of addresses and domains.
    pub fn ownership(&self) -> Ownership<'_> {
        Ownership {
            config: &self.config,
            directory: &self.directory,
        }
    }

    fn is_of(&self, account: &str, address: &Address) -> bool {
        self.ownership().owner_of(address) == RecipientOwner::Account(account.to_owned())
    }

    /// Returns the connected domain of an address of the directory.
    fn connected(&self, address: &Address) -> Option<ReceivingDomain> {
        let Recipient::Of(of) = self.directory.recipient(address) else {
            return None;
        };
        let connector = self.directory.connector(of.account, of.connector?)?;
        let kind = match connector.claim.kind {
            ConnectorKind::TwoWay => DomainKind::TwoWay,
            ConnectorKind::OutboundOnly => DomainKind::OutboundOnly,
            ConnectorKind::Forwarded => DomainKind::Forwarded,
        };
        let known = &connector.forwarders;
        Some(ReceivingDomain {
            domain: connector.claim.domain.as_ascii().to_owned(),
            kind,
            // Of the address alone, its credentials vouch for others in the domain still.
            state: match self.directory.disconnection(of.account, address) {
                Some(_) => DomainState::Disconnected,
                None => state(connector.state),
            },
            forwarders: forwarders(&known.networks, &known.dkim_domains, &known.arc_sealers),
            by_target: false,
        })
    }

    /// Returns a domain that the site itself gave: of the configuration, or native.
    ///
    /// Forwarders to a native domain of the directory are those of all domains that the account has
    /// verified, and these domains themselves by their own name.
    fn given(&self, account: &str, domain: &Domain) -> ReceivingDomain {
        let mut known = self.config.account(account).into_iter();
        let known = known.find_map(|of| of.forwarders.iter().find(|of| of.domain == *domain));
        let mut all = known.map_or_else(Forwarders::default, |known| {
            forwarders(&known.networks, &known.dkim_domains, &known.arc_sealers)
        });
        let connectors = account.parse().map(|id| self.directory.connectors(id));
        let connectors = connectors.unwrap_or_default().iter();
        for of in connectors.filter(|of| of.state == ConnectorState::Verified) {
            let known = &of.forwarders;
            let known = forwarders(&known.networks, &known.dkim_domains, &known.arc_sealers);
            all.networks.extend(known.networks);
            all.dkim_domains.extend(known.dkim_domains);
            all.dkim_domains.push(of.claim.domain.as_ascii().to_owned());
            all.arc_sealers.extend(known.arc_sealers);
        }
        ReceivingDomain {
            domain: domain.as_ascii().to_owned(),
            kind: DomainKind::Native,
            state: DomainState::Verified,
            forwarders: all,
            by_target: false,
        }
    }
}

impl Directory for AccountView {
    fn destination(&self, account: &str, address: &str) -> Option<ReceivingDomain> {
        let address = Address::parse(address).ok()?;
        let domain: Domain = address.domain().parse().ok()?;
        let is_of = self.is_of(account, &address);
        is_of.then(|| {
            let connected = self.connected(&address);
            connected.unwrap_or_else(|| self.given(account, &domain))
        })
    }

    fn destination_by_target(&self, account: &str, address: &str) -> Option<ReceivingDomain> {
        let mut found = self.destination(account, address)?;
        found.by_target = true;
        let address = Address::parse(address).ok()?;
        if let Recipient::Of(of) = self.directory.recipient(&address)
            && let Some(connector) = of.connector
            && let Some(connector) = self.directory.connector(of.account, connector)
        {
            let learnt = &connector.details.learnt_forwarders;
            let learnt = forwarders(&learnt.networks, &learnt.dkim_domains, &learnt.arc_sealers);
            found.forwarders.networks.extend(learnt.networks);
            found.forwarders.dkim_domains.extend(learnt.dkim_domains);
            found.forwarders.arc_sealers.extend(learnt.arc_sealers);
        }
        Some(found)
    }

    fn is_support_address(&self, account: &str, address: &str) -> bool {
        Address::parse(address).is_ok_and(|address| self.is_of(account, &address))
    }

    fn own_domain(&self, account: &str, domain: &str) -> Option<DomainState> {
        let domain: Domain = domain.parse().ok()?;
        let verified = |is_own: bool| is_own.then_some(DomainState::Verified);
        if let Some(owner) = self.config.account_of_domain(domain.as_ascii()) {
            return verified(owner.id == account);
        }
        let of_directory = account.parse().ok().and_then(|id| {
            let mut connectors = self.directory.connectors(id).iter();
            let connector = connectors.find(|of| of.claim.domain == domain);
            let native = &self.directory.account(id)?.profile.native_domain;
            connector.map_or(verified(*native == domain), |of| Some(state(of.state)))
        });
        let of_config = self.config.account(account);
        let sends = of_config.is_some_and(|of| of.sending_domains.contains(&domain));
        of_directory.or(verified(sends))
    }

    fn partner(&self, account: &str, address: &str) -> Option<Partner> {
        use gatepost_directory::PartnerSource as Known;

        let account = account.parse().ok()?;
        let found = (self.directory).partner(account, &Address::parse(address).ok()?)?;
        Some(Partner {
            by_domain: found.by_domain,
            source: match found.source {
                Known::Agreement(account) => PartnerSource::Agreement(account.to_string()),
                Known::ByHand => PartnerSource::ByHand,
                Known::Import(name) => PartnerSource::Imported(name),
                Known::Feed(url) => PartnerSource::Feed(without_secrets(&url)),
            },
        })
    }

    fn knows_addresses(&self, account: &str) -> bool {
        let of_config = self.config.account(account);
        let of_directory = || self.directory.account(account.parse().ok()?);
        match of_config.and_then(|of| of.addresses.as_ref()) {
            Some(listed) => listed.are_all(),
            None => of_directory().is_some(),
        }
    }

    fn product(&self, account: &str) -> Option<String> {
        let account = self.directory.account(account.parse().ok()?)?;
        Some(account.profile.product.to_string())
    }

    fn credential(&self, user: &str) -> Option<CredentialScope> {
        // Users of the configuration submit, and nothing else.
        if self.config.account_of_user(user).is_some() {
            return Some(CredentialScope::Submission);
        }
        // A credential that is no longer valid proves nothing.
        let known = self.directory.credential(user)?;
        let known = Some(known).filter(|known| self.directory.holds(known))?;
        Some(match &known.credential.scope {
            Scope::Inbound { domain, .. } => CredentialScope::Inbound(domain.as_ascii().to_owned()),
            Scope::Submission => CredentialScope::Submission,
        })
    }

    fn settings(&self, account: &str, policy: &str) -> Option<String> {
        let of_directory = || {
            let account = self.directory.account(account.parse().ok()?)?;
            account.policies.get(policy)
        };
        let of_config = || self.config.account(account)?.settings.get(policy);
        serde_json::to_string(of_directory().or_else(of_config)?).ok()
    }
}

fn state(of: ConnectorState) -> DomainState {
    match of {
        ConnectorState::Claimed => DomainState::Claimed,
        ConnectorState::Verified => DomainState::Verified,
        ConnectorState::Disconnected => DomainState::Disconnected,
    }
}

/// Removes what may be a secret from a URL: user information and query. Policies' reasons are on
/// record, and may be shown to the sender.
pub fn without_secrets(url: &str) -> String {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let url = url.get(..end).unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

impl Identity for AccountView {
    fn host_name(&self) -> String {
        self.config.relay.hostname.as_ascii().to_owned()
    }

    fn email_id(&self, transaction: TransactionId) -> String {
        self.directory.email_id(transaction)
    }

    fn is_ours(&self, email_id: &str) -> bool {
        self.directory.issued(email_id).is_some()
    }
}

fn forwarders(networks: &[IpNet], dkim_domains: &[Domain], arc_sealers: &[Domain]) -> Forwarders {
    let domains = |domains: &[Domain]| {
        let domains = domains.iter().map(|domain| domain.as_ascii().to_owned());
        domains.collect()
    };
    Forwarders {
        networks: networks.iter().map(ToString::to_string).collect(),
        dkim_domains: domains(dkim_domains),
        arc_sealers: domains(arc_sealers),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use gatepost_directory::{
        AccountKind, Claim, Directory as Store, Limits, Profile, Protocol, Settings,
    };
    use gatepost_message::Separators;

    use super::*;

    /// Returns a relay's knowledge, and the account of its directory: one with a native domain, a
    /// verified one and a claimed one. The account `acme` is of the configuration.
    fn known() -> (AccountView, String) {
        let text = r#"
            relay.hostname = "mx.desk.example"
            [[listener]]
            name = "mx"
            address = "127.0.0.1:0"
            direction = "inbound"
            tls = "none"
            [[account]]
            id = "acme"
            domains = ["desk.example"]
            sending-domains = ["customer.example"]
        "#;
        let config = Config::parse(text, Path::new("gatepost.toml"), Path::new("")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let directory = Store::open(&Settings {
            path: folder.path().join("directory.db"),
            key_ring: folder.path().join("key-ring"),
            limits: Limits::default(),
            separators: Separators::default(),
        });
        let directory = directory.unwrap();
        let account = directory.add_account(Profile {
            kind: AccountKind::Production,
            product: "Desk".parse().unwrap(),
            time_zone: "Europe/Berlin".parse().unwrap(),
            native_domain: "native.example".parse().unwrap(),
            brands: Vec::new(),
        });
        let account = account.unwrap().id;
        let claimed = ["claimed.example", "verified.example"].map(|domain| {
            let claim = Claim {
                account,
                name: "mail".parse().unwrap(),
                domain: domain.parse().unwrap(),
                kind: ConnectorKind::TwoWay,
                protocol: Protocol::Plain,
            };
            directory.add_connector(claim).unwrap().id
        });
        directory.verify_connector(claimed[1]).unwrap();
        for address in ["help@native.example", "help@verified.example"] {
            directory
                .add_address(account, address.parse().unwrap())
                .unwrap();
        }
        let view = AccountView {
            config: Arc::new(config),
            directory: directory.view(),
        };
        (view, account.to_string())
    }

    #[test]
    fn an_account_is_told_of_its_own_addresses_alone() {
        let (view, account) = known();
        let at = |account: &str, address: &str| {
            let found = view.destination(account, address);
            assert_eq!(found.is_some(), view.is_support_address(account, address));
            found.map(|of| (of.domain, of.kind))
        };
        let native = |domain: &str| Some((domain.to_owned(), DomainKind::Native));
        let connected = Some(("verified.example".to_owned(), DomainKind::TwoWay));
        assert_eq!(at("acme", "any@Desk.example"), native("desk.example"));
        assert_eq!(
            at(&account, "Help+1@Native.example"),
            native("native.example")
        );
        assert_eq!(at(&account, "help@verified.example"), connected);
        assert_eq!(at(&account, "any@desk.example"), None);
        assert_eq!(at(&account, "ann@verified.example"), None);
        assert_eq!(at("acme", "help@native.example"), None);
    }

    #[test]
    fn the_states_of_an_accounts_own_domains_are_known() {
        let (view, account) = known();
        for (account, domain, state) in [
            ("acme", "desk.example", Some(DomainState::Verified)),
            ("acme", "Customer.EXAMPLE", Some(DomainState::Verified)),
            ("acme", "sub.desk.example", None),
            ("acme", "native.example", None),
            (&account, "native.example", Some(DomainState::Verified)),
            (&account, "verified.example", Some(DomainState::Verified)),
            (&account, "claimed.example", Some(DomainState::Claimed)),
            (&account, "desk.example", None),
            (&account, "no domain", None),
        ] {
            assert_eq!(
                view.own_domain(account, domain),
                state,
                "{account} {domain}"
            );
        }
    }

    #[test]
    fn secrets_are_removed_from_urls() {
        for (url, told) in [
            (
                "https://feed.example/partners.txt",
                "https://feed.example/partners.txt",
            ),
            (
                "https://feed.example/p?token=secret",
                "https://feed.example/p",
            ),
            (
                "https://feed.example?token=secret/x",
                "https://feed.example",
            ),
            ("https://feed.example/p#secret", "https://feed.example/p"),
            (
                "https://u:secret@feed.example:8443/a@b",
                "https://feed.example:8443/a@b",
            ),
            ("https://u:secret@feed.example", "https://feed.example"),
        ] {
            assert_eq!(without_secrets(url), told, "{url}");
        }
    }
}
