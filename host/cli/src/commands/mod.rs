//! Commands of the command line.
//!
//! Every command prints a table for people or, with `--json`, one object a line. Exit codes: 0 when
//! the request was executed, 1 when the answer is no (nothing found, something wrong), and 2 when
//! the arguments are not understood. `doctor` uses them for the severity of its findings.

mod account;
mod address;
mod administrator;
mod answer;
mod audit;
mod backup;
mod check;
mod config;
mod connection;
mod connector;
mod correspondent;
mod credential;
mod dkim;
mod doctor;
mod domain;
mod egress;
mod endpoint;
mod erase;
mod errors;
mod events;
mod feed;
mod import;
mod init;
mod instructions_file;
mod load_policy;
mod logged;
mod machine;
mod operate;
pub(crate) mod output;
mod partner;
mod pasted;
mod policy;
mod port;
mod quarantine;
mod queue;
mod recipient;
mod reload;
mod restore;
mod setup;
mod sharing;
mod suppression;
mod suppression_file;
mod test_user;
mod token;
pub(crate) mod trace;
mod verify;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

pub use check::{CheckArgs, JudgeArgs};

use self::load_policy::LoadPolicy;
use crate::sink;
use crate::sink::SinkArgs;
use gatepost_config::{Config, DEFAULT_PATH, Log, LoggedAddresses};
use gatepost_observability as observability;

/// An SMTP relay whose every decision is made by a sandboxed policy module.
#[derive(Debug, Parser)]
#[command(name = "gatepost", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    /// Run the relay.
    Serve(ConfigFile),
    Reload(reload::ReloadArgs),
    /// Check the configuration.
    #[command(subcommand)]
    Config(config::Command),
    Check(CheckArgs),
    Doctor(doctor::Doctor),
    Backup(backup::Backup),
    Restore(restore::Restore),
    /// Look at the queue, and retry, hold or cancel recipients.
    #[command(subcommand)]
    Queue(queue::Command),
    /// Look at the quarantine, and release or delete messages.
    #[command(subcommand)]
    Quarantine(quarantine::Command),
    /// Look up all that is known of an address before an account writes to it.
    #[command(subcommand)]
    Recipient(recipient::Command),
    /// Erase the address of a correspondent who asks to be forgotten.
    #[command(subcommand)]
    Correspondent(correspondent::Command),
    /// Look at the known machines' addresses, and forget them.
    #[command(subcommand)]
    Machine(machine::Command),
    /// Manage the suppression lists: addresses to which accounts send nothing any more.
    #[command(subcommand)]
    Suppression(suppression::Command),
    /// Look at the policies and swap them.
    #[command(subcommand)]
    Policy(policy::Command),
    /// Manage the accounts of the directory.
    #[command(subcommand)]
    Account(account::Command),
    /// Manage the administrators of accounts: the people whom security notices go to.
    #[command(subcommand)]
    Administrator(administrator::Command),
    /// Manage the domains that accounts have connected.
    #[command(subcommand)]
    Connector(connector::Command),
    /// Compare domains with the DNS.
    #[command(subcommand)]
    Domain(domain::Command),
    /// Manage connections: the ways out by other mail services.
    #[command(subcommand)]
    Connection(connection::Command),
    /// Manage endpoints: the URLs that get the inbound mail of accounts.
    #[command(subcommand)]
    Endpoint(endpoint::Command),
    Egress(egress::Egress),
    /// Manage the addresses at which accounts receive.
    #[command(subcommand)]
    Address(address::Command),
    /// Manage the credentials of those who hand in mail.
    #[command(subcommand)]
    Credential(credential::Command),
    /// Tokens by which programs use the HTTP API.
    #[command(subcommand)]
    Token(token::Command),
    /// Change the keys that encrypt a part of the directory.
    #[command(subcommand)]
    Directory(credential::Keys),
    /// Manage DKIM keys: what signs the mail of which domain.
    #[command(subcommand)]
    Dkim(dkim::Command),
    /// Manage the sharing agreements between accounts here.
    #[command(subcommand)]
    Sharing(sharing::Command),
    /// Manage partner addresses: they get no mail, and their mail is refused.
    #[command(subcommand)]
    Partner(partner::Command),
    /// Show what happened to a message.
    Trace(trace::Trace),
    Events(events::Events),
    Logged(logged::Logged),
    /// Show the audit log: what was changed, by whom, when and from where; newest first.
    Audit(operate::Ask<gatepost_operations::audit::ListAudit>),
    Sink(SinkArgs),
    /// Print the version.
    Version,
    #[command(hide = true)]
    LoadPolicy(LoadPolicy),
}

