//! The circuit breaker of one hook of one version. It opens for a broken version, not for faults
//! that one sender causes.
//!
//! Each fault is [attributed](crate::attribution) to a sender, an account and a message. The hook
//! is no longer called in two cases:
//!
//! - [`UNRELATED`] senders made it fail with as many different messages, and no call was answered
//!   in between. Then it opens for their account; for all accounts only if the senders wrote to
//!   several, so that the settings of one account stop nobody else's mail.
//! - The version fails its own probe call, with the settings of the account or without.
//!
//! While the breaker is open, up to [`UNRELATED`] senders have one trial call each in a
//! [`COOLDOWN`]. The first call that is answered closes it, so that a sender who causes faults
//! cannot keep it open by coming first.
//!
//! The hook is no longer called for a message that makes it fail repeatedly while it answers for
//! others: the fault is attributed to the message.
//!
//! All records are bounded, and a sender that fills them loses its own records first. The reasons
//! are in `docs/decisions/0013-whose-fault-a-fault-is.md`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gatepost_model::Fault;
use parking_lot::{Mutex, MutexGuard};

use crate::attribution::{Cause, Digest, Sender};

/// Number of senders, with as many different messages, whose faults open a circuit.
pub(crate) const UNRELATED: usize = 8;

/// Number of these that may be of one account when the circuit of all accounts opens.
const MAX_OF_ONE_ACCOUNT: usize = UNRELATED / 2;

/// Time for which a circuit stays open before the first trial calls, and between later ones.
pub(crate) const COOLDOWN: Duration = Duration::from_secs(30);

/// Number of faults without an answer after which the version is probed.
const PROBE_AFTER: u32 = 3;

/// Least time between two probes of one account.
const PROBE_INTERVAL: Duration = Duration::from_secs(5);

/// Number of faults on one message that are attributed to it, if the version answers for others.
const MESSAGE_FAULTS: u32 = 2;

/// Number of faults on one message that are attributed to it, if the version answers only its
/// probe: on a quiet site there may be no other message to judge by.
const MESSAGE_FAULTS_BY_PROBE: u32 = 5;

/// Time for which messages and accounts are kept after the last fault: longer than a sender waits
/// between two attempts (RFC 5321 section 4.5.4.1).
const RETENTION: Duration = Duration::from_secs(24 * 3600);

/// Limit on the number of messages that are kept.
const MAX_MESSAGES: usize = 1024;

/// Limit on the number of accounts that are kept.
const MAX_ACCOUNTS: usize = 1024;

/// Records of a version's circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Closed: the version is called.
    Closed,
    /// Open for the mail of this many accounts; for all other mail, the version is called.
    OpenForAccounts(usize),
    /// Open: the version kept failing, and its `on-error` holds for every message until a trial
    /// succeeds.
    Open,
}

impl BreakerState {
    /// Returns the worse of two states.
    pub(crate) fn worse(self, other: Self) -> Self {
        match (self, other) {
            (Self::Open, _) | (_, Self::Open) => Self::Open,
            (Self::OpenForAccounts(one), Self::OpenForAccounts(other)) => {
                Self::OpenForAccounts(one.max(other))
            }
            (Self::Closed, other) => other,
            (state, Self::Closed) => state,
        }
    }

    /// Returns the number of accounts for which a version is not called while it is for others.
    pub fn accounts(self) -> usize {
        match self {
            Self::OpenForAccounts(accounts) => accounts,
            Self::Closed | Self::Open => 0,
        }
    }
}

/// Answer of the breaker to a call that is about to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Permission for the call.
    Granted,
    /// Refusal because the breaker is open.
    Open,
    /// Refusal because the message made the version fail before, and the fault was attributed to
    /// the message.
    Repeated,
}

/// Circuit breaker of one hook. Each hook has its own: one that answers says nothing about another
/// that traps.
#[derive(Debug)]
pub(crate) struct Breaker {
    created: Instant,
    /// True until the first fault, and again once the last is older than [`RETENTION`]. While it
    /// is true, no call takes the lock.
    healthy: AtomicBool,
    state: Mutex<Records>,
}

/// Records of the faults. Times are milliseconds since the breaker was made.
#[derive(Debug, Default)]
struct Records {
    all: Circuit,
    accounts: HashMap<String, Circuit>,
    messages: HashMap<Digest, FailedMessage>,
    last_fault: u64,
}

