//! `gatepost egress`.

use std::net::IpAddr;
use std::process::ExitCode;

use clap::Args;
use gatepost_config::check_egress;
use serde::Serialize;

use super::{ConfigFile, exit, output};

/// Show the addresses that mail leaves from, which customers have to allow at their services.
///
/// Exits with 1 if this machine lacks one of them.
#[derive(Debug, Args)]
pub(super) struct Egress {
    #[command(flatten)]
    file: ConfigFile,
    /// Only this pool.
    pool: Option<String>,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
}

/// Address of a pool.
#[derive(Debug, Serialize)]
struct EgressAddress<'a> {
    pool: &'a str,
    address: IpAddr,
    problem: Option<String>,
}

pub(super) fn run(args: Egress) -> miette::Result<ExitCode> {
    let config = args.file.load()?;
    if let Some(pool) = args
        .pool
        .as_ref()
        .filter(|pool| !config.egress.contains_key(*pool))
    {
        return Err(miette::miette!(
            help = "the pools are the tables [egress.NAME] of the configuration",
            "there is no pool {pool}"
        ));
    }
    let pools = config.egress.iter();
    let pools = pools.filter(|(name, _)| args.pool.as_ref().is_none_or(|pool| pool == *name));
    let addresses: Vec<_> = pools
        .flat_map(|(pool, of)| {
            of.addresses.iter().map(move |address| EgressAddress {
                pool,
                address: *address,
                problem: check_egress(*address).err().map(|error| error.to_string()),
            })
        })
        .collect();
    if args.json {
        output::print_json(&addresses)?;
    } else {
        let mut table = output::table(["POOL", "ADDRESS", "PROBLEM"]);
        for of in &addresses {
            let problem = of.problem.clone().unwrap_or_default();
            table.add_row([of.pool.to_owned(), of.address.to_string(), problem]);
        }
        let nothing = "there are no pools: mail leaves from the address that the machine chooses";
        output::print_table(table, nothing)?;
    }
    Ok(exit(addresses.iter().all(|of| of.problem.is_none())))
}
