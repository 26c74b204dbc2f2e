//! The configuration: one TOML file, read at start and at each reload, the truth about what the
//! relay does.
//!
//! [`Config::load`] reads the file in two steps. Serde turns the text into the types of this
//! module, which already refuse what is not a size, a duration, a domain or a known key; then
//! `validate` looks at what only the whole can tell (a chain that names no policy, a domain
//! that two accounts claim) and reports every such problem at once, each at its line
//! ([`ConfigError`]). Relative paths are relative to the file. Policies' settings are checked by
//! the policies themselves, when they are loaded (`gatepost-intake`).

#![forbid(unsafe_code)]

mod account;
mod addresses;
mod changes;
mod delivery;
mod directory;
mod document;
mod error;
pub mod exposure;
mod listener;
mod log;
mod log_ins;
mod notifications;
mod origin;
mod otlp;
mod policy;
mod relay;
mod units;
mod validate;

use std::path::{Path, PathBuf};

use gatepost_delivery::Templates;
use serde::Deserialize;
use zeroize::Zeroizing;

pub use account::{Account, Forwarders, Password, SourceRoutes, User};
pub use addresses::Addresses;
pub use changes::Change;
pub use delivery::Delivery;
pub use directory::Directory;
pub use document::Document;
pub use error::{ConfigError, Problem};
pub use error::{Finding, Step};
pub use gatepost_message::{Domain, DomainError};
pub use listener::{Direction, Listener, ListenerTls, overlap};
pub use log::{Log, LogFormat, LogLevelError};
pub use log_ins::{Allowance, LogIns};
pub use notifications::Notifications;
pub use origin::{Authentication, Dns, NameServer, Organization, VerdictFields};
pub use otlp::{Endpoint, EndpointError, Headers, HeadersError, Otlp};
pub use policy::{Grant, Policy, SelfTest};
pub use relay::{Http, Limits, Quarantine, Relay, Repair, Tls, Trace};
pub use units::parse_duration;

/// Where the configuration is looked for when no `--config` is given.
pub const DEFAULT_PATH: &str = "/etc/gatepost/gatepost.toml";

