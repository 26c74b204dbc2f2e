//! `gatepost machine`.

use std::process::ExitCode;

use clap::Subcommand;
use gatepost_operations::Code;
use gatepost_operations::machines::{ForgetMachine, ListMachines};
use gatepost_spool::KnownMachine;
use serde_json::json;

use super::answer::{Row, list};
use super::operate::{Ask, report};
use super::{exit, output};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the addresses that have shown themselves to be machines', with the evidence.
    List(Ask<ListMachines>),
    /// Forget that an address is a machine's: automatic mail is sent to it again.
    Forget(Ask<ForgetMachine>),
}

pub(super) async fn run(command: Command) -> miette::Result<ExitCode> {
    match command {
        Command::List(ask) => list(ask, "no machine is known").await,
        Command::Forget(ask) => forget(ask).await,
    }
}

async fn forget(ask: Ask<ForgetMachine>) -> miette::Result<ExitCode> {
    let address = ask.request.address.clone();
    let found = match ask.target.session()?.try_call(ask.request).await? {
        Ok(()) => true,
        Err(error) if error.code == Code::UnknownMachine => false,
        Err(error) => return Err(report(error)),
    };
    if ask.target.json {
        output::print_json([json!({ "address": address, "done": found })])?;
    } else {
        let word = match found {
            true => "forgotten",
            false => "not known as a machine's",
        };
        output::print(format!("{address} {word}"))?;
    }
    Ok(exit(found))
}

impl Row for KnownMachine {
    const HEADER: &[&str] = &["ADDRESS", "ACCOUNT", "SINCE", "KNOWN UNTIL", "EVIDENCE"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.address.clone(),
            self.account.clone(),
            self.machine.since.to_string(),
            self.machine.until.to_string(),
            output::shorten(&self.machine.evidence),
        ]
    }
}
