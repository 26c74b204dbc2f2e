//! Store, policies and clients on which requests are executed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use gatepost_administrators::{Administrators, LetterSettings};
use gatepost_connections::{ConnectionKey, ConnectionStates, SqliteStandings, StandingError};
use gatepost_directory::{Directory, DirectoryError, Settings};
use gatepost_dns::NoResolver;
use gatepost_message::Millis;
use gatepost_model::{DestinationKey, Event};
use gatepost_record::PolicyRecord;
use gatepost_smtp::Reply;
use gatepost_spool::{
    Counters, Erasure, EventLog, Fatal, QueueAdmin, SpoolError, SpoolSettings, SqliteSpool, Stores,
    Suppressions,
};
use gatepost_terminal::complain;
use gatepost_trace::{Retention, Trace, TraceError};
use gatepost_webhooks::Webhooks;
use tokio::sync::mpsc;

use crate::administrators::letter_settings;
use crate::authorizations::Authorizations;
use crate::backups::Backups;
use crate::code::Code;
use crate::connections::SessionTester;
use crate::dkim::DkimTools;
use crate::domains::DomainSettings;
use crate::erasures::Erasures;
use crate::error::OperationError;
use crate::reload::PendingReload;
use crate::restrictions::SiteVolume;
use crate::site_facts::SiteFacts;
use gatepost_backup::BackupSource;
use gatepost_config::{self as config, Config, RelayConnections, SiteConnections};
use gatepost_feeds::{Client, ClientError};
use gatepost_intake::active_config::SharedConfig;
use gatepost_intake::ownership;
use gatepost_policy_set::Policies;
use gatepost_probes::Probes;

/// Returns the handler of fatal store errors: it prints a sentence on standard error and exits with
/// code 74.
pub fn fatal() -> Fatal {
    Fatal::new(|what| {
        complain(Fatal::sentence(what));
        std::process::exit(74);
    })
}

/// Function that opens a closed destination for a probe at once.
pub type Reopen = Arc<dyn Fn(&DestinationKey) + Send + Sync>;

/// Function that returns the reply that closed a destination, with its time.
pub type ClosingReply = Arc<dyn Fn(&DestinationKey) -> Option<(Millis, Reply)> + Send + Sync>;

/// Function that removes the tokens of connections that exist no more. It blocks on the disk.
pub type ForgetTokens = Arc<dyn Fn(&[ConnectionKey]) + Send + Sync>;

/// Store, and in a running relay its policies.
#[derive(Clone)]
pub struct Runtime {
    /// Queue and quarantine.
    pub queue: Arc<dyn QueueAdmin>,
    /// Events of what became of mail.
    pub events: Arc<dyn EventLog>,
    /// Counts, marks and machines.
    pub counters: Arc<dyn Counters>,
    /// Suppression lists of accounts.
    pub suppressions: Arc<dyn Suppressions>,
    /// Letters to the administrators of accounts.
    pub administrators: Arc<Administrators>,
    /// Erasure of accounts from the queue and its ledgers.
    pub erasure: Arc<dyn Erasure>,
    /// Erasures that are under way.
    pub erasures: Arc<Erasures>,
    /// Removes the tokens of connections; `None` if no relay runs: its next start removes them.
    pub forget_tokens: Option<ForgetTokens>,
    /// Trace of all transactions.
    pub trace: Arc<Trace>,
    /// Record of what policies were asked; `None` without a key ring.
    pub policy_record: Option<Arc<PolicyRecord>>,
    /// Accounts, addresses and credentials.
    pub directory: Arc<Directory>,
    /// Connections of the site and of customers.
    pub connections: Arc<RelayConnections>,
    /// States of connections.
    pub states: Arc<ConnectionStates>,
    /// Opener of sessions for tests of connections; `None` if no relay runs.
    pub tester: Option<Arc<dyn SessionTester>>,
    /// Authorizations of connections; `None` if no relay runs.
    pub authorizations: Option<Arc<Authorizations>>,
    /// Opens a closed destination for a probe; `None` if no relay runs.
    pub reopen: Option<Reopen>,
    /// Caps of the site, and the domains and users of its accounts.
    pub site: Arc<ArcSwap<SiteVolume>>,
    /// Tells why a destination is closed; `None` if no relay runs.
    pub closing_reply: Option<ClosingReply>,
    /// Running webhooks; `None` if no relay runs.
    pub webhooks: Option<Arc<Webhooks>>,
    /// Active policies; `None` if no relay runs.
    pub policies: Option<Arc<Policies>>,
    /// HTTPS client for feeds of partner addresses.
    pub feeds: Arc<ArcSwap<Client>>,
    /// Facts that customers are told; `None` inside if the configuration is not known.
    pub facts: Arc<ArcSwapOption<SiteFacts>>,
    /// Zone, selectors and resolver for DKIM keys.
    pub dkim: Arc<ArcSwap<DkimTools>>,
    /// Backups of the store and the configuration.
    pub backups: Arc<Backups>,
    /// Settings that domains are compared with; empty where the configuration is not known.
    pub domains: Arc<ArcSwapOption<DomainSettings>>,
    /// Channel to the task that reloads the configuration; `None` if no relay runs.
    pub reload: Option<mpsc::Sender<PendingReload>>,
    /// Probes that are on their way; `None` if no relay runs.
    pub probes: Option<Arc<Probes>>,
    /// Intake of mail, for messages over HTTP; `None` if no relay runs.
    pub intake: Option<Arc<SharedConfig>>,
}

