//! Upkeep of the store: what is too old or too many in its ledgers is dropped, accounts are told of
//! mail that waits for long, and support addresses are verified again.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use gatepost_config as config;
use gatepost_directory::{AuditEntry, Directory, DirectoryError, Rotation};
use gatepost_intake::active_config::SharedConfig;
use gatepost_intake::session::Phase;
use gatepost_message::Millis;
use gatepost_model::{Event, NoticeSubject};
use gatepost_operations::{Runtime, verification};
use gatepost_probes::Probes;
use gatepost_spool::{
    Counters, Dropped, EraseCursor, ErasedRows, EventLog, Keep, KeptSince, QueueAdmin, SpoolError,
    Stores,
};
use gatepost_trace::{Event as TraceEvent, Kind, Trace};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// Pause between two looks for requests of the API that are a day old.
const HOUR: Duration = Duration::from_secs(3600);

/// Interval at which old entries are dropped.
const EXPIRE: Duration = Duration::from_secs(60);

/// Pause for mail to use the store before more is dropped.
const EXPIRE_MORE: Duration = Duration::from_millis(50);

/// Bounds of the Message-IDs that were learnt.
const LEARNT: Duration = Duration::from_secs(90 * 86_400);
const MOST_LEARNT: u64 = 1_000_000;

/// Bounds of the answers to programs under their keys.
const ANSWERS: Duration = Duration::from_secs(86_400);
const MOST_ANSWERS: u64 = 1_000_000;

/// Interval at which it is asked which addresses are to be verified again.
const VERIFY: Duration = Duration::from_secs(60);

/// Longest wait before it is asked again whether mail is late.
const LATE: Duration = Duration::from_secs(60);

/// Drops what is too old once a minute, until the relay stops. `drop_some` drops a bounded amount at
/// a time and returns true if there is more.
async fn each_minute<Dropping>(
    mut phase: watch::Receiver<Phase>,
    mut drop_some: impl FnMut() -> Dropping,
) where
    Dropping: Future<Output = bool>,
{
    let mut minute = interval(EXPIRE);
    minute.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = minute.tick() => {}
            _ = phase.changed() => return,
        }
        while *phase.borrow() == Phase::Serving && drop_some().await {
            sleep(EXPIRE_MORE).await;
        }
    }
}

/// Drops expired messages, marks and counts. The drain waits for it, as for a session, so that all
/// drops are recorded before the end.
pub(super) async fn expire(
    queue: Arc<dyn QueueAdmin>,
    counters: Arc<dyn Counters>,
    trace: Arc<Trace>,
    phase: watch::Receiver<Phase>,
) {
    let drop_some = || drop_expired(&*queue, &*counters, &trace);
    each_minute(phase, drop_some).await;
}

/// Drops some expired messages, marks and counts; returns true if there is more to drop.
async fn drop_expired(queue: &dyn QueueAdmin, counters: &dyn Counters, trace: &Trace) -> bool {
    let now = Millis::now();
    // Together, so that they share a commit.
    let dropped = tokio::join!(queue.quarantine_expire(now), counters.expire(now));
    let more = match &dropped {
        (Ok(expired), Ok(forgotten)) => expired.more || forgotten.more,
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(%error, "expired messages cannot be dropped");
            false
        }
    };
    for id in dropped.0.map_or_else(|_| Vec::new(), |of| of.quarantined) {
        tracing::info!(%id, "dropped from quarantine: its time was over");
        let recipients = Vec::new();
        trace.record(TraceEvent::now(id, Kind::Expired { recipients }));
    }
    more
}

/// Takes back links of handovers that have expired.
pub(super) async fn expire_handovers(directory: Arc<Directory>, phase: watch::Receiver<Phase>) {
    let drop_all = || drop_expired_handovers(&directory);
    each_minute(phase, drop_all).await;
}

/// Drops all that have expired; returns false, since there is no more then.
async fn drop_expired_handovers(directory: &Arc<Directory>) -> bool {
    let directory = Arc::clone(directory);
    let dropped = spawn_blocking(move || directory.drop_expired_handovers(Millis::now())).await;
    match dropped {
        Ok(Ok(0)) => {}
        Ok(Ok(dropped)) => tracing::info!(dropped, "links of handovers have expired"),
        Ok(Err(error)) => tracing::error!(%error, "expired links of handovers are not dropped"),
        // A panic is logged already.
        Err(_) => {}
    }
    false
}

