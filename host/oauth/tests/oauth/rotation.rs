//! A refresh token that the server has replaced is durable before anything is done with it.

use std::sync::atomic::Ordering;

use gatepost_oauth::OauthError;

use crate::support::{Bench, by_refresh};

#[tokio::test]
async fn the_next_refresh_token_is_stored_and_used() {
    let mut bench = Bench::new(|| by_refresh(Some("first")));
    bench.server.answer_token("one", 60, Some("second"));
    assert_eq!(bench.token().await, "one");
    assert_eq!(bench.store.refresh().as_deref(), Some("second"));
    bench.restart();
    bench.pass(60);
    bench.server.answer_token("two", 60, None);
    assert_eq!(bench.token().await, "two");
    let asked = bench.server.requests();
    assert_eq!(asked[1].fields["refresh_token"], "second");
    // RFC 6749 section 6: without a new one, the old one stays valid.
    assert_eq!(bench.store.refresh().as_deref(), Some("second"));
}

#[tokio::test]
async fn no_token_is_used_while_the_refresh_token_of_its_answer_is_not_durable() {
    let bench = Bench::new(|| by_refresh(Some("first")));
    bench.store.full.store(true, Ordering::SeqCst);
    bench.server.answer_token("one", 3600, Some("second"));
    for _ in 0..3 {
        let error = bench.tokens.token(None).await.unwrap_err();
        assert!(matches!(error, OauthError::Store(_)), "{error}");
        assert!(!error.is_permanent());
    }
    // Nothing is asked for, and the new refresh token is not lost.
    assert_eq!(bench.server.requests().len(), 1);
    bench.store.full.store(false, Ordering::SeqCst);
    assert_eq!(bench.token().await, "one");
    assert_eq!(bench.store.refresh().as_deref(), Some("second"));
    assert_eq!(bench.server.requests().len(), 1);
}

#[tokio::test]
async fn an_access_token_alone_is_used_although_it_cannot_be_kept() {
    let bench = Bench::new(crate::support::by_secret);
    bench.store.full.store(true, Ordering::SeqCst);
    assert_eq!(bench.token().await, "token-1");
    assert_eq!(bench.token().await, "token-1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_stored_even_if_nobody_waits_for_it_any_more() {
    let bench = Bench::new(|| by_refresh(Some("first")));
    bench.server.answer_token("one", 3600, Some("second"));
    bench.server.hold();
    let tokens = bench.tokens.clone();
    let asking = tokio::spawn(async move { tokens.token(None).await });
    bench.server.asked(1);
    asking.abort();
    assert!(asking.await.is_err());
    bench.server.release();
    assert_eq!(bench.token().await, "one");
    assert_eq!(bench.server.requests().len(), 1);
    assert_eq!(bench.store.refresh().as_deref(), Some("second"));
}
