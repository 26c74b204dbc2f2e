//! Machines: addresses that have shown themselves to be machines', which are listed and forgotten.

use clap::Args;
use gatepost_directory::Directory;
use gatepost_message::Millis;
use gatepost_spool::{Counters, KnownMachine};
use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::directory::account_name;
use crate::error::OperationError;

/// Request for the known machines, with the evidence.
#[derive(
    Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, Args, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct ListMachines {
    /// Only those of this account: its id, or the native domain of one in the directory.
    pub account: Option<String>,
}

/// Request to forget that an address is a machine's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForgetMachine {
    /// Id of the account, or the native domain of one in the directory.
    pub account: String,
    /// Address to forget.
    pub address: String,
}

/// Lists the known machines, by account and address.
pub fn list(
    counters: &dyn Counters,
    directory: &Directory,
    asked: ListMachines,
) -> Vec<KnownMachine> {
    let account = asked.account;
    let account = account.map(|account| account_name(directory, &account));
    counters.machines(account.as_deref(), Millis::now())
}

/// Forgets that an address is a machine's: automatic mail is sent to it again.
///
/// # Errors
/// It is not known as one, or the store cannot be changed.
pub async fn forget(
    counters: &dyn Counters,
    directory: &Directory,
    asked: ForgetMachine,
) -> Result<(), OperationError> {
    let ForgetMachine { account, address } = asked;
    let account = account_name(directory, &account);
    let canonical = gatepost_message::canonical_form(&address);
    let forgotten = counters.forget_machine(&account, &canonical, Millis::now());
    match forgotten.await? {
        true => Ok(()),
        false => Err(OperationError::new(
            Code::UnknownMachine,
            format!("{address} is not known as a machine's; `gatepost machine list` shows those"),
        )),
    }
}
