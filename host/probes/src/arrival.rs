//! Messages that come in with the token of a probe.

use std::net::IpAddr;
use std::time::Duration;

use gatepost_authentication::Facts;
use gatepost_directory::{
    AccountId, DirectoryError, Probe, ProbeId, ProbeKind, Verification, View,
};
use gatepost_message::{Address, Message, Millis};
use gatepost_verification::{
    ArrivalKind, ArrivalWay, ArrivedProbe, FailureReason, ForwardingConfirmation, ReportVerdict,
    ReturnWay, TokenPlace, VerificationFailure, judge_arrival, judge_report,
};

use crate::record::{ProbeRecord, directory_id, token_id};
use crate::settle::ProbeFinding;
use crate::{ProbedDirection, Probes, forwarder, is_alive, tokens};

/// Longest body that is searched for a token where the header section has none.
const SEARCHED: u64 = 64 << 10;

/// Time for which a probe that is back waits until its own delivery is on record: some servers pass
/// a message on before they have answered for it.
const OVERTAKES: Duration = Duration::from_secs(2);

/// Message that belongs to a probe.
#[derive(Debug)]
pub struct Recognised {
    probe: Probe,
    kind: ArrivalKind,
    place: TokenPlace,
}

/// Circumstances in which a message came.
#[derive(Debug, Clone, Copy)]
pub struct ArrivedBy<'a> {
    /// The message, before any edit.
    pub message: &'a Message,
    /// Its beginning.
    pub octets: &'a [u8],
    /// First recipient.
    pub recipient: &'a Address,
    /// True if its reverse-path is null.
    pub from_nobody: bool,
    /// Address of the client.
    pub client: Option<IpAddr>,
}

/// Origin of a probe that came back.
#[derive(Debug, Clone)]
pub struct ProbeOrigin {
    /// Results of message authentication.
    pub facts: Facts,
    /// Way by which it came.
    pub way: ArrivalWay,
}

/// Returns the probe whose own mailbox an address is, if it is waited for.
pub fn mailbox(view: &View, address: &Address, now: Millis) -> Option<ProbeId> {
    view.probes().next()?;
    let token = tokens(view).of_return_path(address)?;
    let probe = view.probe(&directory_id(token.id())?)?;
    let account = view.account(probe.account)?;
    let is_native = account.profile.native_domain.matches(address.domain());
    (is_native && is_alive(probe, now)).then(|| probe.id.clone())
}

impl Recognised {
    /// Returns true if it is the probe itself, so that facts about its origin are wanted.
    pub fn is_probe(&self) -> bool {
        self.kind == ArrivalKind::Probe
    }

    /// Returns the id of the probe.
    pub fn id(&self) -> &ProbeId {
        &self.probe.id
    }
}

impl Probes {
    /// Returns true if a probe of an account is on its way.
    pub fn awaits(&self, account: Option<&str>) -> bool {
        let view = self.stores.directory.view();
        view.probes().any(|probe| is_of_account(probe, account))
    }

