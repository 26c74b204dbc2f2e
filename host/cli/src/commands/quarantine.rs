//! `gatepost quarantine`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use gatepost_message::TransactionId;
use gatepost_operations::quarantine::{
    DeleteQuarantined, ListQuarantine, ReleaseQuarantined, ShowQuarantined,
};
use gatepost_operations::{Code, Operation};
use serde_json::json;

use super::operate::{Ask, Target, report};
use super::queue::{list, show};
use super::{exit, output};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the messages in quarantine, oldest first.
    List(Ask<ListQuarantine>),
    /// Show the details of a message in quarantine.
    Show(Ask<ShowQuarantined>),
    /// Release messages into the queue.
    Release(SelectedMessages),
    /// Drop messages; nobody is told.
    Delete(SelectedMessages),
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
        Command::List(ask) => {
            let limit = ask.request.limit;
            list(ask, limit, "the quarantine is empty").await
        }
        Command::Show(ask) => show(ask).await,
        Command::Release(selected) => {
            for_each(selected, "released", |id| ReleaseQuarantined { id }).await
        }
        Command::Delete(selected) => {
            for_each(selected, "deleted", |id| DeleteQuarantined { id }).await
        }
    }
}

/// Executes an operation for each message. The exit code is 1 if any of them does not exist.
async fn for_each<O: Operation<Answer = ()>>(
    selected: SelectedMessages,
    done: &str,
    request: impl Fn(TransactionId) -> O,
) -> miette::Result<ExitCode> {
    let mut all = true;
    for id in selected.ids {
        let mut session = selected.target.session()?;
        let found = match session.try_call(request(id)).await? {
            Ok(()) => true,
            Err(error) if error.code == Code::NotQuarantined => false,
            Err(error) => return Err(report(error)),
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
