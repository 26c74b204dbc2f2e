//! Authorization of connections by a person, for a refresh token: begun by one request, awaited by
//! others. It goes on if nobody awaits it.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clap::Args;
use gatepost_connections::{
    ConnectionKey, ConnectionName, ConnectionStanding, Connections as _, FoundConnection,
};
use gatepost_message::Millis;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use crate::code::Code;
use crate::connections::{key_of, try_now};
use crate::directory::unknown;
use crate::error::OperationError;
use crate::runtime::Runtime;

/// Most authorizations that are under way, or whose result waits to be fetched.
const MOST: usize = 100;

/// Longest time for which a request waits.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Request to begin the authorization of a connection. It takes the place of one that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthorizeConnection {
    /// Id or native domain of the account; without it, the connection is the site's.
    #[arg(long)]
    pub account: Option<String>,
    /// Name of the connection.
    pub name: ConnectionName,
}

/// Request to wait for an authorization, ten seconds at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AwaitAuthorization {
    /// Id of the authorization.
    pub id: u64,
}

/// Progress of an authorization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(
    tag = "state",
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
pub enum AuthorizationProgress {
    /// A person has to consent.
    Waiting {
        /// Id of the authorization.
        id: u64,
        /// Page to open in a browser, in the token server's words: escape it.
        page: String,
        /// Code to enter there, in the token server's words: escape it.
        code: String,
        /// End of the time in which the code is valid.
        until: Millis,
    },
    /// The refresh token is stored.
    Authorized {
        /// End of its life, if the token server says it.
        expires: Option<Millis>,
    },
}

/// Page and code for the person who consents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentPrompt {
    /// Page.
    pub page: String,
    /// Code.
    pub code: String,
    /// Time for which the code is valid.
    pub valid_for: Duration,
}

/// Function that is given the prompt, once there is one.
pub type ShowPrompt = Box<dyn FnOnce(ConsentPrompt) + Send>;

/// Seam to the token servers of connections.
pub trait ConnectionAuthorizer: fmt::Debug + Send + Sync {
    /// Shows a prompt, waits for the consent, and stores the refresh token.
    fn authorize<'a>(
        &'a self,
        found: &'a FoundConnection,
        show: ShowPrompt,
    ) -> Pin<Box<dyn Future<Output = Result<(), OperationError>> + Send + 'a>>;
}

/// Authorizations of a running relay.
#[derive(Debug)]
pub struct Authorizations {
    authorizer: Arc<dyn ConnectionAuthorizer>,
    last_id: AtomicU64,
    by_connection: Mutex<HashMap<ConnectionKey, Begun>>,
}

/// Progress so far; none until there is a prompt.
type Progress = Option<Result<AuthorizationProgress, OperationError>>;

