//! Domains, compared with the DNS.

use std::path::{Path, PathBuf};

use clap::Args;
use gatepost_authentication::organizational_domain_by_list;
use gatepost_certificates::trusted_roots;
use gatepost_config::{Config, Destinations, ReturnPath};
use gatepost_connections::Connections as _;
use gatepost_directory::{
    Account, AccountId, Connector, ConnectorKind, ConnectorState, DkimState, KeyOwner, View,
};
use gatepost_dkim::alias_target;
use gatepost_dns::{Resolver, ResolverSettings};
use gatepost_domain_check::{
    CheckedDomain, DefaultAddress, Relation, Report, SigningKey, Site, WayIn,
};
use gatepost_http_client::HttpClient;
use gatepost_message::{Address, Domain};
use gatepost_mx::PolicyFetcher;
use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::directory::{account_id, unknown};
use crate::error::OperationError;
use crate::runtime::Runtime;

/// Answers that are kept during one check, in which many questions are the same.
const CACHE: u64 = 1024;

/// Part of the configuration that domains are compared with.
#[derive(Debug, Clone)]
pub struct DomainSettings {
    site: Site,
    return_path: ReturnPath,
    /// Domains of the site that are in no directory.
    own: Vec<Domain>,
    zone: Option<Domain>,
    dns: ResolverSettings,
    destinations: Destinations,
    ca_file: Option<PathBuf>,
    mta_sts_port: u16,
}

impl From<&Config> for DomainSettings {
    fn from(config: &Config) -> Self {
        let hostname = config.relay.hostname.as_ascii();
        let names = config.mx.own_names.iter().cloned();
        let configured = config.accounts.iter();
        let configured = configured.flat_map(|of| of.domains.iter().chain(&of.sending_domains));
        let paths = &config.return_path;
        let paths = (paths.domain.iter()).chain(paths.custom.iter().map(|of| &of.domain));
        let own = configured.chain(paths).chain([&config.relay.hostname]);
        Self {
            site: Site {
                hostname: hostname.to_owned(),
                names: names.chain([hostname.to_owned()]).collect(),
                addresses: config.all_outside_addresses(),
                spf_include: config.spf_include(),
                boundary: config.authentication.settings().boundary,
            },
            return_path: config.return_path.clone(),
            own: own.cloned().collect(),
            zone: config.dkim.zone(&config.relay.hostname),
            dns: ResolverSettings {
                cache: CACHE,
                ..config.dns.settings()
            },
            destinations: config.destinations.clone(),
            ca_file: config.delivery.ca_file.clone(),
            mta_sts_port: config.mx.mta_sts_port,
        }
    }
}

/// Request to compare a domain with the DNS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckDomain {
    /// Id or native domain of the account, where several claim the domain.
    #[arg(long)]
    pub account: Option<String>,
    /// Domain that a customer has connected, or one of the site's.
    pub domain: Domain,
}

/// Compares a domain with the DNS.
///
/// # Errors
/// There is no such account or domain, several accounts claim the domain, the configuration is not
/// known, or the DNS cannot be asked at all.
pub async fn check(on: &Runtime, asked: CheckDomain) -> Result<Report, OperationError> {
    let settings = on.domains.load_full().ok_or_else(|| {
        let text = "the configuration is not known, and with it what the domain is compared with; \
                    name it with --config";
        OperationError::new(Code::NoConfiguration, text)
    })?;
    let checked = {
        let view = on.directory.view();
        let relating = Relating {
            on,
            settings: &settings,
            view: &view,
        };
        relating.checked(&asked)?
    };
    let internal = |error: &dyn std::error::Error| OperationError::new(Code::Internal, error);
    // Of its own for each check: what was published a moment ago is found.
    let resolver = Resolver::new(&settings.dns).map_err(|error| internal(&error))?;
    let roots = trusted_roots(settings.ca_file.as_deref().map(Path::new));
    let roots = roots.map_err(|error| internal(&error))?;
    let guard = settings.destinations.guard(&resolver);
    let http = HttpClient::guarded(roots, guard).map_err(|error| internal(&error))?;
    let policies = PolicyFetcher::new(http, settings.mta_sts_port);
    Ok(gatepost_domain_check::check(&resolver, &policies, &settings.site, &checked).await)
}

/// Finds what a domain is to the relay.
struct Relating<'a> {
    on: &'a Runtime,
    settings: &'a DomainSettings,
    view: &'a View,
}

