//! The gate that submissions pass at MAIL and at RCPT.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use gatepost_counters::Memory;
use gatepost_message::Millis;
use gatepost_model::{Effect, Scope};
use parking_lot::Mutex;

use crate::{CapReached, Caps, Measure, Subject, Window, subject::scope};

/// Most caps of which is remembered that operators were told of them.
const MOST_TOLD: usize = 10_000;

/// Gate of a relay: what was counted, and what is in hand.
pub struct VolumeGate {
    memory: Arc<dyn Memory>,
    shared: Mutex<GateState>,
}

impl fmt::Debug for VolumeGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VolumeGate")
    }
}

#[derive(Default)]
struct GateState {
    /// Amounts in hand, by account and key.
    in_hand: HashMap<(String, String), u64>,
    /// Times until which no more is told of a cap, by account, key and window.
    told: HashMap<(String, String, Window), Millis>,
}

impl VolumeGate {
    /// Makes the gate over what a store has counted.
    pub fn new(memory: Arc<dyn Memory>) -> Arc<Self> {
        Arc::new(Self {
            memory,
            shared: Mutex::default(),
        })
    }

    /// Takes a message of an account in hand, if the caps of all its subjects allow one more.
    ///
    /// # Errors
    /// The cap that is reached.
    pub fn begin(
        self: &Arc<Self>,
        account: String,
        subjects: Vec<(Subject, Caps)>,
        now: Millis,
    ) -> Result<InHand, CapReached> {
        let mut in_hand = InHand {
            gate: Arc::clone(self),
            account,
            subjects,
            recipients: 0,
            has_message: false,
        };
        in_hand.admit(Measure::Messages, now)?;
        in_hand.has_message = true;
        Ok(in_hand)
    }
}

/// Message in hand: it counts until it is dropped, which is after its commit or its refusal.
#[derive(Debug)]
pub struct InHand {
    gate: Arc<VolumeGate>,
    account: String,
    subjects: Vec<(Subject, Caps)>,
    recipients: u64,
    has_message: bool,
}

impl InHand {
    /// Takes one more recipient in hand, if the caps of all subjects allow it.
    ///
    /// # Errors
    /// The cap that is reached.
    pub fn recipient(&mut self, now: Millis) -> Result<(), CapReached> {
        self.admit(Measure::Recipients, now)?;
        self.recipients += 1;
        Ok(())
    }

    /// Puts the recipient back that was taken last: it was refused, or named before.
    pub fn recipient_refused(&mut self) {
        if self.recipients > 0 {
            self.recipients -= 1;
            self.put_back(Measure::Recipients, 1);
        }
    }

    /// Returns the effects that count the message with this many recipients.
    pub fn effects(&self, recipients: usize) -> Vec<(Scope, Effect)> {
        let scope = scope(&self.account);
        let recipients = u32::try_from(recipients).unwrap_or(u32::MAX);
        let counted = [(Measure::Messages, 1), (Measure::Recipients, recipients)];
        let counted = counted.iter().filter(|(_, amount)| *amount > 0);
        let effects = counted.flat_map(|(measure, amount)| {
            self.subjects.iter().map(|(subject, _)| Effect::Count {
                key: subject.key(*measure),
                amount: *amount,
            })
        });
        effects.map(|effect| (scope.clone(), effect)).collect()
    }

    /// Takes one of a measure in hand for all subjects, or for none.
    fn admit(&self, measure: Measure, now: Millis) -> Result<(), CapReached> {
        let mut shared = self.gate.shared.lock();
        for (subject, caps) in &self.subjects {
            for window in Window::ALL {
                if let Some(most) = caps.most(measure, window) {
                    self.check(&mut shared, subject, measure, window, most, now)?;
                }
            }
        }
        for (subject, _) in &self.subjects {
            let key = (self.account.clone(), subject.key(measure));
            *shared.in_hand.entry(key).or_default() += 1;
        }
        Ok(())
    }

