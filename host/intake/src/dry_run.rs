//! A relay without sockets and stores: a message goes the way of a live one, to the end of data and
//! to its route, but nothing is queued and nothing is sent.
//!
//! A client in memory says the message's commands to a session of the relay, whose limits and rules
//! hold; each question of that session is answered by the same
//! [`evaluation`] as in the running relay. Then the route is asked for
//! each recipient that would be queued. The time is that of the transaction. Effects of accepted
//! messages are kept as long as the dry run lasts.

mod ahead;
mod client;
mod memory;

use std::sync::Arc;

use gatepost_authentication::Facts;
use gatepost_directory::View;
use gatepost_message::{Address, Message};
use gatepost_model::{Flow, Queued, Routing, Transaction};
use gatepost_policy::{Chain, Engine, Findings, Memory, Pinned};
use gatepost_record::{ChainRecorder, RecordedEnd, RecordedEntry, watching};
use gatepost_reports::MailReport;
use gatepost_smtp::Reply;
use gatepost_smtp::server::{Ask, protocol};
use miette::IntoDiagnostic as _;

use self::ahead::Assistants;
pub use self::ahead::JudgedAhead;
use self::client::{Client, Heard};
use self::memory::DryRunMemory;
use crate::integrity;
use crate::look_ups::AccountView;
use crate::message_authentication::MessageAuthentication;
use crate::ownership::Ownership;
use crate::pipeline::connection::Connection;
use crate::pipeline::evaluation::{self, Evaluated, Evaluation};
use crate::pipeline::judge::{Arrival, Disposition, Judged, RecipientDisposition};
use crate::pipeline::local_error;
use crate::returns;
use gatepost_config::Config;
use gatepost_policy_set::Policies;

/// A relay's configuration and policies, without its effects.
pub struct DryRun {
    config: Arc<Config>,
    directory: Arc<View>,
    policies: Arc<Policies>,
    memory: Arc<DryRunMemory>,
    authentication: MessageAuthentication,
    assistants: Assistants,
}

/// A message up to the reply to its data, before anything of it is remembered.
struct DecidedMessage {
    evaluated: Evaluated,
    refused: Vec<(Address, Reply)>,
    reply: Reply,
    report: Option<MailReport>,
}

/// A message as a client submits it.
#[derive(Debug, Clone)]
pub struct DryRunMessage {
    /// Session, time and reverse-path; no account and no recipients yet. The session names the
    /// listener whose chain is asked.
    pub transaction: Transaction,
    /// Recipients of RCPT, in order.
    pub recipients: Vec<Address>,
    /// Message of DATA.
    pub message: Message,
    /// Refusals of the envelope that stand in the store of a relay.
    pub refusals: StoredRefusals,
}

/// Refusals that follow from the store of a relay, and that a dry run cannot know by itself: of caps
/// and of the suppression list.
#[derive(Debug, Clone, Default)]
pub struct StoredRefusals {
    /// Reply to MAIL.
    pub sender: Option<Reply>,
    /// Replies to RCPT.
    pub recipients: Vec<(Address, Reply)>,
}

impl StoredRefusals {
    fn of_recipient(&self, address: &Address) -> Option<Reply> {
        let mut recipients = self.recipients.iter();
        let found = recipients.find(|(refused, _)| refused == address);
        found.map(|(_, reply)| reply.clone())
    }
}

/// Result that the message would have.
#[derive(Debug)]
pub struct DryRunResult {
    /// Transaction with its account and the recipients that RCPT accepted.
    pub transaction: Transaction,
    /// Recipients that RCPT refused, with the reply.
    pub refused: Vec<(Address, Reply)>,
    /// Disposition of the rest; refused as well where it did not come to the end of data.
    pub disposition: Disposition,
    /// Last reply to the client.
    pub reply: Reply,
    /// Message as it would be queued.
    pub message: Message,
    /// Authentication facts that were gathered.
    pub facts: Option<Arc<Facts>>,
    /// Route of each recipient that would get it.
    pub routes: Vec<(Address, Routing)>,
    /// Findings of the policies.
    pub findings: Findings,
    /// Report on another message, if the message is one.
    pub report: Option<MailReport>,
}

impl DryRun {
    /// Loads the policies.
    ///
    /// # Errors
    /// One of them cannot be used, or the resolver cannot start.
    pub async fn new(
        engine: Arc<Engine>,
        config: Config,
        directory: Arc<View>,
    ) -> miette::Result<Self> {
        let policies = Arc::new(Policies::load(engine, &config).await?);
        Self::with(policies, config, directory)
    }

    /// Judges by policies that are loaded already.
    ///
    /// # Errors
    /// The resolver cannot start.
    pub fn with(
        policies: Arc<Policies>,
        config: Config,
        directory: Arc<View>,
    ) -> miette::Result<Self> {
        Ok(Self {
            policies,
            memory: Arc::default(),
            authentication: MessageAuthentication::new(&config).into_diagnostic()?,
            config: Arc::new(config),
            directory,
            assistants: Assistants::default(),
        })
    }

