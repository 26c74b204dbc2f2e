//! Access tokens of a connection: kept, renewed ahead, one request at a time.

use std::sync::Arc;
use std::time::Duration;

use gatepost_http_client::HttpClient;
use gatepost_message::Millis;
use parking_lot::Mutex;
use zeroize::Zeroizing;

use crate::request::request;
use crate::{AccessToken, Grant, GrantKind, OauthError, TokenSet, TokenStore};

/// Source of the time: the wall clock, except in tests.
pub type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

/// Time before its end at which a token is no longer used: a log-in takes a moment.
const MARGIN: Duration = Duration::from_secs(30);

/// Wait after the first failed request; it doubles with each.
const FIRST_WAIT: Duration = Duration::from_secs(10);

/// Longest wait between requests that fail.
const LONGEST_WAIT: Duration = Duration::from_secs(10 * 60);

/// Access tokens of one connection. Clones share them.
#[derive(Clone)]
pub struct AccessTokens(Arc<Keeper>);

struct Keeper {
    grant: Grant,
    http: HttpClient,
    store: Arc<dyn TokenStore>,
    clock: Clock,
    /// Locked while a request is under way, so that there is one.
    state: tokio::sync::Mutex<State>,
    refresh_expires_at: Mutex<Option<Millis>>,
}

#[derive(Default)]
struct State {
    tokens: TokenSet,
    loaded: bool,
    /// True if a new refresh token is not durable yet.
    unsaved: bool,
    failure: Option<Failed>,
}

/// Failed requests in a row.
struct Failed {
    error: OauthError,
    count: u32,
    not_before: Millis,
}

impl AccessTokens {
    /// Makes the tokens of a connection; nothing is asked for yet.
    pub fn new(grant: Grant, http: HttpClient, store: Arc<dyn TokenStore>, clock: Clock) -> Self {
        Self(Arc::new(Keeper {
            grant,
            http,
            store,
            clock,
            state: tokio::sync::Mutex::default(),
            refresh_expires_at: Mutex::default(),
        }))
    }

    /// Returns a valid access token. `refused` is one that a server has just refused, so that
    /// another is fetched, unless that has happened already.
    ///
    /// # Errors
    /// There is none.
    pub async fn token(&self, refused: Option<&str>) -> Result<Zeroizing<String>, OauthError> {
        let keeper = Arc::clone(&self.0);
        let refused = refused.map(|token| Zeroizing::new(token.to_owned()));
        // A task of its own: if the caller gives up, the answer is stored all the same.
        let fetching = tokio::spawn(async move { keeper.token(refused).await });
        let gone = |_| {
            Err(OauthError::Unavailable(
                "the request was broken off".to_owned(),
            ))
        };
        fetching.await.unwrap_or_else(gone)
    }

    /// Returns the end of the secret's or of the refresh token's life, whichever is earlier and
    /// known: somebody has to be warned ahead of it.
    pub fn expires_at(&self) -> Option<Millis> {
        let refresh = *self.0.refresh_expires_at.lock();
        self.0
            .grant
            .secret_expires_at
            .into_iter()
            .chain(refresh)
            .min()
    }
}

impl std::fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("AccessTokens").field(&self.0.grant).finish()
    }
}

impl Keeper {
    async fn token(
        &self,
        refused: Option<Zeroizing<String>>,
    ) -> Result<Zeroizing<String>, OauthError> {
        let mut state = self.state.lock().await;
        self.load(&mut state).await?;
        if state.unsaved {
            self.save(&mut state).await?;
        }
        let now = (self.clock)();
        let usable = |access: &&AccessToken| {
            now + MARGIN < access.expires_at && refused.as_ref() != Some(&access.secret)
        };
        let kept = state.tokens.access.as_ref().filter(usable);
        let kept = kept.map(|access| (access.secret.clone(), access.renew_at));
        if let Some((secret, renew_at)) = &kept
            && now < *renew_at
        {
            return Ok(secret.clone());
        }
        match (self.renew(&mut state, now).await, kept) {
            (Ok(secret), _) => Ok(secret),
            // A refresh token that is not durable must not be lost, so this is no time to go on.
            (Err(error @ OauthError::Store(_)), _) => Err(error),
            (Err(error), Some((secret, _))) => {
                tracing::warn!(%error, "cannot renew an access token ahead of its end");
                Ok(secret)
            }
            (Err(error), None) => Err(error),
        }
    }

    /// Reads the stored tokens, once there are some.
    async fn load(&self, state: &mut State) -> Result<(), OauthError> {
        if !state.loaded
            && let Some(tokens) = self.store.load().await?
        {
            *self.refresh_expires_at.lock() = tokens.refresh_expires_at;
            state.tokens = tokens;
            state.loaded = true;
        }
        Ok(())
    }

    async fn save(&self, state: &mut State) -> Result<(), OauthError> {
        self.store.store(&state.tokens).await?;
        state.unsaved = false;
        Ok(())
    }

    /// Asks for another access token, unless the server is to be left alone.
    async fn renew(&self, state: &mut State, now: Millis) -> Result<Zeroizing<String>, OauthError> {
        if let Some(failed) = &state.failure
            && now < failed.not_before
        {
            return Err(failed.error.clone());
        }
        let first = match &self.grant.kind {
            GrantKind::RefreshToken { first, .. } => first.as_ref(),
            _ => None,
        };
        let refresh = state.tokens.refresh.as_ref().or(first);
        match request(&self.http, &self.grant, refresh, now).await {
            Ok(tokens) => {
                state.failure = None;
                self.adopt(state, tokens).await
            }
            // Nothing was asked: the next one may find it authorized.
            Err(OauthError::NotAuthorized) => Err(OauthError::NotAuthorized),
            Err(error) => {
                let count = state.failure.as_ref().map_or(0, |failed| failed.count);
                let wait = FIRST_WAIT * 2u32.pow(count.min(10));
                state.failure = Some(Failed {
                    error: error.clone(),
                    count: count + 1,
                    not_before: now + wait.min(LONGEST_WAIT),
                });
                Err(error)
            }
        }
    }

    /// Stores new tokens, and returns the access token once nothing can be lost.
    async fn adopt(
        &self,
        state: &mut State,
        new: TokenSet,
    ) -> Result<Zeroizing<String>, OauthError> {
        let rotated = new.refresh.is_some() && new.refresh != state.tokens.refresh;
        // RFC 6749 section 6: without a new one, the old one stays valid.
        let expires = match &new.refresh {
            Some(_) => new.refresh_expires_at,
            None => state.tokens.refresh_expires_at,
        };
        state.tokens = TokenSet {
            refresh: new.refresh.or_else(|| state.tokens.refresh.take()),
            refresh_expires_at: expires,
            access: new.access,
        };
        *self.refresh_expires_at.lock() = expires;
        state.loaded = true;
        state.unsaved = rotated;
        let saved = self.save(state).await;
        match saved {
            Err(error) if rotated => return Err(error),
            // It is fetched again after a restart.
            Err(error) => tracing::warn!(%error, "an access token is not kept"),
            Ok(()) => {}
        }
        let access = state.tokens.access.as_ref();
        let none = || OauthError::Unavailable("its answer holds no token".to_owned());
        access.map(|access| access.secret.clone()).ok_or_else(none)
    }
}
