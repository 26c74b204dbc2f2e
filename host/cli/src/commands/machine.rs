//! `gatepost machine`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::operate::{Target, unexpected};
use super::{exit, output};
use gatepost_operations::{Request, Response};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the addresses that have shown themselves to be machines', with the evidence.
    List(List),
    /// Forget that an address is a machine's: automatic mail is sent to it again.
    Forget(Forget),
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    target: Target,
    /// Only those of this account: its id, or the native domain of one in the directory.
    account: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Forget {
    #[command(flatten)]
    target: Target,
    /// Id of the account, or the native domain of one in the directory.
    account: String,
    /// Address to forget.
    address: String,
}

pub(super) async fn run(command: Command) -> miette::Result<ExitCode> {
    match command {
        Command::List(List { target, account }) => {
            let machines = match target.ask(Request::MachineList { account }).await? {
                Response::Machines(machines) => machines,
                other => return Err(unexpected(&other)),
            };
            if target.json {
                output::print_json(machines)?;
                return Ok(exit(true));
            }
            let mut table =
                output::table(["ADDRESS", "ACCOUNT", "SINCE", "KNOWN UNTIL", "EVIDENCE"]);
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
        Command::Forget(Forget {
            target,
            account,
            address,
        }) => {
            let request = Request::MachineForget {
                account: account.clone(),
                address: address.clone(),
            };
            let found = match target.ask(request).await? {
                Response::Done => true,
                Response::Unknown => false,
                other => return Err(unexpected(&other)),
            };
            if target.json {
                output::print_json([json!({ "address": address, "done": found })])?;
            } else {
                let word = if found {
                    "forgotten"
                } else {
                    "not known as a machine's"
                };
                output::print(format!("{address} {word}"))?;
            }
            Ok(exit(found))
        }
    }
}
