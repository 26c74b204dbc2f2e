//! Connections: the site's are listed and shown, customers' are changed as well.

use std::fmt;
use std::pin::Pin;

use clap::Args;
use gatepost_connections::{
    Authorization, Classified, Connection, ConnectionDraft, ConnectionKey, ConnectionName,
    ConnectionStanding, ConnectionState, ConnectionStates, Connections as _, DialogueStage,
    FoundConnection, Profiles, RefusedTest, Secret, Serves, SessionFailure, is_soon,
};
use gatepost_directory::{Account, Refusal};
use gatepost_message::Millis;
use gatepost_model::Destination;
use gatepost_smtp::Reply;
use gatepost_spool::{QueueAdmin, Selection};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::code::Code;
use crate::directory::{account, account_id, change, unknown};
use crate::error::OperationError;
use crate::runtime::{Reopen, Runtime};

/// Secret on its way into a relay. Unlike those of a connection it is serialised: from a command to
/// the relay on the same machine.
#[derive(Clone, PartialEq, Eq, schemars::JsonSchema)]
pub struct GivenSecret(#[schemars(with = "String")] Zeroizing<String>);

impl GivenSecret {
    /// Takes a secret.
    pub fn new(secret: &Secret) -> Self {
        Self(Zeroizing::new(secret.reveal().to_owned()))
    }

    /// Returns the secret in the form in which the directory takes it.
    pub(crate) fn taken(&self) -> Secret {
        Secret::new(self.0.as_str())
    }
}

impl fmt::Debug for GivenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Secret::MASK)
    }
}

impl Serialize for GivenSecret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for GivenSecret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

/// Request to add a connection of an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddConnection {
    /// Id or native domain of the account.
    pub account: String,
    /// Name of the connection.
    pub name: ConnectionName,
    /// Settings; what they leave out comes from the profile.
    #[serde(default)]
    pub settings: ConnectionDraft<GivenSecret>,
}

/// Request to change a connection of an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetConnection {
    /// Id or native domain of the account.
    pub account: String,
    /// Name of the connection.
    pub name: ConnectionName,
    /// Settings; what they leave out stays.
    #[serde(default)]
    pub settings: ConnectionDraft<GivenSecret>,
}

/// Request for connections.
#[derive(
    Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, Args, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct ListConnections {
    /// Only those of this account, by its id or native domain.
    #[arg(long)]
    pub account: Option<String>,
}

/// Request for a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowConnection {
    /// Id or native domain of the account; without it, the connection is the site's.
    #[arg(long)]
    pub account: Option<String>,
    /// Name of the connection.
    pub name: ConnectionName,
}

/// Request to remove a connection of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveConnection {
    /// Id or native domain of the account.
    #[arg(long)]
    pub account: String,
    /// Name of the connection.
    pub name: ConnectionName,
}

/// Request to open a session by a connection, without a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestConnection {
    /// Id or native domain of the account; without it, the connection is the site's.
    #[arg(long)]
    pub account: Option<String>,
    /// Name of the connection.
    pub name: ConnectionName,
}

/// Opener of a session for [`TestConnection`]: up to the log-in, then QUIT.
pub trait SessionTester: fmt::Debug + Send + Sync {
    /// Opens a session and ends it.
    fn test<'a>(
        &'a self,
        found: &'a FoundConnection,
    ) -> Pin<Box<dyn Future<Output = TestedSession> + Send + 'a>>;
}

/// Session that was opened for a test, or was not.
#[derive(Debug, Clone, PartialEq)]
pub struct TestedSession {
    /// Lines of the dialogue, each with who said it; secrets are masked.
    pub dialogue: Vec<String>,
    /// Refusal, if it was not opened.
    pub refusal: Option<TestRefusal>,
}

/// Refusal of a session that was opened for a test.
#[derive(Debug, Clone, PartialEq)]
pub struct TestRefusal {
    /// Stage of the dialogue.
    pub stage: DialogueStage,
    /// Reply of the server, if it answered.
    pub reply: Option<Reply>,
    /// Words of the relay, where there is no reply.
    pub words: String,
    /// True if nothing but a change will help.
    pub is_permanent: bool,
}

