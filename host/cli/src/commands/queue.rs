//! `gatepost queue`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use gatepost_message::TransactionId;
use gatepost_spool::{Recipient, RecipientState, Status, Summary};

use super::operate::{Target, unexpected};
use super::{exit, output};
use gatepost_operations::{Action, Choice, Listing, Request, Response, Shown};
use gatepost_terminal::escape;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the messages in the queue, oldest first.
    List(List),
    /// Show the details of a message in the queue.
    Show(Show),
    /// Attempt delivery at once.
    Retry(Change),
    /// End delivery without an attempt and without a bounce.
    Cancel(Change),
    /// Stop attempts until released.
    Hold(Change),
    /// Release held recipients.
    Release(Change),
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    page: Page,
    /// Only messages with a recipient in this state.
    #[arg(long, value_parser = status)]
    status: Option<Status>,
}

/// Arguments that choose the messages to list.
#[derive(Debug, Args)]
pub(super) struct Page {
    /// Only messages of this account.
    #[arg(long)]
    account: Option<String>,
    /// Only messages to this address, or to this domain.
    #[arg(long, value_name = "ADDRESS|DOMAIN")]
    recipient: Option<String>,
    /// Only messages that came after this one.
    #[arg(long, value_name = "ID")]
    after: Option<TransactionId>,
    /// Maximum number of messages.
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    limit: usize,
}

