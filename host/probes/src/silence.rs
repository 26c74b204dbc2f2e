//! Probes that do not come back, and addresses whose next probe is due.

use std::time::Duration;

use gatepost_directory::{
    AccountId, AddressDetails, ConnectorState, Probe, ProbeKind, SupportAddress, Verification, View,
};
use gatepost_message::{Address, Millis};
use gatepost_verification::{
    FailureReason, VerificationFailure, failure_of_trouble, judge_silence,
};

use crate::record::ProbeRecord;
use crate::settle::ProbeFinding;
use crate::{ProbeSettings, ProbedDirection, Probes, kinds_for};

/// Address whose probe is due on the schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Account.
    pub account: AccountId,
    /// Support address.
    pub address: Address,
    /// Kind of the probe.
    pub kind: ProbeKind,
}

impl Probes {
    /// Ends the probes that have not come back in time. Returns the time at which the next one may
    /// end so.
    pub async fn expire(&self, now: Millis) -> Option<Millis> {
        let view = self.stores.directory.view();
        let overdue: Vec<Probe> = view
            .probes()
            .filter(|probe| probe.expires <= now)
            .cloned()
            .collect();
        for probe in overdue {
            let finding = self.silence(&probe, now);
            if let Err(error) = self.settle(&probe.id, finding).await {
                tracing::error!(%error, probe = %probe.id, "a lost probe cannot be recorded");
            }
        }
        let view = self.stores.directory.view();
        view.probes().map(|probe| probe.expires).min()
    }

    /// Returns what the silence about a probe means.
    fn silence(&self, probe: &Probe, now: Millis) -> ProbeFinding {
        let Some(record) = ProbeRecord::of(probe) else {
            return ProbeFinding::lost(
                VerificationFailure::of(FailureReason::NeverReturned),
                false,
            );
        };
        let was_taken = record.accepted.is_some();
        let by_smart_host = record.sent.kind.leaves_by_smart_host();
        let trouble = || self.trouble(probe).filter(|_| by_smart_host && !was_taken);
        let last = record.last.clone().or_else(trouble);
        let failure = judge_silence(&record.sent, now, last.as_ref(), was_taken);
        let failure =
            failure.unwrap_or_else(|| VerificationFailure::of(FailureReason::NeverReturned));
        ProbeFinding::lost(failure, by_smart_host && !was_taken)
    }

    /// Returns the trouble of the connection by which a probe was to leave.
    fn trouble(&self, probe: &Probe) -> Option<VerificationFailure> {
        let account = probe.account.to_string();
        let found = self.stores.connections.serving(&account, &probe.address)?;
        let state = self.stores.states.state_of(&found.key);
        Some(failure_of_trouble(&found.profile, state.trouble()?))
    }

    /// Returns the addresses whose next probe is due: those of verified domains of which nothing was
    /// proved for as long as the interval, longest first, up to the number that may be on their
    /// way. Their times are spread over a tenth of the interval. A changed connection has to prove
    /// itself at once. What nobody has begun to verify is never due.
    pub fn due(&self, now: Millis) -> Vec<Due> {
        let ProbeSettings { every, at_once, .. } = self.settings();
        if every.is_zero() {
            return Vec::new();
        }
        let view = self.stores.directory.view();
        let mut due = Vec::new();
        for address in view.all_addresses() {
            let Some(kinds) = self.kinds(&view, address) else {
                continue;
            };
            for direction in ProbedDirection::ALL {
                let kind = direction.kind();
                let Some(since) = last_proof(direction, &address.details) else {
                    continue;
                };
                let after = spread(every, address, direction);
                let is_due = since + after <= now
                    || self.has_changed_since(&view, address, direction, since);
                if kinds.contains(&kind) && is_due {
                    due.push((since, address, kind));
                }
            }
        }
        let is_out = |due: &Due| {
            let mut probes = view.probes();
            probes.any(|probe| {
                probe.account == due.account
                    && probe.address == due.address
                    && probe.kind == due.kind
            })
        };
        due.sort_by_key(|(since, ..)| *since);
        let due = due.into_iter().map(|(_, address, kind)| Due {
            account: address.account,
            address: address.address.clone(),
            kind,
        });
        let room = at_once.saturating_sub(view.probes().count());
        due.filter(|due| !is_out(due)).take(room).collect()
    }

    /// Returns true if the customer's connection by which mail of an address leaves was changed after
    /// this time: another server, user or password proves nothing yet.
    fn has_changed_since(
        &self,
        view: &View,
        address: &SupportAddress,
        direction: ProbedDirection,
        since: Millis,
    ) -> bool {
        if direction != ProbedDirection::Outbound {
            return false;
        }
        let account = address.account.to_string();
        let serving = self.stores.connections.serving(&account, &address.address);
        let serving = serving.filter(|found| found.key.account.is_some());
        let owned =
            serving.and_then(|found| view.connection(address.account, found.key.name.as_str()));
        owned.is_some_and(|owned| owned.changed > since)
    }

    /// Returns the probes that an address needs; `None` if its domain is not verified or native.
    pub fn kinds(&self, view: &View, address: &SupportAddress) -> Option<&'static [ProbeKind]> {
        let connector = view.connector(address.account, address.connector?)?;
        let is_verified = connector.state == ConnectorState::Verified;
        let account = address.account.to_string();
        let serving = self.stores.connections.serving(&account, &address.address);
        is_verified.then(|| kinds_for(connector.claim.kind, serving.is_some()))
    }
}

/// Returns the time at which a direction was last proved or found wanting; `None` if nobody has
/// begun to verify it, or a probe is on its way.
fn last_proof(direction: ProbedDirection, of: &AddressDetails) -> Option<Millis> {
    let at = match direction.state(of) {
        Verification::Unverified | Verification::Pending { .. } => return None,
        Verification::Verified { at } | Verification::Failed { at, .. } => *at,
    };
    Some(direction.check(of).map_or(at, |check| check.at.max(at)))
}

/// Returns the time after which the next probe of an address is due: the interval, and up to a tenth
/// of it more, the same for one address.
fn spread(every: Duration, address: &SupportAddress, direction: ProbedDirection) -> Duration {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hash = DefaultHasher::new();
    (address.address.as_str(), direction).hash(&mut hash);
    let part = u32::try_from(hash.finish() % 1000).unwrap_or_default();
    every + every * part / 10_000
}
