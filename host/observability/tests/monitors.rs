//! Answers that monitors get.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use gatepost_directory::Directory;
use gatepost_observability::{Health, Metrics, Monitor, PolicyState, PolicyStates};
use gatepost_spool::{MemorySettings, MemorySpool, Stores};
use gatepost_trace::{Retention, Trace};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// Returns the status and body of an answer.
async fn get(address: std::net::SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

/// A relay without policies.
struct NoPolicies;

impl PolicyStates for NoPolicies {
    fn states(&self) -> Vec<PolicyState> {
        Vec::new()
    }
}

async fn monitor(metrics: &Metrics) -> (Monitor, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let stores = Stores::from(MemorySpool::default());
    let trace = Trace::open(directory.path().join("trace.db"), Retention::default());
    let monitor = Monitor {
        metrics: metrics.clone(),
        health: Arc::new(Health::default()),
        policies: Arc::new(NoPolicies),
        queue: stores.queue,
        admin: stores.admin,
        counters: stores.counters,
        trace: Arc::new(trace.unwrap()),
        directory: Arc::new(
            Directory::open(&gatepost_config::Directory::default().settings(directory.path()))
                .unwrap(),
        ),
    };
    (monitor, directory)
}

/// One test, because a process has one recorder.
#[tokio::test]
async fn monitors_get_metrics_health_and_readiness() {
    let metrics = Metrics::start().unwrap();
    assert!(Metrics::start().is_err(), "once in a process");
    let (monitor, _directory) = monitor(&metrics).await;
    let health = Arc::clone(&monitor.health);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(monitor.serve(listener, async {
        let _ = stopped.await;
    }));

    assert_eq!(get(address, "/healthz").await, (200, "ok\n".to_owned()));
    let (status, reasons) = get(address, "/readyz").await;
    assert_eq!(status, 503);
    assert_eq!(
        reasons,
        "policies are not loaded\nlisteners are not bound\n"
    );
    health.policies_loaded();
    health.listening();
    assert_eq!(get(address, "/readyz").await, (200, "ready\n".to_owned()));
    health.draining();
    let stopping = (503, "the relay is stopping\n".to_owned());
    assert_eq!(get(address, "/readyz").await, stopping);

    metrics::counter!("gatepost_policy_calls_total", "policy" => "p", "hook" => "message")
        .increment(2);
    metrics::histogram!("gatepost_policy_call_micros", "policy" => "p", "hook" => "message")
        .record(30.0);
    let (status, text) = get(address, "/metrics").await;
    assert_eq!(status, 200);
    for line in [
        "# TYPE gatepost_policy_calls_total counter",
        "gatepost_policy_calls_total{policy=\"p\",hook=\"message\"} 2",
        "gatepost_policy_call_micros_bucket{policy=\"p\",hook=\"message\",le=\"20\"} 0",
        "gatepost_policy_call_micros_bucket{policy=\"p\",hook=\"message\",le=\"50\"} 1",
        "gatepost_queue_recipients{state=\"queued\"} 0",
        "gatepost_queue_oldest_seconds 0",
        "gatepost_trace_dropped_total 0",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
    }
    let described = text.lines().filter(|l| l.starts_with("# HELP")).count();
    let typed = text.lines().filter(|l| l.starts_with("# TYPE")).count();
    assert_eq!(described, typed, "every metric says what it is:\n{text}");

    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_nearly_full_store_is_not_ready() {
    let spool = MemorySpool::new(MemorySettings {
        min_free_bytes: u64::MAX / 2,
        ..MemorySettings::default()
    });
    let health = Health::default();
    health.policies_loaded();
    health.listening();
    let reasons = health.unready(&spool);
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert!(reasons[0].contains("nearly full"), "{reasons:?}");
}
