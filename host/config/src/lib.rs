//! Configuration: one TOML file, read at start and at each reload.
//!
//! [`Config::load`] works in two steps. Serde turns the text into the types of this crate, which
//! refuse what is not a size, a duration, a domain or a known key. Then `validate` checks the rules
//! that span several keys (a chain that names no policy, a domain that two accounts claim) and
//! reports all problems at once, each at its line ([`ConfigError`]). Relative paths are relative to
//! the file. Policies check their own settings when they are loaded (`gatepost-intake`).

#![forbid(unsafe_code)]

mod account;
mod account_endpoints;
mod acme;
mod addresses;
mod api;
mod changes;
mod connection;
mod delivery;
mod destinations;
mod directory;
mod dkim;
mod document;
mod endpoints;
mod error;
mod events;
pub mod exposure;
mod handover;
mod http_tls;
mod listener;
mod log;
mod log_ins;
mod masked;
mod mx;
mod notifications;
mod origin;
mod otlp;
mod outside;
mod policy;
mod record;
mod relay;
mod relay_connections;
mod return_path;
mod routes;
mod signing_secrets;
mod suppression;
mod units;
mod validate;
mod verification;
mod webhooks;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gatepost_acme::AcmeSettings;
use gatepost_application::{MaildirSettings, Target};
use gatepost_delivery::Templates;
use gatepost_volume::SiteCaps;
use gatepost_webhooks::WebhookSettings;
use serde::Deserialize;
use zeroize::Zeroizing;

pub use account::{Account, Forwarders, Password, SourceRoutes, User};
pub use account_endpoints::{AccountEndpointError, account_endpoint};
pub use acme::Acme;
pub use addresses::Addresses;
pub use api::Api;
pub use changes::Change;
pub use connection::{
    EgressError, EgressPool, SecretSource, SiteConnection, SiteConnections, check_egress,
};
pub use delivery::Delivery;
pub use destinations::Destinations;
pub use directory::Directory;
pub use dkim::Dkim;
pub use document::Document;
pub use error::{ConfigError, Problem};
pub use error::{Finding, Step};
pub use events::{Events, Queue};
pub use gatepost_message::{Domain, DomainError};
pub use handover::{Handover, HandoverUrl, HandoverUrlError};
pub use http_tls::HttpTls;
pub use listener::{Direction, Listener, ListenerTls, overlap};
pub use log::{Log, LogFormat, LogLevelError, LoggedAddresses};
pub use log_ins::{Allowance, LogIns};
pub use mx::{Mx, Unaligned};
pub use notifications::Notifications;
pub use origin::{Authentication, Dns, NameServer, Organization, VerdictFields};
pub use otlp::{Endpoint, EndpointError, Headers, HeadersError, Otlp};
pub use policy::{Grant, Policy, SelfTest};
pub use record::PolicyRecording;
pub use relay::{Http, Limits, Quarantine, Relay, RelayTls, Repair, Trace};
pub use relay_connections::RelayConnections;
pub use return_path::{CustomReturnPath, ReturnPath};
pub use routes::{DefaultRoute, LmtpServer, Routes};
pub use suppression::Suppression;
pub use verification::Verification;

/// Path of the configuration when no `--config` is given.
pub const DEFAULT_PATH: &str = "/etc/gatepost/gatepost.toml";

