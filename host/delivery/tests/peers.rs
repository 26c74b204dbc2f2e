//! Log-in at real servers: Postfix with Cyrus SASL, and Dovecot's submission server.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use gatepost_certificates::{Trust, private_roots};
use gatepost_delivery::open::{
    CredentialSource, LoginSource, Opened, Opening, OpeningFailure, TokenUser, try_opening,
};
use gatepost_delivery::{Timeouts, Tls};
use gatepost_http_client::HttpClient;
use gatepost_message::Millis;
use gatepost_model::{Protocol, TlsMode};
use gatepost_oauth::{
    AccessTokens, ClientAuthentication, Grant, GrantKind, Loading, Storing, TokenSet, TokenStore,
};
use gatepost_sasl::client::{LoginCredential, Mechanism};
use gatepost_smtp::client::OpeningStage;
use test_support::{DovecotSubmission, Postfix, TokenServer};
use zeroize::Zeroizing;

const USER: &str = "help@customer.example";

/// Logs in at a server by this mechanism alone.
async fn log_in(
    address: SocketAddr,
    certificate: &Path,
    source: impl CredentialSource + 'static,
    mechanism: Mechanism,
) -> Result<Opened, OpeningFailure> {
    let roots = private_roots(&std::fs::read(certificate).unwrap()).unwrap();
    let opening = Opening {
        host: "localhost".to_owned(),
        port: address.port(),
        addresses: vec![address],
        protocol: Protocol::Smtp,
        mode: TlsMode::Required,
        tls: Tls::new(Trust::Roots(roots), None).unwrap(),
        ehlo_name: "relay.example".parse().unwrap(),
        egress: Vec::new(),
        login: Some(LoginSource {
            mechanisms: vec![mechanism],
            source: Arc::new(source),
        }),
        timeouts: Timeouts::default(),
        transcript: None,
    };
    try_opening(&opening).await
}

fn password(secret: &str) -> LoginCredential {
    LoginCredential::password(USER, Zeroizing::new(secret.to_owned())).unwrap()
}

fn token(secret: &str) -> LoginCredential {
    LoginCredential::token(USER, Zeroizing::new(secret.to_owned())).unwrap()
}

/// Asserts that the right password logs in by each of these mechanisms, and a wrong one does not.
async fn passwords(address: SocketAddr, certificate: &Path) {
    for mechanism in [Mechanism::Plain, Mechanism::Login, Mechanism::ScramSha256] {
        let opened = log_in(address, certificate, password("secret"), mechanism).await;
        let opened = opened.unwrap_or_else(|error| panic!("{mechanism}: {error}"));
        assert!(opened.capabilities.auth.contains(&mechanism));
        let refused = log_in(address, certificate, password("wrong"), mechanism).await;
        let refused = refused.unwrap_err();
        assert_eq!(refused.stage, OpeningStage::Auth, "{mechanism}: {refused}");
        assert_eq!(refused.reply.unwrap().code(), 535, "{mechanism}");
        assert!(refused.permanent);
    }
}

#[tokio::test]
async fn postfix_with_cyrus_sasl_takes_passwords() {
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
    let Some(postfix) = Postfix::with_user(nowhere, USER, "secret") else {
        return;
    };
    passwords(postfix.address(), postfix.certificate()).await;
}

#[tokio::test]
async fn dovecot_takes_passwords() {
    let tokens = TokenServer::start();
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
    let Some(dovecot) = DovecotSubmission::start(USER, "secret", &tokens.url("/"), nowhere) else {
        return;
    };
    passwords(dovecot.address(), dovecot.certificate()).await;
}

#[tokio::test]
async fn dovecot_takes_tokens_and_says_why_it_refuses_one() {
    let tokens = TokenServer::start();
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
    let Some(dovecot) = DovecotSubmission::start(USER, "secret", &tokens.url("/"), nowhere) else {
        return;
    };
    // Longer than the line that Dovecot answers with 500 if it is AUTH's own.
    for (token_text, mechanism) in [
        ("short".to_owned(), Mechanism::Xoauth2),
        ("short".to_owned(), Mechanism::OauthBearer),
        ("long".repeat(700), Mechanism::Xoauth2),
        ("long".repeat(700), Mechanism::OauthBearer),
    ] {
        let good = serde_json::json!({ "active": true, "username": USER });
        tokens.answer("200 OK", &good.to_string());
        let (address, certificate) = (dovecot.address(), dovecot.certificate());
        let opened = log_in(address, certificate, token(&token_text), mechanism).await;
        opened.unwrap_or_else(|error| panic!("{mechanism}: {error}"));
        let asked = tokens.requests();
        assert_eq!(asked.last().unwrap().fields["token"], token_text);

        tokens.answer("200 OK", r#"{"active":false}"#);
        let refused = log_in(address, certificate, token("expired"), mechanism).await;
        let refused = refused.unwrap_err();
        assert_eq!(refused.stage, OpeningStage::Auth, "{mechanism}: {refused}");
        let reason = refused.reason.unwrap();
        assert!(reason.contains(r#""status":"#), "{mechanism}: {reason}");
        assert_eq!(refused.reply.unwrap().code(), 535);
    }
}

/// A store that keeps nothing.
struct NoStore;

impl TokenStore for NoStore {
    fn load(&self) -> Loading<'_> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn store<'a>(&'a self, _: &'a TokenSet) -> Storing<'a> {
        Box::pin(std::future::ready(Ok(())))
    }
}

#[tokio::test]
async fn a_token_that_dovecot_refuses_is_fetched_anew() {
    let (tokens, judge) = (TokenServer::start(), TokenServer::start());
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
    let Some(dovecot) = DovecotSubmission::start(USER, "secret", &judge.url("/"), nowhere) else {
        return;
    };
    let grant = Grant {
        token_url: tokens.url("/token").parse().unwrap(),
        client_id: "relay".to_owned(),
        scopes: Vec::new(),
        kind: GrantKind::ClientCredentials {
            client_secret: Zeroizing::new("top secret".to_owned()),
        },
        client_authentication: ClientAuthentication::Body,
    };
    let http = HttpClient::plaintext().unwrap();
    let source = TokenUser {
        user: USER.to_owned(),
        tokens: AccessTokens::new(grant, http, Arc::new(NoStore), Arc::new(Millis::now)),
    };
    judge.answer("200 OK", r#"{"active":false}"#);
    let good = serde_json::json!({ "active": true, "username": USER });
    judge.answer("200 OK", &good.to_string());
    let (address, certificate) = (dovecot.address(), dovecot.certificate());
    let opened = log_in(address, certificate, source, Mechanism::Xoauth2).await;
    opened.unwrap_or_else(|error| panic!("{error}"));
    let judged = judge.requests();
    let judged: Vec<_> = judged
        .iter()
        .map(|asked| asked.fields["token"].as_str())
        .collect();
    assert_eq!(judged, ["token-1", "token-2"]);
}
