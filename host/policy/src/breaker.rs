//! The circuit breaker of one hook of one version: it opens for a version that is broken, not for
//! what one sender makes it fail on.
//!
//! Each fault is [attributed](crate::attribution): to its sender, to its account and to its
//! message. The hook is no longer called
//!
//! - for one account, or for all, where [`UNRELATED`] senders have made it fail with as many
//!   different messages and no call has been answered in between; for all only where they were of
//!   several accounts, so that the settings of one account stop nobody else's mail;
//! - where the version cannot answer its own probe call any more, with the settings of the account
//!   or without.
//!
//! While open, each sender may try it once in a [`COOLDOWN`]: the first call that is answered
//! closes it, so that whoever made it fail cannot keep it open by coming first.
//!
//! A message that made it fail, and makes it fail again while it answers for others, is not
//! called for any more: the fault is the message's.
//!
//! All of this is bounded, and what one sender fills is taken from that sender first. The reasons
//! are in `docs/decisions/0013-whose-fault-a-fault-is.md`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use gatepost_model::Fault;

use crate::attribution::{Cause, Digest, Sender};

/// So many senders, with as many messages, open it.
pub(crate) const UNRELATED: usize = 8;

/// Those of one account count for no more than this towards opening it for all.
const OF_ONE_ACCOUNT: usize = UNRELATED / 2;

/// How long it stays open before somebody may try.
pub(crate) const COOLDOWN: Duration = Duration::from_secs(30);

/// After so many faults without an answer the version is asked to answer its probe.
const PROBE_AFTER: u32 = 3;

/// The least time between two probes of one account.
const PROBE_EVERY: Duration = Duration::from_secs(5);

/// After so many faults of one message it is the message's, if the version answers for others.
const TWICE: u32 = 2;

/// After so many, if all that is known of the version is that it answers its probe: on a quiet
/// site there may be no other message to judge by.
const OFTEN: u32 = 5;

/// How long messages and accounts are known after the last fault: longer than a sender waits
/// between two attempts (RFC 5321 section 4.5.4.1).
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

/// Messages known to have made it fail.
const MESSAGES: usize = 1024;

/// Accounts in whose mail it has failed.
const ACCOUNTS: usize = 1024;

/// Whether a version is being called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// It is called.
    Closed,
    /// It is not called for the mail of so many accounts, and is for all other.
    OpenForAccounts(usize),
    /// It kept failing: its `on-error` holds for every message until a trial call succeeds.
    Open,
}

impl BreakerState {
    /// The worse of two.
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

    /// For how many accounts a version is not called, while it is for others.
    pub fn accounts(self) -> usize {
        match self {
            Self::OpenForAccounts(accounts) => accounts,
            Self::Closed | Self::Open => 0,
        }
    }
}

/// Whether a call may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    Granted,
    /// The breaker is open.
    Open,
    /// The message has made it fail before, and the fault was the message's.
    Repeated,
}

/// One for each hook: a hook that answers says nothing of another that traps.
#[derive(Debug)]
pub(crate) struct Breaker {
    born: Instant,
    /// True until the first fault, and again when the last is long past: then nobody has to take
    /// the lock.
    healthy: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    all: Level,
    accounts: HashMap<String, Level>,
    messages: HashMap<Digest, Known>,
    last_fault: u64,
}

/// What is known of the calls for all, or for one account.
#[derive(Debug, Default)]
struct Level {
    /// Faults since the last answer, the first of each sender and message.
    failing: Vec<Failing>,
    /// All faults since the last answer.
    faults: u32,
    /// Answers since the first fault that is known.
    answers: u64,
    /// When the next probe may be made.
    probe_at: u64,
    /// Whether the last probe was answered.
    probe_answered: bool,
    open: Option<Open>,
    last_fault: u64,
}

#[derive(Debug)]
struct Failing {
    sender: Sender,
    digest: Digest,
    account: Option<String>,
}

/// Not called, but for trials.
#[derive(Debug, Default)]
struct Open {
    /// When the next trials may begin.
    trials_at: u64,
    /// Who has tried since.
    tried: Vec<Sender>,
}

/// A message that made it fail.
#[derive(Debug)]
struct Known {
    sender: Sender,
    size: u64,
    faults: u32,
    /// The answers of its account before its first fault.
    answers: u64,
    last: u64,
}

impl Breaker {
    pub(crate) fn new() -> Self {
        Self {
            born: Instant::now(),
            healthy: AtomicBool::new(true),
            state: Mutex::default(),
        }
    }

