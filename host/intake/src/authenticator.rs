//! Authentication of clients: the users of the configuration, who submit, and the credentials of
//! the directory, each within its [scope](Scope).
//!
//! A name is first looked for among the users of the configuration, on every listener
//! ([`Ownership`] does the same), so that one name is one identity. A credential of the wrong kind
//! for a listener, a cancelled one and one that does not exist are refused in the same words, after
//! the same work, with a salt that is the same on every listener and for every spelling: so a
//! client does not learn which it was (RFC 4954 section 6).
//!
//! A submitter whose account is suspended is told so, but only after the secret was right. So is
//! whoever logs in with a credential in its [grace period](Standing::Grace): the reply is a temporary
//! one, so that the client keeps its mail and comes again.
//!
//! A login [is valid](Authenticator::is_valid) no longer than the secret that it was made with, and
//! the login of a domain no longer than the domain is verified: an open session asks before each
//! command.

mod attempts;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use gatepost_directory::{Directory, Known, Scope, Secret, Standing, UserName, View};
use gatepost_message::Millis;
use gatepost_model::Flow;
use gatepost_sasl::{Claim, Verifier, prepare};
use gatepost_smtp::Reply;

pub use self::attempts::AuthenticationAttempts;
use crate::http_submission::HttpProgram;
use crate::ownership::Ownership;
use gatepost_config::{Allowance, Config};

/// Users of one configuration and of the directory, and the check of their secrets.
#[derive(Debug)]
pub struct Authenticator {
    users: HashMap<String, ConfiguredUser>,
    allowance: Allowance,
    /// Grace period of credentials.
    grace: Duration,
    attempts: Arc<AuthenticationAttempts>,
}

/// Refusal of a log-in.
#[derive(Debug)]
pub struct LogInRefusal {
    /// Reply to the client.
    pub reply: Reply,
    /// Credential in its grace period with which the client would have logged in.
    pub in_grace: Option<UserName>,
    /// Credential that is locked out, because too many log-ins with it have failed.
    pub locked_out: Option<UserName>,
}

impl From<Reply> for LogInRefusal {
    fn from(reply: Reply) -> Self {
        Self {
            reply,
            in_grace: None,
            locked_out: None,
        }
    }
}

/// A user of the configuration.
#[derive(Debug)]
struct ConfiguredUser {
    verifier: Verifier,
    /// Id of the account that the user submits for.
    account: String,
}

/// An authenticated identity, as a session keeps it.
#[derive(Debug, Clone)]
pub struct Login {
    /// Name that the client gave.
    given: String,
    identity: LoginIdentity,
}

#[derive(Debug, Clone)]
enum LoginIdentity {
    /// A user of the configuration, as long as the password stays the same.
    User(String, Verifier),
    /// A credential of the directory, until its use ends.
    Credential(UserName),
    /// A program with a token, for one message over HTTP.
    Program(String),
}

impl Login {
    /// Returns the login of a program whose token was found to be good.
    pub(crate) fn of_program(program: &HttpProgram) -> Self {
        let name = program.to_string();
        Self {
            given: name.clone(),
            identity: LoginIdentity::Program(name),
        }
    }

    /// Returns the name that the client gave.
    pub fn given(&self) -> &str {
        &self.given
    }

    /// Returns the canonical name: a credential's own, where the client gave its alias.
    pub fn name(&self) -> &str {
        match &self.identity {
            LoginIdentity::User(name, _) | LoginIdentity::Program(name) => name,
            LoginIdentity::Credential(name) => name.as_str(),
        }
    }

    fn record(&self, directory: &Directory, from: IpAddr) {
        if let LoginIdentity::Credential(name) = &self.identity {
            directory.record_use(name, Some(from), Millis::now());
        }
    }
}

impl Authenticator {
    /// Reads the users of a configuration. Takes some milliseconds for each, since it makes
    /// verifiers of their passwords.
    pub fn new(config: &Config, directory: &View, attempts: Arc<AuthenticationAttempts>) -> Self {
        let users = config.accounts.iter();
        let users = users.flat_map(|account| account.users.iter().map(move |user| (account, user)));
        let users = users.map(|(account, user)| {
            let verifier = directory.verifier_of_nobody(&user.name);
            let user_of_account = ConfiguredUser {
                verifier: verifier.with_password(user.password.reveal()),
                account: account.id.clone(),
            };
            (user.name.clone(), user_of_account)
        });
        Self {
            users: users.collect(),
            allowance: config.log_ins.allowance(),
            grace: config.directory.grace,
            attempts,
        }
    }

