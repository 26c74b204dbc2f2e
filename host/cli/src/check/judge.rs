//! The judge of stored messages: configuration, directory and chain of one run, and the envelope of
//! each message.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use gatepost_config::{Config, Direction, Listener, Policy};
use gatepost_directory::View;
use gatepost_intake::dry_run::{DryRun, DryRunMessage, DryRunResult, JudgedAhead, StoredRefusals};
use gatepost_message::{Address, Message, Millis, TransactionId, domain_to_ascii};
use gatepost_model::{Flow, Session, Transaction, Transport};
use gatepost_operations::submission::CheckSubmission;
use gatepost_policy_set::loading;
use miette::{IntoDiagnostic as _, miette};

use super::activated::other_versions;
use super::envelope;
use super::report::Report;
use crate::commands::{JudgeArgs, output};

/// Judge of stored messages, for all messages of a run.
pub(crate) struct MessageJudge {
    args: JudgeArgs,
    listener: Listener,
    dry_run: DryRun,
}

impl MessageJudge {
    /// Loads the chain.
    ///
    /// # Errors
    /// The configuration or the policies cannot be used.
    pub(crate) async fn new(args: JudgeArgs) -> miette::Result<Self> {
        Self::with(args, |_, _| Ok(())).await
    }

    /// Loads the chain of a configuration that is changed first. `change` is given the name of the
    /// listener, too.
    ///
    /// # Errors
    /// The configuration, its change or the policies cannot be used.
    pub(crate) async fn with(
        args: JudgeArgs,
        change: impl FnOnce(&mut Config, &str) -> miette::Result<()>,
    ) -> miette::Result<Self> {
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
        let listener = find_listener(&config, args.listener.as_deref())?.clone();
        let unchanged = config.policies.clone();
        change(&mut config, &listener.name)?;
        if args.config.is_some() {
            let chain = config.listener(&listener.name).map(|of| &of.chain);
            let names = chain.into_iter().flatten();
            let judging = names.filter_map(|name| {
                let find = |of: &&Policy| of.name == *name;
                let now = config.policies.iter().find(find)?;
                let before = unchanged.iter().find(find)?;
                // A module of the command line is meant to be another one.
                (now.file == before.file && now.builtin == before.builtin).then_some(now)
            });
            let judging: Vec<_> = judging.collect();
            for line in other_versions(&config, &judging).await {
                output::complain(line);
            }
        }
        let engine = loading::engine_of_command().into_diagnostic()?;
        Ok(Self {
            listener,
            dry_run: DryRun::new(engine, config, Arc::new(directory)).await?,
            args,
        })
    }

    /// Returns the name of the listener.
    pub(crate) fn listener(&self) -> &str {
        &self.listener.name
    }

    /// Returns true if policies wanted more remembered than a run has room for.
    pub(crate) fn dropped_effects(&self) -> bool {
        self.dry_run.dropped_effects()
    }

    /// Returns a message as a client would submit it.
    pub(crate) async fn submit(&self, message: Message) -> DryRunMessage {
        let recipients = self.recipients(&message);
        let transaction = self.transaction(&message);
        let message = if self.args.rcpt_to.is_empty() {
            envelope::without_delivery_mark(message, &recipients)
        } else {
            message
        };
        let refusals = self.stored_refusals(&transaction, &recipients).await;
        DryRunMessage {
            transaction,
            recipients,
            message,
            refusals,
        }
    }

    /// Judges one message.
    pub(crate) async fn judge(&self, message: DryRunMessage) -> DryRunResult {
        self.dry_run.judge(message).await
    }

    /// Judges one message before its turn, if that is possible.
    pub(super) async fn judge_ahead(&self, message: DryRunMessage) -> JudgedAhead {
        self.dry_run.judge_ahead(message).await
    }

    /// Finishes a message in its turn.
    pub(super) async fn finish(&self, message: JudgedAhead) -> DryRunResult {
        self.dry_run.finish(message).await
    }

    /// Makes the report on a message.
    pub(crate) fn report(&self, file: &Path, result: DryRunResult) -> Report {
        let user = self.args.auth_user.as_deref();
        let sasl = user.map(|user| self.dry_run.accounts().sasl(user));
        Report::new(file, result, sasl)
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
