//! `gatepost account`.

use std::process::ExitCode;

use clap::Subcommand;
use gatepost_directory::{Account, Name};
use gatepost_operations::accounts::{
    AddAccount, ListAccounts, RemoveAccount, SetPolicy, ShowAccount,
};

use super::answer::{Row, done, item, list};
use super::operate::Ask;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add an account.
    Add(Ask<AddAccount>),
    /// List all accounts.
    List(Ask<ListAccounts>),
    /// Show an account.
    Show(Ask<ShowAccount>),
    /// Override a policy's settings for an account.
    Set(Ask<SetPolicy>),
    /// Remove an account that has no connectors, addresses and credentials any more.
    Remove(Ask<RemoveAccount>),
}

pub(super) async fn run(command: Command) -> miette::Result<ExitCode> {
    match command {
        Command::Add(ask) => item(ask).await,
        Command::List(ask) => list(ask, "there are no accounts").await,
        Command::Show(ask) => item(ask).await,
        Command::Set(ask) => item(ask).await,
        Command::Remove(ask) => done(ask, "removed").await,
    }
}

impl Row for Account {
    const HEADER: &[&str] = &[
        "ID",
        "KIND",
        "NATIVE DOMAIN",
        "PRODUCT",
        "TIME ZONE",
        "BRANDS",
        "SETTINGS",
    ];

    fn cells(&self) -> Vec<String> {
        let profile = &self.profile;
        let settings: Vec<_> = self.policies.keys().cloned().collect();
        let brands: Vec<_> = profile.brands.iter().map(Name::as_str).collect();
        vec![
            self.id.to_string(),
            profile.kind.to_string(),
            profile.native_domain.to_string(),
            profile.product.to_string(),
            profile.time_zone.to_string(),
            brands.join(", "),
            settings.join(", "),
        ]
    }
}
