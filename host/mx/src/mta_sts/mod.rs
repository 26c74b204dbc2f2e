//! MTA-STS: policies by which a domain demands TLS for its mail (RFC 8461).
//!
//! A TXT record announces a policy and its id (`record`); HTTPS has its text (`fetch`, `policy`). A
//! policy that was fetched holds until its end, even if later fetches fail or the record vanishes
//! (`known`): who could suppress either could otherwise suppress the policy. It is stored
//! ([`PolicyCache`]), so that a restart forgets nothing.

mod comply;
mod fetch;
mod known;
mod policy;
mod record;
mod store;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, future, stream};
use gatepost_dns::Dns;
use gatepost_http_client::HttpClient;
use gatepost_message::Millis;
use moka::sync::Cache;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval, sleep};

use comply::comply;
use known::KnownPolicies;

use crate::{Candidate, NoRoute};

pub use fetch::{FetchError, PolicyFetcher};
pub use known::KnownPolicy;
pub use policy::{HostPattern, Mode, PolicyError, StsPolicy};
pub use record::{NoId, PolicyId, published};
pub use store::{PoliciesInMemory, PolicyCache, PolicyCacheError, PolicyFile};

/// Time after a failed fetch before the next for the domain (RFC 8461 section 3.3).
const REST: Duration = Duration::from_secs(300);

/// Most failed fetches that are remembered.
const FAILURES: u64 = 10_000;

/// Interval between checks for policies that are due for a refresh.
const CHECK_INTERVAL: Duration = Duration::from_secs(60);

/// Pause after the policies were stored, in which further changes add up.
const STORE_PAUSE: Duration = Duration::from_secs(5);

/// Policies refreshed in one check.
const REFRESHED: usize = 100;

/// Policies refreshed at one time.
const REFRESHED_AT_ONCE: usize = 8;

/// Port of HTTPS.
const HTTPS: u16 = 443;

/// Clock that policies are held against.
pub type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

/// Settings of MTA-STS.
pub struct MtaStsSettings {
    /// Client for policies. Strangers name the hosts, so it has to be a guarded one.
    pub http: HttpClient,
    /// Store of the policies.
    pub cache: Arc<dyn PolicyCache>,
    /// Port of policies: 443, but in tests.
    pub port: u16,
    /// Clock: the system's, but in tests.
    pub clock: Clock,
}

impl MtaStsSettings {
    /// Returns the settings for a client and a store.
    pub fn new(http: HttpClient, cache: Arc<dyn PolicyCache>) -> Self {
        Self {
            http,
            cache,
            port: HTTPS,
            clock: Arc::new(Millis::now),
        }
    }
}

/// Policies of domains. Clones share them.
#[derive(Clone)]
pub struct MtaSts(Arc<Inner>);

impl fmt::Debug for MtaSts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MtaSts").finish_non_exhaustive()
    }
}

struct Inner {
    fetcher: PolicyFetcher,
    cache: Arc<dyn PolicyCache>,
    clock: Clock,
    known: Mutex<KnownPolicies>,
    failed: Cache<String, ()>,
    /// Notified when the policies are other ones than those that are stored.
    changed: Notify,
}

