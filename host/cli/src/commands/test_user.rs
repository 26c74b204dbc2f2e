//! `gatepost account test-user`.

use std::process::ExitCode;

use clap::Subcommand;
use gatepost_operations::sandboxes::{AddTestUser, ListTestUsers, RemoveTestUser, TestUser};

use super::answer::{Row, done, list};
use super::operate::Ask;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add a test user to a sandbox: an address that gets its mail.
    Add(Ask<AddTestUser>),
    /// List the test users of a sandbox.
    List(Ask<ListTestUsers>),
    /// Remove a test user from a sandbox.
    Remove(Ask<RemoveTestUser>),
}

pub(super) async fn run(command: Command) -> miette::Result<ExitCode> {
    match command {
        Command::Add(ask) => list(ask, "").await,
        Command::List(ask) => list(ask, "there are no test users").await,
        Command::Remove(ask) => done(ask, "removed").await,
    }
}

impl Row for TestUser {
    const HEADER: &[&str] = &["ACCOUNT", "TEST USER"];

    fn cells(&self) -> Vec<String> {
        vec![self.account.clone(), self.address.to_string()]
    }
}
