//! Ends of probes: the finding goes into the directory with the probe, and the account hears of it.

use gatepost_directory::{
    AddressDetails, AuditEntry, CheckResults, DirectoryError, LastCheck, Probe, ProbeId, ProbeKind,
    Verification,
};
use gatepost_message::{Millis, TransactionId};
use gatepost_model::{AlertKind, Event, NoticeSubject};
use gatepost_spool::Selection;
use gatepost_verification::{ArrivalWay, AuthenticationReport, ProbeReport, VerificationFailure};

use crate::record::ProbeRecord;
use crate::{ProbedDirection, Probes, directions, next_state};

/// Most remarks that are kept.
const MOST_REMARKS: usize = 10;

/// Finding that ends a probe.
#[derive(Debug, Clone, PartialEq)]
pub enum ProbeFinding {
    /// It came back as it should.
    Passed(Box<ProbeReport>),
    /// It failed.
    Failed {
        /// Failure.
        failure: Box<VerificationFailure>,
        /// Comparison, if it came back.
        report: Option<Box<ProbeReport>>,
        /// True if the customer's smart host did not take it.
        at_smart_host: bool,
    },
}

impl ProbeFinding {
    /// Makes the finding of a probe that came back.
    pub(crate) fn of_report(report: ProbeReport) -> Self {
        use gatepost_verification::ProbeOutcome;
        match report.outcome.clone() {
            ProbeOutcome::Passed => Self::Passed(Box::new(report)),
            ProbeOutcome::Failed(failure) => Self::Failed {
                failure: Box::new(failure),
                report: Some(Box::new(report)),
                at_smart_host: false,
            },
        }
    }

    /// Makes the finding of a probe that did not come back.
    pub(crate) fn lost(failure: VerificationFailure, at_smart_host: bool) -> Self {
        Self::Failed {
            failure: Box::new(failure),
            report: None,
            at_smart_host,
        }
    }

    fn failure(&self) -> Option<&VerificationFailure> {
        match self {
            Self::Passed(_) => None,
            Self::Failed { failure, .. } => Some(failure),
        }
    }

    fn report(&self) -> Option<&ProbeReport> {
        match self {
            Self::Passed(report) => Some(report),
            Self::Failed { report, .. } => report.as_deref(),
        }
    }

    /// Returns `passed`, or the code of the reason.
    pub(crate) fn word(&self) -> &'static str {
        self.failure()
            .map_or("passed", |failure| failure.reason.code())
    }

    /// Returns true if a probe of the relay's own server passed, and came forwarded as it had to,
    /// over no session. What a circuit proves may be the smart host's by which it left.
    pub(crate) fn passed_by_forwarding(&self) -> bool {
        let Self::Passed(report) = self else {
            return false;
        };
        let is_inbound = report.kind == gatepost_verification::ProbeKind::Inbound;
        is_inbound && !matches!(report.way, ArrivalWay::Session(_))
    }

    /// Returns true if it says something of a direction that the probe was to prove. A circuit that
    /// the smart host does not take says nothing of what comes in.
    fn concerns(&self, direction: ProbedDirection) -> bool {
        let at_smart_host = matches!(
            self,
            Self::Failed {
                at_smart_host: true,
                ..
            }
        );
        direction == ProbedDirection::Outbound || !at_smart_host
    }

    /// Returns the finding as the address keeps it.
    fn check(&self, kind: ProbeKind, at: Millis) -> LastCheck {
        let report = self.report();
        let remarks = report.map_or(&[][..], |report| &report.remarks);
        let remarks = remarks.iter().take(MOST_REMARKS).map(ToString::to_string);
        let (reason, words, advice) = match self.failure() {
            None => (None, "the probe came back".to_owned(), String::new()),
            Some(failure) => (
                Some(failure.reason.code().to_owned()),
                failure.to_string(),
                failure.advice.clone(),
            ),
        };
        LastCheck {
            at,
            kind,
            reason,
            words,
            advice,
            remarks: remarks.collect(),
            results: report.map(|report| results(&report.authentication)),
        }
    }
}

fn results(found: &AuthenticationReport) -> CheckResults {
    CheckResults {
        spf: found.spf.word().to_owned(),
        dkim: found.dkim.word().to_owned(),
        dmarc: found.dmarc.word().to_owned(),
    }
}

/// Changes that a finding has made.
#[derive(Debug, Clone, Copy, Default)]
struct Changed {
    /// True if a direction has another state, or its last probe said something else.
    is_news: bool,
    /// True if a direction stays verified although the probe failed.
    is_warning: bool,
}

