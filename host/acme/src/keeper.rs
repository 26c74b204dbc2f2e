//! The keeper: shows the certificate that is there, and gets the next one in time.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use gatepost_certificates::{IssuedCertificate, PendingValidations, trusted_roots};
use gatepost_http_client::HttpClient;
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::attempts::{Attempts, FailureCause, renewal};
use crate::challenges::Challenges;
use crate::folder::AcmeFolder;
use crate::server::ChallengeServer;
use crate::stored::StoredCertificate;
use crate::transport::AcmeTransport;
use crate::{AcmeError, AcmeSettings, account, obtain};

/// Longest sleep: the clock of the system may be set, or stand still, meanwhile.
const LOOK: Duration = Duration::from_secs(600);

/// Pause after the store failed.
const STORE_FAILED: Duration = Duration::from_secs(60);

/// Number of certificates and failures, by `result`.
const ORDERS: &str = "gatepost_acme_orders_total";

/// End of the certificate, in seconds since 1970; 0 while there is none.
const EXPIRES: &str = "gatepost_acme_certificate_expires_timestamp_seconds";

/// Settings that can be activated.
#[derive(Debug, Clone)]
pub struct PreparedAcme {
    settings: AcmeSettings,
    client: HttpClient,
}

impl PreparedAcme {
    /// Reads the roots that the settings name.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn new(settings: AcmeSettings) -> Result<Self, AcmeError> {
        let roots = trusted_roots(settings.ca_file.as_deref())?;
        let client = HttpClient::new(roots)?;
        Ok(Self { settings, client })
    }
}

/// Keeper of the certificate.
pub struct AcmeKeeper {
    folder: AcmeFolder,
    issued: IssuedCertificate,
    challenges: Challenges,
    server: ChallengeServer,
    active: watch::Sender<Option<Arc<PreparedAcme>>>,
    /// Time of the next order that was logged last.
    told: Mutex<Option<SystemTime>>,
}

impl AcmeKeeper {
    /// Makes the keeper of a store. Nothing is read or asked before settings are
    /// [activated](Self::activate).
    pub fn new(store: &Path) -> Self {
        let challenges = Challenges::default();
        Self {
            folder: AcmeFolder::of(store),
            issued: IssuedCertificate::default(),
            server: ChallengeServer::new(challenges.clone()),
            challenges,
            active: watch::Sender::new(None),
            told: Mutex::default(),
        }
    }

    /// Returns the certificate, which is there once one was issued.
    pub fn certificate(&self) -> IssuedCertificate {
        self.issued.clone()
    }

    /// Returns the validations that are under way.
    pub fn validations(&self) -> PendingValidations {
        self.challenges.handshakes.clone()
    }

    /// Returns the server that the authority looks at.
    pub fn server(&self) -> &ChallengeServer {
        &self.server
    }

    /// Activates settings, or none; shows the certificate of the store, if it has one. Blocks.
    pub fn activate(&self, prepared: Option<PreparedAcme>) {
        match &prepared {
            None => {
                self.issued.clear();
                metrics::gauge!(EXPIRES).set(0.0);
            }
            Some(_) => match self.stored() {
                Ok(stored) => self.show(stored.as_ref()),
                Err(error) => tracing::error!(
                    %error,
                    "the certificate of the store cannot be used, and another is ordered"
                ),
            },
        }
        self.active.send_replace(prepared.map(Arc::new));
    }

    /// Reads the certificate of the store.
    fn stored(&self) -> Result<Option<StoredCertificate>, AcmeError> {
        let content = AcmeFolder::read(&self.folder.certificate())?;
        content
            .map(|content| StoredCertificate::read(&content))
            .transpose()
    }

    fn show(&self, certificate: Option<&StoredCertificate>) {
        let Some(certificate) = certificate else {
            return;
        };
        let ends = certificate.life.1;
        self.issued.set(Arc::clone(&certificate.key), ends);
        let since = ends.duration_since(SystemTime::UNIX_EPOCH);
        metrics::gauge!(EXPIRES).set(since.unwrap_or_default().as_secs_f64());
    }

