//! `gatepost sharing`.

use std::process::ExitCode;

use clap::Subcommand;
use gatepost_directory::Agreement;
use gatepost_operations::sharing::{AddAgreement, ListAgreements, RemoveAgreement};

use super::answer::{Row, done, item, list};
use super::operate::Ask;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make an agreement: all support addresses of each account become partners of the other.
    Add(Ask<AddAgreement>),
    /// List agreements.
    List(Ask<ListAgreements>),
    /// End an agreement.
    Remove(Ask<RemoveAgreement>),
}

pub(super) async fn run(command: Command) -> miette::Result<ExitCode> {
    match command {
        Command::Add(ask) => item(ask).await,
        Command::List(ask) => list(ask, "there are no sharing agreements").await,
        Command::Remove(ask) => done(ask, "removed").await,
    }
}

impl Row for Agreement {
    const HEADER: &[&str] = &["ACCOUNT", "SHARES WITH", "SINCE"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.one.to_string(),
            self.other.to_string(),
            self.created.to_string(),
        ]
    }
}
