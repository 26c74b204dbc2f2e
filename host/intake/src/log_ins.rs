//! Who may log in: the users of the configuration, who submit, and the credentials of the
//! directory, each for what its [scope](Scope) says.
//!
//! A name is first looked for among the users of the configuration, everywhere ([`Ownership`]
//! does the same), so that one name is one identity. What is of the wrong kind for a listener, what
//! is revoked and what does not exist is refused in the same words, after the same work, with a
//! salt that is the same on every listener and for every spelling: nobody learns which it was (RFC
//! 4954 section 6).
//!
//! A log-in [holds](LogIns::hold) no longer than what it was made with, and that of a domain no
//! longer than somebody vouches for the domain: an open session asks before each command.

mod attempts;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use gatepost_directory::{Directory, Known, Scope, Secret, UserName, View};
use gatepost_message::Millis;
use gatepost_model::Flow;
use gatepost_sasl::{Claim, Verifier, prepare};
use gatepost_smtp::Reply;

pub use self::attempts::Attempts;
use crate::ownership::Ownership;
use gatepost_config::{Allowance, Config};

/// Who may log in under one configuration.
#[derive(Debug)]
pub struct LogIns {
    users: HashMap<String, Verifier>,
    allowance: Allowance,
    attempts: Arc<Attempts>,
}

/// A log-in, as a session keeps it.
#[derive(Debug, Clone)]
pub struct LogIn {
    /// The name that the client gave.
    given: String,
    identity: Identity,
}

#[derive(Debug, Clone)]
enum Identity {
    /// A user of the configuration, as long as the password is this one.
    User(String, Verifier),
    /// A credential of the directory, as long as it lives.
    Credential(UserName),
}

impl LogIn {
    /// The name that the client gave.
    pub fn given(&self) -> &str {
        &self.given
    }

    /// The name that stands for it everywhere: a credential's own, where its alias was given.
    pub fn name(&self) -> &str {
        match &self.identity {
            Identity::User(name, _) => name,
            Identity::Credential(name) => name.as_str(),
        }
    }

    fn record(&self, directory: &Directory) {
        if let Identity::Credential(name) = &self.identity {
            directory.record_use(name, Millis::now());
        }
    }
}

impl LogIns {
    /// Those of a configuration. Costs some milliseconds for each of its users, of whose passwords
    /// it makes verifiers.
    pub fn new(config: &Config, directory: &View, attempts: Arc<Attempts>) -> Self {
        let users = config.accounts.iter().flat_map(|account| &account.users);
        let verifier = |user: &gatepost_config::User| {
            let verifier = directory.verifier_of_nobody(&user.name);
            let verifier = verifier.with_password(user.password.reveal());
            (user.name.clone(), verifier)
        };
        Self {
            users: users.map(verifier).collect(),
            allowance: config.log_ins.allowance(),
            attempts,
        }
    }

    /// By what a proof of this user is checked, who need not exist.
    ///
    /// # Errors
    /// There were too many failures; what the client is told.
    pub fn verifier(&self, directory: &View, from: IpAddr, user: &str) -> Result<Verifier, Reply> {
        // The challenge tells nothing of the password; the proof is what counts.
        let counted = self.counted(directory, user);
        match self.attempts.admits(&self.allowance, from, &counted) {
            true => Ok(self.known(directory, user)),
            false => Err(too_many(user)),
        }
    }

    /// Under what the failures for this user are counted: one for all names of a credential, and
    /// for all spellings of an alias that is none.
    fn counted(&self, directory: &View, user: &str) -> String {
        if self.users.contains_key(user) {
            return user.to_owned();
        }
        match directory.credential(user) {
            Some(known) => known.credential.user_name.as_str().to_owned(),
            None => View::identity(user),
        }
    }

    fn known(&self, directory: &View, user: &str) -> Verifier {
        let of_user = || self.users.get(user).cloned();
        let of_credential = || Some(directory.credential(user)?.verifier.clone());
        let known = of_user().or_else(of_credential);
        known.unwrap_or_else(|| directory.verifier_of_nobody(user))
    }

