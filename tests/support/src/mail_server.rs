//! What all mail servers beside the relay have in common.

use std::net::SocketAddr;
use std::path::Path;

use crate::home::Home;
use crate::wait::until;
use crate::{PATIENCE, Process};

/// A running mail server, whose main process ends with it.
#[derive(Debug)]
pub struct MailServer {
    process: Process,
    address: SocketAddr,
    // Dropped after the process.
    home: Home,
}

impl MailServer {
    pub(crate) fn new(process: Process, address: SocketAddr, home: Home) -> Self {
        Self {
            process,
            address,
            home,
        }
    }

    /// Ends its main process and starts another in the same home.
    pub(crate) fn restart(&mut self, start: impl FnOnce(&Path) -> (Process, SocketAddr)) {
        self.process.signal("TERM");
        self.process.wait();
        (self.process, self.address) = start(self.home.path());
    }

    /// Returns the address on which it accepts mail.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns its certificate, as PEM.
    pub fn certificate(&self) -> &Path {
        &self.home.certificate.certificate
    }

    /// Waits until it has logged these words; returns the first line with them.
    pub fn logged(&self, words: &str) -> String {
        self.process.logged(words)
    }

    /// Returns the number of lines of its log with these words.
    pub fn log_lines(&self, words: &str) -> usize {
        let log = self.process.log();
        log.lines().filter(|line| line.contains(words)).count()
    }

    /// Sends its main process a signal, and waits until it has logged these words since.
    pub(crate) fn signalled(&self, signal: &str, words: &str) {
        let before = self.process.log().len();
        self.process.signal(signal);
        self.process.logged_behind(before, &[words]);
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn log(&self) -> String {
        self.process.log()
    }

    /// Waits until a folder of its home holds no file, such as that of its queue.
    pub(crate) fn emptied(&self, folder: &str) {
        let queued = || format!("queued after {PATIENCE:?}:\n{}", self.process.log());
        until(queued, || (self.home.files(folder) == 0).then_some(()));
    }
}

impl Drop for MailServer {
    /// Ends its main process, which ends all others.
    fn drop(&mut self) {
        self.process.signal("TERM");
        self.process.wait();
    }
}
