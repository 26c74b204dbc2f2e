//! `gatepost quarantine`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use gatepost_message::TransactionId;
use serde_json::json;

use super::operate::{Target, unexpected};
use super::queue::{Page, Show, list, show};
use super::{exit, output};
use gatepost_operations::{Request, Response};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Messages kept apart, oldest first.
    List(List),
    /// All that is known of a message that is kept apart.
    Show(Show),
    /// Let messages go on into the queue.
    Release(These),
    /// Drop messages; nobody is told.
    Delete(These),
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    page: Page,
}

#[derive(Debug, Args)]
pub(super) struct These {
    #[command(flatten)]
    target: Target,
    /// Transaction ids of the messages.
    #[arg(required = true, value_name = "ID")]
    ids: Vec<TransactionId>,
}

pub(super) async fn run(command: Command) -> miette::Result<ExitCode> {
    match command {
        Command::List(List { target, page }) => {
            let listing = page.listing(None);
            let limit = listing.limit;
            let request = Request::QuarantineList(listing);
            list(&target, request, limit, "the quarantine is empty").await
        }
        Command::Show(Show { target, id }) => show(&target, Request::QuarantineShow { id }).await,
        Command::Release(these) => {
            each(these, "released", |id| Request::QuarantineRelease { id }).await
        }
        Command::Delete(these) => {
            each(these, "deleted", |id| Request::QuarantineDelete { id }).await
        }
    }
}

/// Does the same to each message; the answer is no if any of them is not there.
async fn each(
    these: These,
    done: &str,
    request: impl Fn(TransactionId) -> Request,
) -> miette::Result<ExitCode> {
    let mut all = true;
    for id in these.ids {
        let found = match these.target.ask(request(id)).await? {
            Response::Done => true,
            Response::Unknown => false,
            other => return Err(unexpected(&other)),
        };
        all &= found;
        if these.target.json {
            output::print_json([json!({ "id": id, "done": found })])?;
        } else {
            let word = if found { done } else { "not in quarantine" };
            output::print(format!("{id} {word}"))?;
        }
    }
    Ok(exit(all))
}