impl TestRefusal {
    /// Returns the words of the server, or of the relay where the server said nothing.
    fn in_words(&self) -> String {
        match &self.reply {
            Some(reply) => reply.to_string(),
            None => self.words.clone(),
        }
    }
}

/// Most accounts that an error names.
const MOST_ACCOUNTS: usize = 5;

/// Result of a test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ConnectionTest {
    /// Lines of the dialogue.
    pub dialogue: Vec<String>,
    /// Stage at which the session was refused; none if it was opened.
    pub refused_at: Option<DialogueStage>,
    /// Words of the refusal.
    pub words: Option<String>,
    /// Meaning of the refusal, with the advice.
    pub meaning: Option<Classified>,
}

/// Connection in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ConnectionSummary {
    /// Account that owns it; none for the site's.
    pub account: Option<String>,
    /// Name.
    pub name: ConnectionName,
    /// Name of its profile.
    pub profile: String,
    /// Server and port.
    pub server: String,
    /// Senders whose mail leaves through it.
    pub serves: Vec<Serves>,
    /// State.
    pub status: ConnectionState,
    /// Refusal of the last test, if nothing has shown since that the connection works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_test: Option<RefusedTest>,
    /// End of its secret, if that is near.
    pub secret_expires_soon: Option<Millis>,
    /// End of its authorization, if that is near.
    pub authorization_expires_soon: Option<Millis>,
}

/// Connection in full, without its secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ConnectionDetails {
    /// Account that owns it; none for the site's.
    pub account: Option<String>,
    /// Time of creation; none for the site's.
    pub created: Option<Millis>,
    /// Time of the last change; none for the site's.
    pub changed: Option<Millis>,
    /// Settings, with `…` in the place of each secret.
    pub settings: Connection,
    /// Names of the secrets that are set.
    pub secrets: Vec<String>,
    /// State.
    pub status: ConnectionState,
    /// Refusal of the last test, if nothing has shown since that the connection works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_test: Option<RefusedTest>,
    /// Messages sent in this hour by the clock.
    pub messages_this_hour: u64,
    /// Recipients of them.
    pub recipients_this_hour: u64,
    /// Messages sent within 24 hours.
    pub messages_in_a_day: u64,
    /// Recipients of them.
    pub recipients_in_a_day: u64,
    /// Time at which the last message left.
    pub last_used: Option<Millis>,
    /// End of its secret, if that is near.
    pub secret_expires_soon: Option<Millis>,
    /// Consent by which it has a refresh token, where it logs in by one and has one.
    pub authorization: Option<Authorization>,
    /// End of its authorization, if that is near.
    pub authorization_expires_soon: Option<Millis>,
}

/// Adds a connection of an account.
///
/// # Errors
/// There is no such account, it has a connection of this name, the settings are wrong, or the store
/// cannot be changed.
pub async fn add(on: &Runtime, asked: AddConnection) -> Result<ConnectionDetails, OperationError> {
    let AddConnection {
        account,
        name,
        settings,
    } = asked;
    put(on, account, name, settings, |name, former| match former {
        None => Ok(ConnectionDraft::default()),
        Some(_) => Err(OperationError::new(
            Code::ConnectionExists,
            format!("there is a connection {name} already; `gatepost connection set` changes it"),
        )),
    })
    .await
}

/// Changes a connection of an account.
///
/// # Errors
/// There is no such account or connection, the settings are wrong, or the store cannot be changed.
pub async fn set(on: &Runtime, asked: SetConnection) -> Result<ConnectionDetails, OperationError> {
    let SetConnection {
        account,
        name,
        settings,
    } = asked;
    put(on, account, name, settings, |name, former| match former {
        Some(former) => Ok(ConnectionDraft::of(former)),
        None => Err(unknown("connection", name).into()),
    })
    .await
}