/// Record of the calls for one account, or for all.
#[derive(Debug, Default)]
struct Circuit {
    /// Faults of unrelated senders and messages since the last answer.
    unrelated: Vec<UnrelatedFault>,
    /// Number of all faults since the last answer.
    faults: u32,
    /// Number of answers since the first fault that is kept.
    answers: u64,
    /// Earliest time of the next probe.
    probe_at: u64,
    /// True if the last probe was answered.
    probe_answered: bool,
    open: Option<OpenCircuit>,
    last_fault: u64,
}

#[derive(Debug)]
struct UnrelatedFault {
    sender: Sender,
    digest: Digest,
    account: Option<String>,
}

/// Record of an open circuit, which admits only trial calls.
#[derive(Debug, Default)]
struct OpenCircuit {
    /// Time at which the present round of trials begins, or the next if it is in the future.
    trials_at: u64,
    /// Senders that have had a trial in this round.
    tried: Vec<Sender>,
}

/// Message that made the version fail.
#[derive(Debug)]
struct FailedMessage {
    sender: Sender,
    size: u64,
    faults: u32,
    /// Number of answers for its account before its first fault.
    answers: u64,
    last: u64,
}

impl Breaker {
    pub(crate) fn new() -> Self {
        Self {
            created: Instant::now(),
            healthy: AtomicBool::new(true),
            state: Mutex::default(),
        }
    }

    pub(crate) fn state(&self) -> BreakerState {
        if self.healthy.load(Ordering::Acquire) {
            return BreakerState::Closed;
        }
        let state = self.lock();
        let open = state
            .accounts
            .values()
            .filter(|circuit| circuit.open.is_some());
        match (state.all.open.is_some(), open.count()) {
            (true, _) => BreakerState::Open,
            (false, 0) => BreakerState::Closed,
            (false, accounts) => BreakerState::OpenForAccounts(accounts),
        }
    }

    /// Decides if a call may be made.
    pub(crate) fn admits(&self, cause: &Cause<'_>) -> Admission {
        if self.healthy.load(Ordering::Acquire) {
            return Admission::Granted;
        }
        // Only a message with the size of one that made it fail is hashed.
        let size = cause.size();
        let may_be_known = cause.can_recur() && {
            let state = self.lock();
            state.messages.values().any(|known| known.size == size)
        };
        let digest = may_be_known.then(|| cause.digest());
        self.admits_at(cause.sender(), cause.account(), digest, self.now())
    }

    fn admits_at(
        &self,
        sender: Sender,
        account: Option<&str>,
        digest: Option<Digest>,
        now: u64,
    ) -> Admission {
        let mut state = self.lock();
        if digest.is_some_and(|digest| state.is_messages_fault(account, digest)) {
            return Admission::Repeated;
        }
        let Records { all, accounts, .. } = &mut *state;
        let circuit = account.and_then(|account| accounts.get_mut(account));
        let circuits = circuit.into_iter().chain([all]);
        let mut open: Vec<_> = circuits
            .filter_map(|circuit| circuit.open.as_mut())
            .collect();
        if !open.iter_mut().all(|open| open.has_trial_for(&sender, now)) {
            return Admission::Open;
        }
        for open in open {
            open.tried.push(sender.clone());
        }
        Admission::Granted
    }

    pub(crate) fn answered(&self, cause: &Cause<'_>, policy: &str) {
        if !self.healthy.load(Ordering::Acquire) {
            self.answered_at(cause.account(), policy, self.now());
        }
    }

    fn answered_at(&self, account: Option<&str>, policy: &str, now: u64) {
        let mut state = self.lock();
        if now.saturating_sub(state.last_fault) > RETENTION.as_millis() as u64 {
            *state = Records::default();
            self.healthy.store(true, Ordering::Release);
            return;
        }
        let Records { all, accounts, .. } = &mut *state;
        if all.answered() {
            tracing::warn!(policy, "policy answers again: circuit breaker closed");
        }
        let circuit = account.and_then(|account| accounts.get_mut(account));
        if circuit.is_some_and(Circuit::answered) {
            tracing::warn!(
                policy,
                account,
                "policy answers again for this account: circuit breaker closed"
            );
        }
    }

    /// Counts a fault that tells something about the version or the message. Returns true if the
    /// version has to be probed now.
    pub(crate) fn failed(&self, cause: &Cause<'_>, policy: &str, fault: &Fault) -> bool {
        self.failed_at(self.attributed(cause), policy, &fault.to_string())
    }

