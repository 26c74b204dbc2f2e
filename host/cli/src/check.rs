//! `gatepost check`: takes stored messages through the relay like live ones, up to the reply to
//! data and the routing, but without effect: nothing is queued and nothing is sent.
//!
//! A file holds one message. Bare LF are read as CRLF, and an mbox `From ` line in front is
//! skipped. The envelope comes from the command line. Missing parts are taken from the message:
//!
//! - The reverse-path is that of the Return-Path field, which a final delivery leaves (RFC 5321
//!   section 4.4; `<>` is the null reverse-path), else the first address of From, else null.
//! - The recipient is that of Delivered-To, else of X-Original-To, else those of To. On an inbound
//!   listener, addresses outside the accounts' domains are left out. If none is left, the recipient
//!   is the postmaster of the first domain of an account, or of the relay. A Delivered-To field
//!   that gave the recipient was added by the delivery that stored the message, and is removed.
//!
//! Messages are judged in a [dry run](gatepost_intake::dry_run): neither store is opened. Giving
//! the same file twice shows the effect of a loop. What caps and the suppression list say of a
//! submission is asked of the relay, if it runs.

pub(crate) mod envelope;
mod report;

use std::collections::HashSet;
use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use gatepost_directory::View;
use gatepost_message::{Address, Message, Millis, TransactionId, domain_to_ascii};
use gatepost_model::{Flow, Session, Transaction, Transport};
use miette::{IntoDiagnostic as _, WrapErr as _, miette};

use self::report::Report;
use crate::commands::{CheckArgs, output};
use gatepost_config::{Config, Direction, Listener};
use gatepost_intake::dry_run::{DryRun, DryRunMessage, StoredRefusals};
use gatepost_intake::pipeline::judge::Disposition;
use gatepost_operations::submission::CheckSubmission;
use gatepost_policy_set::eml;
use gatepost_policy_set::loading;

/// Judges stored messages and prints a report of each.
///
/// # Errors
/// The configuration or the policies cannot be used, or the results cannot be written. A message
/// that cannot be read is reported on standard error; the others are judged, and the exit code is
/// 1.
pub async fn run(args: CheckArgs) -> miette::Result<ExitCode> {
    let check = Check::new(args).await?;
    let mut written = HashSet::new();
    let (mut code, mut full) = (ExitCode::SUCCESS, false);
    for file in &check.args.files {
        let message = match read(file).await {
            Ok(message) => message,
            Err(error) => {
                output::complain(format!("gatepost: cannot read {}: {error}", file.display()));
                code = ExitCode::from(1);
                continue;
            }
        };
        let (report, message) = check.judge(file, message).await;
        report.print(check.args.json)?;
        if !full && check.dry_run.dropped_effects() {
            full = true;
            output::complain(format!(
                "gatepost: from {} on, not all that policies count and mark is remembered in this \
                 run: give fewer messages at a time to see what counts come to",
                file.display()
            ));
        }
        if let (Some(directory), Some(message)) = (&check.args.output, message) {
            let path = output_path(directory, file, &mut written);
            check.refuse_overwrite(&path)?;
            write(&path, &message)?;
        }
    }
    Ok(code)
}

async fn read(file: &Path) -> std::io::Result<Message> {
    if file != Path::new("-") {
        return eml::read(file).await;
    }
    let mut stored = Vec::new();
    let stdin = std::io::stdin().lock();
    stdin.take(eml::LONGEST + 1).read_to_end(&mut stored)?;
    eml::admit(&stored)?;
    Ok(Message::from_stored(&stored))
}

/// Returns the path to which a message is written, with the name of its file. Files of the same
/// name from several directories get a number.
fn output_path(directory: &Path, file: &Path, written: &mut HashSet<PathBuf>) -> PathBuf {
    let name = match file.file_name() {
        Some(name) if file != Path::new("-") => name.to_string_lossy().into_owned(),
        _ => "stdin.eml".to_owned(),
    };
    let numbered = (2..).map(|number| directory.join(format!("{number}-{name}")));
    std::iter::once(directory.join(&name))
        .chain(numbered)
        .find(|path| written.insert(path.clone()))
        .unwrap_or_else(|| directory.join(&name))
}

fn write(path: &Path, message: &Message) -> miette::Result<()> {
    std::fs::create_dir_all(path.parent().unwrap_or(path))
        .and_then(|()| std::fs::write(path, message.to_bytes()?))
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot write {}", path.display()))
}

/// Configuration for all messages of a run.
struct Check {
    args: CheckArgs,
    listener: Listener,
    dry_run: DryRun,
}

impl Check {
    async fn new(args: CheckArgs) -> miette::Result<Self> {
        let mut config = match &args.config {
            Some(path) => Config::load(path)?,
            None => Config::builtin(),
        };
        if !args.dns.is_empty() {
            config.dns.servers.clone_from(&args.dns);
        }
        let directory = match args.config {
            Some(_) => read_directory(&config).await,
            None => View::empty(),
        };
        let engine = loading::engine_of_command().into_diagnostic()?;
        Ok(Self {
            listener: find_listener(&config, args.listener.as_deref())?.clone(),
            dry_run: DryRun::new(engine, config, Arc::new(directory)).await?,
            args,
        })
    }

