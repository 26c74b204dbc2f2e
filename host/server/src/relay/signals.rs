//! What the system tells the relay to do.

use std::io;

use tokio::signal::unix::{self, SignalKind, signal};

/// What a signal means.
pub(super) enum Signal {
    /// Read the policies again.
    Reload,
    /// Stop; the name of the signal.
    Stop(&'static str),
}

/// The signals that the relay obeys. From the moment this exists they no longer end the process.
pub(super) struct Signals {
    hangup: unix::Signal,
    terminate: unix::Signal,
    interrupt: unix::Signal,
}

impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.hangup.recv() => Signal::Reload,
            _ = self.terminate.recv() => Signal::Stop("SIGTERM"),
            _ = self.interrupt.recv() => Signal::Stop("SIGINT"),
        }
    }

    /// Waits until it is told to stop, and gives the signal's name; a reload waits until after.
    pub(super) async fn stopped(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }

    /// Waits until it is told to stop; meanwhile nothing is reloaded.
    pub(super) async fn stop(&mut self) {
        while let Signal::Reload = self.next().await {}
    }
}
