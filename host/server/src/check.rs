//! `gatepost check`: stored messages on the way of live ones, to the end of data and to the
//! question of their route, but without effect: nothing is queued and nothing is sent.
//!
//! A file holds one message. Bare LF are read as CRLF, and an mbox `From ` line in front is
//! skipped. The envelope is what the command line says; what it leaves out is taken from the
//! message:
//!
//! - The reverse-path is that of the Return-Path field, which a final delivery leaves
//!   (RFC 5321 section 4.4; `<>` is the null sender), else the first address of From, else null.
//! - The recipient is that of Delivered-To, else of X-Original-To, else those of To. An inbound
//!   listener takes mail for its accounts' domains only, so others are left out there. Where none
//!   is left it is the postmaster of the first domain of an account, or of the relay. A
//!   Delivered-To field that gave the recipient is the mark of the delivery that stored the
//!   message, and is taken off.
//!
//! The same functions judge as in the running relay: the session's limits and its rules for line
//! ends hold, all hooks from connect to message are asked ([`crate::pipeline`]), then the route
//! for each recipient that would be queued. Neither store is opened. What policies want remembered
//! of an accepted message is remembered for the rest of the run, so that the same file given twice
//! shows what a loop would meet.

mod envelope;
mod memory;
mod report;
mod wire;

use std::collections::HashSet;
use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use gatepost_directory::View;
use gatepost_message::{Message, Millis, TransactionId};
use gatepost_policy::{Chain, Engine, EngineSettings, Routing, Session, Transaction};
use gatepost_smtp::{Reply, server};
use miette::{IntoDiagnostic as _, WrapErr as _, miette};

use self::memory::RunMemory;
use self::report::{RecipientReport, Report};
use crate::cli::CheckArgs;
use crate::config::{Config, Direction, Listener};
use crate::look_ups::Accounts;
use crate::origin::Origin;
use crate::ownership::Ownership;
use crate::pipeline::judge::{Arrival, Fate, Judged, Lot, judge};
use crate::pipeline::{Findings, admission};
use crate::policies::Policies;
use crate::{eml, host_rules};

