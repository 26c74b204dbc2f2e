//! `gatepost connector setup`: connects a domain, step by step.
//!
//! Each step is an operation of its own, and the directory has what is done: so the set-up may end
//! at any moment, and goes on where it was when it begins again. What is left to do is asked of the
//! relay after each step ([`Progress`]); what the operator puts off is not asked twice. The last step
//! is the verification of the addresses: a probe that is on its way is waited for, and not sent again.

mod answers;
mod steps;
mod verification;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use gatepost_connections::ConnectionName;
use gatepost_directory::ConnectorKind;
use gatepost_instructions::Software;
use gatepost_message::{Address, Domain, Period};
use gatepost_operations::handovers::parse_period;
use gatepost_operations::progress::{MissingStep, Progress, ShowProgress, Step};
use tokio::time::{Instant, sleep};

use self::answers::Answers;
use super::answer::{Row, print_rows};
use super::operate::{Ask, Session, Target};
use super::{exit, output};

/// Interval at which the relay is asked while the set-up waits.
const LOOK: Duration = Duration::from_secs(2);

/// Connect a domain, step by step: asks for what it needs, does each step, and says what is left.
///
/// It can be interrupted at any time: called again, it goes on where it was. Exits with 1 while
/// something is left.
#[derive(Debug, Args)]
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
    product: Option<String>,
    /// Domain of the customer.
    #[arg(long)]
    domain: Option<Domain>,
    /// Kind of the connector: forwarded, outbound-only or two-way.
    #[arg(long)]
    kind: Option<ConnectorKind>,
    /// Support address in the domain; may be repeated.
    #[arg(long = "address", value_name = "ADDRESS")]
    addresses: Vec<Address>,
    /// You vouch that the domain is the account's.
    #[arg(long)]
    vouch: bool,
    /// Name of the connection to the customer's server.
    #[arg(long, value_name = "NAME")]
    connection: Option<ConnectionName>,
    /// The customer's server, which takes mail from the relay.
    #[arg(long, value_name = "HOST")]
    smart_host: Option<String>,
    /// Port of that server.
    #[arg(long, value_name = "PORT")]
    smart_host_port: Option<u16>,
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
    /// Software of the customer, for the instructions.
    #[arg(long = "for", value_name = "SOFTWARE")]
    software: Option<Software>,
    /// File to write the instructions to, which must not exist yet.
    #[arg(long, value_name = "FILE", requires = "software")]
    output: Option<PathBuf>,
}

pub(super) async fn run(setup: Setup) -> miette::Result<ExitCode> {
    let Setup {
        target,
        given,
        wait,
        yes,
    } = setup;
    let mut session = target.session()?;
    let mut answers = Answers::new(yes);
    let account = steps::account(&mut session, &mut answers, &given).await?;
    let connector = steps::connector(&mut session, &mut answers, &given, &account).await?;
    steps::addresses(&mut session, &given.addresses, connector).await?;
    let mut put_off = Vec::new();
    let mut progress = loop {
        let progress = session.call(ShowProgress { connector }).await?;
        let next = progress.missing.iter().map(|of| of.step);
        let Some(step) = next.into_iter().find(|step| !put_off.contains(step)) else {
            break progress;
        };
        if !steps::take(step, &mut session, &mut answers, &given, &progress).await? {
            put_off.push(step);
        }
    };
    steps::instructions(&mut session, &mut answers, &given, connector).await?;
    if let Some(Period(longest)) = wait {
        let end = Instant::now() + longest;
        while !progress.missing.is_empty() && Instant::now() < end {
            sleep(LOOK).await;
            // Whatever the probes had to wait for may have come meanwhile.
            let next = progress.missing.iter().map(|of| of.step);
            let new = next.into_iter().find(|step| !put_off.contains(step));
            if let Some(step) = new.filter(|step| step.is_verification()) {
                verification::send(step, &mut session, &progress).await?;
                put_off.push(step);
            }
            if progress.missing.iter().any(|of| of.step == Step::Signature) {
                steps::look_for_records(&mut session, &progress.connector.claim).await?;
            }
            progress = session.call(ShowProgress { connector }).await?;
        }
    }
    tell(&progress, target.json)
}

/// Prints what is done and what is left.
fn tell(progress: &Progress, json: bool) -> miette::Result<ExitCode> {
    let is_done = progress.missing.is_empty();
    if json {
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
        output::print(format!("- {}", of.what_to_do))?;
    }
    output::print("`gatepost connector setup` goes on from here")?;
    Ok(exit(false))
}

/// Prints what a connector lacks.
pub(super) async fn progress(ask: Ask<ShowProgress>) -> miette::Result<ExitCode> {
    let json = ask.target.json;
    let progress = ask.answer().await?;
    let is_done = progress.missing.is_empty();
    if json {
        output::print_json([&progress])?;
    } else {
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