/// Drops requests of the API that were kept for a day, once an hour, until the relay stops.
pub(super) async fn expire_requests(directory: Arc<Directory>, mut phase: watch::Receiver<Phase>) {
    while *phase.borrow() == Phase::Serving {
        let directory = Arc::clone(&directory);
        let dropped = spawn_blocking(move || directory.expire_requests(Millis::now())).await;
        if let Ok(Err(error)) = dropped {
            tracing::error!(%error, "requests of the API that are a day old are not dropped");
        }
        tokio::select! {
            () = sleep(HOUR) => {}
            _ = phase.changed() => {}
        }
    }
}

/// Drops old entries of the ledgers.
pub(super) async fn expire_ledgers(
    stores: Stores,
    active: Arc<SharedConfig>,
    phase: watch::Receiver<Phase>,
) {
    let drop_some = || drop_old_entries(&stores, &active);
    each_minute(phase, drop_some).await;
}

/// Drops some of each ledger; returns true if there is more to drop.
async fn drop_old_entries(stores: &Stores, active: &SharedConfig) -> bool {
    expire_some(stores, active).await.unwrap_or_else(|error| {
        tracing::error!(%error, "old entries of the store cannot be dropped");
        false
    })
}

async fn expire_some(stores: &Stores, active: &SharedConfig) -> Result<bool, SpoolError> {
    let config = Arc::clone(&active.load().config);
    let now = Millis::now();
    let before = |time: Duration| Millis(now.0.saturating_sub(millis(time)));
    // While the disk is nearly full, results of deliveries are still told: what is old makes room.
    let has_room = stores.queue.room().is_ok();
    let events = Keep {
        since: before(config.events.keep),
        most: match has_room {
            true => config.events.most,
            false => config.events.most / 10,
        },
    };
    let learnt = Keep {
        since: before(LEARNT),
        most: MOST_LEARNT,
    };
    let answers = Keep {
        since: before(ANSWERS),
        most: MOST_ANSWERS,
    };
    let kept = Keep {
        since: now,
        // Mail that nobody waits for makes room for mail that comes.
        most: match has_room {
            true => config.queue.most_failed,
            false => 0,
        },
    };
    // Together, so that they share a commit.
    let counted = before(config.suppression.soft_within);
    let (events, learnt, answers, kept, counting) = tokio::join!(
        stores.events.expire_events(events),
        stores.learnt.expire_learnt(learnt),
        stores.answers.expire_answers(answers),
        stores.admin.expire_kept(kept),
        stores.suppressions.expire_counting(counted),
    );
    let dropped: [Dropped; 5] = [events?, learnt?, answers?, kept?, counting?];
    Ok(dropped.iter().any(|dropped| dropped.more))
}

/// Drops what accounts keep for a shorter time than the site, once an hour, until the relay stops.
pub(super) async fn expire_of_accounts(
    stores: Stores,
    trace: Arc<Trace>,
    directory: Arc<Directory>,
    mut phase: watch::Receiver<Phase>,
) {
    while *phase.borrow() == Phase::Serving {
        let now = Millis::now();
        let since: KeptSince = (directory.view().accounts())
            .filter_map(|account| {
                let keep = account.details.keep?;
                Some((account.id.to_string(), keep.since(now)))
            })
            .collect();
        if !since.is_empty()
            && let Err(error) = drop_older(&stores, &trace, since, &phase).await
        {
            tracing::error!(%error, "what accounts keep no longer is not dropped");
        }
        tokio::select! {
            () = sleep(HOUR) => {}
            _ = phase.changed() => {}
        }
    }
}

