//! OAuth tokens of connections, which all sessions of a connection share.

use std::collections::HashMap;
use std::sync::Arc;

use gatepost_connections::{
    ConnectionKey, FoundConnection, Oauth, OauthGrant, Secret, ServerCredential,
};
use gatepost_delivery::open::TokenUser;
use gatepost_http_client::HttpClient;
use gatepost_message::Millis;
use gatepost_oauth::{
    AccessTokens, ClientAuthentication, Endpoint, Grant, GrantKind, OauthError, Prompt, SigningKey,
};
use parking_lot::Mutex;
use zeroize::Zeroizing;

use super::Ways;
use super::token_file::{TokenFile, TokenFolder};

/// Most tokens that are kept in memory: each address that a message leaves from may have its own.
const MOST_IN_MEMORY: usize = 1000;

/// Tokens of all connections that log in with some.
pub(super) struct ConnectionTokens {
    pub(super) folder: TokenFolder,
    by_user: Mutex<HashMap<(ConnectionKey, String), InMemory>>,
}

/// Tokens of a connection for one user or for all mail.
struct InMemory {
    /// Generation of the connection whose grant renews them.
    generation: u64,
    file: TokenFile,
    tokens: AccessTokens,
}

/// Reason why nobody can authorize a connection, or nobody has.
#[derive(Debug, thiserror::Error)]
pub enum NotAuthorized {
    /// It does not log in by a refresh token.
    #[error(
        "the connection {0} does not log in by a refresh token: set grant = \"refresh-token\" in it"
    )]
    OtherGrant(ConnectionKey),
    /// It names no device authorization endpoint.
    #[error(
        "the connection {0} has no `device-url`, where the service lets devices be authorized: set \
         it, or get a refresh token by other means and set that"
    )]
    NoDeviceUrl(ConnectionKey),
    /// Its settings cannot be used.
    #[error("the connection {0} cannot be used: {1}")]
    Settings(ConnectionKey, String),
    /// The token server refused, or nobody consented.
    #[error(transparent)]
    Refused(#[from] OauthError),
}

impl ConnectionTokens {
    /// Keeps tokens in this folder.
    pub(super) fn new(folder: TokenFolder) -> Self {
        Self {
            folder,
            by_user: Mutex::default(),
        }
    }

    /// Returns the credential of a connection for a user.
    ///
    /// # Errors
    /// The reason why there can be none, for whoever set the connection.
    pub(super) fn of(
        &self,
        found: &FoundConnection,
        oauth: &Oauth,
        user: &str,
        http: HttpClient,
    ) -> Result<TokenUser, String> {
        // Only an assertion speaks for one user of many.
        let subject = match &oauth.grant {
            OauthGrant::JwtBearer { .. } => user,
            _ => "",
        };
        Ok(TokenUser {
            user: user.to_owned(),
            tokens: self.tokens(found, oauth, subject, http)?,
        })
    }

    fn tokens(
        &self,
        found: &FoundConnection,
        oauth: &Oauth,
        subject: &str,
        http: HttpClient,
    ) -> Result<AccessTokens, String> {
        let mut by_user = self.by_user.lock();
        let key = (found.key.clone(), subject.to_owned());
        if let Some(kept) = by_user.get(&key)
            && kept.generation == found.generation
        {
            return Ok(kept.tokens.with_http(http));
        }
        let grant = grant(oauth, subject)?;
        let file = self.folder.file(found, oauth, subject);
        let tokens = match by_user.remove(&key) {
            // A refresh token has one keeper only, and stays where its owner does.
            Some(kept) if kept.file.has_owner_of(&file) => kept.tokens.with_grant(grant),
            _ => {
                let (store, clock) = (Arc::new(file.clone()), Arc::new(Millis::now));
                AccessTokens::new(grant, http.clone(), store, clock)
            }
        };
        if by_user.len() >= MOST_IN_MEMORY {
            // An assertion can be signed again.
            by_user.retain(|(_, subject), _| subject.is_empty());
        }
        let kept = InMemory {
            generation: found.generation,
            file,
            tokens: tokens.clone(),
        };
        by_user.insert(key, kept);
        Ok(tokens.with_http(http))
    }
}

impl Ways {
    /// Has a person authorize a connection: shows where to consent, waits for it, and stores the
    /// refresh token.
    ///
    /// # Errors
    /// The connection cannot be authorized in this way, or nobody has consented.
    pub async fn authorize(
        &self,
        found: &FoundConnection,
        show: impl FnOnce(Prompt) + Send,
    ) -> Result<(), NotAuthorized> {
        let other = || NotAuthorized::OtherGrant(found.key.clone());
        let ServerCredential::Oauth(oauth) = &found.connection.credential else {
            return Err(other());
        };
        let OauthGrant::RefreshToken { device_url, .. } = &oauth.grant else {
            return Err(other());
        };
        let wrong = |why: String| NotAuthorized::Settings(found.key.clone(), why);
        let device_url = device_url.as_deref();
        let device_url = device_url.ok_or_else(|| NotAuthorized::NoDeviceUrl(found.key.clone()))?;
        let device_url: Endpoint = device_url
            .parse()
            .map_err(|error| wrong(format!("device-url: {error}")))?;
        let tokens = self
            .tokens
            .tokens(found, oauth, "", self.token_client(found));
        Ok(tokens.map_err(wrong)?.authorize(&device_url, show).await?)
    }

    /// Removes the tokens of connections that exist no more. Blocks on the disk.
    pub fn forget_tokens(&self, gone: &[ConnectionKey]) {
        let mut by_user = self.tokens.by_user.lock();
        by_user.retain(|(key, _), _| !gone.contains(key));
        drop(by_user);
        self.tokens.folder.forget(gone);
    }

    /// Removes the tokens of all connections but these, and others that nothing uses. Blocks on the
    /// disk.
    pub fn tidy_tokens(&self, present: &[FoundConnection]) {
        self.tokens.folder.tidy(present);
    }

    /// Returns the client that asks the token server of a connection.
    pub(super) fn token_client(&self, found: &FoundConnection) -> HttpClient {
        let outside = self.outside.load();
        match found.key.account {
            Some(_) => outside.strangers.clone(),
            None => outside.own.clone(),
        }
    }
}

fn grant(oauth: &Oauth, subject: &str) -> Result<Grant, String> {
    let secret = |secret: &Secret| Zeroizing::new(secret.reveal().to_owned());
    let kind = match &oauth.grant {
        OauthGrant::ClientCredentials { client_secret } => GrantKind::ClientCredentials {
            client_secret: secret(client_secret),
        },
        OauthGrant::RefreshToken {
            client_secret,
            refresh_token,
            device_url: _,
        } => GrantKind::RefreshToken {
            client_secret: client_secret.as_ref().map(secret),
            first: refresh_token.as_ref().map(secret),
        },
        OauthGrant::JwtBearer { private_key } => GrantKind::JwtBearer {
            key: SigningKey::from_pem(private_key.reveal().as_bytes())
                .map_err(|error| error.to_string())?,
            key_id: None,
            subject: Some(subject.to_owned()).filter(|subject| !subject.is_empty()),
        },
    };
    Ok(Grant {
        token_url: (oauth.token_url)
            .parse()
            .map_err(|error| format!("token-url: {error}"))?,
        client_id: oauth.client_id.clone(),
        scopes: oauth.scopes.clone(),
        kind,
        client_authentication: ClientAuthentication::default(),
    })
}
