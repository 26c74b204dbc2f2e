//! `gatepost account erase`.

use std::io::{self, BufRead as _, Read as _, Write as _};
use std::process::ExitCode;

use clap::Args;
use gatepost_directory::AccountId;
use gatepost_operations::Code;
use gatepost_operations::accounts::ShowAccount;
use gatepost_operations::erasures::{
    AwaitErasure, EraseAccount, ErasedAccount, ErasureStage, ErasureState,
};
use gatepost_spool::ErasedRows;

use super::operate::{Session, Target};
use super::{exit, operate, output, report};

/// Longest line that is read as a confirmation.
const LONGEST: u64 = 4096;

/// Erase an account with all that the relay holds of it.
///
/// There is no way back but a backup. An erasure that is interrupted is repeated by the same command.
#[derive(Debug, Args)]
pub(super) struct Erase {
    #[command(flatten)]
    target: Target,
    /// Id or native domain of the account; only the id where the account itself is gone already.
    account: String,
    /// Ask for no confirmation.
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(
    Erase {
        target,
        account,
        yes,
    }: Erase,
) -> miette::Result<ExitCode> {
    let mut session = target.session()?;
    let id = find(&mut session, &account).await?;
    if !yes && !is_confirmed("the account", &account)? {
        output::complain("nothing was erased: that is not the name of the account");
        return Ok(exit(false));
    }
    let mut state = session.call(EraseAccount { account: id }).await?;
    let mut shown = None;
    loop {
        match &state {
            ErasureState::Running { stage, erased, .. } => {
                if shown.as_ref() != Some(&state) {
                    match target.json {
                        true => output::print_json([&state])?,
                        false => output::print(progress(*stage, erased))?,
                    }
                    shown = Some(state.clone());
                }
                state = session.call(AwaitErasure { account: id }).await?;
            }
            ErasureState::Complete { .. } if target.json => {
                output::print_json([&state])?;
                return Ok(exit(true));
            }
            ErasureState::Complete { erased, .. } => {
                output::print(format!("erased account {account}: {}", numbers(erased)))?;
                return Ok(exit(true));
            }
        }
    }
}

/// Finds the id of the account. One that is gone may have been left half erased.
async fn find(session: &mut Session<'_>, named: &str) -> miette::Result<AccountId> {
    let account = named.to_owned();
    match session.try_call(ShowAccount { account }).await? {
        Ok(found) => Ok(found.id),
        Err(error) => match named.parse() {
            Ok(id) if error.code == Code::UnknownAccount => Ok(id),
            _ => Err(operate::report(error)),
        },
    }
}

/// Asks for the name of what is erased, as it was given.
pub(super) fn is_confirmed(what: &str, name: &str) -> miette::Result<bool> {
    let mut out = io::stderr().lock();
    let named = gatepost_terminal::escape::line(name);
    // Without a reader of the question there may still be one who answers.
    let _ = write!(
        out,
        "All that the relay holds of {what} {named} is erased for good. Type {named} to go on: "
    )
    .and_then(|()| out.flush());
    let mut line = String::new();
    let mut input = io::stdin().lock().take(LONGEST);
    input.read_line(&mut line).map_err(report)?;
    Ok(line.trim() == name)
}

/// Returns the progress on one line.
fn progress(stage: ErasureStage, erased: &ErasedAccount) -> String {
    format!("{}; so far {}", stage_words(stage), numbers(erased))
}

/// Returns what is done in a stage.
pub(super) fn stage_words(stage: ErasureStage) -> &'static str {
    match stage {
        ErasureStage::Queue => "removing mail and events",
        ErasureStage::Attempts => "waiting for attempts that are under way",
        ErasureStage::Trace => "reading the trace",
        ErasureStage::Directory => "removing what the directory has",
        ErasureStage::Overwriting => "overwriting what was removed",
    }
}

/// Returns the numbers of what was removed, without those that are zero.
fn numbers(erased: &ErasedAccount) -> String {
    let (directory, queue) = (&erased.directory, &erased.queue);
    let [
        messages,
        recipients,
        events,
        suppressions,
        ids,
        answers,
        counters,
    ] = of_queue(queue);
    in_words(&[
        messages,
        recipients,
        events,
        suppressions,
        ids,
        answers,
        counters,
        (erased.trace, "rows of the trace"),
        (directory.addresses, "addresses"),
        (directory.connectors, "connectors"),
        (directory.credentials, "credentials"),
        (directory.connections, "connections"),
        (directory.endpoints, "endpoints"),
        (directory.dkim_keys, "DKIM keys"),
        (directory.administrators, "administrators"),
        (directory.probes, "probes"),
        (directory.handovers, "links of handovers"),
        (directory.tokens, "tokens"),
        (directory.partners, "partner addresses"),
        (directory.agreements, "sharing agreements"),
    ])
}

/// Returns the numbers of what was removed from the queue and its ledgers.
pub(super) fn of_queue(queue: &ErasedRows) -> [(u64, &'static str); 7] {
    [
        (queue.messages, "messages"),
        (queue.recipients, "recipients of other messages"),
        (queue.events, "events"),
        (queue.suppressions, "suppressed addresses"),
        (queue.learnt_ids, "Message-IDs"),
        (queue.keyed_answers, "answers to programs"),
        (queue.counters, "marks, counts and machines"),
    ]
}

/// Returns numbers in words, without those that are zero.
pub(super) fn in_words(numbers: &[(u64, &'static str)]) -> String {
    let some = numbers.iter().filter(|(number, _)| *number > 0);
    let words: Vec<_> = some
        .map(|(number, what)| format!("{number} {what}"))
        .collect();
    match words.is_empty() {
        true => "nothing".to_owned(),
        false => words.join(", "),
    }
}
