//! Spans for OpenTelemetry, as a collector gets them.

mod after_restart;
mod bounce;
mod collector;
mod collector_down;
mod left_out;
mod one_message;
mod refused;

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1 as proto;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;

use self::collector::Collector;

/// A span, with its ids in hexadecimal.
#[derive(Debug, Clone)]
struct Span {
    trace: String,
    id: String,
    /// Empty for a root.
    parent: String,
    name: String,
    /// Nanoseconds since 1970.
    began: u64,
    ended: u64,
    attributes: BTreeMap<String, String>,
    /// Trace and span.
    links: Vec<(String, String)>,
    /// Message of the error status, if any.
    error: Option<String>,
}

impl Span {
    fn get(&self, attribute: &str) -> &str {
        let value = self.attributes.get(attribute);
        value.unwrap_or_else(|| panic!("no {attribute} in {self:?}"))
    }
}

impl From<proto::Span> for Span {
    fn from(span: proto::Span) -> Self {
        let link = |link: proto::span::Link| (hex(&link.trace_id), hex(&link.span_id));
        let status = span.status.unwrap_or_default();
        Self {
            trace: hex(&span.trace_id),
            id: hex(&span.span_id),
            parent: hex(&span.parent_span_id),
            name: span.name,
            began: span.start_time_unix_nano,
            ended: span.end_time_unix_nano,
            attributes: attributes(span.attributes),
            links: span.links.into_iter().map(link).collect(),
            error: (status.code == i32::from(StatusCode::Error)).then_some(status.message),
        }
    }
}

fn attributes(pairs: Vec<KeyValue>) -> BTreeMap<String, String> {
    let pair = |pair: KeyValue| (pair.key, text(pair.value));
    pairs.into_iter().map(pair).collect()
}

fn text(value: Option<AnyValue>) -> String {
    match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(flag)) => flag.to_string(),
        Some(Value::ArrayValue(list)) => {
            let texts: Vec<_> = list.values.into_iter().map(|v| text(Some(v))).collect();
            texts.join(" ")
        }
        other => panic!("no such value is expected: {other:?}"),
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Those of this name, the earliest first.
fn named<'a>(spans: &'a [Span], name: &str) -> Vec<&'a Span> {
    let mut named: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
    named.sort_by_key(|span| span.began);
    named
}

/// The one of this name.
#[track_caller]
fn only<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let named = named(spans, name);
    assert_eq!(named.len(), 1, "{name} in {spans:#?}");
    named[0]
}

/// The trace of a transaction, and its root.
fn root_of(transaction: &str) -> (String, String) {
    let trace = transaction.replace('-', "");
    let span = trace[16..].to_owned();
    (trace, span)
}

/// The `[otlp]` table for this collector.
fn exported_to(collector: &Collector) -> String {
    format!("[otlp]\nendpoint = \"{}\"", collector.endpoint())
}
