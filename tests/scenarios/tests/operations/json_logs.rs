//! Logs for machines: each line is one JSON object, and what is about a transaction carries its
//! id.

use serde_json::Value;
use test_support::{RelayBuilder, Sink};

use crate::{MESSAGE, accepted, send};

#[test]
fn every_line_is_an_object_and_names_its_transaction() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .with("[log]\nformat = \"json\"")
        .start();
    let id = accepted(&relay, &["x@desk.example"], MESSAGE);
    sink.take();
    let refused = send(&relay, &["x@elsewhere.example"], MESSAGE).transaction();
    relay.logged("recipient refused");
    relay.logged("attempt ended");

    let log = relay.log();
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    for line in &lines {
        for field in ["timestamp", "level", "message", "target"] {
            assert!(line[field].is_string(), "no {field} in {line}");
        }
    }
    for (message, id) in [
        ("message answered", &id),
        ("attempt ended", &id),
        ("recipient refused", &refused),
    ] {
        let line = lines.iter().find(|line| line["message"] == message);
        let line = line.unwrap_or_else(|| panic!("no {message:?} in\n{log}"));
        // As `id`, on the line or on one of the spans that it stands in.
        let spans = line["spans"].as_array().unwrap();
        let named = spans.iter().chain([line]).any(|on| on["id"] == *id);
        assert!(named, "{line}");
    }
    relay.leaves_nothing(sink);
}
