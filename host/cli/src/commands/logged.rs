//! `gatepost logged`.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use gatepost_message::Address;
use gatepost_observability::{AddressNames, LOG_KEY};

use super::{ConfigFile, exit, output};

/// Show the name that an address has in the log, where `[log] addresses = "hashed"`.
#[derive(Debug, Args)]
pub(super) struct Logged {
    #[command(flatten)]
    file: ConfigFile,
    /// Address.
    address: Address,
}

pub(super) fn run(args: &Logged) -> miette::Result<ExitCode> {
    let config = args.file.load()?;
    if !config.relay.store.join(LOG_KEY).exists() {
        return Err(miette::miette!(
            help = "set addresses = \"hashed\" in [log], and start the relay again",
            "addresses stand in the log as they are: the store has no key for other names"
        ));
    }
    let names = names(&config.relay.store)?;
    output::print(names.name(args.address.as_str()))?;
    Ok(exit(true))
}

/// Reads the names of addresses in the log of a store; makes the key if there is none.
///
/// # Errors
/// The key can be neither read nor made.
pub(super) fn names(store: &Path) -> miette::Result<AddressNames> {
    AddressNames::of_store(store).map_err(|error| {
        miette::miette!(
            help = "mend its permissions, or remove it: then addresses get other names",
            "the key of addresses in the log, {}: {error}",
            store.join(LOG_KEY).display()
        )
    })
}
