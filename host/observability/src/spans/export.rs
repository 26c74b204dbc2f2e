//! Exports the queue to the collector: OTLP over HTTP, in batches, in the background.
//!
//! A batch that the collector does not accept at once is tried again, after growing pauses, until
//! its time is over; then it is dropped and counted. Spans that end meanwhile wait in the queue.

use std::time::Duration;

use bytes::Bytes;
use gatepost_http_client::{HttpClient, HttpError, TlsError};
use http::header::{CONTENT_TYPE, HOST};
use http::{Request, StatusCode};
use metrics::{Counter, counter};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use gatepost_config::{Endpoint, Headers, Otlp};

/// Most spans of one request.
const BATCH: usize = 512;

/// Time for which spans are gathered, from the first one on.
const GATHER: Duration = Duration::from_millis(250);

/// Pauses between tries of one batch: from the first, doubled, up to the last.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Most bytes of an answer that are read: it is empty, or names a problem.
const LONGEST_ANSWER: usize = 64 << 10;

/// Shortest time between two log lines about a failing collector.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// Task that exports.
pub struct Exporter {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Exporter {
    pub(super) fn start(
        config: &Otlp,
        hostname: &str,
        waiting: mpsc::Receiver<Span>,
    ) -> Result<Self, TlsError> {
        let result = |result| counter!("gatepost_otlp_spans_total", "result" => result);
        let collector = Collector {
            client: HttpClient::plaintext()?,
            endpoint: config.endpoint.clone(),
            headers: config.headers.clone(),
            timeout: config.timeout,
            resource: resource(&config.service_name, hostname),
            exported: result("exported"),
            failed: result("failed"),
            last_warning: None,
        };
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(collector.run(waiting, stopped));
        Ok(Self { stop, task })
    }

    /// Exports the waiting spans, and none after them. Gives up after this time.
    pub async fn flush(self, within: Duration) {
        let _ = self.stop.send(());
        let abort = self.task.abort_handle();
        if timeout(within, self.task).await.is_err() {
            abort.abort();
            tracing::warn!("the last spans were not exported: the collector took too long");
        }
    }
}

/// Returns the resource that the spans belong to.
fn resource(service: &str, hostname: &str) -> Resource {
    let attributes = [
        ("service.name", service),
        ("service.version", env!("CARGO_PKG_VERSION")),
        ("host.name", hostname),
    ];
    let attributes = attributes.map(|(key, value)| KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue {
            value: Some(Value::StringValue(value.to_owned())),
        }),
        ..KeyValue::default()
    });
    Resource {
        attributes: attributes.to_vec(),
        ..Resource::default()
    }
}

/// The collector, and the state of exports to it.
struct Collector {
    client: HttpClient,
    endpoint: Endpoint,
    headers: Headers,
    /// Time for it to accept a batch.
    timeout: Duration,
    resource: Resource,
    exported: Counter,
    failed: Counter,
    /// Time of the last log line about its failure; `None` while it works.
    last_warning: Option<Instant>,
}

/// Reason why a batch was not accepted.
#[derive(Debug, thiserror::Error)]
enum ExportError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("the request cannot be made: {0}")]
    Request(#[from] http::Error),
    #[error("it answered {0}")]
    Status(StatusCode),
    #[error("it did not answer in time")]
    Late,
}

impl ExportError {
    /// Returns true if another try may succeed (OTLP 1.x, "Retryable Response Codes").
    fn is_transient(&self) -> bool {
        match self {
            Self::Http(_) => true,
            Self::Status(status) => matches!(status.as_u16(), 429 | 502 | 503 | 504),
            Self::Request(_) | Self::Late => false,
        }
    }
}

impl Collector {
    /// Exports until it is told to stop, and then what is left.
    async fn run(mut self, mut waiting: mpsc::Receiver<Span>, mut stop: oneshot::Receiver<()>) {
        let mut stopping = false;
        while !stopping {
            let mut batch = Vec::new();
            tokio::select! {
                first = waiting.recv() => batch.extend(first),
                _ = &mut stop => stopping = true,
            }
            if !stopping {
                stopping = timeout(GATHER, &mut stop).await.is_ok();
            }
            if stopping {
                waiting.close();
            }
            loop {
                while batch.len() < BATCH
                    && let Ok(span) = waiting.try_recv()
                {
                    batch.push(span);
                }
                if batch.is_empty() {
                    break;
                }
                self.export(std::mem::take(&mut batch)).await;
            }
        }
    }

    /// Exports one batch, or drops it.
    async fn export(&mut self, spans: Vec<Span>) {
        let count = spans.len() as u64;
        let ends = Instant::now() + self.timeout;
        match self.post_with_retries(self.request(spans), ends).await {
            Ok(rejected) => {
                let rejected = rejected.min(count);
                self.exported.increment(count - rejected);
                self.failed.increment(rejected);
                if self.last_warning.take().is_some() {
                    tracing::info!("the collector takes spans again");
                }
            }
            Err(refusal) => {
                self.failed.increment(count);
                if self
                    .last_warning
                    .is_none_or(|at| at.elapsed() >= WARNING_INTERVAL)
                {
                    self.last_warning = Some(Instant::now());
                    let endpoint = &self.endpoint;
                    tracing::warn!(%endpoint, error = %refusal, spans = count, "the collector does not take spans, they are dropped; no mail is affected");
                }
            }
        }
    }

    fn request(&self, spans: Vec<Span>) -> Bytes {
        let scope = InstrumentationScope {
            name: "gatepost".to_owned(),
            ..InstrumentationScope::default()
        };
        let request = ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans {
                resource: Some(self.resource.clone()),
                scope_spans: vec![ScopeSpans {
                    scope: Some(scope),
                    spans,
                    ..ScopeSpans::default()
                }],
                ..ResourceSpans::default()
            }],
        };
        request.encode_to_vec().into()
    }

    /// Tries until the collector accepts the request or its time is over; returns the number of
    /// rejected spans.
    async fn post_with_retries(&self, request: Bytes, ends: Instant) -> Result<u64, ExportError> {
        let (mut pause, longest) = PAUSES;
        loop {
            let tried = timeout_at(ends, self.post(request.clone())).await;
            match tried.unwrap_or(Err(ExportError::Late)) {
                Err(refusal) if refusal.is_transient() && Instant::now() + pause < ends => {
                    sleep(pause).await;
                    pause = longest.min(pause * 2);
                }
                answer => return answer,
            }
        }
    }

    /// Sends one request.
    async fn post(&self, body: Bytes) -> Result<u64, ExportError> {
        let mut request = Request::post(self.endpoint.to_string())
            .header(HOST, self.endpoint.authority())
            .header(CONTENT_TYPE, "application/x-protobuf")
            .body(body)?;
        let fields = self.headers.fields().clone();
        request.headers_mut().extend(fields);
        let answer = self.client.send(request).await?;
        if !answer.status().is_success() {
            return Err(ExportError::Status(answer.status()));
        }
        // Accepted; the rest of the answer is informative at best.
        let body = answer.body(LONGEST_ANSWER).await.unwrap_or_default();
        let response = ExportTraceServiceResponse::decode(body).unwrap_or_default();
        let partial = response.partial_success.unwrap_or_default();
        Ok(u64::try_from(partial.rejected_spans).unwrap_or(0))
    }
}