    fn failed_at(&self, at: AttributedFault<'_>, policy: &str, fault: &str) -> bool {
        let mut state = self.lock();
        self.healthy.store(false, Ordering::Release);
        state.last_fault = at.now;
        state.record_message(&at);
        let Records { all, accounts, .. } = &mut *state;
        all.failed(&at, MAX_OF_ONE_ACCOUNT);
        if all.is_broken() && all.accounts() != 1 {
            all.open(at.now, policy, None, fault);
        }
        let asked = match at.account {
            Some(account) => {
                let circuit = accounts.entry(account.to_owned()).or_default();
                circuit.failed(&at, UNRELATED);
                if circuit.is_broken() {
                    circuit.open(at.now, policy, Some(account), fault);
                }
                circuit
            }
            None => all,
        };
        asked.wants_probe(at.now)
    }

    /// Counts a fault that tells nothing about the version, only about the message: its calls ask
    /// for more than the budget.
    pub(crate) fn message_failed(&self, cause: &Cause<'_>) {
        let at = self.attributed(cause);
        let mut state = self.lock();
        self.healthy.store(false, Ordering::Release);
        state.last_fault = at.now;
        state.record_message(&at);
        // From now on the answers of the account are counted.
        if let Some(account) = at.account {
            state
                .accounts
                .entry(account.to_owned())
                .or_default()
                .last_fault = at.now;
        }
    }

