//! `gatepost address`.

use std::process::ExitCode;

use clap::Subcommand;
use gatepost_directory::SupportAddress;
use gatepost_operations::addresses::{AddAddress, ListAddresses, RemoveAddress, ShowAddress};

use super::answer::{Row, done, item, list};
use super::operate::Ask;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add a support address in the native domain or in one that is connected.
    Add(Ask<AddAddress>),
    /// List support addresses.
    List(Ask<ListAddresses>),
    /// Show the accounts that have a support address.
    Show(Ask<ShowAddress>),
    /// Remove a support address.
    Remove(Ask<RemoveAddress>),
}

pub(super) async fn run(command: Command) -> miette::Result<ExitCode> {
    match command {
        Command::Add(ask) => item(ask).await,
        Command::List(ask) => list(ask, "there are no support addresses").await,
        Command::Show(ask) => list(ask, "").await,
        Command::Remove(ask) => done(ask, "removed").await,
    }
}

impl Row for SupportAddress {
    const HEADER: &[&str] = &["ADDRESS", "ACCOUNT", "CONNECTOR"];

    fn cells(&self) -> Vec<String> {
        let connector = self.connector.map(|id| id.to_string());
        vec![
            self.address.to_string(),
            self.account.to_string(),
            connector.unwrap_or_else(|| "native".to_owned()),
        ]
    }
}
