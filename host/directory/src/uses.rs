//! Last use of each credential: kept in memory and written to disk every few seconds, so that no
//! login waits for the disk.

use std::{collections::HashMap, net::IpAddr, sync::Arc, thread::JoinHandle, time::Duration};

use gatepost_message::Millis;
use ipnet::IpNet;
use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::{DirectoryError, UserName, rules, shared::SharedDirectory};

/// Delay before a use is written, so that others are written with it.
pub(crate) const WRITE_DELAY: Duration = Duration::from_secs(5);

/// Use of a credential.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CredentialUse {
    pub(crate) at: Millis,
    /// Network of the client: an IPv4 address, or an IPv6 /64, within which a site numbers its
    /// machines freely.
    pub(crate) network: Option<IpNet>,
}

impl CredentialUse {
    pub(crate) fn new(from: Option<IpAddr>, at: Millis) -> Self {
        let network = from.and_then(|from| match from.to_canonical() {
            v4 @ IpAddr::V4(_) => IpNet::new(v4, 32).ok(),
            v6 => IpNet::new(v6, 64).ok().map(|network| network.trunc()),
        });
        Self { at, network }
    }
}

/// Uses that are not yet written.
#[derive(Debug, Default)]
pub(crate) struct PendingUses {
    waiting: Mutex<Waiting>,
    woken: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    last: HashMap<UserName, CredentialUse>,
    closed: bool,
}

impl PendingUses {
    pub(crate) fn record(&self, user: &UserName, used: CredentialUse) {
        let mut waiting = self.lock();
        let first = waiting.last.is_empty();
        match waiting.last.get_mut(user) {
            Some(last) if last.at > used.at => {}
            Some(last) => *last = used,
            None => drop(waiting.last.insert(user.clone(), used)),
        }
        drop(waiting);
        if first {
            self.woken.notify_all();
        }
    }

    /// Waits until there are uses to write and the delay is over. Returns false when the directory
    /// is closed.
    fn wait(&self) -> bool {
        let mut waiting = self.lock();
        let nothing = |waiting: &mut Waiting| waiting.last.is_empty() && !waiting.closed;
        self.woken.wait_while(&mut waiting, nothing);
        // More uses arrive during the delay.
        let open = |waiting: &mut Waiting| !waiting.closed;
        self.woken.wait_while_for(&mut waiting, open, WRITE_DELAY);
        !waiting.closed
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock()
    }
}

impl SharedDirectory {
    /// Writes the pending uses. If that fails, they stay pending.
    pub(crate) fn write_uses(&self) -> Result<(), DirectoryError> {
        let mut uses = HashMap::new();
        let written = self.change(|view, _| {
            uses = std::mem::take(&mut self.uses.lock().last);
            let changes = rules::credential::record_uses(view, &uses);
            Ok::<_, DirectoryError>(((), changes))
        });
        if written.is_err() {
            uses.iter()
                .for_each(|(user, used)| self.uses.record(user, *used));
        }
        written
    }
}

/// Thread that writes uses. Dropping this writes the rest and ends the thread.
#[derive(Debug)]
pub(crate) struct UseWriter {
    shared: Arc<SharedDirectory>,
    thread: Option<JoinHandle<()>>,
}

impl UseWriter {
    pub(crate) fn start(shared: &Arc<SharedDirectory>) -> Result<Self, DirectoryError> {
        let of_thread = Arc::clone(shared);
        let thread = std::thread::Builder::new().name("directory-uses".to_owned());
        let thread = thread.spawn(move || {
            loop {
                let more = of_thread.uses.wait();
                if let Err(error) = of_thread.write_uses() {
                    tracing::warn!(%error, "the last use of credentials cannot be recorded");
                }
                if !more {
                    return;
                }
            }
        });
        Ok(Self {
            shared: Arc::clone(shared),
            thread: Some(thread.map_err(DirectoryError::Thread)?),
        })
    }
}

impl Drop for UseWriter {
    fn drop(&mut self) {
        self.shared.uses.lock().closed = true;
        self.shared.uses.woken.notify_all();
        if let Some(thread) = self.thread.take() {
            // The panic was already reported.
            let _ = thread.join();
        }
    }
}