async fn put(
    on: &Runtime,
    account: String,
    name: ConnectionName,
    settings: ConnectionDraft<GivenSecret>,
    base: impl FnOnce(&ConnectionName, Option<&Connection>) -> Result<ConnectionDraft, OperationError>
    + Send
    + 'static,
) -> Result<ConnectionDetails, OperationError> {
    let id = account_id(&on.directory.view(), &account)?;
    let site = on.connections.site();
    let named = name.clone();
    let find = || {
        let found = on.connections.find(Some(&id.to_string()), name.as_str());
        found.ok_or_else(|| unknown("connection", &name))
    };
    let former = find().ok();
    let made = change(&on.directory, move |directory| {
        directory.set_connection(id, &named.clone(), |former| {
            let draft = as_draft(settings).over(base(&named, former)?);
            complete(&site.profiles, named, draft)
        })
    });
    made.await??;
    let changed = find()?;
    if let Some(former) = former {
        (on.states).carry_authorization(&changed.key, &former.connection, &changed.connection);
    }
    let key = changed.key;
    (on.states).show([(key.clone(), &*changed.connection)], Millis::now());
    try_now(&*on.queue, &on.states, on.reopen.as_ref(), &key).await?;
    if let Ok(probes) = on.running_probes() {
        probes.look_now();
    }
    details(on, &key)
}

/// Has a connection that was changed tried at once, with the mail that waits for it.
///
/// # Errors
/// The queue cannot be changed.
pub async fn try_now(
    queue: &dyn QueueAdmin,
    states: &ConnectionStates,
    reopen: Option<&Reopen>,
    key: &ConnectionKey,
) -> Result<(), OperationError> {
    let now = Millis::now();
    states.with(key, |standing| standing.try_now(now));
    flow(queue, reopen, key, now).await
}

/// Opens the way of a connection, and makes due what waits there.
async fn flow(
    queue: &dyn QueueAdmin,
    reopen: Option<&Reopen>,
    key: &ConnectionKey,
    now: Millis,
) -> Result<(), OperationError> {
    let destination = Destination::Connection {
        account: key.account.as_deref().map(str::to_owned),
        name: key.name.to_string(),
    };
    let destination = destination.key();
    if let Some(reopen) = reopen {
        reopen(&destination);
    }
    let waiting = Selection {
        destination: Some(destination),
        ..Selection::default()
    };
    queue.retry(waiting, now).await?;
    Ok(())
}

pub(crate) fn as_draft(settings: ConnectionDraft<GivenSecret>) -> ConnectionDraft {
    let made = settings.with_secrets(|_, secret| {
        Ok::<_, std::convert::Infallible>(Secret::new(secret.0.as_str()))
    });
    match made {
        Ok(draft) => draft,
        Err(never) => match never {},
    }
}

pub(crate) fn complete(
    profiles: &Profiles,
    name: ConnectionName,
    draft: ConnectionDraft,
) -> Result<Connection, OperationError> {
    let wanted = draft.profile.as_deref().unwrap_or(Profiles::GENERIC);
    let Some(profile) = profiles.get(wanted) else {
        let wanted: String = wanted.chars().take(64).collect();
        let text = format!(
            "there is no profile {wanted:?}; there are {}",
            profiles.names()
        );
        return Err(OperationError::new(Code::UnknownProfile, text));
    };
    draft.complete(name, profile).map_err(|problems| {
        let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
        OperationError::new(Code::InvalidConnection, lines.join("\n"))
    })
}

