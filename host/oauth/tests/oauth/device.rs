//! The device flow gets the first refresh token.

use std::sync::Arc;

use gatepost_message::Millis;
use gatepost_oauth::{Clock, OauthError, Prompt, TokenSet, authorize};
use test_support::TokenServer;

use crate::support::{Bench, by_refresh, grant, http};

const DETAILS: &str = r#"{"device_code":"d","user_code":"ABCD-EFGH","interval":0,"expires_in":900,
    "verification_uri":"https://login.example/device"}"#;

async fn run(server: &TokenServer) -> (Option<Prompt>, Result<TokenSet, OauthError>) {
    let grant = grant(server, by_refresh(None));
    let device = server.url("/device").parse().unwrap();
    let mut shown = None;
    let clock: Clock = Arc::new(Millis::now);
    let show = |prompt| shown = Some(prompt);
    let tokens = authorize(&http(), &grant, &device, &clock, show).await;
    (shown, tokens)
}

#[tokio::test]
async fn a_person_consents_and_the_relay_gets_its_tokens() {
    let server = TokenServer::start();
    server.answer("200 OK", DETAILS);
    server.answer_error("authorization_pending", "wait");
    server.answer_error("authorization_pending", "wait");
    server.answer_token("access", 3600, Some("refresh"));
    let (shown, tokens) = run(&server).await;
    let shown = shown.unwrap();
    assert_eq!(shown.page, "https://login.example/device");
    assert_eq!(
        (shown.code.as_str(), shown.valid_for.as_secs()),
        ("ABCD-EFGH", 900)
    );
    let tokens = tokens.unwrap();
    assert_eq!(tokens.refresh.unwrap().as_str(), "refresh");
    let asked = server.requests();
    assert_eq!(asked[0].path, "/device");
    assert_eq!(asked[0].fields["scope"], "mail.send offline_access");
    let grant_type = "urn:ietf:params:oauth:grant-type:device_code";
    assert_eq!(asked[3].fields["grant_type"], grant_type);
    assert_eq!(asked[3].fields["device_code"], "d");
}

#[tokio::test]
async fn the_tokens_of_a_consent_take_the_place_of_those_before() {
    let mut bench = Bench::new(|| by_refresh(Some("old")));
    bench.server.answer_error("invalid_grant", "revoked");
    assert!(bench.tokens.token(None).await.is_err());
    bench.server.answer("200 OK", DETAILS);
    bench.server.answer_token("access", 60, Some("new"));
    let device = bench.server.url("/device").parse().unwrap();
    bench.tokens.authorize(&device, |_| {}).await.unwrap();
    assert_eq!(bench.store.refresh().as_deref(), Some("new"));
    // Nobody waits for the end of the pause after the failure.
    assert_eq!(bench.token().await, "access");
    bench.restart();
    bench.pass(60);
    bench.token().await;
    let last = bench.server.requests().pop().unwrap();
    assert_eq!(last.fields["refresh_token"], "new");
}

#[tokio::test]
async fn a_server_that_lets_the_relay_pause_longer_than_its_code_is_valid_does_not_hold_it() {
    let server = TokenServer::start();
    let long = DETAILS.replace(
        r#""interval":0,"expires_in":900"#,
        r#""interval":9000,"expires_in":1"#,
    );
    server.answer("200 OK", &long);
    server.answer_error("authorization_pending", "wait");
    let error = run(&server).await.1.unwrap_err();
    assert!(error.to_string().contains("not entered in time"), "{error}");
}

#[tokio::test]
async fn a_refusal_ends_the_device_flow() {
    for (code, advice) in [
        ("access_denied", "somebody has to consent"),
        ("expired_token", "not entered in time"),
    ] {
        let server = TokenServer::start();
        server.answer("200 OK", DETAILS);
        server.answer_error(code, "no");
        let error = run(&server).await.1.unwrap_err();
        assert!(
            error.is_permanent() && error.to_string().contains(advice),
            "{error}"
        );
    }
    // Without a refresh token the connection would stop after an hour.
    let server = TokenServer::start();
    server.answer("200 OK", DETAILS);
    server.answer_token("access", 3600, None);
    let error = run(&server).await.1.unwrap_err();
    assert!(error.to_string().contains("offline access"), "{error}");
    // Nobody is shown anything if the server refuses to begin.
    let server = TokenServer::start();
    server.answer_error("invalid_client", "who?");
    let (shown, tokens) = run(&server).await;
    assert!(shown.is_none() && tokens.is_err());
}