    /// Keeps the certificate up to date. Ends with the relay.
    pub async fn run(self: Arc<Self>) {
        let mut changes = self.active.subscribe();
        loop {
            let active = changes.borrow_and_update().clone();
            let pause = match active {
                None => None,
                Some(active) => Some(self.step(active).await),
            };
            let pause = async {
                match pause {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = pause => {}
                changed = changes.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Makes an attempt, if one is due; returns the time until the next look.
    async fn step(self: &Arc<Self>, active: Arc<PreparedAcme>) -> Duration {
        let of = Arc::clone(self);
        let looked = Arc::clone(&active);
        let due = blocking(move || of.due(&looked.settings)).await;
        let (due, attempts) = match due {
            Ok(due) => due,
            Err(error) => return store_failed(&error),
        };
        let wait = due.duration_since(SystemTime::now()).unwrap_or_default();
        if !wait.is_zero() {
            if self.told.lock().replace(due) != Some(due) {
                tracing::info!(at = %shown(due), "next order of a certificate");
            }
            return wait.min(LOOK);
        }
        match self.attempt(active, attempts).await {
            // What comes next is found by looking again.
            Ok(()) => Duration::ZERO,
            Err(error) => store_failed(&error),
        }
    }

    /// Returns the time of the next attempt, with the record of attempts.
    fn due(&self, settings: &AcmeSettings) -> Result<(SystemTime, Attempts), AcmeError> {
        let now = SystemTime::now();
        // One that is damaged was said to be when it was activated.
        let stored = self.stored().ok().flatten();
        let fits = |of: &StoredCertificate| {
            of.is_of(&settings.directory) && of.lacks(&settings.names).is_none()
        };
        let fitting = stored.filter(fits);
        let wanted = fitting.map_or(now, |of| renewal(of.life, settings.renew_before));
        let attempts: Option<Attempts> = match AcmeFolder::read_json(&self.folder.attempts()) {
            Err(error) if error.is_damage() => None,
            read => read?,
        };
        let attempts = attempts.unwrap_or_default().of(settings);
        Ok((attempts.due(wanted, settings, now), attempts))
    }

    /// Makes one attempt.
    ///
    /// # Errors
    /// The store fails. That the authority does is in the log.
    async fn attempt(
        self: &Arc<Self>,
        active: Arc<PreparedAcme>,
        mut attempts: Attempts,
    ) -> Result<(), AcmeError> {
        let settings = &active.settings;
        let begun = SystemTime::now();
        attempts.begin(settings, rand::random(), begun);
        self.record(&attempts).await?;
        tracing::info!(names = ?settings.names, "asking the certificate authority for a certificate");
        let transport = AcmeTransport::new(active.client.clone());
        match self.obtained(settings, &transport).await {
            Ok(certificate) => {
                attempts.issued(SystemTime::now());
                self.record(&attempts).await?;
                self.show(Some(&certificate));
                metrics::counter!(ORDERS, "result" => "issued").increment(1);
                let (expires, renewed) = (
                    certificate.life.1,
                    renewal(certificate.life, settings.renew_before),
                );
                tracing::info!(
                    names = ?settings.names,
                    expires = %shown(expires),
                    renewal = %shown(renewed),
                    "certificate issued, and shown from now on"
                );
            }
            Err(error) => {
                let cause = match () {
                    () if error.is_rate_limited() => FailureCause::RateLimited,
                    () if error.is_of_the_way() => FailureCause::Unreachable,
                    () => FailureCause::Refused,
                };
                let now = SystemTime::now();
                let (demanded, jitter) = (transport.demanded(), rand::random());
                attempts.failed(cause, settings, jitter, demanded, now);
                self.record(&attempts).await?;
                if error.is_of_the_account() {
                    account::forget(&self.folder)?;
                }
                metrics::counter!(ORDERS, "result" => "failed").increment(1);
                self.tell_failure(
                    settings,
                    &error,
                    attempts.due(now, settings, now),
                    &attempts,
                );
            }
        }
        Ok(())
    }

    /// Orders a certificate, and keeps it.
    async fn obtained(
        self: &Arc<Self>,
        settings: &AcmeSettings,
        transport: &AcmeTransport,
    ) -> Result<StoredCertificate, AcmeError> {
        let account = account::open(&self.folder, settings, transport).await?;
        let (file, certificate) = obtain::obtain(&account, settings, &self.challenges).await?;
        let folder = self.folder.clone();
        blocking(move || folder.write(&folder.certificate(), file.as_bytes())).await?;
        Ok(certificate)
    }

    async fn record(&self, attempts: &Attempts) -> Result<(), AcmeError> {
        let (folder, attempts) = (self.folder.clone(), attempts.clone());
        blocking(move || folder.write_json(&folder.attempts(), &attempts)).await
    }

    fn tell_failure(
        &self,
        settings: &AcmeSettings,
        error: &AcmeError,
        next: SystemTime,
        attempts: &Attempts,
    ) {
        let (names, failures, next) = (&settings.names, attempts.failures(), shown(next));
        match self.issued.get_valid() {
            Some(_) => tracing::warn!(
                ?names, %error, failures, next_attempt = %next,
                "certificate not renewed, the one in use stays"
            ),
            None => tracing::error!(
                ?names, %error, failures, next_attempt = %next,
                "no valid certificate: the certificate authority has issued none"
            ),
        }
    }
}

fn store_failed(error: &AcmeError) -> Duration {
    tracing::error!(%error, "no certificate is asked for: the store fails");
    STORE_FAILED
}

/// Returns a time as logs show it.
pub(crate) fn shown(time: SystemTime) -> String {
    Timestamp::try_from(time).map_or_else(
        |_| "never".to_owned(),
        |time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    )
}

/// Runs what waits for the disk.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}
