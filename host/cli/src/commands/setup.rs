//! `gatepost connector setup`: connects a domain, step by step.
//!
//! Each step is an operation of its own, and the directory has what is done: so the set-up may end
//! at any moment, and goes on where it was when it begins again. What is left to do is asked of the
//! relay after each step ([`Progress`]); what the operator puts off is not asked twice. The last step
//! is the verification of the addresses: a probe that is on its way is waited for, and not sent again.
//! Files that are named are read and checked before the first change.

mod account;
mod answers;
mod authorization;
mod connection;
mod default_address;
mod given_files;
mod going_on;
mod instructions;
mod ownership;
mod spelled;
mod steps;
mod verification;
mod waiting;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use gatepost_connections::ConnectionName;
use gatepost_directory::{ConnectorKind, Name};
use gatepost_instructions::Software;
use gatepost_message::{Address, Domain, Period};
use gatepost_operations::handovers::parse_period;
use gatepost_operations::progress::{MissingStep, Progress, ShowProgress};

use self::answers::Answers;
use self::given_files::GivenFiles;
use self::going_on::GoingOn;
use super::answer::{Row, print_rows};
use super::operate::{Ask, Session, Target};
use super::{exit, output, port};

/// Words behind the help: what a script has to give, and an example.
const SCRIPTS: &str = "\
With --yes nothing is asked. It needs, besides --account (and --product, if there is no such account \
yet) and --domain:
  forwarded      --kind forwarded --address ADDRESS, and --vouch or a published record
  outbound-only  --kind outbound-only --address ADDRESS --smart-host HOST, and mostly
                 --smart-host-user USER --smart-host-password-file FILE
  two-way        as outbound-only, with --kind two-way
A service that logs in by OAuth takes --smart-host-profile PROFILE and --smart-host-settings FILE in \
place of the host and the password.
What is not given is put off, and stands in the list of what is left to do. --wait waits for others.

Example:
  gatepost connector setup --yes --wait 10m --account acme.desk.example --product Acme \\
      --domain customer.example --kind two-way --address help@customer.example \\
      --smart-host smtp.customer.example --smart-host-user desk \\
      --smart-host-password-file password --for postfix --output customer.md";

/// Connect a domain, step by step: asks for what it needs, does each step, and says what is left.
///
/// It can be interrupted at any time: called again, it goes on where it was. Exits with 1 while
/// something is left.
#[derive(Debug, Args)]
#[command(after_long_help = SCRIPTS)]
pub(super) struct Setup {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    given: Given,
    /// Wait so long for what others have to do: records to be published, servers to log in.
    #[arg(long, value_name = "DURATION", value_parser = parse_period)]
    wait: Option<Period>,
    /// Ask nothing: take what the options say, and put off what needs an answer.
    #[arg(long)]
    yes: bool,
}

/// Answers that are given as options.
#[derive(Debug, Args)]
pub(super) struct Given {
    /// Id or native domain of the account.
    #[arg(long)]
    account: Option<String>,
    /// Name of the product, for an account that there is not yet; its native domain is `--account`.
    #[arg(long, value_name = "NAME")]
    product: Option<Name>,
    /// Domain of the customer.
    #[arg(long, value_parser = spelled::parse::<Domain>)]
    domain: Option<Domain>,
    /// Kind of the connector: forwarded, outbound-only or two-way.
    #[arg(long, value_parser = spelled::parse::<ConnectorKind>)]
    kind: Option<ConnectorKind>,
    /// Support address in the domain; may be repeated.
    #[arg(long = "address", value_name = "ADDRESS")]
    addresses: Vec<Address>,
    /// Default address of the account, in its native domain: mail leaves in its name where its own is
    /// not proved.
    #[arg(long, value_name = "ADDRESS")]
    default_address: Option<Address>,
    /// You vouch that the domain is the account's.
    #[arg(long)]
    vouch: bool,
    /// Name of the connection to the customer's server.
    #[arg(long, value_name = "NAME")]
    connection: Option<ConnectionName>,
    /// The customer's server, which takes mail from the relay. Where there is a connection already,
    /// this and the next options change it.
    #[arg(long, value_name = "HOST")]
    smart_host: Option<String>,
    /// Port of that server.
    #[arg(long, value_name = "PORT", value_parser = port::parse)]
    smart_host_port: Option<u16>,
    /// Profile of the service that the server belongs to, such as microsoft-365, which has its host
    /// and port.
    #[arg(long, value_name = "PROFILE")]
    smart_host_profile: Option<String>,
    /// TOML file of further settings of the connection, with the keys of [connection.NAME]: those of
    /// OAuth, for example.
    #[arg(long, value_name = "FILE")]
    smart_host_settings: Option<PathBuf>,
    /// User at that server.
    #[arg(long, value_name = "USER")]
    smart_host_user: Option<String>,
    /// File with the password of that user.
    #[arg(long, value_name = "FILE")]
    smart_host_password_file: Option<PathBuf>,
    /// File of the authorities that vouch for that server, as PEM, in place of the public ones.
    #[arg(long, value_name = "FILE")]
    smart_host_ca: Option<PathBuf>,
    /// Time after which the link to the secret of a new credential shows nothing.
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = parse_period)]
    link_expires: Period,
    /// Software of the customer, for the instructions: postfix, exim, exchange-server or gateway
    /// (two-way), exchange-online or google-workspace (forwarded, outbound-only), or generic.
    #[arg(long = "for", value_name = "SOFTWARE", value_parser = spelled::parse::<Software>)]
    software: Option<Software>,
    /// File to write the instructions to. One that holds instructions is replaced, any other file is
    /// left.
    #[arg(long, value_name = "FILE", requires = "software")]
    output: Option<PathBuf>,
    /// Person or address that the customer's administrator may ask, for the instructions.
    #[arg(long, value_name = "TEXT")]
    contact: Option<Name>,
}

