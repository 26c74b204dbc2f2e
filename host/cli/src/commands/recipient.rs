//! `gatepost recipient`.

use std::process::ExitCode;

use clap::Subcommand;
use gatepost_operations::recipients::LookUpRecipient;

use super::operate::Ask;
use super::{exit, output};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Look up all that is known of an address before an account writes to it. Exit code 1 if
    /// something speaks against it.
    #[command(name = "lookup")]
    LookUp(Ask<LookUpRecipient>),
}

pub(super) async fn run(command: Command) -> miette::Result<ExitCode> {
    match command {
        Command::LookUp(ask) => look_up(ask).await,
    }
}

async fn look_up(ask: Ask<LookUpRecipient>) -> miette::Result<ExitCode> {
    let json = ask.target.json;
    let facts = ask.answer().await?;
    let is_free = facts.partner.is_none()
        && facts.machine.is_none()
        && facts.suppressed.is_none()
        && facts.last_failure.is_none();
    match json {
        true => output::print_json([facts])?,
        false => output::print(&facts.sentence)?,
    }
    Ok(exit(is_free))
}
