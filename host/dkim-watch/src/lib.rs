//! Watch over the records of DKIM keys.
//!
//! The relay [looks](keep_up) in the DNS for the record of each key: often for one that was never
//! seen, so that it signs soon after its record is published, and on a longer schedule for one that
//! signs. A key whose record is gone signs no more, until the record is seen again; its owner is
//! told of both by a notice. `gatepost dkim check` [looks at once](look_at). A name server that
//! gives no answer changes nothing.
//!
//! The resolver has to be one without a cache of its own: whoever has just published a record asks
//! for what is there now.
//!
//! Metrics: `gatepost_dkim_keys{state}`.

#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use gatepost_directory::{Directory, DirectoryError, DkimKey, DkimKeyName, DkimState};
use gatepost_dkim::look;
use gatepost_dns::Dns;
use gatepost_message::Millis;
use gatepost_model::{AlertKind, Event, NoticeSubject};
use gatepost_spool::EventLog;
use tokio::time::{Instant, sleep};

/// Looks that run side by side.
const AT_ONCE: usize = 16;

/// Shortest and longest time between two rounds.
const SHORTEST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(60);

/// Intervals between two looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intervals {
    /// For a key that was not seen, or is lost.
    pub pending: Duration,
    /// For a key that signs.
    pub active: Duration,
}

/// Error of a look.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// The state cannot be recorded.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The task that records it has panicked.
    #[error(transparent)]
    Task(#[from] tokio::task::JoinError),
}

/// Looks for the record of a key, and returns the key in the state that follows. A notice tells its
/// owner that it is lost, or signs again.
///
/// # Errors
/// The state cannot be recorded.
pub async fn look_at(
    directory: &Arc<Directory>,
    events: &dyn EventLog,
    dns: &impl Dns,
    key: &DkimKey,
) -> Result<DkimKey, LookError> {
    if key.state == DkimState::Retired {
        return Ok(key.clone());
    }
    let seen = look(dns, &key.record(), key.algorithm, &key.public).await;
    let (directory, name) = (Arc::clone(directory), key.name());
    let looked =
        tokio::task::spawn_blocking(move || directory.dkim_looked(&name, &seen, Millis::now()));
    let now = looked.await??;
    if now.state != key.state {
        tell(key.state, &now);
        if let Some(notice) = notice(key.state, &now)
            && let Err(error) = events.append(vec![notice]).await
        {
            tracing::error!(%error, "the state of a DKIM key was not noted as an event");
        }
    }
    Ok(now)
}

/// Returns the notice of a key that is lost, or signs again.
fn notice(before: DkimState, key: &DkimKey) -> Option<Event> {
    let (domain, selector) = (key.domain.as_str(), &key.selector);
    let finding = key.finding.as_deref().unwrap_or("it is not in the DNS");
    let (kind, text, detail) = match (before, key.state) {
        (_, DkimState::Lost) => {
            let text = format!(
                "the record of the DKIM key {selector} of {domain} is lost, and mail is not signed \
                 with the key any more: {finding}"
            );
            (AlertKind::DkimLost, text, Some(finding.to_owned()))
        }
        (DkimState::Lost, DkimState::Active) => {
            let text = format!(
                "the record of the DKIM key {selector} of {domain} is seen again, and mail is \
                 signed with the key"
            );
            (AlertKind::DkimFound, text, None)
        }
        _ => return None,
    };
    let account = key.owner.account().map(|id| id.to_string());
    let notice = Event::notice(account, NoticeSubject::Dkim, text, Millis::now());
    let about = format!("{selector}._domainkey.{domain}");
    Some(notice.alerting(kind, about, detail))
}

/// Logs the change of a state.
fn tell(before: DkimState, key: &DkimKey) {
    let (owner, domain, selector) = (key.owner, key.domain.as_str(), &key.selector);
    let finding = key.finding.as_deref().unwrap_or_default();
    match key.state {
        DkimState::Lost => tracing::warn!(
            %owner,
            domain,
            %selector,
            finding,
            "the record of a DKIM key is lost, and mail is not signed with the key any more: put \
             the record back as `gatepost dkim show` prints it"
        ),
        state => tracing::info!(%owner, domain, %selector, %before, %state, "state of a DKIM key"),
    }
}

/// Looks for the records of all keys on a schedule, and removes keys that were retired long ago.
/// `current` returns the resolver and the intervals of the active configuration.
pub async fn keep_up<D: Dns>(
    directory: Arc<Directory>,
    events: Arc<dyn EventLog>,
    current: impl Fn() -> (D, Intervals),
) {
    let mut last: HashMap<DkimKeyName, Instant> = HashMap::new();
    loop {
        let (dns, intervals) = current();
        round(&directory, &*events, &dns, intervals, &mut last).await;
        let directory = Arc::clone(&directory);
        let removed =
            tokio::task::spawn_blocking(move || directory.remove_rested_dkim_keys(Millis::now()));
        if let Ok(Err(error)) = removed.await {
            tracing::error!(%error, "retired DKIM keys cannot be removed");
        }
        let pause = intervals.pending.min(intervals.active);
        sleep(pause.clamp(SHORTEST, LONGEST)).await;
    }
}

/// Looks for the records of the keys that are due.
async fn round(
    directory: &Arc<Directory>,
    events: &dyn EventLog,
    dns: &impl Dns,
    intervals: Intervals,
    last: &mut HashMap<DkimKeyName, Instant>,
) {
    let view = directory.view();
    let keys: HashMap<_, _> = view.all_dkim_keys().map(|key| (key.name(), key)).collect();
    last.retain(|name, _| keys.contains_key(name));
    let mut due = Vec::new();
    for (name, key) in keys {
        let interval = match key.state {
            DkimState::Retired => continue,
            DkimState::Active => intervals.active,
            DkimState::Pending | DkimState::Lost => intervals.pending,
        };
        if last.get(&name).is_none_or(|at| at.elapsed() >= interval) {
            last.insert(name, Instant::now());
            due.push(key);
        }
    }
    for keys in due.chunks(AT_ONCE) {
        let looks = keys.iter().map(|key| look_at(directory, events, dns, key));
        for looked in join_all(looks).await {
            if let Err(error) = looked {
                tracing::error!(%error, "the state of a DKIM key cannot be recorded");
            }
        }
    }
    show(directory);
}

/// Shows the number of keys in each state.
fn show(directory: &Directory) {
    let view = directory.view();
    for state in [
        DkimState::Pending,
        DkimState::Active,
        DkimState::Lost,
        DkimState::Retired,
    ] {
        let count = view
            .all_dkim_keys()
            .filter(|key| key.state == state)
            .count();
        metrics::gauge!("gatepost_dkim_keys", "state" => state.word()).set(count as f64);
    }
}
