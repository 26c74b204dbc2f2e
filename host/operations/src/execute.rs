//! Execution of requests.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use gatepost_message::{Millis, TransactionId};
use gatepost_policy::{BreakerState, Slot};
use gatepost_spool::{Changed, Filter, QueueAdmin, Record, Selection, SpoolError, Ticket};
use gatepost_trace::{Event, Kind};
use tokio::sync::oneshot;

use super::directory;
use super::partners::{self, PartnerResponse};
use super::protocol::{Action, Choice, Listing, PolicyStatus, Request, Response, Shown};
use super::runtime::Runtime;
use crate::reload::{ReloadRequest, Reloaded};
use gatepost_feeds as feeds;
use gatepost_policy_set::Policies;

/// Number of messages whose changes are started together and share commits.
const PAGE: usize = 500;

/// Executes a request.
pub async fn execute(runtime: &Runtime, request: Request) -> Response {
    match try_execute(runtime, request).await {
        Ok(response) => response,
        Err(reason) => Response::Failed(reason),
    }
}

async fn try_execute(runtime: &Runtime, request: Request) -> Result<Response, String> {
    let Runtime {
        queue,
        counters,
        trace,
        ..
    } = runtime;
    let now = Millis::now();
    Ok(match request {
        Request::QueueList(listing) => {
            Response::Messages(queue.list(filter(listing)).await.map_err(to_text)?)
        }
        Request::QueueShow { id } => message_response(queue.show(id).await.map_err(to_text)?),
        Request::QueueChange { action, choice } => {
            Response::Changed(change_recipients(runtime, action, choice, now).await?)
        }
        Request::QuarantineList(listing) => {
            Response::Messages((queue.quarantine_list(filter(listing)).await).map_err(to_text)?)
        }
        Request::QuarantineShow { id } => {
            message_response(queue.quarantine_show(id).await.map_err(to_text)?)
        }
        Request::QuarantineRelease { id } => {
            let found = queue.quarantine_release(id, now).await.map_err(to_text)?;
            record_outcome(runtime, found, id, Kind::Released)
        }
        Request::QuarantineDelete { id } => {
            let found = queue.quarantine_delete(id).await.map_err(to_text)?;
            record_outcome(runtime, found, id, Kind::Discarded)
        }
        Request::PolicyList => {
            let policies = running_policies(runtime)?;
            let slots = policies.slots();
            Response::Policies(
                slots
                    .iter()
                    .map(|slot| policy_status(policies, slot))
                    .collect(),
            )
        }
        Request::PolicyActivate { policy, module } => {
            let swap = running_policies(runtime)?.activate(&policy, Bytes::from(module));
            Response::Swapped(swap.await.map_err(|error| error.to_string())?)
        }
        Request::PolicyRollback { policy } => {
            let swap = running_policies(runtime)?.rollback(&policy).await;
            Response::Swapped(swap.map_err(|error| error.to_string())?)
        }
        Request::Reload { dry_run } => Response::Reloaded(reload(runtime, dry_run).await?),
        Request::Directory(request) => {
            let directory = Arc::clone(&runtime.directory);
            let executed =
                tokio::task::spawn_blocking(move || directory::execute(&directory, *request));
            let executed = executed.await.map_err(|error| error.to_string())?;
            Response::Directory(executed.map_err(|error| error.to_string())?)
        }
        Request::MachineList { account } => {
            let account =
                account.map(|account| directory::account_name(&runtime.directory, &account));
            Response::Machines(counters.machines(account.as_deref(), now))
        }
        Request::MachineForget { account, address } => {
            let account = directory::account_name(&runtime.directory, &account);
            let address = gatepost_message::canonical_form(&address);
            match (counters.forget_machine(&account, &address, now).await).map_err(to_text)? {
                true => Response::Done,
                false => Response::Unknown,
            }
        }
        Request::Partners(request) => {
            let directory = Arc::clone(&runtime.directory);
            let executed =
                tokio::task::spawn_blocking(move || partners::execute(&directory, *request));
            let executed = executed.await.map_err(|error| error.to_string())?;
            Response::Partners(executed.map_err(|error| error.to_string())?)
        }
        Request::FeedFetch { account, url } => {
            let directory = &runtime.directory;
            let feed = partners::find_feed(&directory.view(), &account, url);
            let feed = feed.map_err(|error| error.to_string())?;
            let client = runtime.feeds.load_full();
            let change = feeds::refresh(directory, &client, &feed).await?;
            Response::Partners(PartnerResponse::Fetched(change))
        }
        Request::HeadersOf { domain } => {
            let trace = Arc::clone(trace);
            let read = move || trace.headers_of(domain.as_ascii());
            let counted = tokio::task::spawn_blocking(read).await;
            let counted = counted.map_err(|error| error.to_string())?;
            Response::Headers(counted.map_err(|error| error.to_string())?)
        }
        Request::Trace { id } => {
            let trace = Arc::clone(trace);
            let events = tokio::task::spawn_blocking(move || trace.of(id)).await;
            let events = events.map_err(|error| error.to_string())?;
            match events.map_err(|error| error.to_string())? {
                events if events.is_empty() => Response::Unknown,
                events => Response::Events(events),
            }
        }
    })
}

