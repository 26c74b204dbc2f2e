//! `gatepost connector`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::slice;

use clap::{Args, Subcommand};
use gatepost_directory::{Connector, Forwarders};
use gatepost_message::Domain;
use gatepost_operations::connectors::{
    AddConnector, CountHeaders, ForgetForwarders, ListConnectors, ProveConnector, RemoveConnector,
    SetConnectorKind, SetForwarders, ShowConnector, VouchConnector,
};
use gatepost_operations::disconnections::{
    DisconnectConnector, ReconnectConnector, SwitchedSender,
};
use gatepost_operations::instructions::MakeInstructions;
use gatepost_operations::progress::ShowProgress;
use gatepost_operations::return_paths::SetReturnPath;
use gatepost_operations::verification::AddressVerification;
use gatepost_trace::Counted;
use ipnet::IpNet;

use super::answer::{Row, done, item, list, print_rows, print_table};
use super::operate::Ask;
use super::{exit, instructions_file, output, setup, verify};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Connect a domain, as a claim.
    Add(Ask<AddConnector>),
    /// List connectors.
    List(Ask<ListConnectors>),
    /// Show a connector.
    Show(Ask<ShowConnector>),
    /// Look in the DNS for the proof that the domain is the account's. Where it is found, the
    /// addresses of the domain receive from now on.
    Prove(Ask<ProveConnector>),
    /// Vouch that the domain is the account's: from now on its addresses receive. With --outbound,
    /// they leave through the customer's server without a verification.
    Vouch(Ask<VouchConnector>),
    /// Verify a support address: send mails of the relay's own that prove that mail goes its way.
    Verify(verify::Arguments),
    /// Set the direction of its mail that passes through the relay. Mail that comes by the former way
    /// is taken.
    SetKind(Ask<SetConnectorKind>),
    /// Disconnect a domain, an address or an account: credentials stop vouching at once, addresses
    /// still receive, and mail leaves from the default address.
    Disconnect(Ask<DisconnectConnector>),
    /// Connect again what was disconnected: all is as it was.
    Reconnect(Ask<ReconnectConnector>),
    /// Set the known forwarders of its mail, in place of the former ones.
    Forwarders(Ask<SetForwarders>),
    /// Forget forwarders that were learnt from probes. A probe that comes back by one learns it again.
    ForgetForwarders(Ask<ForgetForwarders>),
    /// Set the domain of the reverse-paths of its mail by MX, such as bounces.customer.example, or
    /// take it back. The DNS has to lead mail for it to this relay.
    SetReturnPath(Ask<SetReturnPath>),
    /// Show how header fields of messages from a domain survive: what became of them in messages
    /// that came back.
    Headers(Ask<CountHeaders>),
    Setup(Box<setup::Setup>),
    /// Show what a connector still lacks.
    Progress(Ask<ShowProgress>),
    /// Print instructions for the administrator of the customer's mail server, without any secret.
    Instructions(InstructionsArgs),
    /// Remove a connector that has no addresses and credentials any more.
    Remove(Ask<RemoveConnector>),
}

const NOTHING_CONNECTED: &str = "the account has no verified domain";

pub(super) async fn run(command: Command) -> miette::Result<ExitCode> {
    match command {
        Command::Add(ask) => item(ask).await,
        Command::List(ask) => list(ask, "there are no connectors").await,
        Command::Show(ask) => show(ask).await,
        Command::Prove(ask) => item(ask).await,
        Command::Vouch(ask) => item(ask).await,
        Command::Verify(arguments) => verify::run(arguments).await,
        Command::SetKind(ask) => item(ask).await,
        Command::Disconnect(ask) => list(ask, NOTHING_CONNECTED).await,
        Command::Reconnect(ask) => list(ask, NOTHING_CONNECTED).await,
        Command::Forwarders(ask) => item(ask).await,
        Command::ForgetForwarders(ask) => item(ask).await,
        Command::SetReturnPath(ask) => item(ask).await,
        Command::Headers(ask) => {
            let domain = &ask.request.domain;
            let nothing = format!("no message from {domain} has come back yet");
            list(ask, &nothing).await
        }
        Command::Setup(setup) => setup::run(*setup).await,
        Command::Progress(ask) => setup::progress(ask).await,
        Command::Instructions(args) => instructions(args).await,
        Command::Remove(ask) => done(ask, "removed").await,
    }
}

