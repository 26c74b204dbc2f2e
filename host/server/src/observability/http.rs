//! `/metrics`, `/healthz` and `/readyz` for monitors.

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use gatepost_spool::Spool;
use gatepost_trace::Trace;
use tokio::net::TcpListener;

use super::{Health, Metrics};
use crate::policies::Policies;

/// What a monitor can see.
#[derive(Clone)]
pub struct Monitor {
    /// What was recorded.
    pub metrics: Metrics,
    /// What the relay says of itself.
    pub health: Arc<Health>,
    /// The policies in use.
    pub policies: Arc<Policies>,
    /// The queue.
    pub spool: Arc<dyn Spool>,
    /// The record of what happened.
    pub trace: Arc<Trace>,
}

impl Monitor {
    /// Answers monitors until `stop` is ready.
    ///
    /// # Errors
    /// The listener fails.
    pub async fn serve(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        axum::serve(listener, self.router())
            .with_graceful_shutdown(stop)
            .await
    }

    fn router(self) -> Router {
        Router::new()
            .route("/metrics", get(metrics))
            // Whether the process is alive: whoever answers is.
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(ready))
            .with_state(self)
    }
}

async fn metrics(State(monitor): State<Monitor>) -> impl IntoResponse {
    let depth = monitor.spool.depth().await;
    if let Err(error) = &depth {
        tracing::warn!(%error, "the depth of the queue is missing from the metrics");
    }
    let text = monitor.metrics.render(
        depth.as_ref().ok(),
        &monitor.policies,
        monitor.trace.dropped(),
    );
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}

async fn ready(State(monitor): State<Monitor>) -> (StatusCode, String) {
    let reasons = monitor.health.unready(&*monitor.spool);
    if reasons.is_empty() {
        (StatusCode::OK, "ready\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, reasons.join("\n") + "\n")
    }
}