/// Judges stored messages.
///
/// # Errors
/// The configuration or the policies cannot be used, or the results cannot be written. A message
/// that cannot be read is told on standard error and leaves the exit code at 1, after all others
/// have been judged.
pub async fn run(args: CheckArgs) -> miette::Result<ExitCode> {
    let check = Check::new(args).await?;
    let mut written = HashSet::new();
    let mut code = ExitCode::SUCCESS;
    for file in &check.args.files {
        let message = match read(file).await {
            Ok(message) => message,
            Err(error) => {
                eprintln!("gatepost: cannot read {}: {error}", file.display());
                code = ExitCode::from(1);
                continue;
            }
        };
        let (report, message) = check.judge(file, message).await;
        report.print(check.args.json)?;
        if let (Some(directory), Some(message)) = (&check.args.output, message) {
            let path = place(directory, file, &mut written);
            check.spare(&path)?;
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
    std::io::stdin().lock().read_to_end(&mut stored)?;
    Ok(Message::from_stored(&stored))
}

/// Where a message is written: under the name of its file. Files of the same name from several
/// directories are told apart by a number.
fn place(directory: &Path, file: &Path, written: &mut HashSet<PathBuf>) -> PathBuf {
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

/// What all messages of a run are judged by.
struct Check {
    args: CheckArgs,
    config: Arc<Config>,
    directory: Arc<View>,
    listener: Listener,
    chain: Chain,
    memory: Arc<RunMemory>,
    origin: Origin,
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
        let listener = listener(&config, args.listener.as_deref())?.clone();
        let directory = match args.config {
            Some(_) => directory(&config).await,
            None => View::empty(),
        };
        let engine = Engine::new(EngineSettings::default()).into_diagnostic()?;
        let policies = Policies::load(engine, &config).await?;
        Ok(Self {
            chain: policies.chain(&listener.name),
            memory: Arc::default(),
            origin: Origin::new(&config).into_diagnostic()?,
            args,
            config: Arc::new(config),
            directory: Arc::new(directory),
            listener,
        })
    }

    /// Refuses to write over one of the messages to be judged, under whatever name.
    fn spare(&self, path: &Path) -> miette::Result<()> {
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

    /// Judges one message; gives it back as it would be queued, if it would be.
    async fn judge(&self, file: &Path, message: Message) -> (Report, Option<Message>) {
        let accounts = Accounts {
            config: Arc::clone(&self.config),
            directory: Arc::clone(&self.directory),
        };
        let user = self.args.auth_user.as_deref();
        let sasl = user.map(|user| accounts.sasl(user));
        let policies = self.chain.begin(accounts.and(self.memory.clone()));
        let mut transaction = self.transaction(&message);
        let mut report = Report::new(file);
        let mut findings = Findings::default();

        let admission = admission::connect(&policies, &transaction.session, transaction.time).await;
        if let Some(reply) = findings.take(admission, None) {
            let reply = wire::banner(&reply).unwrap_or(reply);
            return (report.refused(reply, findings), None);
        }
        let admission = admission::sender(self.ownership(), &policies, &mut transaction).await;
        if let Some(reply) = findings.take(admission, transaction.account.as_deref()) {
            return (report.refused(reply, findings), None);
        }
        let most = self.config.limits.recipients;
        let mut accepted = 0;
        for address in self.recipients(&message) {
            let refusal = if accepted < most {
                let admission =
                    admission::recipient(self.ownership(), &policies, &mut transaction, &address)
                        .await;
                findings.take(admission, transaction.account.as_deref())
            } else {
                let text = format!("Too many recipients: at most {most}");
                Some(Reply::new(452, "4.5.3", text))
            };
            match refusal {
                None => accepted += 1,
                Some(reply) => {
                    report
                        .recipients
                        .push(RecipientReport::refused(address, &reply));
                    report.reply.get_or_insert(reply);
                }
            }
        }
        if transaction.recipients.is_empty() {
            let none = Reply::new(554, "5.5.1", "No valid recipients");
            let reply = report.reply.take().unwrap_or(none);
            return (report.refused(reply, findings), None);
        }

        let message = if self.args.rcpt_to.is_empty() {
            envelope::undelivered(message, &transaction.recipients)
        } else {
            message
        };
        let arrival = Arrival {
            origin: &self.origin,
            gather: !self.config.dns.servers.is_empty(),
            ownership: self.ownership(),
            protocol: server::protocol(
                envelope::is_international(&transaction),
                false,
                transaction.session.user.is_some(),
            ),
        };
        let judged = match self.refusal(&message) {
            Some(reply) => Judged {
                fate: Fate::Refused(reply),
                message,
                facts: None,
                findings,
            },
            None => judge(&policies, &transaction, message, arrival, findings).await,
        };
        report.reply = Some(judged.fate.reply(transaction.id));
        report.verdict = judged.fate.word();
        report.authentication = judged.facts.map(|facts| facts.summary(sasl));
        let mut findings = judged.findings;
        if !matches!(judged.fate, Fate::Refused(_)) {
            self.memory.remember(&findings.effects, transaction.time);
        }
        let Fate::Kept {
            recipients,
            quarantine,
        } = judged.fate
        else {
            for address in &transaction.recipients {
                report.recipients.push(report.as_whole(address));
            }
            return (report.found(findings), None);
        };
        for (address, lot) in recipients {
            let mut recipient = RecipientReport::kept(&address, &lot, quarantine.as_deref());
            if lot == Lot::Delivered {
                let routing = if host_rules::may_be_routed(&transaction) {
                    let ruling = policies.route(&transaction, &address, 0).await;
                    findings.judgements.extend(ruling.judgements);
                    ruling.routing
                } else {
                    Routing::Pass
                };
                recipient.route = Some(routing.into());
            }
            report.recipients.push(recipient);
        }
        (report.found(findings), Some(judged.message))
    }

    fn ownership(&self) -> Ownership<'_> {
        Ownership {
            config: &self.config,
            directory: &self.directory,
        }
    }

    /// Why the message would not reach the policies, if so.
    fn refusal(&self, message: &Message) -> Option<Reply> {
        // It was read from memory, so it can be read again.
        let octets = message.to_bytes().ok()?;
        wire::refusal(&octets, self.config.limits.session())
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
                client: SocketAddr::new(client, 0),
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

    fn recipients(&self, message: &Message) -> Vec<gatepost_message::Address> {
        if !self.args.rcpt_to.is_empty() {
            return self.args.rcpt_to.clone();
        }
        let inbound = self.listener.direction == Direction::Inbound;
        envelope::recipients(message, self.ownership(), inbound)
    }
}

/// The directory in the store, if there is one that may be read.
async fn directory(config: &Config) -> View {
    let settings = config.directory.settings(&config.relay.store);
    let read = tokio::task::spawn_blocking(move || View::read(&settings)).await;
    let error = match read {
        Ok(Ok(view)) => return view.unwrap_or_else(View::empty),
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    eprintln!("gatepost: judging without the directory, its accounts receive nothing: {error}");
    View::empty()
}

/// The listener of this name; the first inbound one where none is named, else the first.
fn listener<'a>(config: &'a Config, name: Option<&str>) -> miette::Result<&'a Listener> {
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
