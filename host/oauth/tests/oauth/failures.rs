//! A failure says whether a later try may succeed, and what to do.

use gatepost_oauth::OauthError;

use crate::support::{Bench, by_refresh, by_secret};

#[tokio::test]
async fn errors_of_the_token_server_are_permanent_or_not() {
    for (code, permanent, advice) in [
        ("invalid_grant", true, "authorize the connection anew"),
        ("invalid_client", true, "secret may have expired"),
        ("unauthorized_client", true, "check the client's id"),
        ("invalid_scope", true, "check the scopes"),
        ("consent_required", true, "somebody has to consent"),
        (
            "something_else",
            true,
            "check the connection's OAuth settings",
        ),
        ("temporarily_unavailable", false, ""),
        ("server_error", false, ""),
    ] {
        let bench = Bench::new(by_secret);
        bench.server.answer_error(code, "AADSTS0000: words");
        let error = bench.tokens.token(None).await.unwrap_err();
        assert_eq!(error.is_permanent(), permanent, "{error}");
        let text = error.to_string();
        assert!(
            text.contains(advice) && text.contains("AADSTS0000: words"),
            "{text}"
        );
    }
    for (status, body) in [
        ("500 Internal Server Error", r#"{"error":"invalid_grant"}"#),
        ("429 Too Many Requests", "{}"),
        ("302 Found", "<html>"),
        ("404 Not Found", "<html>"),
        ("200 OK", "<html>"),
        ("200 OK", ""),
        ("200 OK", r#"{"access_token":"","token_type":"bearer"}"#),
        ("200 OK", r#"{"access_token":"a b","token_type":"bearer"}"#),
        ("200 OK", r#"{"access_token":"a","token_type":"mac"}"#),
    ] {
        let bench = Bench::new(by_secret);
        bench.server.answer(status, body);
        let error = bench.tokens.token(None).await.unwrap_err();
        assert!(
            matches!(error, OauthError::Unavailable(_)),
            "{status} {body}: {error}"
        );
    }
}

#[tokio::test]
async fn a_long_answer_is_not_read() {
    let bench = Bench::new(by_secret);
    bench.server.answer("200 OK", &" ".repeat(70_000));
    let error = bench.tokens.token(None).await.unwrap_err();
    assert!(!error.is_permanent());
}

#[tokio::test]
async fn what_a_server_says_is_bounded_and_without_our_secrets() {
    let bench = Bench::new(|| by_refresh(Some("refresh-1")));
    let words = format!("top secret refresh-1 \u{1b}[2J\r\n{}", "x".repeat(5000));
    bench.server.answer_error("invalid_grant", &words);
    let text = bench.tokens.token(None).await.unwrap_err().to_string();
    assert!(text.len() < 1000, "{text}");
    assert!(
        !text.contains("top secret") && !text.contains("refresh-1"),
        "{text}"
    );
    assert!(
        text.contains("*** ***") && !text.contains(char::is_control),
        "{text}"
    );
}

#[tokio::test]
async fn a_server_that_fails_is_left_alone_for_longer_and_longer() {
    let bench = Bench::new(by_secret);
    let mut asked = 0;
    for wait in [10, 20, 40, 80, 160, 320, 600, 600] {
        bench.server.answer_error("invalid_client", "no");
        assert!(bench.tokens.token(None).await.is_err());
        asked += 1;
        bench.pass(wait - 1);
        assert!(bench.tokens.token(None).await.is_err());
        assert_eq!(bench.server.requests().len(), asked, "after {wait} s");
        bench.pass(1);
    }
    assert!(bench.token().await.starts_with("token-"));
}