    /// The log-in of this name where mail travels that way, taken on trust: somebody else has
    /// checked it.
    pub fn trust(&self, directory: &Directory, flow: Flow, user: &str) -> Option<LogIn> {
        let log_in = self.find(&directory.view(), flow, user);
        match &log_in {
            Some(log_in) => log_in.record(directory),
            None => tracing::warn!(
                user = shown(user),
                "a proxy speaks for a user who is not known"
            ),
        }
        log_in
    }

    fn find(&self, directory: &View, flow: Flow, user: &str) -> Option<LogIn> {
        let name = prepare(user);
        let identity = match self.users.get(&*name) {
            Some(verifier) if flow == Flow::Submission => {
                Identity::User(name.into_owned(), verifier.clone())
            }
            Some(_) => return None,
            None => Identity::Credential(credential(directory, flow, &name)?.clone()),
        };
        Some(LogIn {
            given: user.to_owned(),
            identity,
        })
    }

    /// Answers a claim. What is refused has cost the client time, more with each failure.
    ///
    /// # Errors
    /// It does not hold, it is for nobody who may come in here, or there were too many failures;
    /// what the client is told.
    pub async fn log_in(
        &self,
        directory: &Directory,
        flow: Flow,
        from: IpAddr,
        claim: Claim,
    ) -> Result<LogIn, Reply> {
        let (user, mechanism) = (claim.user().to_owned(), claim.mechanism());
        let view = directory.view();
        let verifier = self.known(&view, &user);
        let counted = self.counted(&view, &user);
        // It counts before the work is done: guesses in sessions side by side are as few as one
        // after the other.
        let attempt = self.attempts.begin(&self.allowance, from, &counted).await;
        let Some(attempt) = attempt else {
            return Err(too_many(&user));
        };
        let holds = tokio::task::spawn_blocking(move || claim.holds(&verifier));
        let holds = holds.await.unwrap_or(false);
        let found = self.find(&directory.view(), flow, &user);
        if let Some(log_in) = found.filter(|_| holds) {
            attempt.succeeded();
            log_in.record(directory);
            tracing::info!(user = log_in.name(), %mechanism, "authenticated");
            return Ok(log_in);
        }
        let delay = attempt.failed();
        metrics::counter!("gatepost_authentication_failures_total").increment(1);
        tracing::warn!(user = shown(&user), %mechanism, "authentication failed");
        tokio::time::sleep(delay).await;
        let text = "Authentication credentials invalid";
        Err(Reply::new(535, "5.7.8", text))
    }

    /// Whether a log-in of this or an earlier configuration still holds.
    pub fn hold(&self, directory: &View, log_in: &LogIn) -> bool {
        match &log_in.identity {
            Identity::User(name, verifier) => self.users.get(name) == Some(verifier),
            Identity::Credential(name) => directory.is_live(name),
        }
    }
}

/// What is said where nobody is listened to for a while.
fn too_many(user: &str) -> Reply {
    metrics::counter!("gatepost_authentication_limited_total").increment(1);
    tracing::warn!(user = shown(user), "too many failed log-ins");
    let text = "Too many failed log-ins, try again later";
    Reply::new(454, "4.7.0", text)
}

/// A name as the log may hold it: not one that is long, nor one that is a secret, which somebody
/// has put in the wrong field.
fn shown(user: &str) -> &str {
    match user.len() <= 64 && !user.starts_with(Secret::PREFIX) {
        true => user,
        false => "(not shown)",
    }
}

/// The credential that logs in by this name where mail travels that way.
fn credential<'a>(directory: &'a View, flow: Flow, user: &str) -> Option<&'a UserName> {
    let known: &Arc<Known> = directory.credential(user)?;
    let fits = match &known.credential.scope {
        Scope::Inbound { .. } => flow == Flow::Inbound,
        Scope::Submission => flow == Flow::Submission,
    };
    (directory.holds(known) && fits).then_some(&known.credential.user_name)
}

impl Ownership<'_> {
    /// The account that this user, who has logged in, submits for.
    pub fn account_of_submitter(self, user: &str) -> Option<String> {
        if let Some(account) = self.config.account_of_user(user) {
            return Some(account.id.clone());
        }
        let known = self.directory.credential(user)?;
        let submits = known.credential.scope == Scope::Submission && self.directory.holds(known);
        submits.then(|| known.credential.account.to_string())
    }
}