fn to_text(error: SpoolError) -> String {
    error.to_string()
}

fn running_policies(runtime: &Runtime) -> Result<&Policies, String> {
    let policies = runtime.policies.as_deref();
    policies.ok_or_else(|| "no relay is running, so no policy is active".to_owned())
}

async fn reload(runtime: &Runtime, dry_run: bool) -> Result<Reloaded, String> {
    let relay = runtime.reload.as_ref();
    let relay = relay.ok_or("no relay is running, so no configuration is active")?;
    let (answer, answered) = oneshot::channel();
    let stopping = "the relay is stopping and reads no configuration any more";
    (relay.send(ReloadRequest { dry_run, answer }).await).map_err(|_| stopping)?;
    answered.await.map_err(|_| stopping.to_owned())
}

fn filter(listing: Listing) -> Filter {
    Filter {
        selection: Selection {
            id: None,
            account: listing.account,
            recipient: listing.recipient,
        },
        status: listing.status,
        after: listing.after,
        limit: listing.limit,
    }
}

fn message_response(record: Option<Record>) -> Response {
    let Some(record) = record else {
        return Response::Unknown;
    };
    Response::Message(Box::new(Shown {
        header: String::from_utf8_lossy(record.message.head()).into_owned(),
        summary: record.summary,
        transaction: record.transaction,
        classification: record.classification,
        judgements: record.judgements,
        smtputf8: record.smtputf8,
        dsn: record.dsn,
    }))
}

fn record_outcome(runtime: &Runtime, found: bool, id: TransactionId, kind: Kind) -> Response {
    if !found {
        return Response::Unknown;
    }
    runtime.trace.record(Event::now(id, kind));
    Response::Done
}

/// Changes recipients message by message, so that the trace of each message records it.
async fn change_recipients(
    runtime: &Runtime,
    action: Action,
    choice: Choice,
    now: Millis,
) -> Result<Changed, String> {
    let mut total = Changed::default();
    if !choice.ids.is_empty() {
        let ids: BTreeSet<_> = choice.ids.iter().copied().collect();
        for page in Vec::from_iter(ids).chunks(PAGE) {
            add_counts(
                &mut total,
                change_page(runtime, action, &choice, page, now).await?,
            );
        }
        return Ok(total);
    }
    let mut after = None;
    loop {
        let page = runtime.queue.list(Filter {
            selection: selection(&choice, None),
            status: None,
            after,
            limit: PAGE,
        });
        let page: Vec<_> = (page.await.map_err(to_text)?.iter())
            .map(|summary| summary.id)
            .collect();
        let Some(last) = page.last() else {
            return Ok(total);
        };
        after = Some(*last);
        add_counts(
            &mut total,
            change_page(runtime, action, &choice, &page, now).await?,
        );
    }
}

async fn change_page(
    runtime: &Runtime,
    action: Action,
    choice: &Choice,
    ids: &[TransactionId],
    now: Millis,
) -> Result<Changed, String> {
    // All changes are started before the first is awaited.
    let tickets: Vec<_> = ids
        .iter()
        .map(|id| {
            (
                *id,
                start_change(&*runtime.queue, action, selection(choice, Some(*id)), now),
            )
        })
        .collect();
    let mut total = Changed::default();
    for (id, ticket) in tickets {
        let changed = ticket.await.map_err(to_text)?;
        if changed.changed > 0 {
            let kind = match action {
                Action::Retry => Kind::Retried,
                Action::Cancel => Kind::Cancelled,
                Action::Hold => Kind::Held,
                Action::Release => Kind::Released,
            };
            runtime.trace.record(Event::now(id, kind));
        }
        add_counts(&mut total, changed);
    }
    Ok(total)
}

fn start_change(
    queue: &dyn QueueAdmin,
    action: Action,
    selection: Selection,
    now: Millis,
) -> Ticket<Changed> {
    match action {
        Action::Retry => queue.retry(selection, now),
        Action::Cancel => queue.cancel(selection),
        Action::Hold => queue.hold(selection),
        Action::Release => queue.release(selection, now),
    }
}

fn selection(choice: &Choice, id: Option<TransactionId>) -> Selection {
    Selection {
        id,
        account: choice.account.clone(),
        recipient: choice.recipient.clone(),
    }
}

fn add_counts(total: &mut Changed, more: Changed) {
    total.changed += more.changed;
    total.in_progress += more.in_progress;
}

fn policy_status(policies: &Policies, slot: &Slot) -> PolicyStatus {
    let version = slot.current();
    PolicyStatus {
        policy: slot.name().to_owned(),
        digest: version.digest().to_owned(),
        previous: slot.previous().map(|version| version.digest().to_owned()),
        hooks: (version.hooks().iter())
            .map(|hook| hook.word().to_owned())
            .collect(),
        on_error: version.definition().on_error,
        called: slot.breaker() != BreakerState::Open,
        accounts_not_called: slot.breaker().accounts(),
        loaded_at: version.loaded_at(),
        refused: policies.refused(slot.name()),
    }
}
