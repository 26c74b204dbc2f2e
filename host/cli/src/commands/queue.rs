//! `gatepost queue`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use gatepost_model::Route;
use gatepost_operations::queue::{
    CancelRecipients, HoldRecipients, ListDestinations, ListQueue, ReleaseRecipients,
    ResendMessage, RetryRecipients, ShowQueued,
};
use gatepost_operations::{Code, MessageDetails, Operation, OperationError};
use gatepost_spool::{Changed, DestinationSummary, Recipient, RecipientState, Summary};
use gatepost_terminal::escape;

use super::operate::{Ask, Target, report};
use super::{exit, output};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the destinations of the queue, those with most recipients first, or its messages.
    List(List),
    /// Show the details of a message in the queue.
    Show(Ask<ShowQueued>),
    /// Attempt delivery at once.
    Retry(Ask<RetryRecipients>),
    /// End delivery without an attempt and without a bounce.
    Cancel(Ask<CancelRecipients>),
    /// Stop attempts until released.
    Hold(Ask<HoldRecipients>),
    /// Release held recipients.
    Release(Ask<ReleaseRecipients>),
    /// Send a message again to recipients that have failed.
    Resend(Ask<ResendMessage>),
}

/// Arguments of `gatepost queue list`.
#[derive(Debug, Args)]
pub(super) struct List {
    /// List messages, oldest first. An option that selects messages does so, too.
    #[arg(long)]
    messages: bool,
    #[command(flatten)]
    ask: Ask<ListQueue>,
}

impl List {
    async fn run(self) -> miette::Result<ExitCode> {
        let Ask { target, request } = self.ask;
        let limit = request.limit;
        let whole = ListQueue {
            limit,
            ..ListQueue::default()
        };
        match self.messages || request != whole {
            true => list(Ask { target, request }, limit, EMPTY).await,
            false => destinations(&target, limit).await,
        }
    }
}

/// Line that stands for an empty queue.
const EMPTY: &str = "the queue is empty";

pub(super) async fn run(command: Command) -> miette::Result<ExitCode> {
    match command {
        Command::List(list) => list.run().await,
        Command::Show(ask) => show(ask).await,
        Command::Retry(ask) => change(ask, "due now").await,
        Command::Cancel(ask) => change(ask, "cancelled").await,
        Command::Hold(ask) => change(ask, "held").await,
        Command::Release(ask) => change(ask, "released").await,
        Command::Resend(ask) => change(ask, "sent again").await,
    }
}

async fn change<R>(ask: Ask<R>, done: &str) -> miette::Result<ExitCode>
where
    R: Args + Operation<Answer = Changed>,
{
    let json = ask.target.json;
    let changed = ask.answer().await?;
    if json {
        output::print_json([&changed])?;
    } else {
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

/// Lists the destinations of the queue.
async fn destinations(target: &Target, limit: usize) -> miette::Result<ExitCode> {
    let found = target.call(ListDestinations { limit }).await?;
    if target.json {
        output::print_json(&found)?;
        return Ok(exit(true));
    }
    let mut table = output::table([
        "DESTINATION",
        "RECIPIENTS",
        "MESSAGES",
        "IN HAND",
        "OLDEST",
        "NEXT ATTEMPT",
        "LAST REPLY",
    ]);
    for destination in &found {
        table.add_row(destination_row(destination));
    }
    output::print_table(table, EMPTY)?;
    if found.len() == limit {
        output::print(format!(
            "there may be more: --limit {}",
            limit.saturating_mul(2)
        ))?;
    }
    Ok(exit(true))
}

fn destination_row(summary: &DestinationSummary) -> [String; 7] {
    let not_before = summary.pace.not_before;
    [
        (summary.destination.as_ref())
            .map_or_else(|| "(not routed)".to_owned(), ToString::to_string),
        summary.recipients.to_string(),
        summary.messages.to_string(),
        summary.in_hand.to_string(),
        summary.oldest.map_or_else(String::new, |at| at.to_string()),
        match summary.next_attempt {
            Some(_) if summary.pace.in_hand == 0 => "stopped".to_owned(),
            Some(at) => output::time_until(at.max(not_before)),
            None => String::new(),
        },
        (summary.last_reply.as_ref())
            .map_or_else(String::new, |reply| output::shorten(&reply.to_string())),
    ]
}

/// Lists messages of queue or quarantine.
pub(super) async fn list<R>(ask: Ask<R>, limit: usize, nothing: &str) -> miette::Result<ExitCode>
where
    R: Args + Operation<Answer = Vec<Summary>>,
{
    let json = ask.target.json;
    let messages = ask.answer().await?;
    if json {
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
pub(super) async fn show<R>(ask: Ask<R>) -> miette::Result<ExitCode>
where
    R: Args + Operation<Answer = MessageDetails>,
{
    match ask.target.session()?.try_call(ask.request).await? {
        Ok(message) if ask.target.json => output::print_json([&message])?,
        Ok(message) => output::print(describe(&message))?,
        Err(OperationError {
            code: Code::NotQueued | Code::NotQuarantined,
            message,
        }) => {
            output::complain(message);
            return Ok(exit(false));
        }
        Err(error) => return Err(report(error)),
    }
    Ok(exit(true))
}

fn describe(message: &MessageDetails) -> String {
    let summary = &message.summary;
    let session = &message.transaction.session;
    let mut lines = vec![
        format!("Transaction  {}", summary.id),
        format!(
            "Received     {} on {} from {}",
            summary.received_at,
            session.listener,
            super::trace::client(session)
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
        if let Some(route) = &recipient.route {
            lines.push(format!("  route      {}", describe_route(route)));
        }
        let mut waiting = message.waiting.iter();
        if let Some(waiting) = waiting.find(|waiting| waiting.number == recipient.number) {
            lines.push(format!("  waits      {}", waiting.reason));
        }
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

/// Describes a route on one line: its destination, and the place of that in the plan.
fn describe_route(route: &Route) -> String {
    let mut text = route.destination.to_string();
    let steps = route.plan.steps.len();
    if steps > 1 {
        text += &format!(", step {} of {steps}", u32::from(route.step) + 1);
    }
    if route.failures > 0 {
        text += &format!(", deferred {} times", route.failures);
    }
    text
}

/// Describes one call of a policy on one line.
pub(super) fn judgement_line(judgement: &gatepost_model::Judgement) -> String {
    let verdict = || judgement.verdict.word().to_owned();
    let routing = judgement.routing.as_ref();
    let mut text = format!(
        "{} {} {}: {}",
        judgement.policy,
        output::digest(&judgement.digest),
        judgement.hook,
        routing.map_or_else(verdict, ToString::to_string),
    );
    if !judgement.decision.reasons.is_empty() {
        text += &format!(" ({})", judgement.decision.reasons.join("; "));
    }
    if let Some(error) = &judgement.error {
        text += &format!(" [{error}]");
    }
    text
}
