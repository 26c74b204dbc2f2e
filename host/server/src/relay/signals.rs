//! What the system tells the relay to do, and the one promise that goes with it: told to stop, the
//! process ends in time.
//!
//! Signals are heard on a thread of its own, so that neither a task that never waits nor a system
//! call that never returns keeps them from being heard. The relay stops by itself where it can;
//! where anything in it hangs, this thread ends the process. What was accepted is on disk by then
//! (the 250 was said behind the fsync), and what was being delivered is due again at the next start.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use std::{io, thread};

use tokio::runtime;
use tokio::signal::unix::{self, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

/// The least time between the first signal and the end of a process that hangs. Whatever the
/// configuration says, the log of a busy machine is to say why.
const LEAST: Duration = Duration::from_secs(1);

/// How long a process that was told twice has to end by itself.
const AT_ONCE: Duration = Duration::from_millis(500);

/// The signals that the relay obeys. From the moment this exists they no longer end the process by
/// themselves.
pub(super) struct Signals {
    reload: mpsc::Receiver<()>,
    stops: watch::Receiver<Stops>,
    limit: Limit,
}

/// How often the relay was told to stop, and by what first.
#[derive(Debug, Clone, Copy, Default)]
struct Stops {
    times: u32,
    first: Option<Stop>,
}

/// The relay is told to stop.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stop {
    /// Name of the signal.
    pub(super) signal: &'static str,
    /// When it came.
    pub(super) at: Instant,
}

/// How long the relay may take to stop; clones are the same one.
#[derive(Debug, Clone, Default)]
pub(super) struct Limit(Arc<AtomicU64>);

impl Limit {
    /// Another one, from now on.
    pub(super) fn set(&self, drain: Duration) {
        let millis = u64::try_from(drain.as_millis()).unwrap_or(u64::MAX);
        self.0.store(millis, Ordering::Relaxed);
    }

    fn get(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

impl Signals {
    /// Listens from now on.
    ///
    /// # Errors
    /// The system does not let it.
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
                let heard = runtime::Builder::new_current_thread().enable_all().build();
                let heard = heard.and_then(|runtime| {
                    let entered = runtime.enter();
                    let heard = Heard::listen()?;
                    drop(entered);
                    Ok((runtime, heard))
                });
                match heard {
                    Ok((runtime, heard)) => {
                        let _ = report.send(Ok(()));
                        runtime.block_on(heard.obey(&reloads, &stopping, &until));
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

    /// How long the relay may take to stop.
    pub(super) fn limit(&self) -> Limit {
        self.limit.clone()
    }

    /// Waits until the relay is told to read its configuration again.
    pub(super) async fn reload(&mut self) {
        if self.reload.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    /// Waits until the relay has been told to stop so often.
    pub(super) fn stop(&self, times: u32) -> impl Future<Output = Stop> + use<> {
        let mut stops = self.stops.clone();
        async move {
            let told = stops.wait_for(|stops| stops.times >= times).await;
            let told = told.map(|stops| stops.first).ok().flatten();
            match told {
                Some(stop) => stop,
                // Nobody listens any more, which only the end of the process can bring about.
                None => std::future::pending().await,
            }
        }
    }
}

/// What is listened for.
struct Heard {
    hangup: unix::Signal,
    terminate: unix::Signal,
    interrupt: unix::Signal,
}

impl Heard {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Passes signals on, and ends the process when it has not ended in time.
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
                // One that waits already will read what is there by then.
                _ = self.hangup.recv() => { let _ = reloads.try_send(()); continue }
                _ = self.terminate.recv() => "SIGTERM",
                _ = self.interrupt.recv() => "SIGINT",
                () = late => end_now(),
            };
            let at = Instant::now();
            stopping.send_modify(|stops| {
                stops.times += 1;
                stops.first.get_or_insert(Stop { signal, at });
            });
            end = Some(match end {
                None => at + limit.get().max(LEAST),
                Some(end) => end.min(at + AT_ONCE),
            });
        }
    }
}

/// Ends the process, whatever it is at. The log is written by somebody else: whoever reads it may
/// have stopped reading, and would be waited for.
fn end_now() -> ! {
    let said = thread::spawn(|| {
        tracing::warn!("not stopped in time: what is still in hand is cut off");
    });
    let begun = std::time::Instant::now();
    while !said.is_finished() && begun.elapsed() < Duration::from_millis(100) {
        thread::sleep(Duration::from_millis(1));
    }
    process::exit(0)
}