/// Holder of a domain.
enum Holder<'v> {
    /// An account that has connected it.
    Customer(&'v Account, &'v Connector),
    /// An account whose native domain it is.
    Native(&'v Account),
    /// The site.
    Site,
}

impl<'a> Relating<'a> {
    fn checked(&self, asked: &CheckDomain) -> Result<CheckedDomain, OperationError> {
        let domain = asked.domain.clone();
        let holder = self.holder(asked)?;
        let account = holder.account();
        let relation = match holder {
            Holder::Customer(account, connector) => Relation::Connected {
                tokens: self.view.ownership_tokens(account.id, &domain),
                is_verified: connector.state != ConnectorState::Claimed,
                way_in: match connector.claim.kind == ConnectorKind::TwoWay {
                    true => WayIn::Relayed,
                    false => WayIn::Forwarded,
                },
                native: account.profile.native_domain.clone(),
            },
            Holder::Native(_) | Holder::Site => Relation::Own,
        };
        let owner = match holder {
            Holder::Customer(account, _) => KeyOwner::Account(account.id),
            Holder::Native(_) | Holder::Site => KeyOwner::Site,
        };
        let makes_keys = match holder {
            Holder::Customer(account, _) => format!(
                "gatepost dkim generate --account {} {domain}",
                account.profile.native_domain
            ),
            Holder::Native(_) | Holder::Site => format!("gatepost dkim generate {domain}"),
        };
        let ways = self.ways_out(account, &domain);
        let default = match holder {
            Holder::Customer(account, _) => {
                Some(self.default_address(account, ways.fall_back.or(ways.default)))
            }
            Holder::Native(_) | Holder::Site => None,
        };
        let path = self.return_path(account, &domain);
        let alias = self.settings.return_path.domain.clone();
        let return_path = path.map(|path| gatepost_domain_check::ReturnPath {
            alias: alias.filter(|alias| *alias != path),
            domain: path,
        });
        Ok(CheckedDomain {
            keys: self.keys(owner, &domain),
            domain,
            relation,
            makes_keys,
            smart_hosts: ways.smart_hosts,
            by_mx: ways.by_mx,
            return_path,
            default,
        })
    }