#[derive(Debug, Args)]
pub(super) struct InstructionsArgs {
    #[command(flatten)]
    ask: Ask<MakeInstructions>,
    /// File to write them to; printed when not given. One that holds instructions is replaced, any
    /// other file is left.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

async fn instructions(args: InstructionsArgs) -> miette::Result<ExitCode> {
    let InstructionsArgs { ask, output: file } = args;
    let json = ask.target.json;
    let made = ask.answer().await?;
    for remark in &made.remarks {
        output::complain(remark);
    }
    match file {
        Some(file) => instructions_file::write(&file, &made.text)?,
        None if json => output::print_json([&made])?,
        None => output::print(made.text.trim_end())?,
    }
    Ok(exit(true))
}

/// Shows a connector with its addresses, and what it lacks.
async fn show(ask: Ask<ShowConnector>) -> miette::Result<ExitCode> {
    let Ask { target, request } = ask;
    let mut session = target.session()?;
    let shown = session.call(request).await?;
    if target.json {
        output::print_json([&shown])?;
        return Ok(exit(true));
    }
    print_table(slice::from_ref(&shown.connector), "", &mut session).await?;
    let missing = shown.missing.as_deref().unwrap_or_default();
    print_rows(&shown.addresses, missing, false)
}

impl Row for AddressVerification {
    const HEADER: &[&str] = &["ADDRESS", "INBOUND", "OUTBOUND"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.address.to_string(),
            verify::state(&self.inbound.state),
            verify::state(&self.outbound.state),
        ]
    }
}

impl Row for Connector {
    const HEADER: &[&str] = &[
        "ID",
        "STATE",
        "KIND",
        "DOMAIN",
        "NAME",
        "PROTOCOL",
        "FORWARDERS",
        "LEARNT FORWARDERS",
        "RETURN PATH",
        "ACCOUNT",
    ];

    fn cells(&self) -> Vec<String> {
        let (claim, return_path) = (&self.claim, self.details.return_path.as_ref());
        vec![
            self.id.to_string(),
            self.state.to_string(),
            claim.kind.to_string(),
            claim.domain.to_string(),
            claim.name.to_string(),
            claim.protocol.to_string(),
            forwarders_cell(&self.forwarders),
            forwarders_cell(&self.details.learnt_forwarders),
            return_path.map_or_else(String::new, Domain::to_string),
            claim.account.to_string(),
        ]
    }
}

impl Row for SwitchedSender {
    const HEADER: &[&str] = &["SENDER", "STATE", "QUEUED MAIL", "ID", "ACCOUNT"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.sender.clone(),
            self.state.to_string(),
            self.queued.map_or_else(String::new, |of| of.to_string()),
            self.id.to_string(),
            self.account.to_string(),
        ]
    }
}

/// Returns the known forwarders in one cell.
fn forwarders_cell(known: &Forwarders) -> String {
    let networks = known.networks.iter().map(IpNet::to_string);
    let domains = known.dkim_domains.iter().chain(&known.arc_sealers);
    let all: Vec<_> = networks.chain(domains.map(Domain::to_string)).collect();
    all.join(", ")
}

impl Row for Counted {
    const HEADER: &[&str] = &[
        "HEADER", "FOUND", "TIMES", "UNPROVED", "LAST", "SENT", "CAME", "EXAMPLE", "ACCOUNT",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.header.clone(),
            self.change.word().to_owned(),
            self.count.to_string(),
            self.by_message_id.to_string(),
            self.last_at.to_string(),
            output::shorten(&self.sent),
            output::shorten(&self.came),
            self.example.to_string(),
            self.account.clone(),
        ]
    }
}
