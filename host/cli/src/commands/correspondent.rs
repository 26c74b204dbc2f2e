//! `gatepost correspondent`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use gatepost_operations::erasures::{
    AwaitCorrespondentErasure, CorrespondentErasure, CorrespondentRows, EraseCorrespondent,
};

use super::erase::{in_words, is_confirmed, of_queue, stage_words};
use super::operate::Target;
use super::{exit, output};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Erase a mail address from an account or from all: mail, events, trace, machines, suppressions.
    Erase(Erase),
}

/// Erase the address of a correspondent who asks to be forgotten.
///
/// There is no way back but a backup. An erasure that is interrupted is repeated by the same command.
/// The relay forgets complaints and bounces as well: mail to the address is sent again, unless
/// --keep-suppression leaves it on the suppression lists that have it.
#[derive(Debug, Args)]
pub(super) struct Erase {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    request: EraseCorrespondent,
    /// Ask for no confirmation.
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(command: Command) -> miette::Result<ExitCode> {
    let Command::Erase(Erase {
        target,
        request,
        yes,
    }) = command;
    let mut session = target.session()?;
    let address = request.correspondent.to_string();
    if !yes && !is_confirmed("the correspondent", &address)? {
        output::complain("nothing was erased: that is not the address");
        return Ok(exit(false));
    }
    let wait = AwaitCorrespondentErasure {
        correspondent: request.correspondent.clone(),
        account: request.account.clone(),
    };
    let mut state = session.call(request).await?;
    let mut shown = None;
    loop {
        match &state {
            CorrespondentErasure::Running { stage, erased } => {
                if shown.as_ref() != Some(&state) {
                    match target.json {
                        true => output::print_json([&state])?,
                        false => {
                            let stage = stage_words(*stage);
                            output::print(format!("{stage}; so far {}", numbers(erased)))?;
                        }
                    }
                    shown = Some(state.clone());
                }
                state = session.call(wait.clone()).await?;
            }
            CorrespondentErasure::Complete { .. } if target.json => {
                output::print_json([&state])?;
                return Ok(exit(true));
            }
            CorrespondentErasure::Complete { erased } => {
                output::print(format!("erased {address}: {}", numbers(erased)))?;
                return Ok(exit(true));
            }
        }
    }
}

/// Returns the numbers of what was removed, without those that are zero.
fn numbers(erased: &CorrespondentRows) -> String {
    let mut numbers = of_queue(&erased.queue).to_vec();
    numbers.push((erased.trace, "rows of the trace"));
    numbers.push((erased.audit, "entries of the audit log"));
    in_words(&numbers)
}
