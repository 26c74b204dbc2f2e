//! `/metrics`, `/healthz` and `/readyz` for monitors.

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use gatepost_directory::Directory;
use gatepost_policy::BreakerState;
use gatepost_spool::{Counters, Queue, QueueAdmin};
use gatepost_trace::Trace;
use tokio::net::TcpListener;

use super::bounded::Bounded;
use super::{Health, Metrics};

/// State of one active policy.
#[derive(Debug, Clone)]
pub struct PolicyState {
    /// Name in the configuration.
    pub name: String,
    /// State of its circuit breaker.
    pub breaker: BreakerState,
    /// True if the module in the watched folder cannot be used, and an earlier one is.
    pub module_refused: bool,
}

/// Source of the active policies' states.
pub trait PolicyStates: Send + Sync {
    /// Returns the state of each active policy.
    fn states(&self) -> Vec<PolicyState>;
}

/// Sources of all that monitors can see.
#[derive(Clone)]
pub struct Monitor {
    /// Recorded metrics.
    pub metrics: Metrics,
    /// State of the relay.
    pub health: Arc<Health>,
    /// Active policies.
    pub policies: Arc<dyn PolicyStates>,
    /// Queue; the relay is ready while it has room.
    pub queue: Arc<dyn Queue>,
    /// Listings of the queue, for its depth.
    pub admin: Arc<dyn QueueAdmin>,
    /// Counts, marks and machines.
    pub counters: Arc<dyn Counters>,
    /// Trace.
    pub trace: Arc<Trace>,
    /// Accounts and their partners.
    pub directory: Arc<Directory>,
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
        axum::serve(Bounded::new(listener), self.router())
            .with_graceful_shutdown(stop)
            .await
    }

    fn router(self) -> Router {
        Router::new()
            .route("/metrics", get(metrics))
            // A process that answers is alive.
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(ready))
            .with_state(self)
    }
}

async fn metrics(State(monitor): State<Monitor>) -> impl IntoResponse {
    let depth = monitor.admin.depth().await;
    if let Err(error) = &depth {
        tracing::warn!(%error, "the depth of the queue is missing from the metrics");
    }
    let text = monitor.metrics.render(
        depth.as_ref().ok(),
        &monitor.counters.remembered(),
        &monitor.policies.states(),
        &monitor.directory.view(),
        monitor.trace.dropped(),
    );
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}

async fn ready(State(monitor): State<Monitor>) -> (StatusCode, String) {
    let reasons = monitor.health.unready(&*monitor.queue);
    if reasons.is_empty() {
        (StatusCode::OK, "ready\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, reasons.join("\n") + "\n")
    }
}