    /// Recognises a message that came in for an account as a probe that is on its way, or as a report
    /// on one; `mailbox` is the probe to whose own mailbox it came. `None` for ordinary mail: an
    /// answer to a probe is that, too, unless it came to the probe's mailbox.
    pub fn recognise(
        &self,
        account: Option<&str>,
        mailbox: Option<&ProbeId>,
        by: ArrivedBy<'_>,
    ) -> Option<Recognised> {
        let view = self.stores.directory.view();
        let now = Millis::now();
        let ArrivedBy {
            message, octets, ..
        } = by;
        let tokens = tokens(&view);
        let found = tokens.find_in_head(message).or_else(|| {
            let is_short = message.body().len() <= SEARCHED || mailbox.is_some();
            is_short.then(|| tokens.find(message, octets)).flatten()
        });
        let returned = || {
            let may_be = by.from_nobody || gatepost_reports::may_be(message.head());
            let returned = may_be
                .then(|| gatepost_reports::returned(octets))
                .flatten()?;
            tokens.find_in_head(&returned.message?)
        };
        let (found, is_returned) = match found {
            Some(found) => (Some(found), false),
            None => (returned(), true),
        };
        let id = match (mailbox, &found) {
            (Some(id), _) => id.clone(),
            (None, found) => directory_id(found.as_ref()?.token.id())?,
        };
        let probe = view.probe(&id).filter(|probe| is_alive(probe, now))?;
        let token = tokens.issue(token_id(&id)?)?;
        let is_its_own = found.as_ref().is_some_and(|of| of.token.id() == token.id());
        let kind = match is_returned && found.is_some() {
            true => ArrivalKind::Report,
            false => ArrivalKind::of(message, octets, by.from_nobody, &token),
        };
        let is_ordinary = match mailbox {
            Some(_) => false,
            None => kind == ArrivalKind::Answer || !is_of_account(probe, account),
        };
        (!is_ordinary).then(|| Recognised {
            probe: probe.clone(),
            kind,
            place: found
                .filter(|_| is_its_own)
                .map_or(TokenPlace::Body, |of| of.place),
        })
    }

    /// Takes a message that was recognised: what it says of its probe is recorded. Returns false, and
    /// changes nothing, if the probe has ended meanwhile.
    ///
    /// # Errors
    /// The directory cannot be changed.
    pub async fn arrived(
        &self,
        recognised: &Recognised,
        by: ArrivedBy<'_>,
        origin: Option<&ProbeOrigin>,
    ) -> Result<bool, DirectoryError> {
        let id = recognised.id();
        match (recognised.kind, origin) {
            (ArrivalKind::Probe, Some(origin)) => {
                self.left(id).await;
                let view = self.stores.directory.view();
                let Some(probe) = view.probe(id) else {
                    return Ok(false);
                };
                let Some(finding) = compared(&view, probe, recognised.place, by, origin) else {
                    return Ok(false);
                };
                let marks = match finding.passed_by_forwarding() {
                    true => forwarder::marks(&view, probe, by, &origin.facts),
                    false => Vec::new(),
                };
                let settled = self.settle(id, finding).await?;
                if settled && !marks.is_empty() {
                    self.learn(probe, marks).await;
                }
                Ok(settled)
            }
            (ArrivalKind::Report, _) => self.reported(recognised, by).await,
            // An answer says nothing of the way.
            _ => Ok(true),
        }
    }

    /// Waits until the delivery of a probe is on record, for a moment.
    async fn left(&self, id: &ProbeId) {
        let mut changes = self.changes();
        let has_left = |_: &u64| {
            let view = self.stores.directory.view();
            let record = view.probe(id).map(ProbeRecord::of);
            !matches!(record, Some(Some(record)) if record.accepted.is_none())
        };
        let _ = tokio::time::timeout(OVERTAKES, changes.wait_for(has_left)).await;
    }

    /// Takes a report on a probe.
    async fn reported(
        &self,
        recognised: &Recognised,
        by: ArrivedBy<'_>,
    ) -> Result<bool, DirectoryError> {
        let probe = &recognised.probe;
        let Some(report) = gatepost_reports::read(by.octets, by.from_nobody) else {
            return Ok(true);
        };
        let account = probe.account.to_string();
        let serving = self.stores.connections.serving(&account, &probe.address);
        let profile = serving.map(|found| found.profile);
        let profile = profile.as_ref().unwrap_or(&self.generic);
        match judge_report(profile, &report) {
            ReportVerdict::Failed(failure) => {
                self.settle(&probe.id, ProbeFinding::lost(failure, false))
                    .await
            }
            ReportVerdict::Delayed(failure) => {
                self.note(&probe.id, |record| record.last = Some(failure))
                    .await;
                Ok(true)
            }
            ReportVerdict::Delivered | ReportVerdict::Nothing => Ok(true),
        }
    }

