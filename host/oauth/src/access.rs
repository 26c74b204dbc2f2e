//! Access tokens of a connection: kept, renewed ahead, one request at a time.

use std::sync::Arc;
use std::time::Duration;

use gatepost_http_client::HttpClient;
use gatepost_message::Millis;
use zeroize::Zeroizing;

use crate::request::request;
use crate::{
    AccessToken, Endpoint, Grant, GrantKind, OauthError, Prompt, TokenSet, TokenStore, authorize,
};

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
pub struct AccessTokens {
    grant: Arc<Grant>,
    http: HttpClient,
    kept: Arc<KeptTokens>,
}

/// Tokens that all clones share.
struct KeptTokens {
    store: Arc<dyn TokenStore>,
    clock: Clock,
    /// Locked while a request is under way, so that there is one.
    state: tokio::sync::Mutex<State>,
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
    /// Grant that failed: with another one the server is asked at once.
    grant: Arc<Grant>,
    error: OauthError,
    count: u32,
    not_before: Millis,
}

impl AccessTokens {
    /// Makes the tokens of a connection; nothing is asked for yet.
    pub fn new(grant: Grant, http: HttpClient, store: Arc<dyn TokenStore>, clock: Clock) -> Self {
        Self {
            grant: Arc::new(grant),
            http,
            kept: Arc::new(KeptTokens {
                store,
                clock,
                state: tokio::sync::Mutex::default(),
            }),
        }
    }

    /// Returns the same tokens, renewed by another grant from now on, such as one with a new
    /// secret of the client.
    #[must_use]
    pub fn with_grant(&self, grant: Grant) -> Self {
        Self {
            grant: Arc::new(grant),
            ..self.clone()
        }
    }

    /// Returns the same tokens, renewed by another HTTP client from now on.
    #[must_use]
    pub fn with_http(&self, http: HttpClient) -> Self {
        Self {
            http,
            ..self.clone()
        }
    }

    /// Returns a valid access token. `refused` is one that a server has just refused, so that
    /// another is fetched, unless that has happened already.
    ///
    /// # Errors
    /// There is none.
    pub async fn token(&self, refused: Option<&str>) -> Result<Zeroizing<String>, OauthError> {
        let tokens = self.clone();
        let refused = refused.map(|token| Zeroizing::new(token.to_owned()));
        // A task of its own: if the caller gives up, the answer is stored all the same.
        let fetching = tokio::spawn(async move { tokens.fetch(refused).await });
        let gone = |_| {
            Err(OauthError::Unavailable(
                "the request was broken off".to_owned(),
            ))
        };
        fetching.await.unwrap_or_else(gone)
    }

    /// Gets the tokens that a person consents to, by [`authorize`], in place of those before. They
    /// are durable when it returns.
    ///
    /// # Errors
    /// As of [`authorize`], or the tokens cannot be stored.
    pub async fn authorize(
        &self,
        device_url: &Endpoint,
        show: impl FnOnce(Prompt) + Send,
    ) -> Result<(), OauthError> {
        let tokens = authorize(&self.http, &self.grant, device_url, &self.kept.clock, show).await?;
        let mut state = self.kept.state.lock().await;
        *state = State {
            tokens,
            loaded: true,
            unsaved: true,
            failure: None,
        };
        self.save(&mut state).await
    }
}

impl std::fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("AccessTokens").field(&self.grant).finish()
    }
}

impl AccessTokens {
    async fn fetch(
        &self,
        refused: Option<Zeroizing<String>>,
    ) -> Result<Zeroizing<String>, OauthError> {
        let mut state = self.kept.state.lock().await;
        self.load(&mut state).await?;
        if state.unsaved {
            self.save(&mut state).await?;
        }
        let now = (self.kept.clock)();
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
            && let Some(tokens) = self.kept.store.load().await?
        {
            state.tokens = tokens;
            state.loaded = true;
        }
        Ok(())
    }

    async fn save(&self, state: &mut State) -> Result<(), OauthError> {
        self.kept.store.store(&state.tokens).await?;
        state.unsaved = false;
        Ok(())
    }

    /// Asks for another access token, unless the server is to be left alone.
    async fn renew(&self, state: &mut State, now: Millis) -> Result<Zeroizing<String>, OauthError> {
        let before = state.failure.as_ref();
        let before = before.filter(|failed| Arc::ptr_eq(&failed.grant, &self.grant));
        if let Some(failed) = before
            && now < failed.not_before
        {
            return Err(failed.error.clone());
        }
        let count = before.map_or(0, |failed| failed.count);
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
                let wait = FIRST_WAIT * 2u32.pow(count.min(10));
                state.failure = Some(Failed {
                    grant: Arc::clone(&self.grant),
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
            None => new.refresh_expires_at.or(state.tokens.refresh_expires_at),
        };
        state.tokens = TokenSet {
            refresh: new.refresh.or_else(|| state.tokens.refresh.take()),
            refresh_expires_at: expires,
            access: new.access,
        };
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
