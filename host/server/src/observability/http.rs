//! `/metrics`, `/healthz` and `/readyz` for monitors, and partners for the application.

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use gatepost_directory::Directory;
use gatepost_message::AddressError;
use gatepost_spool::Spool;
use gatepost_trace::Trace;
use tokio::net::TcpListener;

use super::places::Bounded;
use super::{Health, Metrics};
use crate::control::LookedUp;
use crate::control::directory::account_id;
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
            // Whether the process is alive: whoever answers is.
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(ready))
            .route("/accounts/{account}/partners/{address}", get(partner))
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
        &monitor.spool.remembered(),
        &monitor.policies,
        &monitor.directory.view(),
        monitor.trace.dropped(),
    );
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}

/// Whether an address is a partner's of an account: what an application asks when it creates a
/// user. From memory.
async fn partner(
    State(monitor): State<Monitor>,
    Path((account, address)): Path<(String, String)>,
) -> (StatusCode, [(header::HeaderName, &'static str); 1], String) {
    let json = [(header::CONTENT_TYPE, "application/json")];
    let failed = |error: String| serde_json::json!({ "error": error }).to_string();
    let view = monitor.directory.view();
    let account = match account_id(&view, &account) {
        Ok(account) => account,
        Err(error) => return (StatusCode::NOT_FOUND, json, failed(error.to_string())),
    };
    let address = match address.parse() {
        Ok(address) => address,
        Err(error) => {
            let error: AddressError = error;
            return (StatusCode::BAD_REQUEST, json, failed(error.to_string()));
        }
    };
    match serde_json::to_string(&LookedUp::of(&view, account, address)) {
        Ok(found) => (StatusCode::OK, json, found),
        Err(error) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            json,
            failed(error.to_string()),
        ),
    }
}

async fn ready(State(monitor): State<Monitor>) -> (StatusCode, String) {
    let reasons = monitor.health.unready(&*monitor.spool);
    if reasons.is_empty() {
        (StatusCode::OK, "ready\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, reasons.join("\n") + "\n")
    }
}