/// Lists connections: of one account, or the site's and those of all accounts.
///
/// # Errors
/// There is no such account.
pub fn list(
    on: &Runtime,
    asked: ListConnections,
) -> Result<Vec<ConnectionSummary>, OperationError> {
    let view = on.directory.view();
    let only = asked
        .account
        .map(|named| account_id(&view, &named))
        .transpose()?;
    let only = only.map(|id| id.to_string());
    let now = Millis::now();
    let all = on.connections.all().into_iter();
    let wanted =
        all.filter(|found| only.is_none() || found.key.account.as_deref() == only.as_deref());
    let summaries = wanted.map(|found| {
        let (authorization, refused_test) = on.states.read(&found.key, |standing| {
            (standing.authorization(), standing.refused_test().cloned())
        });
        ConnectionSummary {
            account: found.key.account.as_deref().map(str::to_owned),
            name: found.key.name.clone(),
            profile: found.connection.profile.clone(),
            server: found.connection.server(),
            serves: found.connection.serves.clone(),
            status: on.states.state_of(&found.key),
            refused_test,
            secret_expires_soon: soon(found.connection.secret_expires, now),
            authorization_expires_soon: soon(ends(authorization), now),
        }
    });
    Ok(summaries.collect())
}

/// Shows a connection, without its secrets.
///
/// # Errors
/// There is no such account or connection.
pub fn show(on: &Runtime, asked: ShowConnection) -> Result<ConnectionDetails, OperationError> {
    let key = key_of(on, asked.account.as_deref(), asked.name)?;
    details(on, &key)
}

/// Removes a connection of an account.
///
/// # Errors
/// There is no such account or connection, or the store cannot be changed.
pub async fn remove(on: &Runtime, asked: RemoveConnection) -> Result<(), OperationError> {
    let id = account_id(&on.directory.view(), &asked.account)?;
    let name = asked.name.clone();
    change(&on.directory, move |directory| {
        directory.remove_connection(id, &name)
    })
    .await?;
    on.states
        .forget(&ConnectionKey::of_account(id.to_string(), asked.name));
    Ok(())
}

/// Opens a session by a connection, and ends it. A broken connection works again if that succeeds;
/// a refusal is kept with the connection until a session is opened or it is changed.
///
/// # Errors
/// There is no such account or connection, or no relay runs.
pub async fn test(on: &Runtime, asked: TestConnection) -> Result<ConnectionTest, OperationError> {
    let key = key_of(on, asked.account.as_deref(), asked.name)?;
    let found = on
        .connections
        .find(key.account.as_deref(), key.name.as_str());
    let found = found.ok_or_else(|| no_connection(on, &key))?;
    let OpenedSession { dialogue, refusal } = open_session(on, &found).await?;
    let (refusal, meaning) = refusal.map(|of| (of.refusal, of.meaning)).unzip();
    Ok(ConnectionTest {
        dialogue,
        refused_at: refusal.as_ref().map(|refusal| refusal.stage),
        words: refusal.as_ref().map(TestRefusal::in_words),
        meaning,
    })
}

/// Session that was opened to see whether it comes about.
pub(crate) struct OpenedSession {
    /// Lines of the dialogue.
    pub(crate) dialogue: Vec<String>,
    /// Refusal, if it was not opened.
    pub(crate) refusal: Option<SessionMeaning>,
}

/// Refusal of a session, with its meaning.
pub(crate) struct SessionMeaning {
    pub(crate) refusal: TestRefusal,
    pub(crate) meaning: Classified,
}

/// Opens a session by a connection, up to its log-in, and ends it. If it comes about, the mail that
/// waits for the connection goes.
pub(crate) async fn open_session(
    on: &Runtime,
    found: &FoundConnection,
) -> Result<OpenedSession, OperationError> {
    let tester = on.tester.as_ref().ok_or_else(|| {
        let text = "no relay is running that could open a session";
        OperationError::new(Code::RelayNotRunning, text)
    })?;
    let TestedSession { dialogue, refusal } = tester.test(found).await;
    let refusal = refusal.map(|refusal| {
        let failure = SessionFailure {
            stage: refusal.stage,
            reply: refusal.reply.as_ref(),
            words: &refusal.words,
            is_permanent: refusal.is_permanent,
        };
        // What is learnt by a test stops no mail: the state is not the connection's.
        let meaning =
            ConnectionStanding::default().session_refused(found.terms(), failure, Millis::now());
        SessionMeaning { refusal, meaning }
    });
    match &refusal {
        None => {
            on.states
                .with(&found.key, ConnectionStanding::session_opened);
            flow(&*on.queue, on.reopen.as_ref(), &found.key, Millis::now()).await?;
        }
        Some(SessionMeaning { refusal, meaning }) => {
            let refused = RefusedTest {
                at: Millis::now(),
                stage: refusal.stage,
                words: refusal.in_words(),
                advice: meaning.advice.clone(),
            };
            on.states
                .with(&found.key, |standing| standing.test_refused(refused));
        }
    }
    Ok(OpenedSession { dialogue, refusal })
}