/// Configuration of the relay, validated.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Name, store and shutdown of the relay.
    pub relay: Relay,
    /// Address for metrics and health over HTTP; not served when absent.
    pub http: Option<Http>,
    /// Page behind links that show secrets once; not served when absent.
    pub handover: Option<Handover>,
    /// API for applications; not served when absent.
    pub api: Option<Api>,
    /// Collector that spans are exported to; no spans when absent.
    pub otlp: Option<Otlp>,
    /// Form and level of the log.
    #[serde(default)]
    pub log: Log,
    /// Certificate of listeners that speak TLS.
    pub tls: Option<RelayTls>,
    /// Certificate that the relay orders itself, as it is written.
    pub acme: Option<Acme>,
    /// Certificate that the relay orders itself, complete.
    #[serde(skip)]
    pub acme_settings: Option<AcmeSettings>,
    /// Limits on what a client may ask of the relay.
    #[serde(default)]
    pub limits: Limits,
    /// Repairs of a message as it arrives.
    #[serde(default)]
    pub repair: Repair,
    /// Limits on failed authentication attempts.
    #[serde(default)]
    pub log_ins: LogIns,
    /// Caps on what accounts submit.
    #[serde(default)]
    pub caps: SiteCaps,
    /// Resolver of the relay.
    #[serde(default)]
    pub dns: Dns,
    /// Limits on destinations that others name.
    #[serde(default)]
    pub destinations: Destinations,
    /// Mail by MX.
    #[serde(default)]
    pub mx: Mx,
    /// Reverse-paths of mail by MX, to which reports come back.
    #[serde(default)]
    pub return_path: ReturnPath,
    /// Limits of message authentication.
    #[serde(default)]
    pub authentication: Authentication,
    /// Names of the fields that tell downstream about a message.
    #[serde(default)]
    pub headers: VerdictFields,
    /// Settings of the quarantine.
    #[serde(default)]
    pub quarantine: Quarantine,
    /// Retention of the trace.
    #[serde(default)]
    pub trace: Trace,
    /// Record of what policies were asked; nothing is recorded when absent.
    pub record: Option<PolicyRecording>,
    /// Suppression lists.
    #[serde(default)]
    pub suppression: Suppression,
    /// Verification of support addresses.
    #[serde(default)]
    pub verification: Verification,
    /// Events for the application.
    #[serde(default)]
    pub events: Events,
    /// Failed mail that is kept.
    #[serde(default)]
    pub queue: Queue,
    /// Signing with DKIM.
    #[serde(default)]
    pub dkim: Dkim,
    /// Limits on accounts of the directory.
    #[serde(default)]
    pub directory: Directory,
    /// Accounts of the configuration.
    #[serde(default, rename = "account")]
    pub accounts: Vec<Account>,
    /// Addresses on which clients connect.
    #[serde(default, rename = "listener")]
    pub listeners: Vec<Listener>,
    /// Policies, whether a chain names them or not. After loading, it also holds the built-in
    /// policies that a chain names without configuring them.
    #[serde(default, rename = "policy")]
    pub policies: Vec<Policy>,
    /// Default routes by direction.
    #[serde(default)]
    pub routes: Routes,
    /// Connections of the site as they are written; [`Config::site`] has them complete.
    #[serde(default, rename = "connection")]
    connections: connection::WrittenConnections,
    /// Pools of addresses that mail leaves from, by name.
    #[serde(default)]
    pub egress: BTreeMap<String, EgressPool>,
    /// LMTP servers of the application, by name.
    #[serde(default)]
    pub lmtp: BTreeMap<String, LmtpServer>,
    /// HTTP endpoints of the application as they are written; [`Config::endpoints`] has them
    /// complete.
    #[serde(default, rename = "endpoint")]
    written_endpoints: endpoints::WrittenEndpoints,
    /// HTTP endpoints of the application, by name.
    #[serde(skip)]
    pub endpoints: BTreeMap<String, Arc<Target>>,
    /// Maildirs of the application, by name.
    #[serde(default, rename = "maildir")]
    pub maildirs: BTreeMap<String, MaildirSettings>,
    /// Delivery of accepted mail.
    #[serde(default)]
    pub delivery: Delivery,
    /// Notices to senders.
    #[serde(default)]
    pub notifications: Notifications,
    /// Webhooks of events, by name, complete.
    #[serde(skip)]
    pub webhooks: BTreeMap<String, Arc<WebhookSettings>>,
    /// True only in [`Config::builtin`]: every domain and user belongs to the first account.
    #[serde(skip)]
    any_domain: bool,
    /// Connections of the site, complete, and the profiles of the relay.
    #[serde(skip)]
    pub site: Arc<SiteConnections>,
    /// Text and files that the configuration was read from.
    #[serde(skip)]
    pub document: Document,
}

