//! Spans for OpenTelemetry: duration and result of each step of a message's life.
//!
//! They are made of the same facts as the [trace](gatepost_trace), at the same places, when a step
//! is over; nothing is entered or carried along while it lasts. Without a collector, or outside the
//! sample, there is no span and no work for one.
//!
//! The trace id of a message is its transaction id: 128 bits, as OpenTelemetry requires. The id of
//! the root span is its last 64 bits. So the transaction id gives both: an attempt made days later
//! by another process belongs to the same trace, and nothing is stored for it.
//!
//! ```text
//! smtp.session                     a trace of its own
//! └── policy.connect
//!
//! smtp.transaction                 root of the message's trace; links to its session
//! ├── policy.sender, policy.recipient, policy.message
//! ├── spool.accept
//! └── delivery.attempt             one for each attempt at a recipient
//!     └── policy.route, policy.outcome
//!
//! notification                     root of a notice's own trace; links to the message it is about
//! └── delivery.attempt …
//! ```
//!
//! A span goes into a bounded queue, from which one task exports batches (`export`). Spans beyond
//! the queue's bound are dropped and counted; a collector can cost spans, never mail.
//!
//! Metrics: `gatepost_otlp_spans_total{result}`, result being `exported`, `dropped` where the queue
//! was full, or `failed` where the collector did not accept them.

mod delivery;
mod export;
mod session;
mod span;
mod transaction;

use std::sync::Arc;

use gatepost_message::TransactionId;
use gatepost_model::Judgement;
use metrics::Counter;
use opentelemetry_proto::tonic::trace::v1 as proto;
use tokio::sync::mpsc;

use self::span::{Context, Moment, Span};
use gatepost_config::Otlp;
use gatepost_http_client::TlsError;

pub use self::delivery::AttemptSpan;
pub use self::export::Exporter;
pub use self::session::SessionSpan;
pub use self::transaction::{AcceptSpan, TransactionSpan};

/// Spans that may wait for the exporter. With attributes, each takes about a kilobyte.
const WAITING: usize = 16 << 10;

/// Destination of spans: the exporter, or none.
#[derive(Clone, Default)]
pub struct Spans(Option<Arc<Outlet>>);

/// State shared by the makers of spans.
struct Outlet {
    queue: mpsc::Sender<proto::Span>,
    dropped: Counter,
    sample: f64,
    addresses: bool,
}

impl Spans {
    /// Exports spans from now on, as `hostname`. Call it within a runtime, once metrics are
    /// recorded.
    ///
    /// # Errors
    /// The HTTP client cannot be set up.
    pub fn start(config: &Otlp, hostname: &str) -> Result<(Self, Exporter), TlsError> {
        let result = |result| metrics::counter!("gatepost_otlp_spans_total", "result" => result);
        let (queue, waiting) = mpsc::channel(WAITING);
        let outlet = Arc::new(Outlet {
            queue,
            dropped: result("dropped"),
            sample: config.sample,
            addresses: config.addresses,
        });
        let exporter = Exporter::start(config, hostname, waiting)?;
        Ok((Self(Some(outlet)), exporter))
    }

    /// Returns the trace of a message, if it is in the sample.
    pub fn message(&self, id: TransactionId) -> Option<MessageTrace> {
        let outlet = self.0.as_ref()?;
        // Random in every id (RFC 9562 section 6.2): the choice needs no memory.
        let [.., a, b, c, d] = id.octets();
        let share = f64::from(u32::from_be_bytes([a, b, c, d])) / 2_f64.powi(32);
        (share < outlet.sample).then(|| MessageTrace {
            outlet: Arc::clone(outlet),
            id,
        })
    }
}

/// The trace of one message.
pub struct MessageTrace {
    outlet: Arc<Outlet>,
    id: TransactionId,
}

impl MessageTrace {
    /// Returns the root span, independent of who makes it and when.
    fn root(&self) -> Context {
        Context::of(self.id)
    }
}

impl Outlet {
    fn queue(&self, span: Span, ended: Moment) {
        if self.queue.try_send(span.end(ended)).is_err() {
            self.dropped.increment(1);
        }
    }

    /// Queues the calls of policies: each begins when the one before ended, the first at `began`.
    fn calls(&self, parent: Context, judgements: &[Judgement], mut began: Moment) {
        for judgement in judgements {
            let ended = began.plus_micros(judgement.micros);
            self.queue(self.call(parent, judgement, began), ended);
            began = ended;
        }
    }

    /// Queues calls of policies of which the last has just ended.
    fn calls_until_now(&self, parent: Context, judgements: &[Judgement]) {
        let micros = judgements.iter().map(|judgement| judgement.micros).sum();
        self.calls(parent, judgements, Moment::now().minus_micros(micros));
    }

    fn call(&self, parent: Context, judgement: &Judgement, began: Moment) -> Span {
        let mut span = parent.child(&format!("policy.{}", judgement.hook), began);
        span.text("gatepost.policy", &judgement.policy);
        span.text("gatepost.policy.digest", &judgement.digest);
        span.text("gatepost.verdict", judgement.verdict.word());
        if let Some(routing) = &judgement.routing {
            span.text("gatepost.routing", routing.word());
        }
        if let Some(fault) = &judgement.error {
            span.text("error.type", fault.kind.word());
            // The detail may hold a guest's last words and addresses.
            span.failed(if self.addresses { &fault.detail } else { "" });
        }
        span
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// Returns a maker of spans, and the count of those that were dropped.
    fn spans(queue: mpsc::Sender<proto::Span>, sample: f64) -> (Spans, Arc<AtomicU64>) {
        let dropped = Arc::new(AtomicU64::new(0));
        let outlet = Outlet {
            queue,
            dropped: Counter::from_arc(Arc::clone(&dropped)),
            sample,
            addresses: false,
        };
        (Spans(Some(Arc::new(outlet))), dropped)
    }

    #[test]
    fn spans_beyond_the_queue_are_counted() {
        let (queue, mut waiting) = mpsc::channel(1);
        let (spans, dropped) = spans(queue, 1.0);
        let id = TransactionId::new();
        for _ in 0..3 {
            spans
                .message(id)
                .unwrap()
                .notification(id, gatepost_delivery::Action::Failed, 1);
        }
        assert!(waiting.try_recv().is_ok());
        assert_eq!(dropped.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn the_sample_has_the_configured_share_and_is_stable() {
        let (queue, _waiting) = mpsc::channel(1);
        let (half, _) = spans(queue, 0.5);
        let ids: Vec<_> = (0..2000).map(|_| TransactionId::new()).collect();
        let drawn = || -> Vec<_> {
            let drawn = ids.iter().map(|id| half.message(*id).is_some());
            drawn.collect()
        };
        assert_eq!(drawn(), drawn());
        let count = drawn().into_iter().filter(|drawn| *drawn).count();
        // Ten standard deviations of a fair draw.
        assert!((776..=1224).contains(&count), "{count} of 2000");
    }
}
