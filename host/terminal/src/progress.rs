//! Progress of work that takes its time: one line on the terminal that is written over.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// Time after which progress is shown.
const PATIENCE: Duration = Duration::from_secs(1);

/// Time from one line to the next.
const INTERVAL: Duration = Duration::from_millis(100);

/// Progress of one piece of work on standard error. It is shown on a terminal alone, after a second,
/// and only if standard output is not one too: there, results come into view by themselves.
#[derive(Debug)]
pub struct Progress {
    /// Time of the next line; `None` if nothing is ever shown.
    next: Option<Instant>,
    is_shown: bool,
}

impl Progress {
    /// Makes the progress of work that begins now. `prints` tells if the work prints results as it
    /// goes.
    pub fn new(prints: bool) -> Self {
        let visible = io::stderr().is_terminal() && !(prints && io::stdout().is_terminal());
        Self {
            next: visible.then(|| Instant::now() + PATIENCE),
            is_shown: false,
        }
    }

    /// Shows how far the work is, if it is time to: `done` of `all`, in words such as `messages`.
    pub fn show(&mut self, done: usize, all: usize, what: &str) {
        let now = Instant::now();
        if self.next.is_some_and(|next| next <= now) {
            self.next = Some(now + INTERVAL);
            self.is_shown = true;
            // An error here has nowhere to be reported.
            let _ = write!(io::stderr().lock(), "\r\x1b[K{done} of {all} {what}");
        }
    }

    /// Removes the line, so that something else can be written.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.is_shown) {
            let _ = write!(io::stderr().lock(), "\r\x1b[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
