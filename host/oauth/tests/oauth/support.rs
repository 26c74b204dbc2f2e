//! Grants, and a store in memory that fails when it is told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use gatepost_http_client::HttpClient;
use gatepost_message::Millis;
use gatepost_oauth::{
    AccessTokens, ClientAuthentication, Grant, GrantKind, Loading, StoreError, Storing, TokenSet,
    TokenStore,
};
use parking_lot::Mutex;
use test_support::TokenServer;
use zeroize::Zeroizing;

/// Beginning of the time in tests.
pub const START: u64 = 1_800_000_000_000;

pub fn word(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}

pub fn grant(server: &TokenServer, kind: GrantKind) -> Grant {
    Grant {
        token_url: server.url("/token").parse().unwrap(),
        client_id: "relay".to_owned(),
        scopes: vec!["mail.send".to_owned(), "offline_access".to_owned()],
        kind,
        client_authentication: ClientAuthentication::Body,
    }
}

pub fn by_secret() -> GrantKind {
    GrantKind::ClientCredentials {
        client_secret: word("top secret"),
    }
}

pub fn by_refresh(first: Option<&str>) -> GrantKind {
    GrantKind::RefreshToken {
        client_secret: Some(word("top secret")),
        first: first.map(word),
    }
}

pub fn http() -> HttpClient {
    HttpClient::plaintext().unwrap()
}

/// A store in memory, in the stored form.
#[derive(Default)]
pub struct Store {
    stored: Mutex<Option<Vec<u8>>>,
    pub full: AtomicBool,
}

impl Store {
    pub fn tokens(&self) -> Option<TokenSet> {
        let stored = self.stored.lock();
        stored
            .as_ref()
            .map(|octets| TokenSet::decode(octets).unwrap())
    }

    pub fn refresh(&self) -> Option<String> {
        let refresh = self.tokens()?.refresh?;
        Some(refresh.to_string())
    }
}

impl TokenStore for Store {
    fn load(&self) -> Loading<'_> {
        Box::pin(std::future::ready(Ok(self.tokens())))
    }

    fn store<'a>(&'a self, tokens: &'a TokenSet) -> Storing<'a> {
        let stored = match self.full.load(Ordering::SeqCst) {
            true => Err(StoreError("the disk is full".to_owned())),
            false => {
                *self.stored.lock() = Some(tokens.encode().to_vec());
                Ok(())
            }
        };
        Box::pin(std::future::ready(stored))
    }
}

/// Tokens of one connection with their neighbours.
pub struct Bench {
    pub server: TokenServer,
    pub store: Arc<Store>,
    pub tokens: AccessTokens,
    time: Arc<AtomicU64>,
    grant: Grant,
}

impl Bench {
    pub fn new(kind: impl FnOnce() -> GrantKind) -> Self {
        let server = TokenServer::start();
        let grant = grant(&server, kind());
        let time = Arc::new(AtomicU64::new(START));
        let store = Arc::new(Store::default());
        let tokens = tokens(&grant, &store, &time);
        Self {
            server,
            store,
            tokens,
            time,
            grant,
        }
    }

    /// Begins anew with what is stored, as after a restart.
    pub fn restart(&mut self) {
        self.tokens = tokens(&self.grant, &self.store, &self.time);
    }

    pub fn pass(&self, seconds: u64) {
        self.time.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    pub async fn token(&self) -> String {
        self.tokens.token(None).await.unwrap().to_string()
    }
}

fn tokens(grant: &Grant, store: &Arc<Store>, time: &Arc<AtomicU64>) -> AccessTokens {
    let time = Arc::clone(time);
    let clock = Arc::new(move || Millis(time.load(Ordering::SeqCst)));
    AccessTokens::new(grant.clone(), http(), Arc::clone(store) as _, clock)
}
