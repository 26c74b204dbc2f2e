//! What is exported is for the operator to say: nothing, a part, and addresses only when asked for.

use test_support::{RelayBuilder, Sink};

use super::{Collector, exported_to, only};
use crate::{MESSAGE, accepted};

#[test]
fn without_a_collector_there_are_no_spans() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .with("[http]\naddress = \"127.0.0.1:0\"")
        .start();
    accepted(&relay, &["help@desk.example"], MESSAGE);
    sink.take();
    assert!(!relay.page("/metrics").1.contains("gatepost_otlp"));
    relay.leaves_nothing(sink);
}

#[test]
fn transactions_outside_the_sample_are_not_exported() {
    let collector = Collector::start();
    let sink = Sink::start();
    let mut relay = RelayBuilder::usual(sink.address())
        .with(&exported_to(&collector))
        .with("sample = 0.0")
        .start();
    accepted(&relay, &["help@desk.example"], MESSAGE);
    sink.take();
    relay.terminate();
    assert!(collector.requests().is_empty());
}

#[test]
fn addresses_are_exported_on_request() {
    let collector = Collector::start();
    let sink = Sink::start();
    let mut relay = RelayBuilder::usual(sink.address())
        .with(&exported_to(&collector))
        .with("addresses = true")
        .start();
    accepted(&relay, &["help@desk.example", "desk@desk.example"], MESSAGE);
    sink.take();
    relay.terminate();
    let spans = collector.spans();
    let transaction = only(&spans, "smtp.transaction");
    assert_eq!(transaction.get("gatepost.mail_from"), "ann@sender.example");
    let recipients = transaction.get("gatepost.rcpt_to");
    assert_eq!(recipients, "help@desk.example desk@desk.example");
    let reply = transaction.get("gatepost.reply.text");
    assert!(reply.starts_with("Queued as "), "{reply}");
}