impl Page {
    pub(super) fn listing(self, status: Option<Status>) -> Listing {
        Listing {
            account: self.account,
            recipient: self.recipient,
            status,
            after: self.after,
            limit: self.limit,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct Show {
    #[command(flatten)]
    pub(super) target: Target,
    /// Transaction id of the message.
    pub(super) id: TransactionId,
}

#[derive(Debug, Args)]
pub(super) struct Change {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    selected: SelectedRecipients,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
struct SelectedRecipients {
    /// Transaction ids of messages.
    #[arg(value_name = "ID")]
    ids: Vec<TransactionId>,
    /// Recipients of messages of this account.
    #[arg(long)]
    account: Option<String>,
    /// Recipients with this address, or in this domain.
    #[arg(long, value_name = "ADDRESS|DOMAIN")]
    recipient: Option<String>,
    /// All recipients.
    #[arg(long, conflicts_with_all = ["ids", "account", "recipient"])]
    all: bool,
}

pub(super) async fn run(command: Command) -> miette::Result<ExitCode> {
    match command {
        Command::List(List {
            target,
            page,
            status,
        }) => {
            let limit = page.limit;
            let request = Request::QueueList(page.listing(status));
            list(&target, request, limit, "the queue is empty").await
        }
        Command::Show(Show { target, id }) => show(&target, Request::QueueShow { id }).await,
        Command::Retry(args) => change(args, Action::Retry).await,
        Command::Cancel(args) => change(args, Action::Cancel).await,
        Command::Hold(args) => change(args, Action::Hold).await,
        Command::Release(args) => change(args, Action::Release).await,
    }
}

fn status(word: &str) -> Result<Status, String> {
    let words = || Status::ALL.map(Status::word).join(", ");
    Status::ALL
        .into_iter()
        .find(|status| status.word() == word)
        .ok_or_else(|| format!("a state is one of {}", words()))
}

async fn change(args: Change, action: Action) -> miette::Result<ExitCode> {
    let SelectedRecipients {
        ids,
        account,
        recipient,
        all: _,
    } = args.selected;
    let choice = Choice {
        ids,
        account,
        recipient,
    };
    let changed = match args
        .target
        .ask(Request::QueueChange { action, choice })
        .await?
    {
        Response::Changed(changed) => changed,
        other => return Err(unexpected(&other)),
    };
    if args.target.json {
        output::print_json([&changed])?;
    } else {
        let done = match action {
            Action::Retry => "due now",
            Action::Cancel => "cancelled",
            Action::Hold => "held",
            Action::Release => "released",
        };
        let mut text = format!("{}: {done}", recipients(changed.changed));
        if changed.in_progress > 0 {
            let left = recipients(changed.in_progress);
            text += &format!("; {left}: left alone, being attempted at this moment");
        }
        output::print(text)?;
    }
    Ok(exit(changed.changed > 0))
}

fn recipients(number: u64) -> String {
    match number {
        1 => "1 recipient".to_owned(),
        n => format!("{n} recipients"),
    }
}

/// Lists messages of queue or quarantine.
pub(super) async fn list(
    target: &Target,
    request: Request,
    limit: usize,
    nothing: &str,
) -> miette::Result<ExitCode> {
    let messages = match target.ask(request).await? {
        Response::Messages(messages) => messages,
        other => return Err(unexpected(&other)),
    };
    if target.json {
        output::print_json(&messages)?;
        return Ok(exit(true));
    }
    let mut table = output::table([
        "ID",
        "RECEIVED",
        "SIZE",
        "FROM",
        "TO",
        "STATE",
        "LAST REPLY",
    ]);
    for message in &messages {
        rows(&mut table, message);
    }
    output::print_table(table, nothing)?;
    if let Some(last) = messages.last().filter(|_| messages.len() == limit) {
        output::print(format!("there may be more: --after {}", last.id))?;
    }
    Ok(exit(true))
}

/// Adds a row for each recipient; data of the message stands in the first row.
fn rows(table: &mut output::Table, message: &Summary) {
    let mut first = [
        message.id.to_string(),
        message.received_at.to_string(),
        output::size(message.size),
        format!("<{}>", message.reverse_path),
    ];
    for recipient in &message.recipients {
        let reason = match &message.quarantine {
            Some(quarantine) => output::shorten(&quarantine.reason),
            None => last_reply(recipient),
        };
        let last = [
            format!("<{}>", recipient.address),
            state(&recipient.state),
            reason,
        ];
        table.add_row(std::mem::take(&mut first).into_iter().chain(last));
    }
}

fn state(state: &RecipientState) -> String {
    match state {
        RecipientState::Queued { next_attempt } => {
            format!("queued, due {}", output::time_until(*next_attempt))
        }
        RecipientState::Leased { .. } => "being attempted".to_owned(),
        RecipientState::Suppressed { reason } => {
            format!("suppressed: {}", output::shorten(reason))
        }
        other => other.status().word().to_owned(),
    }
}

fn last_reply(recipient: &Recipient) -> String {
    (recipient.last_reply.as_ref())
        .map_or_else(String::new, |reply| output::shorten(&reply.to_string()))
}

/// Shows one message of queue or quarantine.
pub(super) async fn show(target: &Target, request: Request) -> miette::Result<ExitCode> {
    match target.ask(request).await? {
        Response::Message(message) if target.json => output::print_json([&message])?,
        Response::Message(message) => output::print(describe(&message))?,
        Response::Unknown => {
            output::complain(
                "there is no such message; `gatepost trace ID` says what became of it",
            );
            return Ok(exit(false));
        }
        other => return Err(unexpected(&other)),
    }
    Ok(exit(true))
}

fn describe(message: &Shown) -> String {
    let summary = &message.summary;
    let session = &message.transaction.session;
    let mut lines = vec![
        format!("Transaction  {}", summary.id),
        format!(
            "Received     {} on {} from {}",
            summary.received_at, session.listener, session.client
        ),
        format!("Expires      {}", summary.expires_at),
        format!("Size         {}", output::size(summary.size)),
        format!(
            "Account      {}",
            summary.account.as_deref().unwrap_or("none")
        ),
        format!("From         <{}>", summary.reverse_path),
    ];
    let smtputf8 = if message.smtputf8 { "SMTPUTF8" } else { "" };
    let asked = format!("{smtputf8} {}", message.dsn);
    if !asked.trim().is_empty() {
        lines.push(format!("Asked        {}", asked.trim()));
    }
    if !summary.tags.is_empty() {
        lines.push(format!("Tags         {}", summary.tags.join(", ")));
    }
    if let Some(quarantine) = &summary.quarantine {
        lines.push(format!(
            "Quarantined  until {}: {}",
            quarantine.expires, quarantine.reason
        ));
    }
    for recipient in &summary.recipients {
        lines.push(format!(
            "To           <{}> {}, {} attempts{} {}",
            recipient.address,
            state(&recipient.state),
            recipient.attempts,
            if recipient.delay_told {
                ", sender told of the delay"
            } else {
                ""
            },
            last_reply(recipient),
        ));
        let asked = recipient.dsn.to_string();
        if !asked.is_empty() {
            lines.push(format!("  asked      {asked}"));
        }
    }
    for judgement in &message.judgements {
        lines.push(format!("Judged       {}", judgement_line(judgement)));
    }
    // Each entry stays on one line, even if a stranger's text has line ends.
    let lines: Vec<_> = lines.iter().map(|line| escape::line(line)).collect();
    format!("{}\n\n{}", lines.join("\n"), message.header.trim_end())
}

/// Describes one call of a policy on one line.
pub(super) fn judgement_line(judgement: &gatepost_model::Judgement) -> String {
    let mut text = format!(
        "{} {} {}: {}",
        judgement.policy,
        output::digest(&judgement.digest),
        judgement.hook,
        judgement.verdict.word(),
    );
    if !judgement.decision.reasons.is_empty() {
        text += &format!(" ({})", judgement.decision.reasons.join("; "));
    }
    if let Some(error) = &judgement.error {
        text += &format!(" [{error}]");
    }
    text
}