    /// Takes note that a provider waits for a code before it forwards mail to this address of an
    /// account. The message itself is ordinary mail.
    pub async fn confirmation(
        &self,
        account: &str,
        recipient: &Address,
        confirmation: &ForwardingConfirmation,
    ) {
        let Ok(account) = account.parse() else {
            return;
        };
        let view = self.stores.directory.view();
        let Some(address) = forwarded(&view, account, recipient, confirmation) else {
            return;
        };
        let code = confirmation.code.as_ref().or(confirmation.link.as_ref());
        let failure = VerificationFailure::of(FailureReason::ConfirmationWaiting);
        let failure = match code {
            Some(code) => failure.with_detail(code.as_str()),
            None => failure,
        };
        let mut probes = view.probes();
        let waiting = probes.find(|probe| is_waited_for(probe, account, &address));
        let recorded = match waiting {
            Some(probe) => {
                self.settle(&probe.id, ProbeFinding::lost(failure, false))
                    .await
            }
            None => self.found_without_probe(account, &address, failure).await,
        };
        if let Err(error) = recorded {
            tracing::error!(%error, "the code of a provider cannot be recorded");
        }
    }

    /// Records a failure of mail that comes in which was found before a probe was sent.
    async fn found_without_probe(
        &self,
        account: AccountId,
        address: &Address,
        failure: VerificationFailure,
    ) -> Result<bool, DirectoryError> {
        let (address, at) = (address.clone(), Millis::now());
        let changed = self.change(move |directory| {
            directory.change_address(account, &address, |details| {
                let direction = ProbedDirection::Inbound;
                if !direction.state(details).is_verified() {
                    *direction.state_mut(details) = Verification::Failed {
                        at,
                        reason: failure.reason.code().to_owned(),
                        words: failure.to_string(),
                        refuses: Some(false),
                    };
                }
            })
        });
        changed.await.map(|_| true)
    }
}

/// Returns the address of a connected domain whose forwarding is to be confirmed: the one that the
/// message names, the one that it is for, or the one whose probe is waited for.
fn forwarded(
    view: &View,
    account: AccountId,
    recipient: &Address,
    confirmation: &ForwardingConfirmation,
) -> Option<Address> {
    let connected = |address: &Address| {
        let found = view.address(account, address)?;
        found.connector.map(|_| found.address.clone())
    };
    let waited_for = || {
        let mut probes = view.probes();
        let found = probes.find(|of| of.account == account && of.kind != ProbeKind::Outbound)?;
        Some(found.address.clone())
    };
    let named = confirmation.mailbox.as_ref().and_then(connected);
    named.or_else(|| connected(recipient)).or_else(waited_for)
}

fn is_of_account(probe: &Probe, account: Option<&str>) -> bool {
    account.and_then(|account| account.parse().ok()) == Some(probe.account)
}

/// Returns true if a probe of mail that comes in for this address is on its way.
fn is_waited_for(probe: &Probe, account: AccountId, address: &Address) -> bool {
    probe.account == account && probe.address == *address && probe.kind != ProbeKind::Outbound
}

/// Compares a probe that is back with what was sent.
fn compared(
    view: &View,
    probe: &Probe,
    place: TokenPlace,
    by: ArrivedBy<'_>,
    origin: &ProbeOrigin,
) -> Option<ProbeFinding> {
    let mut sent = ProbeRecord::of(probe)?.sent;
    let address = view.address(probe.account, &probe.address)?;
    let native = &view.account(probe.account)?.profile.native_domain;
    // Without a forwarding target of its own, any native address of the account is one.
    let is_target = address.details.forwarding.is_none() && native.matches(by.recipient.domain());
    if sent.way == ReturnWay::Forwarded && is_target {
        sent.returns_to = by.recipient.clone();
    }
    let arrival = ArrivedProbe {
        message: by.message,
        recipient: by.recipient,
        way: &origin.way,
        facts: &origin.facts,
        place,
    };
    Some(ProbeFinding::of_report(judge_arrival(&sent, &arrival)))
}
