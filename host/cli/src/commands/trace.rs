//! `gatepost trace`.

use std::process::ExitCode;

use clap::Args;
use gatepost_authentication::{Authentication, Summary};
use gatepost_message::{Address, TransactionId};
use gatepost_model::Session;
use gatepost_operations::diagnosis::DiagnoseMessage;
use gatepost_operations::trace::{FindMessages, ShowTrace};
use gatepost_operations::{Code, OperationError};
use gatepost_trace::{AttemptEnd, FoundMessages, Kind, Notified, ReportRead};

use miette::IntoDiagnostic as _;

use super::operate::{Ask, Target, report};
use super::queue::judgement_line;
use super::{exit, output};

/// Show what happened to a message, also to a refused one, or find messages by what is known of them.
///
/// Without an id, messages are listed, newest first: those that all the options restrict.
#[derive(Debug, Args)]
pub(super) struct Trace {
    /// Transaction id, as in the reply to the client, the Received field and the log.
    #[arg(conflicts_with_all = [
        "account", "sender", "recipient", "message_id", "subject", "metadata", "since", "until",
        "before",
    ])]
    id: Option<TransactionId>,
    /// Print all that is known of the message but its body as one JSON document, for whoever is asked for
    /// help. It names senders and recipients.
    #[arg(long, requires = "id")]
    diagnosis: bool,
    #[command(flatten)]
    ask: Ask<FindMessages>,
}

pub(super) async fn run(Trace { id, diagnosis, ask }: Trace) -> miette::Result<ExitCode> {
    match id {
        Some(id) if diagnosis => export(id, &ask.target).await,
        Some(id) => show(id, &ask.target).await,
        None => find(ask).await,
    }
}

/// Prints the diagnosis of a message, indented unless each object is to be on one line.
async fn export(id: TransactionId, target: &Target) -> miette::Result<ExitCode> {
    let diagnosis = target.session()?.call(DiagnoseMessage { id }).await?;
    match target.json {
        true => output::print_json([diagnosis])?,
        false => output::print(serde_json::to_string_pretty(&diagnosis).into_diagnostic()?)?,
    }
    Ok(exit(true))
}

/// Lists messages.
async fn find(ask: Ask<FindMessages>) -> miette::Result<ExitCode> {
    let json = ask.target.json;
    let FoundMessages { messages, next } = ask.answer().await?;
    if json {
        output::print_json(&messages)?;
        return Ok(exit(true));
    }
    let mut table = output::table(["TIME", "ID", "FROM", "TO", "SUBJECT", "ANSWER"]);
    for message in &messages {
        let from = match message.author.is_empty() {
            true => &message.sender,
            false => &message.author,
        };
        let others = message.recipients.len().saturating_sub(1);
        let first = message.recipients.first().cloned().unwrap_or_default();
        table.add_row([
            message.at.to_string(),
            message.id.to_string(),
            from.clone(),
            match others {
                0 => first,
                _ => format!("{first} and {others} more"),
            },
            message.subject.clone(),
            message.outcome.clone(),
        ]);
    }
    output::print_table(table, "no such message is known")?;
    if let Some(next) = next {
        output::complain(format!("there may be more: --before {next}"));
    }
    Ok(exit(true))
}

async fn show(id: TransactionId, target: &Target) -> miette::Result<ExitCode> {
    let events = match target.session()?.try_call(ShowTrace { id }).await? {
        Ok(events) => events,
        Err(OperationError {
            code: Code::UnknownTransaction,
            message,
        }) => {
            output::complain(message);
            return Ok(exit(false));
        }
        Err(error) => return Err(report(error)),
    };
    if target.json {
        output::print_json(&events)?;
        return Ok(exit(true));
    }
    let mut table = output::table(["TIME", "EVENT", ""]);
    for event in &events {
        let (what, how) = describe(&event.kind);
        table.add_row([event.at.to_string(), what.to_owned(), how]);
    }
    output::print_table(table, "")?;
    Ok(exit(true))
}

/// Describes the client of a session.
pub(super) fn client(session: &Session) -> String {
    match session.client {
        Some(client) => client.to_string(),
        None => "the relay itself".to_owned(),
    }
}

