//! `gatepost administrator`.

use std::process::ExitCode;

use clap::Subcommand;
use gatepost_message::Millis;
use gatepost_operations::administrators::{
    AddAdministrator, ListAdministrators, RemoveAdministrator, SetAdministratorLanguage,
    ShownAdministrator, VerifyAdministrator,
};

use super::answer::{Row, done, item, list};
use super::operate::Ask;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add an administrator of an account. A code is sent to the address.
    Add(Ask<AddAdministrator>),
    /// List the administrators of an account.
    List(Ask<ListAdministrators>),
    /// Prove an administrator's address by the code that was sent there; without a code, send another.
    Verify(Ask<VerifyAdministrator>),
    /// Set the language of an administrator.
    SetLanguage(Ask<SetAdministratorLanguage>),
    /// Remove an administrator.
    Remove(Ask<RemoveAdministrator>),
}

pub(super) async fn run(command: Command) -> miette::Result<ExitCode> {
    match command {
        Command::Add(ask) => item(ask).await,
        Command::List(ask) => list(ask, "there are no administrators").await,
        Command::Verify(ask) => item(ask).await,
        Command::SetLanguage(ask) => item(ask).await,
        Command::Remove(ask) => done(ask, "removed").await,
    }
}

impl Row for ShownAdministrator {
    const HEADER: &[&str] = &[
        "ADDRESS",
        "NAME",
        "LANGUAGE",
        "ADDED",
        "VERIFIED",
        "CODE GOOD UNTIL",
    ];

    fn cells(&self) -> Vec<String> {
        let time = |at: Option<Millis>| at.map(|at| at.to_string());
        vec![
            self.address.to_string(),
            self.name
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            self.language.clone(),
            self.added.to_string(),
            time(self.verified).unwrap_or_else(|| "not yet".to_owned()),
            time(self.code_until).unwrap_or_default(),
        ]
    }
}