    fn holder(&self, asked: &CheckDomain) -> Result<Holder<'a>, OperationError> {
        let (view, domain) = (self.view, &asked.domain);
        let is_native = |of: &&Account| of.profile.native_domain == *domain;
        let connected = |id: AccountId| {
            let mut connectors = view.connectors(id).iter();
            connectors.find(|of| of.claim.domain == *domain)
        };
        let held_by = |account: &'a Account| match connected(account.id) {
            Some(connector) => Some(Holder::Customer(account, connector)),
            None => Some(Holder::Native(account)).filter(|_| is_native(&account)),
        };
        if let Some(named) = &asked.account {
            let account = view.account(account_id(view, named)?);
            let held = account.and_then(held_by);
            return held.ok_or_else(|| unknown("connector", domain).into());
        }
        if let Some(owner) = view.domain(domain.as_ascii()) {
            let held = view.account(owner.account).and_then(held_by);
            return held.ok_or_else(|| unknown("connector", domain).into());
        }
        let mut claims = view.accounts().filter(|of| connected(of.id).is_some());
        match (claims.next(), claims.next()) {
            (Some(account), None) => {
                let held = held_by(account);
                held.ok_or_else(|| unknown("connector", domain).into())
            }
            (Some(_), Some(_)) => {
                let text = format!("several accounts claim {domain}; name one with --account");
                Err(OperationError::new(Code::DomainClaimedBySeveral, text))
            }
            (None, _) if self.settings.own.contains(domain) => Ok(Holder::Site),
            (None, _) => {
                let text = format!(
                    "{domain} is no domain of this relay: connect it with `gatepost connector add`"
                );
                Err(OperationError::new(Code::UnknownDomain, text))
            }
        }
    }

    /// Returns the keys that sign for a domain: its own, or those of the domain above it, up to the
    /// organisation's.
    fn keys(&self, owner: KeyOwner, domain: &Domain) -> Vec<SigningKey> {
        let name = domain.as_ascii();
        let organization = organizational_domain_by_list(name);
        let organization = organization.as_deref().unwrap_or(name);
        let above = std::iter::successors(Some(name), |name| {
            let (_, above) = name.split_once('.').filter(|_| *name != organization)?;
            Some(above)
        });
        let mut found = above.map(|name| self.keys_of(owner, name));
        found.find(|keys| !keys.is_empty()).unwrap_or_default()
    }

    fn keys_of(&self, owner: KeyOwner, name: &str) -> Vec<SigningKey> {
        let keys = self.view.dkim_keys(owner);
        let wanted =
            keys.filter(|key| key.state != DkimState::Retired && key.domain.as_ascii() == name);
        let signing = wanted.map(|key| {
            let zone = self.settings.zone.as_ref();
            let owner = key.owner.to_string();
            SigningKey {
                domain: key.domain.clone(),
                record: key.record(),
                algorithm: key.algorithm,
                public: key.public.clone(),
                alias: zone.and_then(|zone| alias_target(zone, &owner, &key.domain, &key.selector)),
            }
        });
        signing.collect()
    }

    /// Returns the ways on which mail of a domain leaves: those of the account's addresses in it.
    fn ways_out(&self, account: Option<&Account>, domain: &Domain) -> WaysOut {
        let Some(account) = account else {
            return WaysOut::by_mx();
        };
        let id = account.id.to_string();
        let addresses = self.on.directory.addresses().unwrap_or_default();
        let own = addresses.into_iter().filter(|of| of.account == account.id);
        let own = own.map(|of| of.address);
        let mut senders: Vec<_> = own.filter(|of| domain.matches(of.domain())).collect();
        if senders.is_empty() {
            senders.extend(Address::parse(&format!("postmaster@{}", domain.as_ascii())));
        }
        let mut ways = WaysOut::default();
        for sender in &senders {
            let default = self.view.default_address(account.id, sender);
            ways.default = ways.default.or_else(|| default.cloned());
            let Some(found) = self.on.connections.serving(&id, sender) else {
                ways.by_mx = true;
                continue;
            };
            let host = &found.connection.host;
            if !ways.smart_hosts.contains(host) {
                ways.smart_hosts.push(host.clone());
            }
            ways.fall_back = ways
                .fall_back
                .or_else(|| found.connection.fall_back_as.clone());
        }
        let mut connectors = self.view.connectors(account.id).iter();
        let connector = connectors.find(|of| of.claim.domain == *domain);
        if connector.is_some_and(|of| of.claim.kind == ConnectorKind::Forwarded) {
            // Nothing of it leaves through a connection.
            (ways.by_mx, ways.smart_hosts, ways.fall_back) = (true, Vec::new(), None);
        }
        ways
    }

    /// Returns the address that mail of an account leaves from where its domain cannot be used.
    fn default_address(&self, account: &Account, address: Option<Address>) -> DefaultAddress {
        let named = address.as_ref().and_then(|of| of.domain().parse().ok());
        let domain: Domain = named.unwrap_or_else(|| account.profile.native_domain.clone());
        let is_connected = self.view.domain(domain.as_ascii());
        let is_connected = is_connected.is_some_and(|of| of.connector.is_some());
        let owner = match is_connected {
            true => KeyOwner::Account(account.id),
            false => KeyOwner::Site,
        };
        DefaultAddress {
            keys: self.keys(owner, &domain),
            return_path: self.return_path(Some(account), &domain),
            account: account.profile.native_domain.clone(),
            address,
            domain,
        }
    }

    /// Returns the domain of the reverse-paths of a domain's mail by MX: that of its connector, of the
    /// configuration, or the native one.
    fn return_path(&self, account: Option<&Account>, domain: &Domain) -> Option<Domain> {
        let own = account.and_then(|of| self.view.return_path(of.id, domain.as_ascii()));
        let configured = self.settings.return_path.of_sender(domain.as_ascii());
        let native = account.map(|of| &of.profile.native_domain);
        own.or(configured).or(native).cloned()
    }
}

impl<'v> Holder<'v> {
    fn account(&self) -> Option<&'v Account> {
        match self {
            Self::Customer(account, _) | Self::Native(account) => Some(account),
            Self::Site => None,
        }
    }
}

/// Ways on which mail of a domain leaves.
#[derive(Default)]
struct WaysOut {
    smart_hosts: Vec<String>,
    by_mx: bool,
    /// Address that mail of a connection falls back to.
    fall_back: Option<Address>,
    /// Default address of the account, or of a brand of the domain's addresses.
    default: Option<Address>,
}

impl WaysOut {
    fn by_mx() -> Self {
        Self {
            by_mx: true,
            ..Self::default()
        }
    }
}