    /// Refuses to overwrite one of the messages to be judged, also by another path.
    fn refuse_overwrite(&self, path: &Path) -> miette::Result<()> {
        let identity = |path: &Path| {
            let found = std::fs::metadata(path).ok()?;
            Some((found.dev(), found.ino()))
        };
        let target = identity(path);
        if target.is_none() || self.args.files.iter().all(|file| identity(file) != target) {
            return Ok(());
        }
        Err(miette!(
            help = "name another directory with --output",
            "{} is one of the messages to be judged, and would be overwritten",
            path.display()
        ))
    }

    /// Judges one message. Returns it as it would be queued, if it would be.
    async fn judge(&self, file: &Path, message: Message) -> (Report, Option<Message>) {
        let recipients = self.recipients(&message);
        let transaction = self.transaction(&message);
        let message = if self.args.rcpt_to.is_empty() {
            envelope::without_delivery_mark(message, &recipients)
        } else {
            message
        };
        let refusals = self.stored_refusals(&transaction, &recipients).await;
        let message = DryRunMessage {
            transaction,
            recipients,
            message,
            refusals,
        };
        let result = self.dry_run.judge(message).await;
        let kept = matches!(result.disposition, Disposition::Accepted { .. });
        let message = kept.then(|| result.message.clone());
        let accounts = self.dry_run.accounts();
        let user = self.args.auth_user.as_deref();
        let sasl = user.map(|user| accounts.sasl(user));
        (Report::new(file, result, sasl), message)
    }

    /// Asks the running relay by which replies its caps and its suppression list would refuse a
    /// submission. Without a relay, or without its configuration, nothing is known of them.
    async fn stored_refusals(
        &self,
        transaction: &Transaction,
        recipients: &[Address],
    ) -> StoredRefusals {
        let session = &transaction.session;
        let user = session.user.as_deref();
        let user = user.filter(|_| self.args.config.is_some() && session.flow == Flow::Submission);
        let account = user.and_then(|user| self.dry_run.ownership().account_of_submitter(user));
        let Some((account, user)) = account.zip(user) else {
            return StoredRefusals::default();
        };
        let domain = transaction.reverse_path.address();
        let request = CheckSubmission {
            account,
            credential: user.to_owned(),
            domain: domain.and_then(|address| domain_to_ascii(address.domain())),
            recipients: recipients.to_vec(),
        };
        let store = &self.dry_run.config().relay.store;
        let unknown = match gatepost_operations::call(store, &request).await {
            Ok(Some(Ok(refusals))) => {
                return StoredRefusals {
                    sender: refusals.sender,
                    recipients: refusals.recipients,
                };
            }
            Ok(Some(Err(error))) => error.to_string(),
            Ok(None) => "no relay is running on its store".to_owned(),
            Err(error) => error.to_string(),
        };
        output::complain(format!(
            "gatepost: judging without caps and suppression list: {unknown}"
        ));
        StoredRefusals::default()
    }

    fn transaction(&self, message: &Message) -> Transaction {
        let args = &self.args;
        let time = args.now.map_or_else(Millis::now, |now| {
            Millis(u64::try_from(now.as_millisecond()).unwrap_or_default())
        });
        let client = args.client_ip.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        Transaction {
            id: TransactionId::new(),
            time,
            session: Session {
                listener: self.listener.name.clone(),
                flow: self.listener.direction.flow(),
                transport: Transport::Smtp,
                client: Some(SocketAddr::new(client, 0)),
                helo: Some(args.helo.clone().unwrap_or_else(|| "localhost".to_owned())),
                tls: None,
                user: args.auth_user.clone(),
            },
            account: None,
            reverse_path: (args.mail_from.clone())
                .unwrap_or_else(|| envelope::reverse_path(message)),
            recipients: Vec::new(),
        }
    }

    fn recipients(&self, message: &Message) -> Vec<Address> {
        if !self.args.rcpt_to.is_empty() {
            return self.args.rcpt_to.clone();
        }
        let inbound = self.listener.direction == Direction::Inbound;
        envelope::recipients(message, self.dry_run.ownership(), inbound)
    }
}

/// Reads the directory in the store. Returns an empty one if there is none, or if it cannot be
/// read.
pub(crate) async fn read_directory(config: &Config) -> View {
    let settings = config.directory.settings(&config.relay.store);
    let read = tokio::task::spawn_blocking(move || View::read(&settings)).await;
    let error = match read {
        Ok(Ok(view)) => return view.unwrap_or_else(View::empty),
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    output::complain(format!(
        "gatepost: judging without the directory, its accounts receive nothing: {error}"
    ));
    View::empty()
}

/// Returns the listener of this name; without a name the first inbound one, else the first.
pub(crate) fn find_listener<'a>(
    config: &'a Config,
    name: Option<&str>,
) -> miette::Result<&'a Listener> {
    let found = match name {
        Some(name) => config.listener(name),
        None => config
            .listeners
            .iter()
            .find(|listener| listener.direction == Direction::Inbound)
            .or(config.listeners.first()),
    };
    found.ok_or_else(|| {
        let known: Vec<_> = config.listeners.iter().map(|l| l.name.as_str()).collect();
        miette!(
            help = format!("it has {}", known.join(", ")),
            "the configuration has no listener \"{}\"",
            name.unwrap_or_default()
        )
    })
}
