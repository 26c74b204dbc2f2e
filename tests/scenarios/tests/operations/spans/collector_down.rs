//! A collector costs spans at worst, never mail; how many, `/metrics` says.

use std::net::TcpListener;

use test_support::{Relay, RelayBuilder, Sink, free_port};

use super::{Collector, exported_to, only};
use crate::{MESSAGE, accepted};

fn spans(relay: &Relay, result: &str) -> f64 {
    let name = format!("gatepost_otlp_spans_total{{result=\"{result}\"}}");
    relay.metric(&name).unwrap_or_else(|| panic!("no {name}"))
}

fn relay(sink: &Sink, otlp: &str) -> Relay {
    RelayBuilder::usual(sink.address())
        .with(otlp)
        .with("[http]\naddress = \"127.0.0.1:0\"")
        .start()
}

#[test]
fn spans_that_nobody_takes_are_dropped_and_counted() {
    let sink = Sink::start();
    let address = free_port();
    let otlp = format!("[otlp]\nendpoint = \"http://{address}\"\ntimeout = \"50ms\"");
    let relay = relay(&sink, &otlp);
    assert_eq!(spans(&relay, "failed"), 0.0);
    accepted(&relay, &["help@desk.example"], MESSAGE);
    sink.take();
    relay.eventually("what was dropped is counted", |relay| {
        (spans(relay, "failed") > 0.0).then_some(())
    });
    accepted(&relay, &["help@desk.example"], MESSAGE);
    sink.take();
    let before = spans(&relay, "failed");
    relay.eventually("more is dropped", |relay| {
        (spans(relay, "failed") > before).then_some(())
    });
    assert_eq!(spans(&relay, "exported"), 0.0);
    let complaints = relay
        .log()
        .matches("the collector does not take spans")
        .count();
    assert_eq!(complaints, 1, "said once in a while:\n{}", relay.log());
    relay.leaves_nothing(sink);
}

#[test]
fn a_collector_that_hangs_holds_up_neither_mail_nor_the_end() {
    let sink = Sink::start();
    // Takes connections and says nothing.
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = hanging.local_addr().unwrap();
    let otlp = format!("[otlp]\nendpoint = \"http://{address}\"\ntimeout = \"1h\"");
    let relay = relay(&sink, &otlp);
    accepted(&relay, &["help@desk.example"], MESSAGE);
    sink.take();
    let (connection, _) = hanging.accept().unwrap();
    accepted(&relay, &["help@desk.example"], MESSAGE);
    sink.take();
    relay.leaves_nothing(sink);
    drop(connection);
}

#[test]
fn a_batch_is_sent_again_until_the_collector_takes_it() {
    let sink = Sink::start();
    let collector = Collector::answering(&[503, 429]);
    let mut relay = relay(&sink, &exported_to(&collector));
    accepted(&relay, &["help@desk.example"], MESSAGE);
    sink.take();
    relay.eventually("spans are exported", |relay| {
        (spans(relay, "exported") > 0.0).then_some(())
    });
    assert_eq!(spans(&relay, "failed"), 0.0);
    relay.terminate();
    only(&collector.spans(), "smtp.transaction");
}

#[test]
fn spans_that_a_collector_refuses_are_not_sent_again() {
    let sink = Sink::start();
    let collector = Collector::answering(&[400]);
    let mut relay = relay(&sink, &exported_to(&collector));
    accepted(&relay, &["help@desk.example"], MESSAGE);
    sink.take();
    relay.eventually("spans are dropped", |relay| {
        (spans(relay, "failed") > 0.0).then_some(())
    });
    accepted(&relay, &["help@desk.example"], MESSAGE);
    sink.take();
    relay.logged("the collector takes spans again");
    relay.terminate();
}
