//! Last use of each credential, its uses in its grace period, and the names in which messages left:
//! kept in memory and written to disk every few seconds, so that no login and no delivery waits for
//! the disk.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use gatepost_message::{Millis, TransactionId};
use ipnet::IpNet;
use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::{
    AccountId, Canonical, DefaultReason, DirectoryError, LeavesFromDefault, UserName, rules,
    shared::SharedDirectory,
};

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

/// Uses of a credential in its grace period since the last write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PendingGrace {
    pub(crate) count: u64,
    pub(crate) first: Millis,
    pub(crate) last: CredentialUse,
}

impl PendingGrace {
    fn and(self, other: Self) -> Self {
        Self {
            count: self.count.saturating_add(other.count),
            first: self.first.min(other.first),
            last: match self.last.at > other.last.at {
                true => self.last,
                false => other.last,
            },
        }
    }
}

/// Key of a support address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct AddressKey {
    pub(crate) account: AccountId,
    pub(crate) canonical: Canonical,
}

/// Messages of an address that left since the last write.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Departures {
    /// The last one left in its own name.
    InOwnName,
    /// They left from the default address.
    FromDefault(LeavesFromDefault),
}

/// Messages that are remembered, so that one which goes to several servers counts once.
const COUNTED: usize = 256;

/// Uses that are not yet written.
#[derive(Debug, Default)]
pub(crate) struct PendingUses {
    waiting: Mutex<Waiting>,
    woken: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    last: HashMap<UserName, CredentialUse>,
    in_grace: HashMap<UserName, PendingGrace>,
    departed: HashMap<AddressKey, Departures>,
    /// Messages that were counted last.
    counted: VecDeque<TransactionId>,
    closed: bool,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.last.is_empty() && self.in_grace.is_empty() && self.departed.is_empty()
    }
}

impl PendingUses {
    pub(crate) fn record(&self, user: &UserName, used: CredentialUse) {
        let mut waiting = self.lock();
        let first = waiting.is_empty();
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

    /// Records uses of a credential in its grace period.
    pub(crate) fn record_in_grace(&self, user: &UserName, uses: PendingGrace) {
        let mut waiting = self.lock();
        let first = waiting.is_empty();
        let before = waiting.in_grace.get(user).copied();
        let uses = before.map_or(uses, |before| before.and(uses));
        waiting.in_grace.insert(user.clone(), uses);
        drop(waiting);
        if first {
            self.woken.notify_all();
        }
    }

    /// Records that a message of an address left in its own name.
    pub(crate) fn left_in_own_name(&self, key: AddressKey) {
        self.depart(key, |_| Departures::InOwnName);
    }

    /// Records that a message of an address left from the default address. Each counts once.
    pub(crate) fn left_from_default(
        &self,
        key: AddressKey,
        message: TransactionId,
        reason: DefaultReason,
        at: Millis,
    ) {
        let mut waiting = self.lock();
        if waiting.counted.contains(&message) {
            return;
        }
        if waiting.counted.len() == COUNTED {
            waiting.counted.pop_front();
        }
        waiting.counted.push_back(message);
        drop(waiting);
        self.depart(key, |before| {
            let (since, messages) = match before {
                Some(Departures::FromDefault(before)) => (before.since, before.messages),
                Some(Departures::InOwnName) | None => (at, 0),
            };
            Departures::FromDefault(LeavesFromDefault {
                since,
                reason,
                messages: messages + 1,
            })
        });
    }

    /// Takes back departures that were not written. Later ones go before them.
    fn take_back(&self, key: AddressKey, unwritten: Departures) {
        self.depart(key, |later| match (unwritten, later) {
            (Departures::FromDefault(before), Some(Departures::FromDefault(later))) => {
                Departures::FromDefault(LeavesFromDefault {
                    since: before.since,
                    messages: before.messages + later.messages,
                    ..later
                })
            }
            (_, Some(later)) => later,
            (unwritten, None) => unwritten,
        });
    }

    fn depart(&self, key: AddressKey, next: impl FnOnce(Option<Departures>) -> Departures) {
        let mut waiting = self.lock();
        let first = waiting.is_empty();
        let next = next(waiting.departed.get(&key).copied());
        waiting.departed.insert(key, next);
        drop(waiting);
        if first {
            self.woken.notify_all();
        }
    }

    /// Returns true if a departure of this address waits to be written.
    pub(crate) fn has_departed(&self, key: &AddressKey) -> bool {
        self.lock().departed.contains_key(key)
    }

    /// Waits until there are uses to write and the delay is over. Returns false when the directory
    /// is closed.
    fn wait(&self) -> bool {
        let mut waiting = self.lock();
        let nothing = |waiting: &mut Waiting| waiting.is_empty() && !waiting.closed;
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
        let mut in_grace = HashMap::new();
        let mut departed = HashMap::new();
        let written = self.change(|view, _| {
            let mut waiting = self.uses.lock();
            uses = std::mem::take(&mut waiting.last);
            in_grace = std::mem::take(&mut waiting.in_grace);
            departed = std::mem::take(&mut waiting.departed);
            drop(waiting);
            let mut changes = rules::credential::record_uses(view, &uses, &in_grace);
            changes.extend(rules::address::record_departures(view, &departed));
            Ok::<_, DirectoryError>(((), changes))
        });
        if written.is_err() {
            uses.iter()
                .for_each(|(user, used)| self.uses.record(user, *used));
            let unwritten = in_grace.iter();
            unwritten.for_each(|(user, uses)| self.uses.record_in_grace(user, *uses));
            let unwritten = departed.into_iter();
            unwritten.for_each(|(key, departures)| self.uses.take_back(key, departures));
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
                    tracing::warn!(%error, "the last use of credentials and addresses cannot be recorded");
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