    fn attributed<'a>(&self, cause: &Cause<'a>) -> AttributedFault<'a> {
        AttributedFault {
            sender: cause.sender(),
            account: cause.account(),
            digest: cause.digest(),
            size: cause.can_recur().then(|| cause.size()),
            now: self.now(),
        }
    }

    /// Records the result of a probe for one account, or for all.
    pub(crate) fn probed(&self, account: Option<&str>, policy: &str, fault: Option<&Fault>) {
        let fault = fault.map(ToString::to_string);
        self.probed_at(account, policy, fault.as_deref(), self.now());
    }

    fn probed_at(&self, account: Option<&str>, policy: &str, fault: Option<&str>, now: u64) {
        let mut state = self.lock();
        let circuit = match account {
            Some(account) => match state.accounts.get_mut(account) {
                Some(circuit) => circuit,
                None => return,
            },
            None => &mut state.all,
        };
        circuit.probe_answered = fault.is_none();
        if let Some(fault) = fault {
            circuit.open(now, policy, account, fault);
        }
    }

    /// Returns true if the fault of a call is attributed to its message, not to the version.
    pub(crate) fn is_messages_fault(&self, cause: &Cause<'_>) -> bool {
        cause.can_recur() && (self.lock()).is_messages_fault(cause.account(), cause.digest())
    }

    fn lock(&self) -> MutexGuard<'_, Records> {
        self.state.lock()
    }

    fn now(&self) -> u64 {
        u64::try_from(self.created.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Fault with its sender, account and message.
#[derive(Debug, Clone)]
struct AttributedFault<'a> {
    sender: Sender,
    account: Option<&'a str>,
    digest: Digest,
    /// Size of the message, if it can recur.
    size: Option<u64>,
    now: u64,
}

impl Records {
    fn circuit(&self, account: Option<&str>) -> Option<&Circuit> {
        match account {
            Some(account) => self.accounts.get(account),
            None => Some(&self.all),
        }
    }

    fn is_messages_fault(&self, account: Option<&str>, digest: Digest) -> bool {
        let (Some(known), Some(circuit)) = (self.messages.get(&digest), self.circuit(account))
        else {
            return false;
        };
        if circuit.open.is_some() || self.all.open.is_some() {
            return false;
        }
        known.faults >= MESSAGE_FAULTS && circuit.answers > known.answers
            || known.faults >= MESSAGE_FAULTS_BY_PROBE && circuit.probe_answered
    }

    /// Records the message of a fault, and makes room for it and its account.
    fn record_message(&mut self, at: &AttributedFault<'_>) {
        if let Some(account) = at.account
            && !self.accounts.contains_key(account)
            && self.accounts.len() >= MAX_ACCOUNTS
        {
            let circuits = self.accounts.iter();
            let oldest =
                circuits.min_by_key(|(_, circuit)| (circuit.open.is_some(), circuit.last_fault));
            if let Some(oldest) = oldest.map(|(account, _)| account.clone()) {
                self.accounts.remove(&oldest);
            }
        }
        let Some(size) = at.size else { return };
        let answers = self
            .circuit(at.account)
            .map_or(0, |circuit| circuit.answers);
        if let Some(known) = self.messages.get_mut(&at.digest) {
            known.faults = known.faults.saturating_add(1);
            known.last = at.now;
            // If its account was evicted meanwhile, the answers are counted from zero again.
            known.answers = known.answers.min(answers);
            return;
        }
        if self.messages.len() >= MAX_MESSAGES {
            self.evict_message();
        }
        let known = FailedMessage {
            sender: at.sender.clone(),
            size,
            faults: 1,
            answers,
            last: at.now,
        };
        self.messages.insert(at.digest, known);
    }

    /// Evicts the oldest message of the sender with the most messages.
    fn evict_message(&mut self) {
        let mut of_sender: HashMap<&Sender, usize> = HashMap::new();
        for known in self.messages.values() {
            *of_sender.entry(&known.sender).or_default() += 1;
        }
        let key = |known: &FailedMessage| {
            let many = of_sender.get(&known.sender).copied().unwrap_or_default();
            (std::cmp::Reverse(many), known.last)
        };
        let first = self.messages.iter().min_by_key(|(_, known)| key(known));
        if let Some(digest) = first.map(|(digest, _)| *digest) {
            self.messages.remove(&digest);
        }
    }
}

impl Circuit {
    /// Counts an answer. Returns true if the circuit was open.
    fn answered(&mut self) -> bool {
        self.unrelated.clear();
        self.faults = 0;
        self.answers += 1;
        self.open.take().is_some()
    }

    fn failed(&mut self, at: &AttributedFault<'_>, of_one_account: usize) {
        self.faults = self.faults.saturating_add(1);
        self.last_fault = at.now;
        let new = |known: &UnrelatedFault| known.sender != at.sender && known.digest != at.digest;
        let account = |known: &&UnrelatedFault| {
            at.account.is_some() && known.account.as_deref() == at.account
        };
        if self.unrelated.len() < UNRELATED
            && self.unrelated.iter().all(new)
            && self.unrelated.iter().filter(account).count() < of_one_account
        {
            self.unrelated.push(UnrelatedFault {
                sender: at.sender.clone(),
                digest: at.digest,
                account: at.account.map(str::to_owned),
            });
        }
    }

    fn is_broken(&self) -> bool {
        self.unrelated.len() >= UNRELATED
    }

    /// Returns the number of accounts of the unrelated faults; mail without an account counts as
    /// several.
    fn accounts(&self) -> usize {
        let mut accounts: Vec<_> = self.unrelated.iter().map(|known| &known.account).collect();
        accounts.sort_unstable();
        accounts.dedup();
        match accounts.first() {
            Some(None) => usize::MAX,
            _ => accounts.len(),
        }
    }

    fn wants_probe(&mut self, now: u64) -> bool {
        let due = self.open.is_none() && self.faults >= PROBE_AFTER && now >= self.probe_at;
        if due {
            self.probe_at = now.saturating_add(PROBE_INTERVAL.as_millis() as u64);
        }
        due
    }

    fn open(&mut self, now: u64, policy: &str, account: Option<&str>, fault: &str) {
        if self.open.is_some() {
            return;
        }
        self.open = Some(OpenCircuit {
            trials_at: now.saturating_add(COOLDOWN.as_millis() as u64),
            tried: Vec::new(),
        });
        let faults = self.faults;
        match account {
            None => tracing::error!(
                policy,
                faults,
                fault,
                "POLICY KEEPS FAILING: circuit breaker open, this version is not called; its on-error \
                 holds for every message, or the active version decides if this one is a canary; \
                 activate a mended version or roll back"
            ),
            Some(account) => tracing::error!(
                policy,
                account,
                faults,
                fault,
                "POLICY KEEPS FAILING FOR AN ACCOUNT: circuit breaker open for its mail alone; \
                 mend the account's settings for this policy, activate a mended version or roll \
                 back"
            ),
        }
    }
}

impl OpenCircuit {
    /// Returns true if this sender has a trial call now.
    fn has_trial_for(&mut self, sender: &Sender, now: u64) -> bool {
        if now < self.trials_at {
            return false;
        }
        let cooldown = COOLDOWN.as_millis() as u64;
        if now - self.trials_at >= cooldown {
            self.trials_at = now;
            self.tried.clear();
        }
        self.tried.len() < UNRELATED && !self.tried.contains(sender)
    }
}

#[cfg(test)]
mod tests;