/// Error of opening the store.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store does not exist.
    #[error("there is no store in {}: no relay has run on it yet; another one is named with --config or --store", .0.display())]
    NoStore(PathBuf),
    /// The store is locked, and no relay answers.
    #[error("the store {} is in use by a relay that is just starting or ending, or by another command, and its control socket does not answer; try again in a moment", .0.display())]
    Mute(PathBuf),
    /// The queue cannot be opened.
    #[error(transparent)]
    Spool(SpoolError),
    /// The trace cannot be opened.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The directory cannot be opened.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The states of connections cannot be opened.
    #[error(transparent)]
    Standings(#[from] StandingError),
    /// The record of what policies were asked cannot be opened.
    #[error("the folder of the record cannot be used: {0}")]
    Record(std::io::Error),
    /// The client for feeds cannot be made.
    #[error(transparent)]
    Feeds(#[from] ClientError),
    /// No resolver can be made.
    #[error(transparent)]
    Resolver(#[from] NoResolver),
}

impl Runtime {
    /// Returns the policies of the running relay.
    pub(crate) fn running_policies(&self) -> Result<&Policies, OperationError> {
        self.policies.as_deref().ok_or_else(|| {
            let text = "no relay is running, so no policy is active";
            OperationError::new(Code::RelayNotRunning, text)
        })
    }

    /// Appends a notice to the events. What it tells of has happened, whether or not that succeeds.
    pub(crate) async fn notice(&self, notice: Event) {
        if let Err(error) = self.events.append(vec![notice]).await {
            tracing::error!(%error, "a change was not noted as an event");
        }
    }

    /// Returns the authorizations of the running relay.
    pub(crate) fn running_authorizations(&self) -> Result<&Authorizations, OperationError> {
        self.authorizations.as_deref().ok_or_else(|| {
            let text = "no relay is running that could ask the token server";
            OperationError::new(Code::RelayNotRunning, text)
        })
    }

    /// Returns the facts about the site that customers are told.
    pub(crate) fn site_facts(&self) -> Result<Arc<SiteFacts>, OperationError> {
        self.facts.load_full().ok_or_else(|| {
            let text = "the configuration of the site is not known";
            OperationError::new(Code::NoConfiguration, text)
        })
    }

    /// Returns the intake of the running relay.
    pub(crate) fn running_intake(&self) -> Result<&Arc<SharedConfig>, OperationError> {
        self.intake.as_ref().ok_or_else(|| {
            let text = "no relay is running that could take a message";
            OperationError::new(Code::RelayNotRunning, text)
        })
    }

    /// Returns the probes of the running relay.
    pub(crate) fn running_probes(&self) -> Result<&Probes, OperationError> {
        self.probes.as_deref().ok_or_else(|| {
            let text = "no relay is running that could send a probe";
            OperationError::new(Code::RelayNotRunning, text)
        })
    }

    /// Opens the store of a relay that is not running.
    ///
    /// # Errors
    /// There is no store, or it cannot be opened.
    pub fn open(config: &Config) -> Result<Self, OpenError> {
        let settings = SpoolSettings::new(&config.relay.store);
        let mut opened = Self::open_with(
            settings.with_min_free(config.relay.min_free),
            config.trace.retention(),
            &config.directory.settings(&config.relay.store),
            Client::alone(&config.directory, &config.dns, &config.destinations)?,
            DkimTools::new(config)?,
            Arc::clone(&config.site),
            BackupSource::of(config),
        )?;
        opened.site = Arc::new(ArcSwap::from_pointee(config.into()));
        opened.facts = Arc::new(ArcSwapOption::from_pointee(SiteFacts::from(config)));
        opened.domains.store(Some(Arc::new(config.into())));
        // Templates that cannot be used keep nobody from being told.
        if let Ok(notifications) = config.notices() {
            let settings = letter_settings(config, notifications);
            opened.administrators.set_settings(settings);
        }
        (opened.directory).set_reserved_domains(ownership::reserved(config));
        Ok(opened)
    }

    /// Opens a store without a configuration. Drops nothing of its trace, because no retention is
    /// configured.
    ///
    /// # Errors
    /// As [`Runtime::open`].
    pub fn open_store(store: &Path) -> Result<Self, OpenError> {
        let directory = config::Directory::default().settings(store);
        Self::open_with(
            SpoolSettings::new(store),
            Retention::FOR_EVER,
            &directory,
            Client::alone(
                &config::Directory::default(),
                &config::Dns::default(),
                &config::Destinations::default(),
            )?,
            DkimTools::without_config()?,
            Arc::default(),
            BackupSource::of_store(store),
        )
    }

    fn open_with(
        mut settings: SpoolSettings,
        retention: Retention,
        directory: &Settings,
        feeds: Client,
        dkim: DkimTools,
        site: Arc<SiteConnections>,
        backup: BackupSource,
    ) -> Result<Self, OpenError> {
        let store = settings.directory.clone();
        if !store.join("spool.db").exists() {
            return Err(OpenError::NoStore(store));
        }
        settings.fatal = fatal();
        let spool = SqliteSpool::open(settings).map_err(|error| match error {
            SpoolError::InUse(_) => OpenError::Mute(store.clone()),
            error => OpenError::Spool(error),
        })?;
        let trace = Trace::open(store.join("trace.db"), retention)?;
        let stores = Stores::from(spool);
        let directory = Arc::new(Directory::open(directory)?);
        let administrators = Administrators::new(
            Arc::clone(&directory),
            Arc::clone(&stores.queue),
            Arc::clone(&stores.counters),
            LetterSettings::default(),
        );
        let key = directory.view().record_key();
        let records = store.join(gatepost_record::FOLDER);
        let policy_record = key.map(|key| PolicyRecord::open_idle(&records, key));
        let policy_record = policy_record.transpose().map_err(OpenError::Record)?;
        let standings = SqliteStandings::open(&store.join("connections.db"))?;
        Ok(Self {
            queue: stores.admin,
            events: stores.events,
            counters: stores.counters,
            suppressions: stores.suppressions,
            administrators: Arc::new(administrators),
            erasure: stores.erasure,
            erasures: Arc::default(),
            forget_tokens: None,
            trace: Arc::new(trace),
            policy_record,
            connections: Arc::new(RelayConnections::new(site, Arc::clone(&directory))),
            states: Arc::new(ConnectionStates::open(Box::new(standings))?),
            directory,
            tester: None,
            authorizations: None,
            reopen: None,
            site: Arc::default(),
            closing_reply: None,
            webhooks: None,
            policies: None,
            feeds: Arc::new(ArcSwap::from_pointee(feeds)),
            facts: Arc::default(),
            dkim: Arc::new(ArcSwap::from_pointee(dkim)),
            backups: Arc::new(Backups::new(backup)),
            domains: Arc::default(),
            reload: None,
            probes: None,
            intake: None,
        })
    }
}