    fn check(
        &self,
        shared: &mut GateState,
        subject: &Subject,
        measure: Measure,
        window: Window,
        most: u64,
        now: Millis,
    ) -> Result<(), CapReached> {
        let key = (self.account.clone(), subject.key(measure));
        let in_hand = shared.in_hand.get(&key).copied().unwrap_or_default();
        let cap = CapOf {
            account: &self.account,
            subject,
            measure,
            window,
            most,
        };
        let Some(mut reached) = cap.reached(&*self.gate.memory, in_hand, now) else {
            return Ok(());
        };
        let (kind, what, within) = (subject.word(), measure.word(), window.word());
        metrics::counter!(
            "gatepost_cap_refusals_total",
            "of" => kind, "what" => what, "within" => within
        )
        .increment(1);
        reached.is_first = shared.is_first((key.0, key.1, window), now);
        if reached.is_first {
            tracing::warn!(account = self.account, cap = %reached, "a cap is reached");
        }
        Err(reached)
    }

    fn put_back(&self, measure: Measure, amount: u64) {
        let mut shared = self.gate.shared.lock();
        for (subject, _) in &self.subjects {
            let key = (self.account.clone(), subject.key(measure));
            if let Some(in_hand) = shared.in_hand.get_mut(&key) {
                *in_hand = in_hand.saturating_sub(amount);
                if *in_hand == 0 {
                    shared.in_hand.remove(&key);
                }
            }
        }
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        if self.has_message {
            self.put_back(Measure::Messages, 1);
        }
        if self.recipients > 0 {
            self.put_back(Measure::Recipients, self.recipients);
        }
    }
}

impl GateState {
    /// Returns true once within the window.
    fn is_first(&mut self, cap: (String, String, Window), now: Millis) -> bool {
        if self.told.get(&cap).is_some_and(|until| *until > now) {
            return false;
        }
        if self.told.len() >= MOST_TOLD {
            self.told.retain(|_, until| *until > now);
        }
        if self.told.len() < MOST_TOLD {
            let length = Duration::from_secs(cap.2.seconds().into());
            self.told.insert(cap, now + length);
        }
        true
    }
}

/// Cap of a subject on a measure in a window.
struct CapOf<'a> {
    account: &'a str,
    subject: &'a Subject,
    measure: Measure,
    window: Window,
    most: u64,
}

impl CapOf<'_> {
    /// Returns the cap if it allows nothing beside what was counted and this much more.
    fn reached(&self, memory: &dyn Memory, more: u64, now: Millis) -> Option<CapReached> {
        let (scope, key) = (scope(self.account), self.subject.key(self.measure));
        let counted = |at| memory.counted(&scope, &key, self.window.seconds(), at);
        if counted(now).saturating_add(more) < self.most {
            return None;
        }
        let has_room = |at| counted(at) < self.most;
        Some(CapReached {
            account: self.account.to_owned(),
            subject: self.subject.clone(),
            measure: self.measure,
            window: self.window,
            most: self.most,
            opens: (self.most > 0).then(|| opens(now, self.window, has_room)),
            is_first: false,
        })
    }
}

/// Returns the first cap of these subjects of an account that allows no more of a measure, beside
/// what was accepted and this much more. Nobody is told, and what sessions have in hand does not
/// count.
pub fn cap_reached(
    memory: &dyn Memory,
    account: &str,
    subjects: &[(Subject, Caps)],
    (measure, more): (Measure, u64),
    now: Millis,
) -> Option<CapReached> {
    let mut caps = subjects.iter().flat_map(|(subject, caps)| {
        Window::ALL.into_iter().filter_map(move |window| {
            Some(CapOf {
                account,
                subject,
                measure,
                window,
                most: caps.most(measure, window)?,
            })
        })
    });
    caps.find_map(|cap| cap.reached(memory, more, now))
}

/// Returns the first minute at which a window has room again, if nothing more comes.
fn opens(now: Millis, window: Window, has_room: impl Fn(Millis) -> bool) -> Millis {
    const MINUTE: u64 = 60_000;
    let after = |minutes: u64| Millis((now.0 / MINUTE + minutes) * MINUTE);
    // At the last of them the window has slid past all that was counted.
    let (mut from, mut to) = (1, u64::from(window.seconds()) / 60 + 1);
    while from < to {
        let middle = from.midpoint(to);
        match has_room(after(middle)) {
            true => to = middle,
            false => from = middle + 1,
        }
    }
    after(to)
}
