//! The world as delivery asks it: mail exchanges, the addresses of hosts that others name, and the
//! application.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use gatepost_application::{Application, Target};
use gatepost_certificates::{TrustError, client_tls, trusted_roots};
use gatepost_config::{Config, account_endpoint};
use gatepost_connections::ServerTrust;
use gatepost_directory::{AccountEndpoint, AccountId, EndpointName};
use gatepost_dns::Resolver;
use gatepost_guard::Guard;
use gatepost_http_client::{HttpClient, TlsError};
use gatepost_model::Destination;
use gatepost_mx::{MtaSts, MtaStsSettings, Mx, Own, PolicyCacheError, PolicyFile, Settings};
use parking_lot::Mutex;
use tokio::task::AbortHandle;

use super::connection::trust;

/// Look-ups of one configuration.
#[derive(Clone)]
pub struct Outside {
    /// Look-up of mail exchanges.
    pub(super) mx: Mx,
    /// Guard over hosts that customers name.
    pub(super) guard: Guard,
    /// Client for URLs that customers name.
    pub(super) strangers: HttpClient,
    /// The same for webhooks that say which certificates they have, by name.
    webhooks: HashMap<String, HttpClient>,
    /// Client for the site's own URLs.
    pub(super) own: HttpClient,
    /// Resolver of the relay.
    pub(super) resolver: Resolver,
    /// Way to the application without SMTP.
    application: Application,
    /// The same for endpoints that say which certificates they have, by name.
    trusting: HashMap<String, Application>,
    /// The same for endpoints of accounts, by account and name, as they were last set.
    of_accounts: Arc<Mutex<AccountEndpoints>>,
    /// Name of this relay.
    hostname: String,
    /// URL below which links to attachments are served, if they are.
    links: Option<String>,
    /// Task that refreshes the policies of domains, which ends with the last clone.
    _upkeep: Arc<Upkeep>,
}

/// Endpoints of accounts that were made ready, each with its generation.
type AccountEndpoints = HashMap<(AccountId, EndpointName), (u64, Arc<Target>, Application)>;

/// Endpoints that are kept ready: above that, they are all made anew as they are needed.
const MOST_READY: usize = 10_000;

/// Error of making the look-ups.
#[derive(Debug, thiserror::Error)]
pub enum OutsideError {
    /// The certificates that the relay trusts cannot be read.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The TLS library refuses its own defaults.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] TlsError),
    /// The stored policies of domains cannot be read.
    #[error("the MTA-STS policies in the store cannot be read: {0}")]
    Policies(#[from] PolicyCacheError),
}

impl Outside {
    /// Makes the look-ups of a configuration, which ask this resolver.
    ///
    /// # Errors
    /// Certificates or stored policies cannot be read.
    pub fn new(config: &Config, resolver: &Resolver) -> Result<Self, OutsideError> {
        show_alarms(config);
        let guard = config.destinations.guard(resolver);
        let mut settings = Settings::new(own(config));
        settings.port = config.mx.port;
        let roots = trusted_roots(config.delivery.ca_file.as_deref().map(Path::new))?;
        let strangers = HttpClient::guarded(roots.clone(), guard.clone())?;
        if config.mx.mta_sts {
            let cache = PolicyFile::new(config.relay.store.join("mta-sts.json"));
            settings.mta_sts = Some(MtaSts::new(MtaStsSettings {
                port: config.mx.mta_sts_port,
                ..MtaStsSettings::new(strangers.clone(), Arc::new(cache))
            })?);
        }
        // Shown from the start.
        metrics::counter!("gatepost_mta_sts_total", "result" => "none").increment(0);
        let mx = Mx::new(guard.clone(), settings);
        let maintained = mx.clone();
        let upkeep = tokio::spawn(async move { maintained.maintain().await });
        let own = HttpClient::new(roots)?;
        let links = config.handover.as_ref().map(|page| page.url.to_string());
        let application = |client| {
            let application = Application::new(client, config.relay.hostname.as_ascii());
            application.with_links(links.clone())
        };
        let mut trusting = HashMap::new();
        for (name, endpoint) in &config.endpoints {
            if let Target::Http(settings) = &**endpoint
                && settings.trust != ServerTrust::Public
            {
                let tls = client_tls(trust(&settings.trust)?, None)?;
                trusting.insert(name.clone(), application(HttpClient::with_tls(tls)));
            }
        }
        let mut webhooks = HashMap::new();
        for (name, settings) in &config.webhooks {
            if settings.trust != ServerTrust::Public {
                let tls = client_tls(trust(&settings.trust)?, None)?;
                let client = HttpClient::guarded_with_tls(tls, guard.clone());
                webhooks.insert(name.clone(), client);
            }
        }
        Ok(Self {
            mx,
            guard,
            strangers,
            webhooks,
            resolver: resolver.clone(),
            application: application(own.clone()),
            trusting,
            of_accounts: Arc::default(),
            hostname: config.relay.hostname.as_ascii().to_owned(),
            links,
            own,
            _upkeep: Arc::new(Upkeep(upkeep.abort_handle())),
        })
    }
}

impl Outside {
    /// Returns the client that posts to a webhook.
    pub fn webhook(&self, name: &str) -> HttpClient {
        let own = self.webhooks.get(name);
        own.unwrap_or(&self.strangers).clone()
    }