/// Drops all that is older, some at a time, so that mail goes on.
async fn drop_older(
    stores: &Stores,
    trace: &Arc<Trace>,
    since: KeptSince,
    phase: &watch::Receiver<Phase>,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let since = Arc::new(since);
    let mut next = Some(EraseCursor::default());
    let mut dropped = ErasedRows::default();
    while let Some(from) = next.filter(|_| *phase.borrow() == Phase::Serving) {
        let step = stores.erasure.drop_older(&since, from).await?;
        dropped.add(step.erased);
        next = step.next;
        sleep(EXPIRE_MORE).await;
    }
    for (account, since) in since.iter() {
        let mut more = true;
        while more && *phase.borrow() == Phase::Serving {
            let (trace, account, since) = (Arc::clone(trace), account.clone(), *since);
            more = spawn_blocking(move || trace.drop_older(&account, since)).await??;
            sleep(EXPIRE_MORE).await;
        }
    }
    if dropped != ErasedRows::default() {
        let (events, messages) = (dropped.events, dropped.messages);
        tracing::info!(events, messages, "accounts keep these no longer");
    }
    Ok(())
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Number of minutes between two looks at the age of the audit log.
const AUDIT: u32 = 60;

/// Keeps the directory: removed credentials go when their grace period is over, rotations that stay
/// are reminded of, and old entries leave the audit log.
pub(super) async fn keep_directory(
    directory: Arc<Directory>,
    events: Arc<dyn EventLog>,
    active: Arc<SharedConfig>,
    phase: watch::Receiver<Phase>,
) {
    let mut minute = 0_u32;
    each_minute(phase, || {
        let with_audit = minute.is_multiple_of(AUDIT);
        minute = minute.wrapping_add(1);
        let settings = active.load().config.directory.clone();
        let (directory, events) = (Arc::clone(&directory), Arc::clone(&events));
        async move {
            let kept = tokio::task::spawn_blocking(move || keep(&directory, &settings, with_audit));
            match kept.await {
                Ok(Ok(notices)) if notices.is_empty() => {}
                Ok(Ok(notices)) => {
                    if let Err(error) = events.append(notices).await {
                        tracing::error!(%error, "rotations were not reminded of by events");
                    }
                }
                Ok(Err(error)) => tracing::error!(%error, "the directory cannot be kept"),
                Err(error) => tracing::error!(%error, "the directory cannot be kept"),
            }
            false
        }
    })
    .await;
}

/// Keeps the directory once, and returns the notices of rotations that stay.
fn keep(
    directory: &Directory,
    settings: &config::Directory,
    with_audit: bool,
) -> Result<Vec<Event>, DirectoryError> {
    let now = Millis::now();
    directory.forget_removed(settings.grace, now)?;
    if with_audit {
        let before = now.0.saturating_sub(millis(settings.audit_retention));
        directory.forget_audit(Millis(before))?;
    }
    let stay = directory.remind_of_rotations(settings.rotation_reminder, now)?;
    let told = stay.into_iter().map(|rotation| {
        let Rotation {
            account,
            former,
            next,
            since,
        } = rotation;
        let account = account.to_string();
        let text = format!(
            "the credentials {former} and {next} are both live since {since}: switch to {next}, \
             and retire {former}"
        );
        tracing::warn!(account, "{text}");
        directory.record_audit(AuditEntry {
            at: now,
            account: Some(account.clone()),
            actor: "gatepost".to_owned(),
            origin: None,
            action: "rotation-reminded".to_owned(),
            subject: next.to_string(),
            detail: Some(text.clone()),
        })?;
        let subject = NoticeSubject::Credential;
        Ok(Event::notice(Some(account), subject, text, now))
    });
    told.collect()
}

/// Tells accounts of mail that waits for long, as soon as it is late.
pub(super) async fn tell_late(
    queue: Arc<dyn QueueAdmin>,
    active: Arc<SharedConfig>,
    mut phase: watch::Receiver<Phase>,
) {
    while *phase.borrow() == Phase::Serving {
        let config = Arc::clone(&active.load().config);
        let after = config.events.late_after;
        let next = queue.tell_late(Millis::now(), after).await;
        let next = next.unwrap_or_else(|error| {
            tracing::error!(%error, "accounts cannot be told of late mail");
            None
        });
        // What is accepted from now on is not late before this time is over.
        let longest = after.clamp(Duration::from_secs(1), LATE);
        let wait = next.map_or(longest, |at| at.since(Millis::now()).min(longest));
        tokio::select! {
            () = sleep(wait.max(EXPIRE_MORE)) => {}
            _ = phase.changed() => {}
        }
    }
}

/// Ends probes that have not come back in time, until the relay stops.
pub(super) async fn end_probes(probes: Arc<Probes>, mut phase: watch::Receiver<Phase>) {
    let mut changes = probes.changes();
    while *phase.borrow() == Phase::Serving {
        let next = probes.expire(Millis::now()).await;
        let wait = next.map_or(VERIFY, |at| at.since(Millis::now()));
        tokio::select! {
            () = sleep(wait.max(EXPIRE_MORE)) => {}
            _ = changes.changed() => {}
            _ = phase.changed() => {}
        }
    }
}

/// Verifies addresses again on the schedule, until the relay stops.
pub(super) async fn verify_again(
    runtime: Runtime,
    probes: Arc<Probes>,
    mut phase: watch::Receiver<Phase>,
) {
    while *phase.borrow() == Phase::Serving {
        let every = probes.settings().every;
        let pause = match every.is_zero() {
            true => VERIFY,
            false => VERIFY.min(every / 4).max(EXPIRE_MORE),
        };
        // A server that hangs keeps nobody from stopping.
        tokio::select! {
            () = async {
                verification::verify_due(&runtime, Millis::now()).await;
                tokio::select! {
                    () = sleep(pause) => {}
                    () = probes.looked_for() => {}
                }
            } => {}
            _ = phase.changed() => {}
        }
    }
}
