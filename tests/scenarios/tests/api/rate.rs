//! A token that asks too often is told when to come again; others are not held up.

use serde_json::Value;
use test_support::{RelayBuilder, Sink};

#[test]
fn requests_of_a_token_are_limited() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .with("[api]\nlisten = \"127.0.0.1:0\"\nrequests-a-minute = 3\n[http]\naddress = \"127.0.0.1:0\"")
        .start();
    let (one, other) = (relay.api_token("read", &[]), relay.api_token("read", &[]));
    let ask = |token: &str| relay.api("GET", "/accounts", token, &Value::Null);
    for left in [2, 1, 0] {
        let answer = ask(&one).with_status(200);
        assert_eq!(answer.fields["ratelimit-policy"], "\"token\";q=3;w=60");
        let state = &answer.fields["ratelimit"];
        assert!(
            state.starts_with(&format!("\"token\";r={left};t=")),
            "{state}"
        );
    }
    let refused = ask(&one).with_status(429);
    assert_eq!(refused.code(), "request.too-many");
    let wait: u64 = refused.fields["retry-after"].parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    ask(&other).with_status(200);
    let metric = |answer: &str| {
        let name = format!("gatepost_api_requests_total{{answer=\"{answer}\"}}");
        relay.metric(&name)
    };
    assert_eq!(
        (metric("done"), metric("refused"), metric("failed")),
        (Some(4.0), Some(1.0), Some(0.0))
    );
    relay.leaves_nothing(sink);
}
