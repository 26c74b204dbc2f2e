//! One span, from its beginning to its end.

use std::time::{Duration, SystemTime};

use gatepost_message::TransactionId;
use gatepost_smtp::Reply;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1 as proto;
use proto::span::{Link, SpanKind};
use proto::status::StatusCode;

/// A moment: nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment(u64);

impl Moment {
    pub(super) fn now() -> Self {
        let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        Self(nanos(since))
    }

    pub(super) fn of_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    pub(super) fn plus_micros(self, micros: u64) -> Self {
        Self(self.0.saturating_add(micros.saturating_mul(1000)))
    }

    pub(super) fn minus_micros(self, micros: u64) -> Self {
        self.minus(Duration::from_micros(micros))
    }

    pub(super) fn minus(self, time: Duration) -> Self {
        Self(self.0.saturating_sub(nanos(time)))
    }
}

/// Returns nanoseconds, which suffice until the year 2554.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Ids of a span: its trace, and the span in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Context {
    trace: [u8; 16],
    span: [u8; 8],
}

impl Context {
    /// Returns the root of a message's trace. It is never zero, which OpenTelemetry does not allow:
    /// the last 64 bits of a UUID begin with its variant (RFC 9562 section 4.1).
    pub(super) fn of(id: TransactionId) -> Self {
        let trace = id.octets();
        let [_, _, _, _, _, _, _, _, span @ ..] = trace;
        Self { trace, span }
    }

    /// Returns the root of a trace of its own.
    pub(super) fn random() -> Self {
        Self {
            trace: rand::random(),
            span: rand::random(),
        }
    }

    /// Begins a root span of this name.
    pub(super) fn begin(self, name: &str, kind: SpanKind, began: Moment) -> Span {
        Span(proto::Span {
            trace_id: self.trace.to_vec(),
            span_id: self.span.to_vec(),
            name: name.to_owned(),
            kind: kind.into(),
            start_time_unix_nano: began.0,
            ..proto::Span::default()
        })
    }

    /// Begins a span below this one.
    pub(super) fn child(self, name: &str, began: Moment) -> Span {
        let child = Self {
            trace: self.trace,
            span: rand::random(),
        };
        let mut span = child.begin(name, SpanKind::Internal, began);
        span.0.parent_span_id = self.span.to_vec();
        span
    }
}

/// A span that has not ended.
pub(super) struct Span(proto::Span);

impl Span {
    /// Returns the ids of this span, to be the parent of others.
    pub(super) fn context(&self) -> Context {
        let array = |octets: &[u8]| octets.try_into().ok();
        Context {
            trace: array(&self.0.trace_id).unwrap_or_default(),
            span: self.0.span_id.as_slice().try_into().unwrap_or_default(),
        }
    }

    /// Marks a request from us to another server.
    pub(super) fn client(mut self) -> Self {
        self.0.kind = SpanKind::Client.into();
        self
    }

    pub(super) fn text(&mut self, key: &str, value: impl Into<String>) {
        self.put(key, Value::StringValue(value.into()));
    }

    pub(super) fn texts(&mut self, key: &str, values: impl Iterator<Item = String>) {
        let values = values.map(|value| AnyValue {
            value: Some(Value::StringValue(value)),
        });
        let values = values.collect();
        self.put(key, Value::ArrayValue(ArrayValue { values }));
    }

    pub(super) fn number(&mut self, key: &str, value: impl TryInto<i64>) {
        self.put(key, Value::IntValue(value.try_into().unwrap_or(i64::MAX)));
    }

    pub(super) fn flag(&mut self, key: &str, value: bool) {
        self.put(key, Value::BoolValue(value));
    }

    /// Adds the codes of a reply, and its text where that may show `addresses`.
    pub(super) fn reply(&mut self, reply: &Reply, addresses: bool) {
        self.number("gatepost.reply.code", reply.code());
        if let Some(enhanced) = reply.enhanced() {
            self.text("gatepost.reply.enhanced", enhanced.to_string());
        }
        if addresses {
            self.text("gatepost.reply.text", reply.text());
        }
    }

    /// Marks the span as failed.
    pub(super) fn failed(&mut self, why: impl Into<String>) {
        self.0.status = Some(proto::Status {
            code: StatusCode::Error.into(),
            message: why.into(),
        });
    }

    /// Links to a span of another trace.
    pub(super) fn link(&mut self, other: Context) {
        self.0.links.push(Link {
            trace_id: other.trace.to_vec(),
            span_id: other.span.to_vec(),
            ..Link::default()
        });
    }

    pub(super) fn end(mut self, at: Moment) -> proto::Span {
        // A clock that was set back must not make it end before it began.
        self.0.end_time_unix_nano = at.0.max(self.0.start_time_unix_nano);
        self.0
    }

    fn put(&mut self, key: &str, value: Value) {
        self.0.attributes.push(KeyValue {
            key: key.to_owned(),
            value: Some(AnyValue { value: Some(value) }),
            ..KeyValue::default()
        });
    }
}