    pub(crate) fn state(&self) -> BreakerState {
        if self.healthy.load(Ordering::Acquire) {
            return BreakerState::Closed;
        }
        let state = self.lock();
        let open = state.accounts.values().filter(|level| level.open.is_some());
        match (state.all.open.is_some(), open.count()) {
            (true, _) => BreakerState::Open,
            (false, 0) => BreakerState::Closed,
            (false, accounts) => BreakerState::OpenForAccounts(accounts),
        }
    }

    /// Whether this call may be made.
    pub(crate) fn admits(&self, cause: &Cause<'_>) -> Admission {
        if self.healthy.load(Ordering::Acquire) {
            return Admission::Granted;
        }
        // Most messages have not the size of one that made it fail, and are not hashed.
        let size = cause.size();
        let may_be_known = cause.comes_back() && {
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
        let State { all, accounts, .. } = &mut *state;
        let level = account.and_then(|account| accounts.get_mut(account));
        let levels = level.into_iter().chain([all]);
        let mut open: Vec<_> = levels.filter_map(|level| level.open.as_mut()).collect();
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
        if now.saturating_sub(state.last_fault) > REMEMBERED.as_millis() as u64 {
            *state = State::default();
            self.healthy.store(true, Ordering::Release);
            return;
        }
        let State { all, accounts, .. } = &mut *state;
        if all.answered() {
            tracing::warn!(policy, "policy answers again: circuit breaker closed");
        }
        let level = account.and_then(|account| accounts.get_mut(account));
        if level.is_some_and(Level::answered) {
            tracing::warn!(
                policy,
                account,
                "policy answers again for this account: circuit breaker closed"
            );
        }
    }

    /// Counts a fault that says something of the version or of the message; true if the version is
    /// to answer its probe now.
    pub(crate) fn failed(&self, cause: &Cause<'_>, policy: &str, fault: &Fault) -> bool {
        self.failed_at(self.occurrence(cause), policy, &fault.to_string())
    }

    fn failed_at(&self, at: Occurrence<'_>, policy: &str, fault: &str) -> bool {
        let mut state = self.lock();
        self.healthy.store(false, Ordering::Release);
        state.last_fault = at.now;
        state.know(&at);
        let State { all, accounts, .. } = &mut *state;
        all.failed(&at, OF_ONE_ACCOUNT);
        if all.is_broken() && all.accounts() != 1 {
            all.open(at.now, policy, None, fault);
        }
        let asked = match at.account {
            Some(account) => {
                let level = accounts.entry(account.to_owned()).or_default();
                level.failed(&at, UNRELATED);
                if level.is_broken() {
                    level.open(at.now, policy, Some(account), fault);
                }
                level
            }
            None => all,
        };
        asked.wants_probe(at.now)
    }

    /// Counts a fault that says nothing of the version: the message asks for too much.
    pub(crate) fn message_failed(&self, cause: &Cause<'_>) {
        let at = self.occurrence(cause);
        let mut state = self.lock();
        self.healthy.store(false, Ordering::Release);
        state.last_fault = at.now;
        state.know(&at);
        // From here on the answers of the account are counted.
        if let Some(account) = at.account {
            state
                .accounts
                .entry(account.to_owned())
                .or_default()
                .last_fault = at.now;
        }
    }

    fn occurrence<'a>(&self, cause: &Cause<'a>) -> Occurrence<'a> {
        Occurrence {
            sender: cause.sender(),
            account: cause.account(),
            digest: cause.digest(),
            size: cause.comes_back().then(|| cause.size()),
            now: self.now(),
        }
    }

    /// Takes what came of the probe: for one account, or for all.
    pub(crate) fn probed(&self, account: Option<&str>, policy: &str, fault: Option<&Fault>) {
        let fault = fault.map(ToString::to_string);
        self.probed_at(account, policy, fault.as_deref(), self.now());
    }

    fn probed_at(&self, account: Option<&str>, policy: &str, fault: Option<&str>, now: u64) {
        let mut state = self.lock();
        let level = match account {
            Some(account) => match state.accounts.get_mut(account) {
                Some(level) => level,
                None => return,
            },
            None => &mut state.all,
        };
        level.probe_answered = fault.is_none();
        if let Some(fault) = fault {
            level.open(now, policy, account, fault);
        }
    }

    /// Whether what this call was about is what made it fail, not the version.
    pub(crate) fn is_messages_fault(&self, cause: &Cause<'_>) -> bool {
        cause.comes_back() && (self.lock()).is_messages_fault(cause.account(), cause.digest())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// A fault, attributed.
#[derive(Debug, Clone)]
struct Occurrence<'a> {
    sender: Sender,
    account: Option<&'a str>,
    digest: Digest,
    /// That of the message, where it can come back.
    size: Option<u64>,
    now: u64,
}