/// Everything that the operator has written down, validated.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The relay itself.
    pub relay: Relay,
    /// Metrics and health over HTTP; not served when absent.
    pub http: Option<Http>,
    /// Where spans are exported to; no spans when absent.
    pub otlp: Option<Otlp>,
    /// What is logged, and how.
    #[serde(default)]
    pub log: Log,
    /// The certificate of listeners that speak TLS.
    pub tls: Option<Tls>,
    /// What a client may ask of the relay.
    #[serde(default)]
    pub limits: Limits,
    /// What of a message is repaired as it arrives.
    #[serde(default)]
    pub repair: Repair,
    /// How often a client may fail to log in.
    #[serde(default)]
    pub log_ins: LogIns,
    /// Whom the relay asks what the DNS says of a message's origin.
    #[serde(default)]
    pub dns: Dns,
    /// How facts about a message's origin are gathered.
    #[serde(default)]
    pub authentication: Authentication,
    /// By which fields downstream is told.
    #[serde(default)]
    pub headers: VerdictFields,
    /// Mail kept apart.
    #[serde(default)]
    pub quarantine: Quarantine,
    /// How long is known what happened.
    #[serde(default)]
    pub trace: Trace,
    /// What accounts of the directory may have.
    #[serde(default)]
    pub directory: Directory,
    /// Whose mail it is.
    #[serde(default, rename = "account")]
    pub accounts: Vec<Account>,
    /// Where clients connect.
    #[serde(default, rename = "listener")]
    pub listeners: Vec<Listener>,
    /// The policies, each used by at least none and at most all of the chains. After loading it
    /// also holds the built-in ones that a chain names without configuring them.
    #[serde(default, rename = "policy")]
    pub policies: Vec<Policy>,
    /// How accepted mail goes on.
    #[serde(default)]
    pub delivery: Delivery,
    /// What senders are told of their messages.
    #[serde(default)]
    pub notifications: Notifications,
    /// Set in [`Config::builtin`] alone: every domain and user belongs to the first account.
    #[serde(skip)]
    any_domain: bool,
    /// What all of this was read from.
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
        // A bare file name has the parent "", which joins as the current directory.
        Self::parse(&text, path, path.parent().unwrap_or(Path::new("")))
    }

    /// Parses and validates `text`, reported as the file `path`; relative paths in it become
    /// relative to `base`.
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
        config.document = Document::new(text, path, files);
        config.add_builtin_policies();
        Ok(config)
    }

    /// What `gatepost check` judges by when it is given no file: the built-in policies with their
    /// defaults on an inbound listener `mx` and a submission listener `submission`, mail for any
    /// domain. Never served.
    pub fn builtin() -> Self {
        let mut config: Self = toml::from_str(include_str!("builtin.toml"))
            .unwrap_or_else(|e| unreachable!("the built-in configuration is tested: {e}"));
        config.any_domain = true;
        config.add_builtin_policies();
        config
    }

    /// The account that receives mail for this domain, in any case, in U-labels or A-labels.
    pub fn account_of_domain(&self, domain: &str) -> Option<&Account> {
        let domain: Option<Domain> = domain.parse().ok();
        let owns =
            |account: &&Account| domain.as_ref().is_some_and(|d| account.domains.contains(d));
        self.accounts
            .iter()
            .find(owns)
            .or_else(|| self.accounts.first().filter(|_| self.any_domain))
    }

    /// Every domain of an account, with whose it is.
    pub fn domains(&self) -> impl Iterator<Item = (&Domain, &Account)> {
        let accounts = self.accounts.iter();
        accounts.flat_map(|account| account.domains.iter().map(move |domain| (domain, account)))
    }

    /// The account of this id.
    pub fn account(&self, id: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == id)
    }

    /// The account that this user, whose name is prepared, submits for.
    pub fn account_of_user(&self, user: &str) -> Option<&Account> {
        self.accounts
            .iter()
            .find(|account| account.users.iter().any(|known| known.name == user))
            .or_else(|| self.accounts.first().filter(|_| self.any_domain))
    }

    /// Whether the file holds something that nobody else should read: a password, or a header for
    /// the collector, which is a token most often.
    pub fn holds_secrets(&self) -> bool {
        let mut accounts = self.accounts.iter();
        let headers = Headers::default();
        accounts.any(|account| !account.users.is_empty())
            || (self.otlp.as_ref()).is_some_and(|otlp| otlp.headers != headers)
    }

    /// The listener of this name.
    pub fn listener(&self, name: &str) -> Option<&Listener> {
        self.listeners.iter().find(|l| l.name == name)
    }

    /// The policy of this name.
    pub fn policy(&self, name: &str) -> Option<&Policy> {
        self.policies.iter().find(|p| p.name == name)
    }

    /// What `new` says otherwise, key by key; what of it cannot be changed while the relay runs
    /// is the error.
    ///
    /// # Errors
    /// One problem for each key that only a restart can change, at its line.
    pub fn changes(&self, new: &Self) -> Result<Vec<Change>, ConfigError> {
        let fixed = changes::fixed(self, new);
        if fixed.is_empty() {
            Ok(changes::between(&self.document, &new.document))
        } else {
            Err(new.document.refused(fixed))
        }
    }

    /// Makes relative paths relative to `base`; gives every file that the configuration names.
    fn resolve_paths(&mut self, base: &Path) -> Vec<PathBuf> {
        let mut files = Vec::new();
        self.relay.store = base.join(&self.relay.store);
        // Not one of the files that are compared: it changes with the directory, and is secret.
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
        let mut resolve = |path: &mut PathBuf| {
            *path = base.join(&*path);
            files.push(path.clone());
        };
        if let Some(tls) = &mut self.tls {
            resolve(&mut tls.certificate);
            resolve(&mut tls.key);
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
