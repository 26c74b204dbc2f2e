//! `gatepost events`.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use gatepost_model::{AttemptFacts, EventKind, StoredEvent};
use gatepost_operations::events::{EventsAnswer, ReadEvents};
use gatepost_operations::webhooks::{ListWebhooks, SkipEvents};
use gatepost_terminal::escape;
use gatepost_webhooks::{WebhookPhase, WebhookState};
use tokio::time::sleep;

use super::answer::{Row, list};
use super::operate::Ask;
use super::output::{shorten, time_until};
use super::{exit, output};

/// Delay before a relay that has ended is asked again.
const RECONNECT: Duration = Duration::from_secs(1);

/// Show what became of submitted mail, in the order of the events' numbers.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Events {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    ask: Ask<ReadEvents>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the webhooks: how far each is behind, and what its endpoint said last.
    Webhooks(Ask<ListWebhooks>),
    /// Have a webhook leave out the events that its endpoint does not take, and go on with those
    /// behind them. They stay in the store.
    Skip(Ask<SkipEvents>),
}

pub(super) async fn run(Events { command, ask }: Events) -> miette::Result<ExitCode> {
    match command {
        Some(Command::Webhooks(ask)) => return list(ask, "there are no webhooks").await,
        Some(Command::Skip(ask)) => return skip(ask).await,
        None => {}
    }
    let Ask {
        target,
        mut request,
    } = ask;
    let follows = request.wait;
    let mut left = request.limit;
    let mut connected = false;
    loop {
        let asked = match follows {
            // An end of the relay is not the end of its events.
            true => target.call_relay(request.clone()).await,
            false => target.call(request.clone()).await,
        };
        let page = match asked {
            Ok(page) => page,
            Err(error) if follows && connected => {
                tracing::debug!(%error, "the relay cannot be asked");
                sleep(RECONNECT).await;
                continue;
            }
            Err(error) => return Err(error),
        };
        connected = true;
        print(&page, target.json)?;
        request.after = page.next;
        left = left.saturating_sub(page.events.len());
        if !follows && (!page.more || left == 0) {
            if page.more && !target.json {
                output::print(format!("there may be more: --after {}", page.next))?;
            }
            return Ok(exit(true));
        }
        if !follows {
            request.limit = left;
        }
    }
}

/// Has a webhook skip events, and says which.
async fn skip(ask: Ask<SkipEvents>) -> miette::Result<ExitCode> {
    let json = ask.target.json;
    let skipped = ask.answer().await?;
    match json {
        true => output::print_json([skipped])?,
        false => output::print(format!(
            "{} events skipped, {} to {}",
            skipped.count, skipped.first, skipped.last
        ))?,
    }
    Ok(exit(true))
}

/// Prints events, one a line.
fn print(page: &EventsAnswer, json: bool) -> miette::Result<()> {
    if json {
        return output::print_json(&page.events);
    }
    for event in &page.events {
        output::print(escape::line(&line(event)))?;
    }
    Ok(())
}

/// Describes an event on one line: number, time, account, kind, message, recipient, and the rest.
fn line(StoredEvent { seq, event }: &StoredEvent) -> String {
    let account = event.account.as_deref().unwrap_or("-");
    let mut line = format!("{seq} {} {account} {}", event.at, event.kind.name().word());
    if let Some(id) = event.transaction {
        line += &format!(" {id}");
    }
    if let Some(recipient) = &event.recipient {
        line += &format!(" <{recipient}>");
    }
    let rest = describe(&event.kind);
    if !rest.is_empty() {
        line += &format!(": {rest}");
    }
    if let Some(metadata) = &event.metadata {
        line += &format!(" [{metadata}]");
    }
    line
}

fn describe(kind: &EventKind) -> String {
    match kind {
        EventKind::Queued => String::new(),
        EventKind::Suppressed { why } | EventKind::Cancelled { why } => why.clone(),
        EventKind::Refused { reply } => reply.to_string(),
        EventKind::Deferred {
            attempt,
            next_attempt,
            attempts,
        } => format!(
            "attempt {attempts}, next at {next_attempt}: {}",
            facts(attempt)
        ),
        EventKind::Late { minutes } => format!("not delivered after {minutes} minutes"),
        EventKind::Delivered { attempt, .. }
        | EventKind::Failed(attempt)
        | EventKind::Expired(attempt)
        | EventKind::Held(attempt) => facts(attempt),
        EventKind::Bounced {
            action,
            status,
            diagnostic,
            report,
            ..
        } => format!(
            "{action} {} {} in {report}",
            status.as_deref().unwrap_or(""),
            diagnostic.as_deref().unwrap_or("")
        ),
        EventKind::Complained {
            feedback_type,
            report,
        } => format!("{feedback_type} in {report}"),
        EventKind::Replied { answer } => format!("by {answer}"),
        EventKind::Notice { text, .. } => text.clone(),
    }
}

fn facts(attempt: &AttemptFacts) -> String {
    match &attempt.server {
        Some(server) => format!("{server}: {}", attempt.reply),
        None => attempt.reply.to_string(),
    }
}

impl Row for WebhookState {
    const HEADER: &[&str] = &["NAME", "URL", "STATE", "BEHIND", "LAST ANSWER", "WORDS"];

    fn cells(&self) -> Vec<String> {
        let state = match self.phase {
            WebhookPhase::Waiting { until } => {
                let stuck = if self.is_stuck { "stuck, " } else { "" };
                format!("{stuck}tries again {}", time_until(until))
            }
            phase => phase.word().to_owned(),
        };
        let answer = self.last_answer.as_ref();
        let status = answer.map(|answer| match answer.status {
            Some(status) => format!("{status} at {}", answer.at),
            None => format!("none at {}", answer.at),
        });
        vec![
            self.name.clone(),
            self.url.clone(),
            state,
            self.lag.to_string(),
            status.unwrap_or_default(),
            answer.map_or_else(String::new, |answer| shorten(&answer.words)),
        ]
    }
}
