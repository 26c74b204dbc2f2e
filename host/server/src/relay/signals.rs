//! Signals from the system, and the promise that a relay told to stop ends in time.
//!
//! Signals are received on a thread of their own, so that neither a busy task nor a hanging system
//! call delays them. The relay stops by itself where it can; if anything hangs, this thread ends
//! the process. Accepted mail is on disk by then (the 250 follows the fsync), and deliveries in
//! progress are due again at the next start.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use std::{io, thread};

use tokio::runtime;
use tokio::signal::unix::{self, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

/// Shortest time between the first signal and the end of a hanging process, whatever the
/// configuration says: a busy machine must have time to log the reason.
const SHORTEST: Duration = Duration::from_secs(1);

/// Time to end by itself for a process that was told to stop twice.
const AT_ONCE: Duration = Duration::from_millis(500);

/// Signals that the relay obeys. While this exists they do not end the process by themselves.
pub(super) struct Signals {
    reload: mpsc::Receiver<()>,
    stops: watch::Receiver<Stops>,
    limit: Limit,
}

/// Number of stop signals so far, and the first one.
#[derive(Debug, Clone, Copy, Default)]
struct Stops {
    times: u32,
    first: Option<StopRequest>,
}

/// A request to stop.
#[derive(Debug, Clone, Copy)]
pub(super) struct StopRequest {
    /// Name of the signal.
    pub(super) signal: &'static str,
    /// Time of its arrival.
    pub(super) at: Instant,
}

/// Time limit of the drain; clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Limit(Arc<AtomicU64>);

impl Limit {
    /// Changes the limit.
    pub(super) fn set(&self, drain: Duration) {
        let millis = u64::try_from(drain.as_millis()).unwrap_or(u64::MAX);
        self.0.store(millis, Ordering::Relaxed);
    }

    fn get(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn listen(drain: Duration) -> io::Result<Self> {
        let limit = Limit::default();
        limit.set(drain);
        let (reloads, reload) = mpsc::channel(1);
        let (stopping, stops) = watch::channel(Stops::default());
        let (report, reported) = std::sync::mpsc::channel();
        let until = limit.clone();
        thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                let streams = runtime::Builder::new_current_thread().enable_all().build();
                let streams = streams.and_then(|runtime| {
                    let entered = runtime.enter();
                    let streams = SignalStreams::listen()?;
                    drop(entered);
                    Ok((runtime, streams))
                });
                match streams {
                    Ok((runtime, streams)) => {
                        let _ = report.send(Ok(()));
                        runtime.block_on(streams.obey(&reloads, &stopping, &until));
                    }
                    Err(error) => drop(report.send(Err(error))),
                }
            })?;
        let begun = reported.recv();
        begun.unwrap_or_else(|_| Err(io::Error::other("the thread for signals has ended")))?;
        Ok(Self {
            reload,
            stops,
            limit,
        })
    }

    /// Returns the shared time limit of the drain.
    pub(super) fn limit(&self) -> Limit {
        self.limit.clone()
    }

    /// Waits for a request to read the configuration again.
    pub(super) async fn reload(&mut self) {
        if self.reload.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    /// Waits until the relay has been told to stop this many times.
    pub(super) fn stop(&self, times: u32) -> impl Future<Output = StopRequest> + use<> {
        let mut stops = self.stops.clone();
        async move {
            let stop = stops.wait_for(|stops| stops.times >= times).await;
            let stop = stop.map(|stops| stops.first).ok().flatten();
            match stop {
                Some(stop) => stop,
                // The sender is gone, which happens only at the end of the process.
                None => std::future::pending().await,
            }
        }
    }
}

/// Streams of the signals that are listened for.
struct SignalStreams {
    hangup: unix::Signal,
    terminate: unix::Signal,
    interrupt: unix::Signal,
}

impl SignalStreams {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Passes signals on, and ends the process if it has not ended in time.
    async fn obey(
        mut self,
        reloads: &mpsc::Sender<()>,
        stopping: &watch::Sender<Stops>,
        limit: &Limit,
    ) {
        let mut end: Option<Instant> = None;
        loop {
            let late = async {
                match end {
                    Some(end) => sleep_until(end).await,
                    None => std::future::pending().await,
                }
            };
            let signal = tokio::select! {
                // A pending reload will read the newest file.
                _ = self.hangup.recv() => { let _ = reloads.try_send(()); continue }
                _ = self.terminate.recv() => "SIGTERM",
                _ = self.interrupt.recv() => "SIGINT",
                () = late => end_now(),
            };
            let at = Instant::now();
            stopping.send_modify(|stops| {
                stops.times += 1;
                stops.first.get_or_insert(StopRequest { signal, at });
            });
            end = Some(match end {
                None => at + limit.get().max(SHORTEST),
                Some(end) => end.min(at + AT_ONCE),
            });
        }
    }
}

/// Ends the process at once. The log line is written by another thread: a reader of the log that
/// has stopped reading would otherwise be waited for.
fn end_now() -> ! {
    let logged = thread::spawn(|| {
        tracing::warn!("not stopped in time: work in progress is cut off");
    });
    let begun = std::time::Instant::now();
    while !logged.is_finished() && begun.elapsed() < Duration::from_millis(100) {
        thread::sleep(Duration::from_millis(1));
    }
    process::exit(0)
}