/// Sets up the printing of errors: without colours, because escape sequences are removed from the
/// whole text. Lines are not wrapped: a terminal does that itself, and other readers want them
/// whole.
pub fn set_up_errors() {
    let _already_set = miette::set_hook(Box::new(|_| {
        let options = miette::MietteHandlerOpts::new().wrap_lines(false);
        let options = options.color(false).terminal_links(false);
        Box::new(errors::ErrorPrinter(options.build()))
    }));
}

/// Prints the error of a failed command on standard error.
pub fn tell(error: &miette::Report) {
    output::complain(output::error(error));
}

/// Prints a message to the operator on standard error.
pub fn complain(text: impl AsRef<str>) {
    output::complain(text);
}

impl Cli {
    /// Reads the arguments of this process.
    ///
    /// # Errors
    /// The exit code, if the arguments are not understood or only ask for help.
    pub fn read() -> Result<Self, ExitCode> {
        Self::try_parse().map_err(|error| {
            match error.use_stderr() {
                true => output::complain(output::usage(&error).trim_end()),
                // Help contains nothing of the arguments, and has colours on a terminal.
                false => drop(error.print()),
            }
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        })
    }

    /// Returns the arguments of the hidden command that loads a policy, if this process runs it.
    pub fn load_policy(&self) -> Option<&LoadPolicy> {
        match &self.command {
            Command::LoadPolicy(load) => Some(load),
            _ => None,
        }
    }
}

/// Argument that names the configuration.
#[derive(Debug, Clone, Args)]
struct ConfigFile {
    /// Configuration file.
    #[arg(long, value_name = "FILE", default_value = DEFAULT_PATH)]
    config: PathBuf,
}

impl ConfigFile {
    fn load(&self) -> miette::Result<Config> {
        Ok(Config::load(&self.config)?)
    }
}

/// Runs the command and returns the exit code of the process; `serve` runs the relay.
///
/// # Errors
/// Error of the command, for standard error; the process then exits with 1.
pub async fn run(
    cli: Cli,
    serve: impl AsyncFnOnce(Config, &Path) -> miette::Result<ExitCode>,
) -> miette::Result<ExitCode> {
    if !matches!(cli.command, Command::Serve(_)) {
        let level = "warn".to_owned();
        observability::start_logging(
            &Log {
                level,
                ..Log::default()
            },
            None,
        )
        .map_err(report)?;
    }
    match cli.command {
        Command::Serve(file) => {
            let config = file.load()?;
            let names = match config.log.addresses {
                LoggedAddresses::Plain => None,
                LoggedAddresses::Hashed => Some(logged::names(&config.relay.store)?),
            };
            observability::start_logging(&config.log, names).map_err(report)?;
            serve(config, &file.config).await
        }
        Command::Init(args) => init::run(args),
        Command::Reload(args) => reload::run(args).await,
        Command::Config(command) => config::run(command).await,
        Command::Doctor(args) => doctor::run(args).await,
        Command::Backup(args) => backup::run(args).await,
        Command::Restore(args) => restore::run(args).await,
        Command::Check(args) => crate::check::run(args).await,
        Command::Queue(command) => queue::run(command).await,
        Command::Quarantine(command) => quarantine::run(command).await,
        Command::Recipient(command) => recipient::run(command).await,
        Command::Correspondent(command) => correspondent::run(command).await,
        Command::Machine(command) => machine::run(command).await,
        Command::Suppression(command) => suppression::run(command).await,
        Command::Policy(command) => policy::run(command).await,
        Command::Account(command) => account::run(command).await,
        Command::Administrator(command) => administrator::run(command).await,
        Command::Connector(command) => connector::run(command).await,
        Command::Domain(command) => Ok(domain::run(command).await),
        Command::Connection(command) => connection::run(command).await,
        Command::Endpoint(command) => endpoint::run(command).await,
        Command::Egress(args) => egress::run(args),
        Command::Address(command) => address::run(command).await,
        Command::Credential(command) => credential::run(command).await,
        Command::Token(command) => token::run(command).await,
        Command::Directory(command) => credential::keys(command).await,
        Command::Dkim(command) => dkim::run(command).await,
        Command::Sharing(command) => sharing::run(command).await,
        Command::Partner(command) => partner::run(command).await,
        Command::Trace(args) => trace::run(args).await,
        Command::Events(args) => events::run(args).await,
        Command::Logged(args) => logged::run(&args),
        Command::Audit(ask) => answer::list(ask, "the audit log is empty").await,
        Command::Sink(args) => sink::run(args).await.map_err(report),
        Command::Version => {
            output::print(concat!("gatepost ", env!("CARGO_PKG_VERSION")))?;
            Ok(exit(true))
        }
        Command::LoadPolicy(load) => Ok(load.run()),
    }
}

/// Makes a report of an error that points at no source.
fn report(error: impl std::error::Error + Send + Sync + 'static) -> miette::Report {
    miette::Report::from_err(error)
}

/// Returns the exit code of a yes or no.
fn exit(yes: bool) -> ExitCode {
    if yes {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    }
}