impl State {
    fn level(&self, account: Option<&str>) -> Option<&Level> {
        match account {
            Some(account) => self.accounts.get(account),
            None => Some(&self.all),
        }
    }

    fn is_messages_fault(&self, account: Option<&str>, digest: Digest) -> bool {
        let (Some(known), Some(level)) = (self.messages.get(&digest), self.level(account)) else {
            return false;
        };
        if level.open.is_some() || self.all.open.is_some() {
            return false;
        }
        known.faults >= TWICE && level.answers > known.answers
            || known.faults >= OFTEN && level.probe_answered
    }

    /// Notes the message of a fault, and makes room for it and its account.
    fn know(&mut self, at: &Occurrence<'_>) {
        if let Some(account) = at.account
            && !self.accounts.contains_key(account)
            && self.accounts.len() >= ACCOUNTS
        {
            let levels = self.accounts.iter();
            let oldest = levels.min_by_key(|(_, level)| (level.open.is_some(), level.last_fault));
            if let Some(oldest) = oldest.map(|(account, _)| account.clone()) {
                self.accounts.remove(&oldest);
            }
        }
        let Some(size) = at.size else { return };
        let answers = self.level(at.account).map_or(0, |level| level.answers);
        if let Some(known) = self.messages.get_mut(&at.digest) {
            known.faults = known.faults.saturating_add(1);
            known.last = at.now;
            // Its account was forgotten meanwhile, and counts from nothing again.
            known.answers = known.answers.min(answers);
            return;
        }
        if self.messages.len() >= MESSAGES {
            self.forget_a_message();
        }
        let known = Known {
            sender: at.sender.clone(),
            size,
            faults: 1,
            answers,
            last: at.now,
        };
        self.messages.insert(at.digest, known);
    }

    /// Forgets the oldest message of the sender that has the most.
    fn forget_a_message(&mut self) {
        let mut of_sender: HashMap<&Sender, usize> = HashMap::new();
        for known in self.messages.values() {
            *of_sender.entry(&known.sender).or_default() += 1;
        }
        let key = |known: &Known| {
            let many = of_sender.get(&known.sender).copied().unwrap_or_default();
            (std::cmp::Reverse(many), known.last)
        };
        let first = self.messages.iter().min_by_key(|(_, known)| key(known));
        if let Some(digest) = first.map(|(digest, _)| *digest) {
            self.messages.remove(&digest);
        }
    }
}

impl Level {
    /// Whether it was open.
    fn answered(&mut self) -> bool {
        self.failing.clear();
        self.faults = 0;
        self.answers += 1;
        self.open.take().is_some()
    }

    fn failed(&mut self, at: &Occurrence<'_>, of_one_account: usize) {
        self.faults = self.faults.saturating_add(1);
        self.last_fault = at.now;
        let new = |known: &Failing| known.sender != at.sender && known.digest != at.digest;
        let account =
            |known: &&Failing| at.account.is_some() && known.account.as_deref() == at.account;
        if self.failing.len() < UNRELATED
            && self.failing.iter().all(new)
            && self.failing.iter().filter(account).count() < of_one_account
        {
            self.failing.push(Failing {
                sender: at.sender.clone(),
                digest: at.digest,
                account: at.account.map(str::to_owned),
            });
        }
    }

    fn is_broken(&self) -> bool {
        self.failing.len() >= UNRELATED
    }

    /// Of how many accounts those are; mail of no account is of many.
    fn accounts(&self) -> usize {
        let mut accounts: Vec<_> = self.failing.iter().map(|known| &known.account).collect();
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
            self.probe_at = now.saturating_add(PROBE_EVERY.as_millis() as u64);
        }
        due
    }

    fn open(&mut self, now: u64, policy: &str, account: Option<&str>, fault: &str) {
        if self.open.is_some() {
            return;
        }
        self.open = Some(Open {
            trials_at: now.saturating_add(COOLDOWN.as_millis() as u64),
            tried: Vec::new(),
        });
        let faults = self.faults;
        match account {
            None => tracing::error!(
                policy,
                faults,
                fault,
                "POLICY KEEPS FAILING: circuit breaker open, it is not called and its on-error \
                 holds for every message; activate a mended version or roll back"
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

impl Open {
    /// Whether this sender may try now.
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