impl MtaSts {
    /// Makes it, with the stored policies.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn new(settings: MtaStsSettings) -> Result<Self, PolicyCacheError> {
        let mut known = KnownPolicies::default();
        for policy in settings.cache.load()? {
            known.insert(Arc::new(policy));
        }
        Ok(Self(Arc::new(Inner {
            fetcher: PolicyFetcher::new(settings.http, settings.port),
            cache: settings.cache,
            clock: settings.clock,
            known: Mutex::new(known),
            failed: Cache::builder()
                .max_capacity(FAILURES)
                .time_to_live(REST)
                .build(),
            changed: Notify::new(),
        })))
    }

    /// Returns the id by which a domain announces a policy now. Without an answer there is none.
    pub(crate) async fn announced(&self, dns: &impl Dns, domain: &str) -> Option<PolicyId> {
        let found = dns.txt(&format!("_mta-sts.{domain}")).await.ok()?;
        record::published(found.records())
    }

    /// Returns those of a domain's servers that may get its mail, with the TLS that they need.
    ///
    /// # Errors
    /// There are none.
    pub(crate) async fn comply(
        &self,
        domain: &str,
        announced: Option<PolicyId>,
        servers: Vec<(u16, Candidate)>,
    ) -> Result<Vec<(u16, Candidate)>, NoRoute> {
        let is_announced = announced.is_some();
        let (servers, result) = match self.policy(domain, announced).await {
            Some(policy) => comply(&policy, servers),
            None if is_announced => (Ok(servers), "unfetched"),
            None => (Ok(servers), "none"),
        };
        metrics::counter!("gatepost_mta_sts_total", "result" => result).increment(1);
        servers
    }

    /// Returns the policy of a domain: that with the announced id, or the known one for as long as it
    /// holds.
    async fn policy(&self, domain: &str, announced: Option<PolicyId>) -> Option<Arc<KnownPolicy>> {
        let known = self.0.known.lock().get(domain, (self.0.clock)());
        match (announced, known) {
            (None, known) => known,
            (Some(id), Some(known)) if known.id == id => Some(known),
            (Some(id), known) => {
                let now = (self.0.clock)();
                self.fetch(domain, id, now).await.or(known)
            }
        }
    }

    /// Fetches a policy that mail needed at the time `used`, unless a fetch failed within the last
    /// minutes.
    async fn fetch(&self, domain: &str, id: PolicyId, used: Millis) -> Option<Arc<KnownPolicy>> {
        if self.0.failed.contains_key(domain) {
            return None;
        }
        let policy = match self.0.fetcher.fetch(domain).await {
            Ok(policy) => policy,
            Err(why) => {
                tracing::warn!(domain, %why, "the MTA-STS policy could not be fetched");
                self.0.failed.insert(domain.to_owned(), ());
                return None;
            }
        };
        let now = (self.0.clock)();
        let policy = Arc::new(KnownPolicy {
            domain: domain.to_owned(),
            id,
            fetched: now,
            used,
            policy,
        });
        self.0.known.lock().insert(Arc::clone(&policy));
        self.0.changed.notify_one();
        Some(policy)
    }

    /// Fetches policies again ahead of their end, and stores what has changed. Never returns.
    pub(crate) async fn maintain(&self, dns: &impl Dns) {
        future::join(self.refresh_when_due(dns), self.save_when_changed()).await;
    }

    async fn refresh_when_due(&self, dns: &impl Dns) {
        let mut ticks = interval(CHECK_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.refresh(dns).await;
        }
    }

    /// Fetches the policies that are due, whether or not they are still announced.
    pub(crate) async fn refresh(&self, dns: &impl Dns) {
        let due = self.0.known.lock().due((self.0.clock)(), REFRESHED);
        let refreshed =
            stream::iter(due).for_each_concurrent(REFRESHED_AT_ONCE, |policy| async move {
                let announced = self.announced(dns, &policy.domain).await;
                let id = announced.unwrap_or_else(|| policy.id.clone());
                self.fetch(&policy.domain, id, policy.used).await;
            });
        refreshed.await;
    }

    async fn save_when_changed(&self) {
        loop {
            self.0.changed.notified().await;
            let policies = self.clone();
            let saved = tokio::task::spawn_blocking(move || policies.save()).await;
            match saved {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "the policies of MTA-STS are not stored"),
                Err(error) => tracing::error!(%error, "storing the policies of MTA-STS broke off"),
            }
            sleep(STORE_PAUSE).await;
        }
    }

    /// Stores the policies. A relay calls it as it stops; [`Mx::maintain`](crate::Mx::maintain) does
    /// meanwhile.
    ///
    /// # Errors
    /// They cannot be stored.
    pub fn save(&self) -> Result<(), PolicyCacheError> {
        let policies = self.0.known.lock().all();
        self.0.cache.store(&policies)
    }
}
