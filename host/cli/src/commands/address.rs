//! `gatepost address`.

use std::process::ExitCode;

use clap::Subcommand;
use gatepost_directory::{LeavesFromDefault, OutboundWay};
use gatepost_operations::addresses::{
    AddAddress, ListAddresses, RemoveAddress, SetAddressBrand, ShowAddress, ShownAddress,
};

use super::answer::{Row, done, item, list};
use super::operate::Ask;
use super::verify;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add a support address in the native domain or in one that is connected.
    Add(Ask<AddAddress>),
    /// List support addresses.
    List(Ask<ListAddresses>),
    /// Show the accounts that have a support address.
    Show(Ask<ShowAddress>),
    /// Set the brand of a support address; without one, it has none.
    SetBrand(Ask<SetAddressBrand>),
    /// Remove a support address.
    Remove(Ask<RemoveAddress>),
}

pub(super) async fn run(command: Command) -> miette::Result<ExitCode> {
    match command {
        Command::Add(ask) => item(ask).await,
        Command::List(ask) => list(ask, "there are no support addresses").await,
        Command::Show(ask) => list(ask, "").await,
        Command::SetBrand(ask) => item(ask).await,
        Command::Remove(ask) => done(ask, "removed").await,
    }
}

impl Row for ShownAddress {
    const HEADER: &[&str] = &[
        "ADDRESS",
        "ACCOUNT",
        "CONNECTOR",
        "BRAND",
        "FORWARDING TARGET",
        "INBOUND",
        "OUTBOUND",
        "LEAVES",
    ];

    fn cells(&self) -> Vec<String> {
        let address = &self.address;
        let is_connected = address.connector.is_some();
        let connector = address.connector.map(|id| id.to_string());
        let target = self.forwarding_target.as_ref();
        let details = &address.details;
        let state = |of| match is_connected {
            true => verify::state(of),
            false => String::new(),
        };
        let not_yet = self
            .only_claimed
            .then(|| "not at all: the domain is not shown to be the account's".to_owned());
        let leaves = not_yet.or_else(|| details.leaves_from_default.map(from_default));
        let leaves = leaves.unwrap_or_else(|| way_out(self.way_out));
        vec![
            address.address.to_string(),
            address.account.to_string(),
            connector.unwrap_or_else(|| "native".to_owned()),
            address
                .brand
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            target.map(ToString::to_string).unwrap_or_default(),
            state(&details.inbound),
            state(&details.outbound),
            leaves,
        ]
    }
}

/// Returns the way out in words, before a message has left from the default address.
fn way_out(way: Option<OutboundWay>) -> String {
    match way {
        None | Some(OutboundWay::Connection) => "in its own name".to_owned(),
        Some(OutboundWay::Vouched) => "in its own name, as the operator vouches".to_owned(),
        Some(OutboundWay::DefaultRoute) => {
            "by the default route, in its own name where that is proved".to_owned()
        }
        Some(OutboundWay::FromDefault(reason)) => format!("from the default address ({reason})"),
    }
}

fn from_default(left: LeavesFromDefault) -> String {
    let LeavesFromDefault {
        since,
        reason,
        messages,
    } = left;
    let messages = match messages {
        1 => "1 message".to_owned(),
        many => format!("{many} messages"),
    };
    format!("from the default address since {since}, {messages} ({reason})")
}
