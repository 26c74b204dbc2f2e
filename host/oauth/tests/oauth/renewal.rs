//! Tokens are kept, renewed ahead of their end, and fetched once for all who ask.

use crate::support::{Bench, by_secret};

#[tokio::test]
async fn a_token_is_kept_for_four_fifths_of_its_life() {
    let mut bench = Bench::new(by_secret);
    assert_eq!(bench.token().await, "token-1");
    bench.pass(2879);
    assert_eq!(bench.token().await, "token-1");
    bench.restart();
    assert_eq!(bench.token().await, "token-1", "it is kept over a restart");
    bench.pass(1);
    assert_eq!(bench.token().await, "token-2");
    assert_eq!(bench.server.requests().len(), 2);
}

#[tokio::test]
async fn a_token_that_cannot_be_renewed_serves_to_its_end() {
    let bench = Bench::new(by_secret);
    assert_eq!(bench.token().await, "token-1");
    bench.server.answer("503 Service Unavailable", "");
    bench.pass(3000);
    assert_eq!(bench.token().await, "token-1");
    bench.server.answer("503 Service Unavailable", "");
    bench.pass(575);
    assert!(bench.tokens.token(None).await.is_err(), "too near its end");
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_for_all() {
    let bench = Bench::new(by_secret);
    let first = bench.token().await;
    for _ in 0..3 {
        let another = bench.tokens.token(Some(&first)).await.unwrap();
        assert_eq!(*another, "token-2");
    }
    assert_eq!(bench.token().await, "token-2");
    assert_eq!(bench.server.requests().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_request_is_under_way_however_many_ask() {
    let bench = Bench::new(by_secret);
    bench.server.hold();
    let asking: Vec<_> = (0..50)
        .map(|_| {
            let tokens = bench.tokens.clone();
            tokio::spawn(async move { tokens.token(None).await.unwrap().to_string() })
        })
        .collect();
    bench.server.asked(1);
    bench.server.release();
    for asked in asking {
        assert_eq!(asked.await.unwrap(), "token-1");
    }
    assert_eq!(bench.server.requests().len(), 1);
}

#[tokio::test]
async fn the_end_of_a_refresh_token_is_stored_for_a_warning() {
    use crate::support::{START, by_refresh};
    use gatepost_message::Millis;

    let mut bench = Bench::new(|| by_refresh(Some("first")));
    bench.server.answer(
        "200 OK",
        r#"{"access_token":"a","token_type":"bearer","expires_in":60,"refresh_token":"next",
            "refresh_token_expires_in":86400}"#,
    );
    bench.token().await;
    let end = Some(Millis(START + 86_400_000));
    let stored = |bench: &Bench| bench.store.tokens().unwrap().refresh_expires_at;
    assert_eq!(stored(&bench), end);
    bench.restart();
    bench.token().await;
    assert_eq!(stored(&bench), end);
    // An answer without a refresh token leaves the end as it is, or names another one.
    bench.pass(61);
    bench.server.answer_token("b", 60, None);
    assert_eq!(bench.token().await, "b");
    assert_eq!(stored(&bench), end);
    bench.pass(61);
    bench.server.answer(
        "200 OK",
        r#"{"access_token":"c","token_type":"bearer","expires_in":60,
            "refresh_token_expires_in":100}"#,
    );
    assert_eq!(bench.token().await, "c");
    assert_eq!(stored(&bench), Some(Millis(START + 222_000)));
}