    /// Returns true if policies wanted more remembered than a dry run has room for.
    pub fn dropped_effects(&self) -> bool {
        self.memory.is_full()
    }

    /// Returns the configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Returns the ownership by configuration and directory.
    pub fn ownership(&self) -> Ownership<'_> {
        Ownership {
            config: &self.config,
            directory: &self.directory,
        }
    }

    /// Returns the policies' look-ups about accounts.
    pub fn accounts(&self) -> AccountView {
        AccountView {
            config: Arc::clone(&self.config),
            directory: Arc::clone(&self.directory),
        }
    }

    /// Judges one message.
    pub async fn judge(&self, submitted: DryRunMessage) -> DryRunResult {
        let chain = self.policies.chain(&submitted.transaction.session.listener);
        let memory = self.memory.clone();
        let decided = self.decide(&chain, memory, None, submitted).await;
        self.conclude(decided).await
    }

    /// Judges one message, and returns what the policies were asked: the transaction, and the first
    /// attempt at each recipient. Nothing is remembered of it.
    pub async fn record(&self, submitted: DryRunMessage) -> Vec<RecordedEntry> {
        let recorder = Arc::new(ChainRecorder::default());
        let chain = self.policies.chain(&submitted.transaction.session.listener);
        let memory = self.memory.clone();
        let decided = self.decide(&chain, memory, Some(&recorder), submitted);
        let DecidedMessage {
            evaluated, reply, ..
        } = decided.await;
        let Evaluated {
            transaction,
            policies,
            judged,
            ..
        } = evaluated;
        let end = RecordedEnd {
            transaction: transaction.clone(),
            refused_by_relay: judged.refused_by_relay,
            verdict: judged.disposition.word(),
            reply: Some(reply),
        };
        let mut recorded: Vec<_> = recorder.transaction(end).into_iter().collect();
        let mut findings = judged.findings;
        let queued = self.queued(&transaction, &judged.message, &findings);
        let routes = routes(
            &policies,
            &transaction,
            &judged.disposition,
            &queued,
            &mut findings,
            || recorded.extend(recorder.attempt()),
        );
        routes.await;
        recorded
    }

    /// Judges a message by a chain with a memory, up to the reply to its data.
    async fn decide(
        &self,
        chain: &Chain,
        memory: Arc<dyn Memory>,
        recorder: Option<&Arc<ChainRecorder>>,
        submitted: DryRunMessage,
    ) -> DecidedMessage {
        let DryRunMessage {
            transaction,
            recipients,
            message,
            refusals,
        } = submitted;
        let policies = chain
            .begin(self.accounts().policy_context(memory))
            .within(self.config.limits.sizes());
        let policies = match recorder {
            Some(recorder) => policies.watched_by(watching(recorder)),
            None => policies,
        };
        let (session, time) = (&transaction.session, transaction.time);
        let mut connection = Connection::new(&self.config);
        let refusal = connection.ask(&self.config, &policies, session, time).await;
        let mut client = Client::connect(self.config.limits.session(self.config.repair));
        let mut evaluation = Evaluation::begin(policies, transaction, &connection);
        let mut refused = Vec::new();
        let envelope = match client.greet(refusal) {
            Ok(()) => {
                let envelope = (&*recipients, &refusals);
                self.envelope(&mut client, &mut evaluation, envelope, &mut refused)
                    .await
            }
            Err(banner) => Err(banner),
        };
        let report = read_report(&message, evaluation.transaction());
        if let Some(report) = &report {
            evaluation.tag(returns::kind_tag(report.kind));
        }
        let (evaluated, reply) = match envelope {
            Ok(smtputf8) => {
                let evaluated = self.data(&mut client, evaluation, message, smtputf8).await;
                let reply = evaluated.judged.reply(&evaluated.transaction);
                (evaluated, reply)
            }
            Err(reply) => (evaluation.refused(reply.clone(), message), reply),
        };
        DecidedMessage {
            evaluated,
            refused,
            reply,
            report,
        }
    }

    /// Remembers the effects of a message, and asks for its routes.
    async fn conclude(&self, decided: DecidedMessage) -> DryRunResult {
        let DecidedMessage {
            evaluated,
            refused,
            reply,
            report,
        } = decided;
        let Evaluated {
            transaction,
            policies,
            judged,
            ..
        } = evaluated;
        let Judged {
            disposition,
            message,
            facts,
            mut findings,
            ..
        } = judged;
        if !matches!(disposition, Disposition::Refused(_)) {
            self.memory.remember(&findings.effects, transaction.time);
        }
        let queued = self.queued(&transaction, &message, &findings);
        let routes = routes(
            &policies,
            &transaction,
            &disposition,
            &queued,
            &mut findings,
            || {},
        );
        let routes = routes.await;
        DryRunResult {
            transaction,
            refused,
            disposition,
            reply,
            message,
            facts,
            routes,
            findings,
            report,
        }
    }

    /// Returns the message as its first attempt would find it in the queue.
    fn queued(
        &self,
        transaction: &Transaction,
        message: &Message,
        findings: &Findings,
    ) -> Arc<Queued> {
        let accepted = transaction.time;
        Arc::new(Queued {
            attempt_time: accepted,
            accepted,
            expires: accepted + self.config.delivery.expiry,
            message: message.clone(),
            tags: findings.tags.clone(),
            class: findings.classification.map(|of| of.class),
            metadata: Vec::new(),
            last_reply: None,
            steps_tried: Vec::new(),
        })
    }

    /// Says MAIL and each RCPT. Returns true if the client announced SMTPUTF8.
    ///
    /// # Errors
    /// The reply after which nothing is left to send: that to MAIL, or to the first recipient where
    /// all are refused.
    async fn envelope(
        &self,
        client: &mut Client,
        evaluation: &mut Evaluation,
        (recipients, refusals): (&[Address], &StoredRefusals),
        refused: &mut Vec<(Address, Reply)>,
    ) -> Result<bool, Reply> {
        let reverse_path = evaluation.transaction().reverse_path.clone();
        let mut addresses = reverse_path.address().into_iter().chain(recipients);
        let smtputf8 = !addresses.all(Address::is_ascii);
        let heard = client.mail(&reverse_path, smtputf8);
        if let Some(reply) = self.answer(client, evaluation, heard, refusals).await {
            return Err(reply);
        }
        for address in recipients {
            let heard = client.recipient(address);
            if let Some(reply) = self.answer(client, evaluation, heard, refusals).await {
                refused.push((address.clone(), reply));
            }
        }
        match (
            evaluation.transaction().recipients.is_empty(),
            refused.first(),
        ) {
            (true, Some((_, reply))) => Err(reply.clone()),
            _ => Ok(smtputf8),
        }
    }

    /// Answers the session's question about MAIL or RCPT. Returns the reply that refuses the
    /// command, of the relay or of the session itself.
    async fn answer(
        &self,
        client: &mut Client,
        evaluation: &mut Evaluation,
        heard: Heard,
        refusals: &StoredRefusals,
    ) -> Option<Reply> {
        let ownership = self.ownership();
        let refusal = match heard {
            Heard::Ask(Ask::Mail(_)) => match &refusals.sender {
                Some(reply) => Some(reply.clone()),
                None => evaluation.sender(ownership).await,
            },
            Heard::Ask(Ask::Recipient(recipient)) => {
                match refusals.of_recipient(&recipient.address) {
                    Some(reply) => Some(reply),
                    None => evaluation.recipient(ownership, &recipient.address).await,
                }
            }
            Heard::Reply(reply) => return reply.is_negative().then_some(reply),
            Heard::Ask(_) | Heard::Silence => None,
        };
        client.answer(refusal.clone());
        refusal
    }

    /// Sends the message by DATA, and judges it as it passed the session.
    async fn data(
        &self,
        client: &mut Client,
        evaluation: Evaluation,
        message: Message,
        smtputf8: bool,
    ) -> Evaluated {
        let octets = match message.to_bytes() {
            Ok(octets) => octets,
            Err(error) => {
                tracing::error!(%error, "the body of a message cannot be read");
                return evaluation.refused(local_error(), message);
            }
        };
        let received = match client.data(&octets) {
            Ok(received) => received,
            Err(reply) => return evaluation.refused(reply, message),
        };
        let session = &evaluation.transaction().session;
        let arrival = Arrival {
            authentication: &self.authentication,
            gather: !self.config.dns.servers.is_empty(),
            ownership: self.ownership(),
            protocol: protocol(smtputf8, session.tls.is_some(), session.user.is_some()),
            repairs: received.repairs.as_deref(),
            // Only the store of a relay could tell.
            answered: None,
        };
        evaluation.message(received.message, arrival).await
    }
}

/// Reads a message that comes in as a report.
fn read_report(message: &Message, transaction: &Transaction) -> Option<MailReport> {
    let octets = integrity::beginning(message)?;
    gatepost_reports::read(&octets, transaction.reverse_path.is_null())
        .filter(|_| transaction.session.flow == Flow::Inbound)
}

/// Asks for the routes of all recipients that would get the message; calls `asked` after each.
async fn routes(
    policies: &Pinned,
    transaction: &Transaction,
    disposition: &Disposition,
    queued: &Arc<Queued>,
    findings: &mut Findings,
    mut asked: impl FnMut(),
) -> Vec<(Address, Routing)> {
    let Disposition::Accepted { recipients, .. } = disposition else {
        return Vec::new();
    };
    let mut routes = Vec::new();
    for (address, disposition) in recipients {
        if *disposition != RecipientDisposition::Delivered {
            continue;
        }
        let ruling = evaluation::route(policies, transaction, address, 0, queued).await;
        asked();
        findings.judgements.extend(ruling.judgements);
        routes.push((address.clone(), ruling.routing));
    }
    routes
}
