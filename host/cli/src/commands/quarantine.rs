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
    /// List the messages in quarantine, oldest first.
    List(List),
    /// Show the details of a message in quarantine.
    Show(Show),
    /// Release messages into the queue.
    Release(SelectedMessages),
    /// Drop messages; nobody is told.
    Delete(SelectedMessages),
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    page: Page,
}

#[derive(Debug, Args)]
pub(super) struct SelectedMessages {
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
        Command::Release(selected) => {
            for_each(selected, "released", |id| Request::QuarantineRelease { id }).await
        }
        Command::Delete(selected) => {
            for_each(selected, "deleted", |id| Request::QuarantineDelete { id }).await
        }
    }
}

/// Executes a request for each message. The exit code is 1 if any of them does not exist.
async fn for_each(
    selected: SelectedMessages,
    done: &str,
    request: impl Fn(TransactionId) -> Request,
) -> miette::Result<ExitCode> {
    let mut all = true;
    for id in selected.ids {
        let found = match selected.target.ask(request(id)).await? {
            Response::Done => true,
            Response::Unknown => false,
            other => return Err(unexpected(&other)),
        };
        all &= found;
        if selected.target.json {
            output::print_json([json!({ "id": id, "done": found })])?;
        } else {
            let word = if found { done } else { "not in quarantine" };
            output::print(format!("{id} {word}"))?;
        }
    }
    Ok(exit(all))
}
