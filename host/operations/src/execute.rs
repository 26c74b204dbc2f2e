//! Execution of requests.

use std::sync::Arc;

use bytes::Bytes;
use gatepost_message::Millis;
use gatepost_policy::{BreakerState, Slot};
use gatepost_spool::SpoolError;
use tokio::sync::oneshot;

use super::directory;
use super::partners::{self, PartnerResponse};
use super::protocol::{PolicyStatus, Request, Response};
use super::runtime::Runtime;
use crate::reload::{ReloadRequest, Reloaded};
use gatepost_feeds as feeds;
use gatepost_policy_set::Policies;

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