    /// Returns the verifier to check a proof of this user against; the user need not exist.
    ///
    /// # Errors
    /// The reply to the client, if there were too many failures.
    pub fn verifier(
        &self,
        directory: &View,
        from: IpAddr,
        user: &str,
    ) -> Result<Verifier, LogInRefusal> {
        // The challenge tells nothing of the password; the proof is what counts.
        let counted = self.counted(directory, user);
        match self.attempts.admits(&self.allowance, from, &counted) {
            true => Ok(self.known(directory, user)),
            false => Err(self.too_many(directory, user)),
        }
    }

    /// Returns the refusal of a client for whom too many log-ins have failed.
    fn too_many(&self, directory: &View, user: &str) -> LogInRefusal {
        let known = match self.users.contains_key(user) {
            true => None,
            false => directory.credential(user),
        };
        let name = known.map(|known| known.credential.user_name.clone());
        let is_locked_out =
            |name: &UserName| self.attempts.is_locked_out(&self.allowance, name.as_str());
        LogInRefusal {
            locked_out: name.filter(is_locked_out),
            ..too_many(user).into()
        }
    }

    /// Returns the name under which failures for this user are counted: one for all names of a
    /// credential, and for all spellings of an alias that does not exist.
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
        let of_user = || Some(self.users.get(user)?.verifier.clone());
        let of_credential = || Some(directory.credential(user)?.verifier.clone());
        let known = of_user().or_else(of_credential);
        known.unwrap_or_else(|| directory.verifier_of_nobody(user))
    }

    /// Returns the login of this name in this direction without a check of its secret: a trusted
    /// proxy has checked it.
    ///
    /// # Errors
    /// The reply to the proxy: there is no such user here.
    pub fn trust(
        &self,
        directory: &Directory,
        flow: Flow,
        from: IpAddr,
        user: &str,
    ) -> Result<Login, LogInRefusal> {
        let view = directory.view();
        if let Some(login) = self.find(&view, flow, user) {
            login.record(directory, from);
            return Ok(login);
        }
        if let Some(refusal) = self.in_grace(&view, flow, user) {
            return Err(refusal);
        }
        tracing::warn!(
            user = shown(user),
            "a proxy speaks for a user who is not known"
        );
        Err(Reply::new(535, "5.7.8", "This user is not known here").into())
    }

    /// Returns the refusal for now of a credential in its grace period, whose secret was right.
    fn in_grace(&self, directory: &View, flow: Flow, user: &str) -> Option<LogInRefusal> {
        let name = prepare(user);
        if self.users.contains_key(&*name) {
            return None;
        }
        let known = directory.credential(&name).filter(|of| fits(of, flow))?;
        let standing = directory.standing(known, self.grace, Millis::now());
        (standing == Standing::Grace).then(|| {
            let name = known.credential.user_name.clone();
            tracing::info!(user = name.as_str(), "a credential is used after its end");
            // RFC 4954 section 6: a temporary failure, so the client keeps its mail.
            let text =
                "This credential is not in use now: ask its administrator for the present one";
            LogInRefusal {
                reply: Reply::new(454, "4.7.0", text),
                in_grace: Some(name),
                locked_out: None,
            }
        })
    }

    fn find(&self, directory: &View, flow: Flow, user: &str) -> Option<Login> {
        let name = prepare(user);
        let identity = match self.users.get(&*name) {
            Some(user) if flow == Flow::Submission => {
                LoginIdentity::User(name.into_owned(), user.verifier.clone())
            }
            Some(_) => return None,
            None => LoginIdentity::Credential(credential(directory, flow, &name)?.clone()),
        };
        Some(Login {
            given: user.to_owned(),
            identity,
        })
    }

    /// Checks a claim. A refusal is delayed, longer with each failure.
    ///
    /// # Errors
    /// The reply to the client: the claim does not hold, the user may not log in here, or there
    /// were too many failures.
    pub async fn authenticate(
        &self,
        directory: &Directory,
        flow: Flow,
        from: IpAddr,
        claim: Claim,
    ) -> Result<Login, LogInRefusal> {
        let (user, mechanism) = (claim.user().to_owned(), claim.mechanism());
        let view = directory.view();
        let verifier = self.known(&view, &user);
        let counted = self.counted(&view, &user);
        // The attempt is counted before the work is done, so that parallel sessions get no more
        // guesses than sequential ones.
        let attempt = self.attempts.begin(&self.allowance, from, &counted).await;
        let Some(attempt) = attempt else {
            return Err(self.too_many(&view, &user));
        };
        let holds = tokio::task::spawn_blocking(move || claim.holds(&verifier));
        let holds = holds.await.unwrap_or(false);
        let found = self.find(&directory.view(), flow, &user);
        if let Some(login) = found.filter(|_| holds) {
            attempt.succeeded();
            login.record(directory, from);
            if self.is_suspended(&directory.view(), flow, &login) {
                metrics::counter!("gatepost_suspended_refusals_total").increment(1);
                tracing::info!(
                    user = login.name(),
                    "authenticated, and its account is suspended"
                );
                // RFC 5248: X.7.13, with 525 where the log-in itself succeeded.
                let text = "The account is suspended: ask its operator";
                return Err(Reply::new(525, "5.7.13", text).into());
            }
            tracing::info!(user = login.name(), %mechanism, "authenticated");
            return Ok(login);
        }
        if holds && let Some(refusal) = self.in_grace(&directory.view(), flow, &user) {
            attempt.succeeded();
            return Err(refusal);
        }
        let delay = attempt.failed();
        metrics::counter!("gatepost_authentication_failures_total").increment(1);
        tracing::warn!(user = shown(&user), %mechanism, "authentication failed");
        tokio::time::sleep(delay).await;
        let text = "Authentication credentials invalid";
        Err(Reply::new(535, "5.7.8", text).into())
    }

    /// Returns true if a login of this or an earlier configuration is still valid.
    pub fn is_valid(&self, directory: &View, login: &Login) -> bool {
        match &login.identity {
            LoginIdentity::User(name, verifier) => {
                let user = self.users.get(name);
                user.is_some_and(|user| user.verifier == *verifier)
            }
            LoginIdentity::Credential(name) => directory.is_live(name),
            LoginIdentity::Program(_) => true,
        }
    }

    /// Returns true if the account that a login submits for is suspended.
    fn is_suspended(&self, directory: &View, flow: Flow, login: &Login) -> bool {
        let account = match &login.identity {
            LoginIdentity::User(name, _) => self.users.get(name).map(|user| user.account.clone()),
            LoginIdentity::Credential(name) => {
                let known = directory.credential(name.as_str());
                known.map(|known| known.credential.account.to_string())
            }
            LoginIdentity::Program(name) => HttpProgram::parse(name).map(|of| of.account),
        };
        let account = account.filter(|_| flow == Flow::Submission);
        account.is_some_and(|account| directory.suspension(&account).is_some())
    }
}

