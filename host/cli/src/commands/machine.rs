//! `gatepost machine`.

use std::process::ExitCode;

use clap::Subcommand;
use gatepost_operations::Code;
use gatepost_operations::machines::{ForgetMachine, ListMachines};
use serde_json::json;

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
        Command::List(ask) => list(ask).await,
        Command::Forget(ask) => forget(ask).await,
    }
}

async fn list(ask: Ask<ListMachines>) -> miette::Result<ExitCode> {
    let json = ask.target.json;
    let machines = ask.answer().await?;
    if json {
        output::print_json(machines)?;
        return Ok(exit(true));
    }
    let mut table = output::table(["ADDRESS", "ACCOUNT", "SINCE", "KNOWN UNTIL", "EVIDENCE"]);
    for known in machines {
        table.add_row([
            known.address,
            known.account,
            known.machine.since.to_string(),
            known.machine.until.to_string(),
            output::shorten(&known.machine.evidence),
        ]);
    }
    output::print_table(table, "no machine is known")?;
    Ok(exit(true))
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