    /// Returns the way to the application by a destination.
    pub(super) fn application(&self, destination: &Destination) -> Application {
        let own = match destination {
            Destination::Http(name) => self.trusting.get(name),
            _ => None,
        };
        own.unwrap_or(&self.application).clone()
    }

    /// Returns an endpoint of an account as it is set now, and the way to it, which the guard watches.
    /// Both are made once for each generation, since that reads certificates.
    ///
    /// # Errors
    /// What is wrong with its settings.
    pub(super) fn endpoint(
        &self,
        endpoint: &AccountEndpoint,
    ) -> Result<(Arc<Target>, Application), String> {
        let key = (endpoint.account, endpoint.name.clone());
        let mut ready = self.of_accounts.lock();
        if let Some((generation, target, application)) = ready.get(&key)
            && *generation == endpoint.generation
        {
            return Ok((Arc::clone(target), application.clone()));
        }
        let made = account_endpoint(&endpoint.settings, self.links.is_some());
        let target = made.map_err(|error| error.to_string())?;
        let client = match &target {
            Target::Http(settings) if settings.trust != ServerTrust::Public => {
                let trust = trust(&settings.trust).map_err(|error| error.to_string())?;
                let tls = client_tls(trust, None).map_err(|error| error.to_string())?;
                HttpClient::guarded_with_tls(tls, self.guard.clone())
            }
            _ => self.strangers.clone(),
        };
        let application =
            Application::new(client, self.hostname.as_str()).with_links(self.links.clone());
        let target = Arc::new(target);
        if ready.len() >= MOST_READY {
            ready.clear();
        }
        let entry = (
            endpoint.generation,
            Arc::clone(&target),
            application.clone(),
        );
        ready.insert(key, entry);
        Ok((target, application))
    }
}

struct Upkeep(AbortHandle);

impl Drop for Upkeep {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Shows the count of alarms of each way to the application before the first, so that an alarm on
/// growth sees that.
fn show_alarms(config: &Config) {
    let endpoints = config.endpoints.keys().cloned().map(Destination::Http);
    let maildirs = config.maildirs.keys().cloned().map(Destination::Maildir);
    let of_accounts = Destination::AccountEndpoint {
        account: String::new(),
        name: String::new(),
    };
    for destination in endpoints.chain(maildirs).chain([of_accounts]) {
        let destination = destination.label();
        metrics::counter!("gatepost_application_alarms_total", "destination" => destination)
            .increment(0);
    }
}

/// Returns the names and addresses under which other servers reach this relay.
fn own(config: &Config) -> Own {
    let names = config.mx.own_names.iter().cloned();
    Own {
        names: names
            .chain([config.relay.hostname.as_ascii().to_owned()])
            .collect(),
        addresses: config.mx.own_addresses.clone(),
        listeners: config
            .listeners
            .iter()
            .map(|listener| listener.address)
            .collect(),
    }
}