/// Authorization that has begun.
#[derive(Debug)]
struct Begun {
    id: u64,
    progress: watch::Receiver<Progress>,
    task: AbortHandle,
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Authorizations {
    /// Makes authorizations by these token servers.
    pub fn new(authorizer: Arc<dyn ConnectionAuthorizer>) -> Self {
        Self {
            authorizer,
            last_id: AtomicU64::new(0),
            by_connection: Mutex::default(),
        }
    }

    /// Returns the connection whose authorization has this id.
    pub(crate) fn connection_of(&self, id: u64) -> Option<ConnectionKey> {
        let begun = self.by_connection.lock();
        let found = begun.iter().find(|(_, begun)| begun.id == id);
        found.map(|(key, _)| key.clone())
    }

    fn begin(
        &self,
        on: &Runtime,
        found: FoundConnection,
    ) -> Result<watch::Receiver<Progress>, OperationError> {
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let (sender, progress) = watch::channel(None);
        let key = found.key.clone();
        let mut begun = self.by_connection.lock();
        begun.remove(&key);
        if begun.len() >= MOST {
            begun.retain(|_, begun| !begun.task.is_finished());
        }
        if begun.len() >= MOST {
            let text = format!("{MOST} authorizations wait for a person already");
            return Err(OperationError::new(Code::TooManyAuthorizations, text));
        }
        let (on, authorizer) = (on.clone(), Arc::clone(&self.authorizer));
        let task = tokio::spawn(async move {
            let shown = sender.clone();
            let show = Box::new(move |prompt: ConsentPrompt| {
                shown.send_replace(Some(Ok(AuthorizationProgress::Waiting {
                    id,
                    page: prompt.page,
                    code: prompt.code,
                    until: Millis::now() + prompt.valid_for,
                })));
            });
            let ended = match authorizer.authorize(&found, show).await {
                Ok(()) => authorized(&on, &found.key).await,
                Err(error) => Err(error),
            };
            match &ended {
                Ok(_) => tracing::info!(connection = %found.key, "connection authorized"),
                Err(error) => {
                    tracing::warn!(connection = %found.key, %error, "connection not authorized");
                }
            }
            sender.send_replace(Some(ended));
        });
        let task = task.abort_handle();
        let made = Begun {
            id,
            progress: progress.clone(),
            task,
        };
        begun.insert(key, made);
        Ok(progress)
    }
}

async fn authorized(
    on: &Runtime,
    key: &ConnectionKey,
) -> Result<AuthorizationProgress, OperationError> {
    let found = (on.connections).find(key.account.as_deref(), key.name.as_str());
    let found = found.as_ref();
    let shown = found.map(|found| (key.clone(), &*found.connection));
    on.states.show(shown, Millis::now());
    try_now(&*on.queue, &on.states, on.reopen.as_ref(), key).await?;
    let authorization = on.states.read(key, ConnectionStanding::authorization);
    Ok(AuthorizationProgress::Authorized {
        expires: authorization.and_then(|authorization| authorization.expires),
    })
}

/// Begins the authorization of a connection, and returns the page and the code for the person who
/// consents.
///
/// # Errors
/// There is no such account or connection, it does not log in by a refresh token, its token server
/// refuses, or no relay runs.
pub async fn begin(
    on: &Runtime,
    asked: AuthorizeConnection,
) -> Result<AuthorizationProgress, OperationError> {
    let key = key_of(on, asked.account.as_deref(), asked.name)?;
    let found = (on.connections).find(key.account.as_deref(), key.name.as_str());
    let found = found.ok_or_else(|| unknown("connection", &key.name))?;
    let mut progress = on.running_authorizations()?.begin(on, found)?;
    progress_of(progress.wait_for(Option::is_some).await)
}

/// Waits for an authorization, ten seconds at most.
///
/// # Errors
/// It was refused, nobody consented in time, or another one took its place.
pub async fn wait(
    on: &Runtime,
    asked: AwaitAuthorization,
) -> Result<AuthorizationProgress, OperationError> {
    let progress = {
        let begun = on.running_authorizations()?.by_connection.lock();
        let begun = begun.values().find(|begun| begun.id == asked.id);
        begun.map(|begun| begun.progress.clone())
    };
    let mut progress = progress.ok_or_else(replaced)?;
    let is_over = |progress: &Progress| {
        !matches!(
            progress,
            None | Some(Ok(AuthorizationProgress::Waiting { .. }))
        )
    };
    let ended = timeout(HEARTBEAT, progress.wait_for(is_over)).await;
    let ended = ended.map(progress_of);
    ended.unwrap_or_else(|_| progress_of(Ok(progress.borrow())))
}

fn progress_of(
    heard: Result<watch::Ref<'_, Progress>, watch::error::RecvError>,
) -> Result<AuthorizationProgress, OperationError> {
    let heard = heard.ok().and_then(|progress| (*progress).clone());
    heard.unwrap_or_else(|| Err(replaced()))
}

pub(crate) fn replaced() -> OperationError {
    OperationError::new(
        Code::UnknownAuthorization,
        "the authorization was broken off: another one of the connection was begun, or the relay \
         was started anew",
    )
}