pub(super) async fn run(setup: Setup) -> miette::Result<ExitCode> {
    let Setup {
        target,
        given,
        wait,
        yes,
    } = setup;
    let files = GivenFiles::read(&given)?;
    let mut session = target.session()?;
    let going_on = GoingOn::watch(target.options());
    let mut answers = Answers::new(yes, going_on.clone());
    let account = account::find_or_add(&mut session, &mut answers, &given).await?;
    going_on.with_account(&account.profile.native_domain);
    let connector = steps::connector(&mut session, &mut answers, &given, &account).await?;
    let id = connector.id;
    going_on.with_domain(&connector.claim.domain);
    steps::addresses(&mut session, &given.addresses, id).await?;
    let mut put_off = Vec::new();
    connection::apply_given(&mut session, &given, &files, id, &mut put_off).await?;
    let mut progress = loop {
        let progress = show(&mut session, id).await?;
        let next = progress.missing.iter().map(|of| of.step);
        let Some(step) = next.into_iter().find(|step| !put_off.contains(step)) else {
            break progress;
        };
        let mut operator = steps::Operator {
            answers: &mut answers,
            given: &given,
            files: &files,
            put_off: &mut put_off,
        };
        if !steps::take(step, &mut session, &mut operator, &progress).await? {
            put_off.push(step);
        }
    };
    default_address::choose(&mut session, &mut answers, &given, &account).await?;
    instructions::make(&mut session, &mut answers, &given, id).await?;
    if let Some(Period(longest)) = wait {
        progress = waiting::wait(&mut session, progress, longest, &mut put_off).await?;
    }
    tell(&progress, &target, &going_on)
}

/// Asks what a connector lacks.
async fn show(
    session: &mut Session<'_>,
    id: gatepost_directory::ConnectorId,
) -> miette::Result<Progress> {
    let connector = id.into();
    session.call(ShowProgress { connector }).await
}

/// Prints what is done and what is left.
fn tell(progress: &Progress, target: &Target, going_on: &GoingOn) -> miette::Result<ExitCode> {
    let is_done = progress.missing.is_empty();
    if target.json {
        output::print_json([progress])?;
        return Ok(exit(is_done));
    }
    let domain = &progress.connector.claim.domain;
    let id = progress.connector.id;
    if is_done {
        output::print(format!("{domain} is connected ({id})"))?;
        return Ok(exit(true));
    }
    output::print(format!("left to do for {domain} ({id}):"))?;
    for of in &progress.missing {
        output::print(target.pasted(&format!("- {}", of.what_to_do)))?;
    }
    output::print(format!("`{}` goes on from here", going_on.command()))?;
    Ok(exit(false))
}

/// Prints what a connector lacks.
pub(super) async fn progress(ask: Ask<ShowProgress>) -> miette::Result<ExitCode> {
    let Ask { target, request } = ask;
    let mut progress = target.call(request).await?;
    let is_done = progress.missing.is_empty();
    if target.json {
        output::print_json([&progress])?;
    } else {
        for of in &mut progress.missing {
            of.what_to_do = target.pasted(&of.what_to_do);
        }
        print_rows(&progress.missing, "nothing is missing", false)?;
    }
    Ok(exit(is_done))
}

impl Row for MissingStep {
    const HEADER: &[&str] = &["MISSING", "WHAT TO DO"];

    fn cells(&self) -> Vec<String> {
        vec![self.step.word().to_owned(), self.what_to_do.clone()]
    }
}
