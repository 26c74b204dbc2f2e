//! `/metrics` tells Prometheus of sessions, replies, verdicts, policies, queue and deliveries.

use test_support::{Relay, RelayBuilder, Sink};

use crate::{MESSAGE, accepted, send, waiting_after};

#[test]
fn metrics_count_events() {
    let sink = Sink::with(&["--tempfail-first", "1"]);
    let relay = RelayBuilder::usual(sink.address())
        .replace("retry = [\"1s\"]", "retry = [\"1h\"]")
        .with("[http]\naddress = \"127.0.0.1:0\"")
        .start();
    assert_eq!(value(&relay, "gatepost_queue_messages"), 0.0);
    // The policies were tried when they were loaded; no message was judged.
    let calls = "gatepost_policy_calls_total{policy=\"loop-guard\",hook=\"message\"}";
    assert_eq!(relay.metric(calls), None);
    let id = accepted(&relay, &["x@desk.example"], MESSAGE);
    assert_eq!(send(&relay, &["x@elsewhere.example"], MESSAGE).code, 550);
    waiting_after(&relay, 1, &id);

    for (name, expected) in [
        ("gatepost_connections_total{listener=\"mx\"}", 2.0),
        ("gatepost_replies_total{code=\"550\"}", 1.0),
        (
            "gatepost_transactions_total{listener=\"mx\",verdict=\"accept\"}",
            1.0,
        ),
        (
            "gatepost_message_octets_total{listener=\"mx\"}",
            MESSAGE.len() as f64,
        ),
        ("gatepost_queue_messages", 1.0),
        ("gatepost_queue_recipients{state=\"queued\"}", 1.0),
        ("gatepost_delivery_results_total{result=\"deferred\"}", 1.0),
        ("gatepost_policy_breaker_open{policy=\"loop-guard\"}", 0.0),
        ("gatepost_trace_dropped_total", 0.0),
    ] {
        assert_eq!(value(&relay, name), expected, "{name}");
    }
    for name in [
        "gatepost_queue_oldest_seconds",
        "gatepost_policy_calls_total{policy=\"loop-guard\",hook=\"message\"}",
        "gatepost_policy_verdicts_total{policy=\"loop-guard\",hook=\"message\",verdict=\"pass\"}",
        "gatepost_policy_call_micros_sum{policy=\"loop-guard\",hook=\"message\"}",
        "gatepost_spool_commit_seconds_count",
        "gatepost_delivery_attempt_seconds_count",
    ] {
        assert!(value(&relay, name) > 0.0, "{name}");
    }

    relay.json(&["queue", "retry", &id]);
    sink.take();
    relay.eventually("the delivery is counted", |relay| {
        let delivered = "gatepost_delivery_results_total{result=\"delivered\"}";
        (relay.metric(delivered) == Some(1.0)).then_some(())
    });
    assert_eq!(value(&relay, "gatepost_queue_messages"), 0.0);
    assert_eq!(
        value(&relay, "gatepost_queue_recipients{state=\"queued\"}"),
        0.0
    );
    relay.leaves_nothing(sink);
}

#[test]
fn a_sender_refused_for_want_of_room_is_counted() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .with("[relay]\nhostname = \"mx.desk.example\"\nstore = \"store\"\nmin-free = \"1PiB\"")
        .with("[http]\naddress = \"127.0.0.1:0\"")
        .start();
    assert_eq!(value(&relay, "gatepost_spool_full_total"), 0.0);
    assert_eq!(send(&relay, &["x@desk.example"], MESSAGE).code, 452);
    assert_eq!(value(&relay, "gatepost_spool_full_total"), 1.0);
    relay.leaves_nothing(sink);
}

fn value(relay: &Relay, name: &str) -> f64 {
    relay
        .metric(name)
        .unwrap_or_else(|| panic!("no {name} in\n{}", relay.page("/metrics").1))
}