impl Config {
    /// Reads and validates a file.
    ///
    /// # Errors
    /// The file cannot be read, is not TOML of the expected form, or contradicts itself. The
    /// error's report shows the lines.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let read = gatepost_files::read_text(path, gatepost_files::SETTINGS);
        let read = read.map_err(|error| ConfigError::Unreadable {
            path: path.to_owned(),
            source: error.into(),
        });
        let text = Zeroizing::new(read?);
        // The parent of a bare file name is "", which joins as the current directory.
        Self::parse(&text, path, path.parent().unwrap_or(Path::new("")))
    }

    /// Parses and validates `text`. Errors name the file `path`; relative paths become relative to
    /// `base`.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(text: &str, path: &Path, base: &Path) -> Result<Self, ConfigError> {
        let mut config: Self =
            toml::from_str(text).map_err(|e| ConfigError::syntax(&e, text, path))?;
        let problems = validate::problems(&config);
        if !problems.is_empty() {
            return Err(ConfigError::invalid(problems, text, path));
        }
        let files = config.resolve_paths(base);
        let site = connection::complete(&config.connections, config.relay.profiles.as_deref());
        let invalid = |findings| ConfigError::invalid(findings, text, path);
        let mut site = site.map_err(invalid)?;
        let endpoints = endpoints::complete(&config.written_endpoints, &mut site.unread);
        config.endpoints = endpoints.map_err(invalid)?;
        let webhooks = webhooks::complete(&config.events.webhook, &mut site.unread);
        config.webhooks = webhooks.map_err(invalid)?;
        if let Some(acme) = &config.acme {
            config.acme_settings = acme::complete(acme, &mut site.unread).map_err(invalid)?;
        }
        config.site = Arc::new(site);
        if let Some(hop) = config.delivery.default_route.take() {
            let route = DefaultRoute::from(hop);
            config.routes.inbound.get_or_insert_with(|| route.clone());
            config.routes.submission.get_or_insert(route);
        }
        config.document = Document::new(text, path, files);
        config.add_builtin_policies();
        Ok(config)
    }

    /// Returns the configuration of `gatepost check` without a file: the built-in policies with
    /// their defaults on an inbound listener `mx` and a submission listener `submission`, for mail
    /// to any domain. Never served.
    pub fn builtin() -> Self {
        let mut config: Self = toml::from_str(include_str!("builtin.toml"))
            .unwrap_or_else(|e| unreachable!("the built-in configuration is tested: {e}"));
        config.any_domain = true;
        config.add_builtin_policies();
        config
    }

    /// Returns the account that receives for a domain, written in any case, in U-labels or
    /// A-labels.
    pub fn account_of_domain(&self, domain: &str) -> Option<&Account> {
        let domain: Option<Domain> = domain.parse().ok();
        let owns =
            |account: &&Account| domain.as_ref().is_some_and(|d| account.domains.contains(d));
        self.accounts
            .iter()
            .find(owns)
            .or_else(|| self.accounts.first().filter(|_| self.any_domain))
    }

    /// Returns the domains of all accounts, each with its account.
    pub fn domains(&self) -> impl Iterator<Item = (&Domain, &Account)> {
        let accounts = self.accounts.iter();
        accounts.flat_map(|account| account.domains.iter().map(move |domain| (domain, account)))
    }

    /// Returns the account with this id.
    pub fn account(&self, id: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == id)
    }

    /// Returns the account that a user submits for. The name is prepared by SASLprep already.
    pub fn account_of_user(&self, user: &str) -> Option<&Account> {
        self.accounts
            .iter()
            .find(|account| account.users.iter().any(|known| known.name == user))
            .or_else(|| self.accounts.first().filter(|_| self.any_domain))
    }

    /// Returns true if the file holds a secret: a password, a secret of an endpoint or a webhook, or a header for
    /// the collector, which is usually a token.
    pub fn holds_secrets(&self) -> bool {
        let mut accounts = self.accounts.iter();
        let headers = Headers::default();
        accounts.any(|account| !account.users.is_empty())
            || connection::hold_secrets(&self.connections)
            || endpoints::hold_secrets(&self.written_endpoints)
            || webhooks::hold_secrets(&self.events.webhook)
            || self.acme.as_ref().is_some_and(Acme::holds_secret)
            || (self.otlp.as_ref()).is_some_and(|otlp| otlp.headers != headers)
    }

    /// Returns the files that hold secrets of connections, endpoints, webhooks and an external account.
    pub fn secret_files(&self) -> Vec<&Path> {
        let mut files = connection::secret_files(&self.connections);
        files.extend(endpoints::secret_files(&self.written_endpoints));
        files.extend(webhooks::secret_files(&self.events.webhook));
        files.extend(self.acme.as_ref().and_then(Acme::secret_file));
        files
    }

    /// Returns true if there is a certificate for TLS, or will be.
    pub fn has_certificate(&self) -> bool {
        self.tls.is_some() || self.acme.is_some()
    }

    /// Checks that every secret of a connection, an endpoint or a webhook could be read. What only asks a
    /// relay, or looks at its store, needs none.
    ///
    /// # Errors
    /// One problem for each that could not, at its line.
    pub fn check_secrets(&self) -> Result<(), ConfigError> {
        match self.site.unread.is_empty() {
            true => Ok(()),
            false => Err(self.document.refused(self.site.unread.clone())),
        }
    }

    /// Returns the settings of delivery with these notices.
    pub fn delivery_settings(
        &self,
        notifications: Arc<gatepost_delivery::Notifications>,
    ) -> gatepost_delivery::Settings {
        gatepost_delivery::Settings {
            suppressing: self.suppression.suppressing(),
            events: self.events.record,
            keep_failed: self.queue.keep_failed,
            ..(self.delivery).settings(&self.relay.hostname, notifications)
        }
    }

    /// Checks that the machine has every egress address.
    ///
    /// # Errors
    /// One for each address that it has not.
    pub fn check_egress(&self) -> Result<(), Vec<EgressError>> {
        let pools = self.egress.iter();
        let addresses = pools.flat_map(|(pool, of)| of.addresses.iter().map(move |at| (pool, *at)));
        let errors = addresses.filter_map(|(pool, address)| {
            let source = check_egress(address).err()?;
            let pool = pool.clone();
            Some(EgressError {
                pool,
                address,
                source,
            })
        });
        let errors: Vec<_> = errors.collect();
        match errors.is_empty() {
            true => Ok(()),
            false => Err(errors),
        }
    }

    /// Returns the listener with this name.
    pub fn listener(&self, name: &str) -> Option<&Listener> {
        self.listeners.iter().find(|l| l.name == name)
    }

    /// Returns the policy with this name.
    pub fn policy(&self, name: &str) -> Option<&Policy> {
        self.policies.iter().find(|p| p.name == name)
    }

    /// Returns the changes from this configuration to `new`, key by key.
    ///
    /// # Errors
    /// One problem for each key that only a restart can change, at its line.
    pub fn changes(&self, new: &Self) -> Result<Vec<Change>, ConfigError> {
        let restart_only = changes::restart_only(self, new);
        if restart_only.is_empty() {
            Ok(changes::differences(&self.document, &new.document))
        } else {
            Err(new.document.refused(restart_only))
        }
    }

    /// Makes relative paths relative to `base`. Returns all files that the configuration names.
    fn resolve_paths(&mut self, base: &Path) -> Vec<PathBuf> {
        let mut files = Vec::new();
        self.relay.store = base.join(&self.relay.store);
        // Not returned with the files to compare: it changes with the directory, and is secret.
        if let Some(key_ring) = &mut self.directory.key_ring {
            *key_ring = base.join(&*key_ring);
        }
        if let Some(folder) = &mut self.relay.policies {
            for policy in &mut self.policies {
                if policy.builtin.is_none() && policy.file.is_none() {
                    policy.file = Some(folder.join(format!("{}.wasm", policy.name)));
                }
            }
            *folder = base.join(&*folder);
        }
        if let Some(folder) = &mut self.relay.profiles {
            *folder = base.join(&*folder);
            files.extend(gatepost_connections::Profiles::files(folder).unwrap_or_default());
        }
        if let Some(socket) = self.api.as_mut().and_then(|api| api.socket.as_mut()) {
            *socket = base.join(&*socket);
        }
        connection::resolve_paths(&mut self.connections, base, &mut files);
        for maildir in self.maildirs.values_mut() {
            maildir.path = base.join(&maildir.path);
        }
        endpoints::resolve_paths(&mut self.written_endpoints, base, &mut files);
        webhooks::resolve_paths(&mut self.events.webhook, base, &mut files);
        files.extend(self.acme.as_mut().and_then(|acme| acme.resolve_paths(base)));
        let mut resolve = |path: &mut PathBuf| {
            *path = base.join(&*path);
            files.push(path.clone());
        };
        if let Some(tls) = &mut self.tls {
            resolve(&mut tls.certificate);
            resolve(&mut tls.key);
            for of in &mut tls.further {
                resolve(&mut of.certificate);
                resolve(&mut of.key);
            }
        }
        self.delivery.ca_file.iter_mut().for_each(&mut resolve);
        self.directory
            .feed_ca_file
            .iter_mut()
            .for_each(&mut resolve);
        if let Some(folder) = &mut self.notifications.templates {
            for mut file in Templates::files(folder) {
                resolve(&mut file);
            }
            *folder = base.join(&*folder);
        }
        for policy in &mut self.policies {
            policy.file.iter_mut().for_each(&mut resolve);
            policy
                .self_tests
                .iter_mut()
                .for_each(|test| resolve(&mut test.file));
        }
        files
    }

    fn add_builtin_policies(&mut self) {
        let named: Vec<String> = self
            .listeners
            .iter()
            .flat_map(|l| l.chain.iter().cloned())
            .collect();
        for name in named {
            if self.policy(&name).is_none() {
                self.policies.push(Policy::builtin(name));
            }
        }
    }
}
