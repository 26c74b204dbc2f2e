//! OAuth tokens of connections: kept in one file each, encrypted by the key ring.
//!
//! A file stands in the folder `tokens` of the store, under a name made of the connection's key. A
//! connection that is set anew has a new generation, and its tokens are asked for anew.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gatepost_connections::{ConnectionKey, FoundConnection, Oauth, OauthGrant};
use gatepost_delivery::open::TokenUser;
use gatepost_directory::{Directory, Sealed};
use gatepost_http_client::HttpClient;
use gatepost_message::Millis;
use gatepost_oauth::{
    AccessTokens, ClientAuthentication, Grant, GrantKind, Loading, SigningKey, StoreError, Storing,
    TokenSet, TokenStore,
};
use parking_lot::Mutex;
use zeroize::Zeroizing;

/// Most tokens that are kept in memory: each address that a message leaves from may have its own.
const MOST_IN_MEMORY: usize = 1000;

/// Largest file of tokens.
const LARGEST: u64 = 128 << 10;

/// Tokens of all connections that log in with some.
pub(super) struct ConnectionTokens {
    folder: PathBuf,
    directory: Arc<Directory>,
    by_key: Mutex<HashMap<(ConnectionKey, String), (u64, AccessTokens)>>,
}

impl ConnectionTokens {
    /// Keeps tokens in this folder.
    pub(super) fn new(folder: PathBuf, directory: Arc<Directory>) -> Self {
        Self {
            folder,
            directory,
            by_key: Mutex::default(),
        }
    }

    /// Returns the tokens of a connection for a user.
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
            OauthGrant::JwtBearer { .. } => user.to_owned(),
            _ => String::new(),
        };
        let key = (found.key.clone(), subject.clone());
        let mut by_key = self.by_key.lock();
        let tokens = match by_key.get(&key) {
            Some((generation, tokens)) if *generation == found.generation => tokens.clone(),
            _ => {
                let tokens = self.begin(found, oauth, &subject, http)?;
                if by_key.len() >= MOST_IN_MEMORY {
                    // An assertion can be signed again. A refresh token has one keeper only.
                    by_key.retain(|(_, subject), _| subject.is_empty());
                }
                by_key.insert(key, (found.generation, tokens.clone()));
                tokens
            }
        };
        Ok(TokenUser {
            user: user.to_owned(),
            tokens,
        })
    }

    fn begin(
        &self,
        found: &FoundConnection,
        oauth: &Oauth,
        subject: &str,
        http: HttpClient,
    ) -> Result<AccessTokens, String> {
        let secret =
            |secret: &gatepost_connections::Secret| Zeroizing::new(secret.reveal().to_owned());
        let kind = match &oauth.grant {
            OauthGrant::ClientCredentials { client_secret } => GrantKind::ClientCredentials {
                client_secret: secret(client_secret),
            },
            OauthGrant::RefreshToken {
                client_secret,
                refresh_token,
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
        let grant = Grant {
            token_url: oauth
                .token_url
                .parse()
                .map_err(|error| format!("token-url: {error}"))?,
            client_id: oauth.client_id.clone(),
            scopes: oauth.scopes.clone(),
            kind,
            client_authentication: ClientAuthentication::default(),
            secret_expires_at: found.connection.secret_expires,
        };
        let store = TokenFile {
            path: self
                .folder
                .join(file_name(&found.key, found.generation, subject)),
            owner: format!("{} {} {subject}", found.key, found.generation),
            directory: Arc::clone(&self.directory),
        };
        Ok(AccessTokens::new(
            grant,
            http,
            Arc::new(store),
            Arc::new(Millis::now),
        ))
    }
}

/// Returns the file's name: no connection's name leads out of the folder.
fn file_name(key: &ConnectionKey, generation: u64, subject: &str) -> String {
    let name = format!("{key} {generation} {subject}");
    let digest = ring::digest::digest(&ring::digest::SHA256, name.as_bytes());
    URL_SAFE_NO_PAD.encode(digest)
}

/// File with the tokens of one connection.
struct TokenFile {
    path: PathBuf,
    /// Owner that the tokens are encrypted for.
    owner: String,
    directory: Arc<Directory>,
}

impl TokenStore for TokenFile {
    fn load(&self) -> Loading<'_> {
        let loaded = self.read();
        Box::pin(std::future::ready(loaded))
    }

    fn store<'a>(&'a self, tokens: &'a TokenSet) -> Storing<'a> {
        let stored = self.write(tokens);
        Box::pin(std::future::ready(stored))
    }
}

impl TokenFile {
    fn read(&self) -> Result<Option<TokenSet>, StoreError> {
        let text = match gatepost_files::read(&self.path, LARGEST) {
            Ok(text) => text,
            Err(gatepost_files::FileError::Io(error))
                if error.kind() == io::ErrorKind::NotFound =>
            {
                return Ok(None);
            }
            Err(error) => return Err(unreadable(&error)),
        };
        let text = String::from_utf8_lossy(&text);
        let damaged = || StoreError("the stored tokens are damaged".to_owned());
        let (key_id, bytes) = text.trim_end().split_once(' ').ok_or_else(damaged)?;
        let sealed = Sealed {
            key_id: key_id.to_owned(),
            bytes: STANDARD.decode(bytes).map_err(|_| damaged())?,
        };
        let opened = self.directory.open_tokens(&self.owner, &sealed);
        let opened = opened.map_err(|error| unreadable(&error))?;
        TokenSet::decode(&opened).map(Some).ok_or_else(damaged)
    }

    /// Replaces the file as a whole. It is small, and written once an hour.
    fn write(&self, tokens: &TokenSet) -> Result<(), StoreError> {
        let sealed = self.directory.seal_tokens(&self.owner, &tokens.encode());
        let sealed = sealed.map_err(|error| unreadable(&error))?;
        let text = format!("{} {}\n", sealed.key_id, STANDARD.encode(sealed.bytes));
        let written = self
            .path
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| gatepost_files::replace(&self.path, text.as_bytes()));
        written.map_err(|error| unreadable(&error))
    }
}

fn unreadable(error: &dyn std::fmt::Display) -> StoreError {
    StoreError(format!(
        "the tokens of the connection cannot be stored or read: {error}"
    ))
}
