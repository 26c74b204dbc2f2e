//! Incidents: what clients bring about and an account has to know of. A retired credential is used;
//! one is locked out; mail for a two-way domain comes past its relay.
//!
//! An incident goes into the audit log, the events and the log when it happens, and no more than once
//! an hour for one connector, once a day for one credential: the next entry has the number of those in
//! between. Subjects are credentials and connectors of the directory, so strangers cannot make them up.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use gatepost_directory::{
    AuditEntry, ConnectorId, ConnectorKind, ConnectorState, Credential, Recipient, Scope, UserName,
    View,
};
use gatepost_message::Millis;
use gatepost_model::{AlertKind, Event, Flow, NoticeSubject, Transaction, Transport};
use parking_lot::Mutex;

use crate::pipeline::Pipeline;

/// Time for which an incident of one subject is told once.
const TOLD_ONCE_IN: Duration = Duration::from_secs(60 * 60);

/// Number of subjects from which on those that were told long ago are dropped.
const MANY: usize = 10_000;

/// Incidents that were told lately, by action and subject.
#[derive(Debug, Default)]
pub struct Incidents {
    told: Mutex<HashMap<(&'static str, String), ToldIncident>>,
}

#[derive(Debug)]
struct ToldIncident {
    at: Millis,
    /// Number of those since then.
    since: u64,
}

/// Incident.
#[derive(Debug)]
pub(crate) struct Incident {
    account: String,
    action: &'static str,
    subject: String,
    notice: NoticeSubject,
    text: String,
    /// Alert of the account's administrators about the subject, if it is one.
    alert: Option<AlertKind>,
    /// Client that brought it about, with its address.
    actor: String,
    origin: String,
}

impl Incidents {
    /// Counts an incident. Returns the number of those that were not told, if this one is.
    fn count(&self, action: &'static str, subject: &str, now: Millis) -> Option<u64> {
        let mut told = self.told.lock();
        if told.len() >= MANY {
            told.retain(|_, last| now.since(last.at) < TOLD_ONCE_IN);
        }
        let key = (action, subject.to_owned());
        let fresh = ToldIncident { at: now, since: 0 };
        match told.get_mut(&key) {
            Some(last) if now.since(last.at) < TOLD_ONCE_IN => {
                last.since = last.since.saturating_add(1);
                None
            }
            Some(last) => Some(std::mem::replace(last, fresh).since),
            None => {
                told.insert(key, fresh);
                Some(0)
            }
        }
    }
}

/// Counts the use of a credential whose use has ended, or whose domain is disconnected, and which is
/// in its grace period. The account is told of it, unless it was within a day; the directory keeps
/// count and time, so that a restart changes nothing.
pub(crate) fn used_in_grace(pipeline: &Pipeline, user: UserName, from: IpAddr) {
    let now = Millis::now();
    let directory = Arc::clone(&pipeline.directory);
    directory.record_grace_use(&user, Some(from), now);
    let view = directory.view();
    let known = view.credential(user.as_str());
    let before = known.and_then(|known| known.credential.details.grace_uses);
    if before.is_some_and(|uses| !uses.is_to_be_told(now)) {
        return;
    }
    let events = Arc::clone(&pipeline.events);
    tokio::task::spawn_blocking(move || {
        let entry = |of: &Credential, uses| told_of_grace(of, uses, from, now);
        let told = match directory.tell_of_grace(&user, now, entry) {
            Ok(told) => told,
            Err(error) => {
                return tracing::error!(%error, "the use of a credential is not in the audit log");
            }
        };
        let Some(AuditEntry {
            account,
            subject,
            origin,
            detail: Some(text),
            ..
        }) = told
        else {
            return;
        };
        tracing::warn!(account, subject, origin, "{text}");
        let event = Event::notice(account, NoticeSubject::Credential, text, now);
        // The store appends it whether or not anybody waits.
        drop(events.append(vec![event]));
    });
}

/// Makes the entry of the audit log about so many uses of a credential in its grace period.
fn told_of_grace(credential: &Credential, uses: u64, from: IpAddr, now: Millis) -> AuditEntry {
    let user = &credential.user_name;
    let why = match credential.ended {
        Some(end) => format!("it was {} on {}", end.how, end.at),
        None => "its domain is disconnected".to_owned(),
    };
    let mut text = format!("the credential {user} is still used, and {why}");
    if uses > 1 {
        text += &format!("; {uses} times since that was told last");
    }
    AuditEntry {
        at: now,
        account: Some(credential.account.to_string()),
        actor: user.to_string(),
        origin: Some(from.to_string()),
        action: "credential-used-after-its-end".to_owned(),
        subject: user.to_string(),
        detail: Some(text),
    }
}

/// Returns the incident of a credential that is locked out: too many log-ins with it have failed.
pub(crate) fn locked_out(directory: &View, user: &UserName, origin: String) -> Option<Incident> {
    let credential = &directory.credential(user.as_str())?.credential;
    Some(Incident {
        account: credential.account.to_string(),
        action: "credential-locked-out",
        subject: user.to_string(),
        notice: NoticeSubject::Credential,
        text: format!("log-ins with the credential {user} are refused: too many have failed"),
        alert: Some(AlertKind::LockedOut),
        actor: "a client".to_owned(),
        origin,
    })
}

/// Returns the incidents of mail for two-way domains that comes without their credential.
pub(crate) fn unauthenticated(directory: &View, transaction: &Transaction) -> Vec<Incident> {
    let session = &transaction.session;
    if session.flow != Flow::Inbound || session.transport != Transport::Smtp {
        return Vec::new();
    }
    let known = session.user.as_deref();
    let known = known.and_then(|user| directory.credential(user));
    let vouched = known
        .filter(|known| directory.holds(known))
        .and_then(|known| match &known.credential.scope {
            Scope::Inbound { connector, .. } => Some(*connector),
            Scope::Submission => None,
        });
    let mut seen: Vec<ConnectorId> = Vec::new();
    let incidents = transaction.recipients.iter().filter_map(|address| {
        let Recipient::Of(of) = directory.recipient(address) else {
            return None;
        };
        let id = of.connector.filter(|id| vouched != Some(*id))?;
        let connector = directory.connector(of.account, id)?;
        let is_expected = connector.claim.kind == ConnectorKind::TwoWay
            && connector.state == ConnectorState::Verified
            && directory.disconnection(of.account, address).is_none();
        if !is_expected || seen.contains(&id) {
            return None;
        }
        seen.push(id);
        let domain = &connector.claim.domain;
        let client = session.client.map(|client| client.ip().to_string());
        Some(Incident {
            account: of.account.to_string(),
            action: "mail-unauthenticated",
            subject: domain.to_string(),
            notice: NoticeSubject::Connector,
            text: format!("mail for the two-way domain {domain} comes past its relay"),
            alert: None,
            actor: "a client".to_owned(),
            origin: client.unwrap_or_default(),
        })
    });
    incidents.collect()
}

/// Tells of an incident, unless one of its subject was told lately.
pub(crate) fn tell(pipeline: &Pipeline, incident: Incident) {
    let now = Millis::now();
    let Incident {
        account,
        action,
        subject,
        notice,
        mut text,
        alert,
        actor,
        origin,
    } = incident;
    let Some(before) = pipeline.incidents.count(action, &subject, now) else {
        return;
    };
    if before > 0 {
        text += &format!("; {before} times more since that was told last");
    }
    tracing::warn!(account, subject, origin, "{text}");
    let event = Event::notice(Some(account.clone()), notice, text.clone(), now);
    let event = match alert {
        Some(kind) => event.alerting(kind, &subject, Some(format!("from {origin}"))),
        None => event,
    };
    // The store appends it whether or not anybody waits.
    drop(pipeline.events.append(vec![event]));
    let entry = AuditEntry {
        at: now,
        account: Some(account),
        actor,
        origin: Some(origin),
        action: action.to_owned(),
        subject,
        detail: Some(text),
    };
    let directory = Arc::clone(&pipeline.directory);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = directory.record_audit(entry) {
            tracing::error!(%error, "an incident is not in the audit log");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incident_is_told_once_an_hour_with_the_number_of_those_between() {
        let incidents = Incidents::default();
        let count = |subject, at| incidents.count("mail-unauthenticated", subject, Millis(at));
        let hour = 3_600_000;
        assert_eq!(count("a.example", 0), Some(0));
        assert_eq!(count("b.example", 1), Some(0));
        for at in 1..=7 {
            assert_eq!(count("a.example", at), None);
        }
        assert_eq!(count("a.example", hour - 1), None);
        assert_eq!(count("a.example", hour), Some(8));
        assert_eq!(count("a.example", hour * 2), Some(0));
    }
}