/// Describes an event: its word, and the rest of the sentence.
fn describe(kind: &Kind) -> (&'static str, String) {
    match kind {
        Kind::Begun { session } => {
            let user = session.user.as_deref();
            let user = user.map_or_else(String::new, |user| format!(" as {user}"));
            let tls = session.tls.as_deref().unwrap_or("plaintext");
            (
                "begun",
                format!(
                    "on {} from {}{user}, {tls}",
                    session.listener,
                    client(session)
                ),
            )
        }
        Kind::Sender {
            reverse_path,
            reply,
        } => ("sender", format!("<{reverse_path}>: {reply}")),
        Kind::Recipient { address, reply } => ("recipient", format!("<{address}>: {reply}")),
        Kind::Judged { judgement } => ("judged", judgement_line(judgement)),
        Kind::Authenticated { authentication } => {
            ("authenticated", authentication_line(authentication))
        }
        Kind::Replied { reply, size } => ("replied", format!("{reply} ({})", output::size(*size))),
        Kind::Aborted { reason } => ("aborted", reason.clone()),
        Kind::Queued { recipients } => ("queued", format!("for {}", address_list(recipients))),
        Kind::Suppressed { address, reason } => ("suppressed", format!("<{address}>: {reason}")),
        Kind::Quarantined { reason, expires } => {
            ("quarantined", format!("until {expires}: {reason}"))
        }
        Kind::Released => ("released", String::new()),
        Kind::Held => ("held", String::new()),
        Kind::Retried => ("retried", "by an operator".to_owned()),
        Kind::Discarded => ("discarded", String::new()),
        Kind::Attempt {
            address,
            attempt,
            destination,
            server,
            return_path,
            reply,
            ending,
        } => {
            let ending = match ending {
                AttemptEnd::Delivered => "delivered".to_owned(),
                AttemptEnd::Deferred { next_attempt } => format!("deferred until {next_attempt}"),
                AttemptEnd::Failed => "failed".to_owned(),
                AttemptEnd::Held => "held".to_owned(),
            };
            let from = return_path.as_ref().map(|path| format!(" from <{path}>"));
            let from = from.unwrap_or_default();
            let place = match (server, destination) {
                (Some(server), _) => format!(" at {server}"),
                (None, Some(destination)) => format!(" at {destination}"),
                (None, None) => String::new(),
            };
            (
                "attempt",
                format!("{attempt} for <{address}>{from}{place}: {ending}: {reply}"),
            )
        }
        Kind::Bounced { notice, recipients } => (
            "bounced",
            format!(
                "the sender is told of {} in {notice}",
                address_list(recipients)
            ),
        ),
        Kind::Notified {
            notice,
            of,
            recipients,
        } => {
            let of = match of {
                Notified::Delayed => "the delay for",
                Notified::Relayed => "the handing on for",
                Notified::Delivered => "the delivery to",
                Notified::Suppressed => "the suppression of",
            };
            (
                "notified",
                format!(
                    "the sender is told of {of} {} in {notice}",
                    address_list(recipients)
                ),
            )
        }
        Kind::Report(report) => ("report", report_line(report)),
        Kind::Expired { recipients } => ("expired", address_list(recipients)),
        Kind::Cancelled => ("cancelled", "by an operator".to_owned()),
    }
}

/// Returns what a report says, on one line.
fn report_line(report: &ReportRead) -> String {
    let mut line = report.kind.clone();
    if let Some(reporter) = &report.reporter {
        line.push_str(&format!(" by {reporter}"));
    }
    match (report.about, &report.by) {
        (Some(about), Some(by)) => line.push_str(&format!(" about {about} (by {by})")),
        _ => line.push_str(" about no message of ours"),
    }
    if report.forged {
        line.push_str(", forged");
    }
    line.push_str(&format!(", in {}", report.report));
    for of in &report.recipients {
        let said = [&of.action, &of.status, &of.diagnostic];
        let said: Vec<&str> = said.into_iter().flatten().map(String::as_str).collect();
        line.push_str(&format!("; <{}> {}", of.address, said.join(" ")));
    }
    line
}

fn address_list(addresses: &[Address]) -> String {
    let addresses: Vec<_> = addresses.iter().map(|a| format!("<{a}>")).collect();
    addresses.join(", ")
}

/// Returns the authentication results of a message on one line.
pub(crate) fn authentication_line(of: &Summary) -> String {
    let about = |method: &str, result: Authentication, whose: &str| match whose {
        "" => format!("{method}={}", result.word()),
        whose => format!("{method}={} ({whose})", result.word()),
    };
    let mut said = vec![about(
        "spf",
        of.spf.mailfrom.result,
        &of.spf.mailfrom.domain,
    )];
    match of.dkim.as_slice() {
        [] => said.push("dkim=none".to_owned()),
        signatures => {
            let signatures = signatures.iter();
            said.extend(signatures.map(|one| about("dkim", one.result, &one.domain)));
        }
    }
    said.push(about("dmarc", of.dmarc.result, &of.dmarc.domain));
    said.push(about("arc", of.arc.result, &of.arc.sealer));
    said.push(about("iprev", of.iprev.result, ""));
    if let Some(sasl) = &of.sasl {
        said.push(format!("auth=pass ({})", sasl.user));
    }
    said.join(" ")
}