/// Returns the error about a connection that there is not. One of the site is asked for where no
/// account is named: the accounts that have one of this name are named then.
fn no_connection(on: &Runtime, key: &ConnectionKey) -> OperationError {
    let of_accounts = || {
        let all = on.connections.all().into_iter();
        let named = all.filter(|of| of.key.name == key.name);
        named.filter_map(|of| of.key.account.as_deref().map(str::to_owned))
    };
    let accounts: Vec<_> = match key.account {
        None => of_accounts().take(MOST_ACCOUNTS).collect(),
        Some(_) => Vec::new(),
    };
    if accounts.is_empty() {
        return unknown("connection", &key.name).into();
    }
    let view = on.directory.view();
    let native = accounts.iter().map(|id| match account(&view, id) {
        Ok(of) => of.profile.native_domain.to_string(),
        Err(_) => id.clone(),
    });
    let native: Vec<_> = native.collect();
    let text = format!(
        "the site has no connection {}, but an account has: name its account with --account ({})",
        key.name,
        native.join(", ")
    );
    OperationError::new(Code::UnknownConnection, text)
}

/// Returns the key of a connection of an account, or of the site.
pub(crate) fn key_of(
    on: &Runtime,
    account: Option<&str>,
    name: ConnectionName,
) -> Result<ConnectionKey, OperationError> {
    Ok(match account {
        None => ConnectionKey::of_site(name),
        Some(named) => {
            let id = account_id(&on.directory.view(), named)?;
            ConnectionKey::of_account(id.to_string(), name)
        }
    })
}

fn details(on: &Runtime, key: &ConnectionKey) -> Result<ConnectionDetails, OperationError> {
    let found = on
        .connections
        .find(key.account.as_deref(), key.name.as_str());
    let found: FoundConnection = found.ok_or_else(|| no_connection(on, key))?;
    let now = Millis::now();
    let standing = on.states.of(key);
    let (messages, recipients) = standing.sent_in_a_day(now);
    let (messages_this_hour, recipients_this_hour) = standing.sent_this_hour(now);
    let view = on.directory.view();
    let owner: Option<Result<&Account, Refusal>> =
        key.account.as_deref().map(|named| account(&view, named));
    let owner = owner.transpose()?;
    let owned = owner.and_then(|of| view.connection(of.id, key.name.as_str()));
    Ok(ConnectionDetails {
        account: key.account.as_deref().map(str::to_owned),
        created: owned.map(|owned| owned.created),
        changed: owned.map(|owned| owned.changed),
        secrets: (found
            .connection
            .secret_names()
            .into_iter()
            .map(str::to_owned))
        .collect(),
        settings: (*found.connection).clone().without_secrets(),
        status: standing.state().clone(),
        refused_test: standing.refused_test().cloned(),
        messages_this_hour,
        recipients_this_hour,
        messages_in_a_day: messages,
        recipients_in_a_day: recipients,
        last_used: standing.last_used(),
        secret_expires_soon: soon(found.connection.secret_expires, now),
        authorization: standing.authorization(),
        authorization_expires_soon: soon(ends(standing.authorization()), now),
    })
}

fn ends(authorization: Option<Authorization>) -> Option<Millis> {
    authorization.and_then(|authorization| authorization.expires)
}

fn soon(at: Option<Millis>, now: Millis) -> Option<Millis> {
    at.filter(|at| is_soon(*at, now))
}