impl Probes {
    /// Ends a probe with a finding. Returns false, and changes nothing, if it has ended before.
    ///
    /// # Errors
    /// The directory cannot be changed.
    pub async fn settle(
        &self,
        id: &ProbeId,
        finding: ProbeFinding,
    ) -> Result<bool, DirectoryError> {
        let at = Millis::now();
        let (taken, found) = (id.clone(), finding.clone());
        let settled = self
            .change(move |directory| {
                let mut changed = Changed::default();
                let probe = directory.settle_probe(&taken, |probe, details| {
                    changed = apply(&found, probe.kind, details, at);
                    changed.is_news.then(|| audited(probe, &found, changed, at))
                })?;
                Ok(probe.map(|probe| (probe, changed)))
            })
            .await?;
        let Some((probe, changed)) = settled else {
            return Ok(false);
        };
        let (kind, result) = (probe.kind.word(), finding.word());
        metrics::counter!("gatepost_probes_total", "kind" => kind, "result" => result).increment(1);
        let address = &probe.address;
        match finding.failure() {
            None => tracing::info!(probe = %id, %address, kind, "probe passed"),
            Some(failure) => {
                tracing::warn!(probe = %id, %address, kind, result, "probe failed: {failure}");
            }
        }
        if changed.is_news {
            self.tell(&probe, &finding, changed, at).await;
        }
        if finding.report().is_none() {
            self.cancel(&probe).await;
        }
        Ok(true)
    }

    /// Tells the account of what was found.
    async fn tell(&self, probe: &Probe, finding: &ProbeFinding, changed: Changed, at: Millis) {
        let Probe { address, kind, .. } = probe;
        let text = match finding.failure() {
            None => format!("{address} is verified: the {kind} probe came back"),
            Some(failure) if changed.is_warning => format!(
                "{address} stays verified, although the {kind} probe failed: {failure}. {}",
                failure.advice
            ),
            Some(failure) => format!(
                "{address} is not verified: the {kind} probe failed: {failure}. {}",
                failure.advice
            ),
        };
        let account = Some(probe.account.to_string());
        let notice = Event {
            address: Some(address.clone()),
            ..Event::notice(account, NoticeSubject::Verification, text, at)
        };
        let notice = match finding.failure() {
            // What stays verified leaves and comes in as before: that is no alert.
            Some(failure) if !changed.is_warning => {
                let detail = format!("{failure}. {}", failure.advice);
                notice.alerting(
                    AlertKind::VerificationFailed,
                    address.as_str(),
                    Some(detail),
                )
            }
            _ => notice,
        };
        if let Err(error) = self.stores.events.append(vec![notice]).await {
            tracing::error!(%error, "the notice of a verification was not stored");
        }
    }

    /// Ends the delivery of a probe that is waited for no more.
    async fn cancel(&self, probe: &Probe) {
        let was_taken = ProbeRecord::of(probe).is_some_and(|record| record.accepted.is_some());
        let id = probe.transaction.as_deref();
        let Some(id) = id.and_then(|id| id.parse::<TransactionId>().ok()) else {
            return;
        };
        if was_taken {
            return;
        }
        let cancelled = self
            .stores
            .admin
            .cancel(Selection::message(id), Millis::now());
        if let Err(error) = cancelled.await {
            tracing::error!(%error, %id, "a probe that is waited for no more stays queued");
        }
    }
}

/// Writes a finding into what is kept of an address.
fn apply(
    finding: &ProbeFinding,
    kind: ProbeKind,
    details: &mut AddressDetails,
    at: Millis,
) -> Changed {
    let mut changed = Changed::default();
    for direction in directions(kind) {
        let before = direction.state(details).clone();
        if !finding.concerns(*direction) {
            if matches!(before, Verification::Pending { .. }) {
                *direction.state_mut(details) = Verification::Unverified;
            }
            continue;
        }
        let after = match finding {
            ProbeFinding::Passed(_) => Verification::Verified { at },
            ProbeFinding::Failed {
                failure,
                at_smart_host,
                ..
            } => next_state(&before, *direction, failure, *at_smart_host, at),
        };
        let check = finding.check(kind, at);
        let former = direction.check(details).and_then(|of| of.reason.clone());
        changed.is_news |= before.is_verified() != after.is_verified() || former != check.reason;
        changed.is_warning |= after.is_verified() && check.reason.is_some();
        *direction.state_mut(details) = after;
        *direction.check_mut(details) = Some(check);
    }
    changed
}

/// Returns the entry of the audit log for a finding.
fn audited(probe: &Probe, finding: &ProbeFinding, changed: Changed, at: Millis) -> AuditEntry {
    let action = match (finding.failure(), changed.is_warning) {
        (None, _) => "verified",
        (Some(_), true) => "verification-warned",
        (Some(_), false) => "verification-failed",
    };
    let words = finding.failure().map(|failure| format!(": {failure}"));
    AuditEntry {
        at,
        account: Some(probe.account.to_string()),
        actor: "gatepost".to_owned(),
        origin: None,
        action: action.to_owned(),
        subject: probe.address.to_string(),
        detail: Some(format!(
            "{} probe {}{}",
            probe.kind,
            probe.id,
            words.unwrap_or_default()
        )),
    }
}
