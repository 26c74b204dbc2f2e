//! Each grant asks in its own way.

use std::process::Command;

use gatepost_http_client::HttpClient;
use gatepost_oauth::{ClientAuthentication, GrantKind, SigningKey};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

use crate::support::{Bench, by_refresh, by_secret, grant, word};

fn fields(bench: &Bench) -> Vec<(String, String)> {
    let requests = bench.server.requests();
    assert_eq!(requests[0].path, "/token");
    requests[0].fields.clone().into_iter().collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

#[tokio::test]
async fn client_credentials_are_sent_in_the_body() {
    let bench = Bench::new(by_secret);
    assert_eq!(bench.token().await, "token-1");
    let asked = pairs(&[
        ("client_id", "relay"),
        ("client_secret", "top secret"),
        ("grant_type", "client_credentials"),
        ("scope", "mail.send offline_access"),
    ]);
    assert_eq!(fields(&bench), asked);
    assert!(!format!("{:?}", bench.tokens).contains("top secret"));
}

#[tokio::test]
async fn client_credentials_are_sent_by_http_basic_if_the_grant_says_so() {
    let bench = Bench::new(by_secret);
    let basic = gatepost_oauth::Grant {
        client_authentication: ClientAuthentication::Basic,
        ..grant(&bench.server, by_secret())
    };
    let clock = std::sync::Arc::new(gatepost_message::Millis::now);
    let store = std::sync::Arc::clone(&bench.store) as _;
    let http = HttpClient::plaintext().unwrap();
    let tokens = gatepost_oauth::AccessTokens::new(basic, http, store, clock);
    tokens.token(None).await.unwrap();
    let request = &bench.server.requests()[0];
    // `relay:top+secret` (RFC 6749 section 2.3.1).
    assert_eq!(
        request.authorization.as_deref(),
        Some("Basic cmVsYXk6dG9wK3NlY3JldA==")
    );
    assert!(!request.fields.contains_key("client_secret"));
}

#[tokio::test]
async fn a_refresh_token_gets_an_access_token() {
    let bench = Bench::new(|| by_refresh(Some("first")));
    bench.server.answer_token("access", 3600, None);
    assert_eq!(bench.token().await, "access");
    let asked = pairs(&[
        ("client_id", "relay"),
        ("client_secret", "top secret"),
        ("grant_type", "refresh_token"),
        ("refresh_token", "first"),
        ("scope", "mail.send offline_access"),
    ]);
    assert_eq!(fields(&bench), asked);
}

#[tokio::test]
async fn a_signed_assertion_gets_an_access_token() {
    // ring makes no RSA keys.
    let made = Command::new("openssl").args(["genrsa", "2048"]).output();
    let Ok(made) = made else {
        return test_support::say("SKIPPED: openssl is not installed");
    };
    let key = SigningKey::from_pem(&made.stdout).unwrap();
    assert!(SigningKey::from_pem(b"-----BEGIN NOTHING-----").is_err());
    let bench = Bench::new(|| GrantKind::JwtBearer {
        key,
        key_id: Some("k1".to_owned()),
        subject: Some("help@customer.example".to_owned()),
    });
    assert_eq!(bench.token().await, "token-1");
    let fields = fields(&bench);
    assert_eq!(
        fields[1],
        pairs(&[("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")])[0]
    );
    let (name, assertion) = &fields[0];
    assert_eq!((name.as_str(), fields.len()), ("assertion", 2));
    let parts: Vec<_> = assertion.split('.').collect();
    let part =
        |at: usize| -> serde_json::Value { serde_json::from_slice(&octets(parts[at])).unwrap() };
    assert_eq!(
        part(0),
        serde_json::json!({ "alg": "RS256", "typ": "JWT", "kid": "k1" })
    );
    assert_eq!(
        part(1),
        serde_json::json!({
            "iss": "relay", "sub": "help@customer.example", "aud": bench.server.url("/token"),
            "iat": 1_800_000_000, "exp": 1_800_000_600, "scope": "mail.send offline_access",
        })
    );
    let (n, e) = public(&made.stdout);
    let signed = format!("{}.{}", parts[0], parts[1]);
    RsaPublicKeyComponents { n, e }
        .verify(
            &RSA_PKCS1_2048_8192_SHA256,
            signed.as_bytes(),
            &octets(parts[2]),
        )
        .unwrap();
}

fn octets(part: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(part)
        .unwrap()
}

/// Returns modulus and exponent of a private key in PEM.
fn public(pem: &[u8]) -> (Vec<u8>, Vec<u8>) {
    use rustls::pki_types::PrivateKeyDer;
    use rustls::pki_types::pem::PemObject as _;
    let pair = match PrivateKeyDer::from_pem_slice(pem).unwrap() {
        PrivateKeyDer::Pkcs8(key) => {
            ring::signature::RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).unwrap()
        }
        PrivateKeyDer::Pkcs1(key) => {
            ring::signature::RsaKeyPair::from_der(key.secret_pkcs1_der()).unwrap()
        }
        _ => panic!("another kind of key"),
    };
    let public: RsaPublicKeyComponents<Vec<u8>> = RsaPublicKeyComponents::from(pair.public());
    (public.n, public.e)
}

#[tokio::test]
async fn a_connection_that_nobody_has_authorized_says_so() {
    let bench = Bench::new(|| by_refresh(None));
    let error = bench.tokens.token(None).await.unwrap_err();
    assert!(
        error.is_permanent() && error.to_string().contains("authorize"),
        "{error}"
    );
    assert!(bench.server.requests().is_empty());
    // Somebody does so meanwhile.
    let tokens = gatepost_oauth::TokenSet {
        refresh: Some(word("given")),
        ..Default::default()
    };
    gatepost_oauth::TokenStore::store(&*bench.store, &tokens)
        .await
        .unwrap();
    assert_eq!(bench.token().await, "token-1");
}