/// Returns the reply to a client that has failed too often.
fn too_many(user: &str) -> Reply {
    metrics::counter!("gatepost_authentication_limited_total").increment(1);
    tracing::warn!(user = shown(user), "too many failed log-ins");
    let text = "Too many failed log-ins, try again later";
    Reply::new(454, "4.7.0", text)
}

/// Returns a user's name fit for the log: neither long nor a secret that was put into the wrong
/// field.
fn shown(user: &str) -> &str {
    match user.len() <= 64 && !user.starts_with(Secret::PREFIX) {
        true => user,
        false => "(not shown)",
    }
}

/// Returns the credential that authenticates by this name in this direction.
fn credential<'a>(directory: &'a View, flow: Flow, user: &str) -> Option<&'a UserName> {
    let known: &Arc<Known> = directory.credential(user)?;
    (directory.holds(known) && fits(known, flow)).then_some(&known.credential.user_name)
}

/// Returns true if a credential is for mail of this direction.
fn fits(known: &Known, flow: Flow) -> bool {
    match &known.credential.scope {
        Scope::Inbound { .. } => flow == Flow::Inbound,
        Scope::Submission => flow == Flow::Submission,
    }
}

impl Ownership<'_> {
    /// Returns the account that an authenticated user submits for.
    pub fn account_of_submitter(self, user: &str) -> Option<String> {
        if let Some(account) = self.config.account_of_user(user) {
            return Some(account.id.clone());
        }
        if let Some(program) = HttpProgram::parse(user) {
            return Some(program.account);
        }
        let known = self.directory.credential(user)?;
        let submits = known.credential.scope == Scope::Submission && self.directory.holds(known);
        submits.then(|| known.credential.account.to_string())
    }
}
