//! One client's questions, as its session puts them, and the answers.

use std::net::SocketAddr;
use std::sync::Arc;

use gatepost_message::{Millis, Repairs, TransactionId};
use gatepost_model::{Judgement, Session, Transaction};
use gatepost_policy::Pinned;
use gatepost_sasl::Claim;
use gatepost_smtp::Reply;
use gatepost_smtp::dsn::Recipient;
use gatepost_smtp::server::{self, Answer, Ask, Attribute, Attributes, Mail};
use gatepost_trace::Kind;
use tracing::Instrument as _;

use super::admission::Admission;
use super::commit::{Requests, commit};
use super::intake::Intake;
use super::judge::{Arrival, judge};
use super::{Findings, Pipeline, admission, none_yet, with_id};
use crate::integrity;
use crate::live::Entrance;
use crate::log_ins::LogIn;
use gatepost_observability::spans::{SessionSpan, TransactionSpan};

/// Answers one client.
pub struct Dialogue {
    /// As it was when the session or its last transaction began.
    pipeline: Arc<Pipeline>,
    entrance: Entrance,
    client: SocketAddr,
    /// The last that was made, be it still the session's or not.
    log_in: Option<LogIn>,
    /// What was said of the connection: it goes with each of its transactions.
    connection: Findings,
    /// What policies wanted remembered of the connection has gone with a message of it.
    connection_remembered: bool,
    /// The transaction in hand. Boxed, so that a client without one costs little.
    open: Option<Box<Open>>,
    /// Where the session is in the sample of those that are exported.
    exported: Option<Box<SessionSpan>>,
}

/// A transaction in hand.
struct Open {
    transaction: Transaction,
    requests: Requests,
    /// What it is judged by to its end.
    policies: Pinned,
    findings: Findings,
    intake: Option<Intake>,
    span: tracing::Span,
    /// Where the message is in the sample of those that are exported.
    exported: Option<TransactionSpan>,
}

impl Dialogue {
    /// With a client that has just connected from this address.
    pub fn new(pipeline: Arc<Pipeline>, entrance: Entrance, client: SocketAddr) -> Self {
        Self {
            exported: pipeline.spans.session(),
            connection: none_yet(&pipeline.config),
            pipeline,
            entrance,
            client,
            log_in: None,
            connection_remembered: false,
            open: None,
        }
    }

    /// Answers what the session asks.
    pub async fn answer(&mut self, ask: Ask, session: &server::Session) -> Answer {
        match ask {
            Ask::Connect => self.connect(session).await,
            Ask::Verifier(user) => self.verifier(&user, session),
            Ask::Authenticate(claim) => self.authenticate(claim, session).await,
            Ask::Proxied(said) => self.proxied(&said),
            Ask::Mail(mail) => self.mail(mail, session).await,
            Ask::Recipient(recipient) => self.recipient(recipient).await,
            Ask::Message { size, repairs, .. } => {
                Answer::Reply(self.message(size, repairs, session).await)
            }
        }
    }

    async fn connect(&mut self, session: &server::Session) -> Answer {
        // Whom XCLIENT puts in the place of another starts afresh.
        self.connection = none_yet(&self.pipeline.config);
        self.connection_remembered = false;
        let policies = self.pipeline.policies();
        let admission = admission::connect(&policies, &self.facts(session), Millis::now()).await;
        if let Some(exported) = &self.exported {
            exported.calls(&admission.judgements);
        }
        match admission.noted(&mut self.connection, None) {
            None => Answer::Proceed,
            Some(reply) => {
                tracing::info!(%reply, "client refused");
                // The session makes it the banner, with one of the two codes that a banner can have.
                Answer::Reply(reply)
            }
        }
    }

    /// By what a proof of this user is checked.
    fn verifier(&mut self, user: &str, session: &server::Session) -> Answer {
        self.pipeline = self.entrance.pipeline(&self.pipeline);
        let Pipeline {
            log_ins, directory, ..
        } = &*self.pipeline;
        match log_ins.verifier(&directory.view(), self.client(session).ip(), user) {
            Ok(verifier) => Answer::Verifier(verifier),
            Err(reply) => Answer::Reply(reply),
        }
    }

    async fn authenticate(&mut self, claim: Claim, session: &server::Session) -> Answer {
        self.pipeline = self.entrance.pipeline(&self.pipeline);
        let from = self.client(session).ip();
        let Pipeline {
            log_ins,
            directory,
            flow,
            ..
        } = &*self.pipeline;
        match log_ins.log_in(directory, *flow, from, claim).await {
            Ok(log_in) => {
                self.log_in = Some(log_in);
                Answer::Proceed
            }
            Err(reply) => Answer::Reply(reply),
        }
    }

    /// The log-in of the session, if it has one.
    fn log_in(&self, session: &server::Session) -> Option<&LogIn> {
        let log_in = self.log_in.as_ref()?;
        (session.user() == Some(log_in.given())).then_some(log_in)
    }

    /// Whether the session has a log-in that holds no more.
    pub fn is_revoked(&self, session: &server::Session) -> bool {
        self.log_in(session).is_some_and(|log_in| {
            let now = self.entrance.pipeline(&self.pipeline);
            !now.log_ins.hold(&now.directory.view(), log_in)
        })
    }

    /// A trusted client speaks for another. It is believed in all but one thing: a user must be one
    /// of ours, who may log in on this listener.
    fn proxied(&mut self, said: &Attributes) -> Answer {
        self.pipeline = self.entrance.pipeline(&self.pipeline);
        if let Some(user) = said.value(Attribute::Login) {
            let Pipeline {
                log_ins,
                directory,
                flow,
                ..
            } = &*self.pipeline;
            let Some(found) = log_ins.trust(directory, *flow, user) else {
                return Answer::Reply(Reply::new(535, "5.7.8", "This user is not known here"));
            };
            self.log_in = Some(found);
        }
        tracing::info!(proxied = %said, "the client speaks for another");
        Answer::Proceed
    }

    async fn mail(&mut self, mail: Mail, session: &server::Session) -> Answer {
        self.pipeline = self.entrance.pipeline(&self.pipeline);
        let id = TransactionId::new();
        let span = tracing::error_span!("transaction", %id);
        let exported = self.pipeline.spans.message(id);
        let exported = exported.map(|trace| trace.transaction(self.exported.as_deref_mut()));
        let policies = self.pipeline.policies();
        let unwelcome = self
            .connect_anew(&policies, session, exported.as_ref())
            .instrument(span.clone())
            .await;
        let mut open = Box::new(Open {
            transaction: Transaction {
                id,
                time: Millis::now(),
                session: self.facts(session),
                account: None,
                reverse_path: mail.reverse_path,
                recipients: Vec::new(),
            },
            requests: Requests {
                smtputf8: mail.smtputf8,
                message: mail.dsn,
                recipients: Vec::new(),
            },
            policies,
            findings: self.connection.clone(),
            intake: None,
            span: span.clone(),
            exported,
        });
        self.pipeline.record(
            id,
            Kind::Begun {
                session: open.transaction.session.clone(),
            },
        );
        for judgement in &self.connection.judgements {
            let judgement = judgement.clone();
            self.pipeline.record(id, Kind::Judged { judgement });
        }
        let refusal = match self.pipeline.spool.room() {
            _ if unwelcome.is_some() => unwelcome,
            Err(error) => Some(super::spool_refusal(&error)),
            Ok(()) => {
                let directory = self.pipeline.directory.view();
                let ownership = self.pipeline.ownership(&directory);
                let sender = admission::sender(ownership, &open.policies, &mut open.transaction);
                let admission = sender.instrument(span.clone()).await;
                open.note(&self.pipeline, admission)
            }
        };
        let reply = match refusal {
            Some(reply) => with_id(reply, id),
            None => Reply::new(250, "2.1.0", format!("Ok, transaction {id}")),
        };
        span.in_scope(|| match reply.is_positive() {
            true => {
                tracing::debug!(from = %open.transaction.reverse_path, "begun");
                if let Some(forwarded) = session.forwarded() {
                    tracing::info!(%forwarded, "passed on for another");
                }
            }
            false => {
                tracing::info!(from = %open.transaction.reverse_path, %reply, "sender refused");
            }
        });
        self.pipeline.record(
            id,
            Kind::Sender {
                reverse_path: open.transaction.reverse_path.clone(),
                reply: reply.clone(),
            },
        );
        if reply.is_positive() {
            self.open = Some(open);
        } else {
            let verdict = refused(&reply);
            self.pipeline.count(verdict);
            if let Some(exported) = open.exported() {
                exported.replied(verdict, &reply, 0);
            }
        }
        Answer::Reply(reply)
    }

    /// Asks the connect hooks anew where a version that was asked is no longer in use, so that one
    /// transaction is judged by one version of each policy. All that was said of the connection
    /// before is dropped; gives the refusal, if it is one now.
    async fn connect_anew(
        &mut self,
        policies: &Pinned,
        session: &server::Session,
        exported: Option<&TransactionSpan>,
    ) -> Option<Reply> {
        let holds = |judgement: &Judgement| {
            let mut versions = policies.versions().iter();
            let in_use = versions.any(|version| {
                version.name() == judgement.policy && version.digest() == judgement.digest
            });
            // A refusal made here is for one transaction: the next asks again.
            in_use && !judgement.verdict.stops_chain()
        };
        if self.connection.judgements.iter().all(holds) {
            return None;
        }
        let admission = admission::connect(policies, &self.facts(session), Millis::now()).await;
        if let Some(exported) = exported {
            exported.calls(&admission.judgements);
        }
        self.connection = none_yet(&self.pipeline.config);
        let refusal = admission.noted(&mut self.connection, None);
        if self.connection_remembered {
            self.connection.effects.clear();
        }
        refusal
    }

    async fn recipient(&mut self, Recipient { address, dsn }: Recipient) -> Answer {
        let Some(open) = &mut self.open else {
            return Answer::Reply(out_of_order());
        };
        let id = open.transaction.id;
        let span = open.span.clone();
        let directory = self.pipeline.directory.view();
        let ownership = self.pipeline.ownership(&directory);
        let recipient =
            admission::recipient(ownership, &open.policies, &mut open.transaction, &address);
        let admission = recipient.instrument(span.clone()).await;
        let refusal = open.note(&self.pipeline, admission);
        // One that was named before keeps what was asked for first.
        if open.requests.recipients.len() < open.transaction.recipients.len() {
            open.requests.recipients.push(dsn);
        }
        let reply = match refusal {
            None => Reply::new(250, "2.1.5", "Recipient OK"),
            Some(reply) => {
                let reply = with_id(reply, id);
                span.in_scope(|| tracing::info!(to = %address, %reply, "recipient refused"));
                reply
            }
        };
        let answer = Answer::Reply(reply.clone());
        self.pipeline.record(id, Kind::Recipient { address, reply });
        answer
    }

    /// The octets of the message follow.
    pub fn data_started(&mut self) {
        if let Some(open) = &mut self.open {
            open.intake = Some(Intake::open(&*self.pipeline.spool, open.transaction.id));
        }
    }

    /// Some octets of the message.
    pub async fn data(&mut self, octets: &[u8]) {
        if let Some(Open {
            intake: Some(intake),
            ..
        }) = self.open.as_deref_mut()
        {
            intake.take(octets, &self.pipeline.writers).await;
        }
    }

    async fn message(
        &mut self,
        size: u64,
        repairs: Option<Box<Repairs>>,
        session: &server::Session,
    ) -> Reply {
        if self.is_revoked(session) {
            let reply = server::revoked();
            self.refuse(reply.clone(), size);
            return reply;
        }
        let Some(open) = self.open.take() else {
            return out_of_order();
        };
        let span = open.span.clone();
        let protocol = session.protocol(open.requests.smtputf8);
        let reply = self
            .judge_and_commit(*open, size, repairs.as_deref(), protocol)
            .instrument(span)
            .await;
        if reply.is_positive() {
            // Once is enough: the connection's effects have been applied.
            self.connection.effects.clear();
            self.connection_remembered = true;
        }
        reply
    }

    async fn judge_and_commit(
        &self,
        mut open: Open,
        size: u64,
        repairs: Option<&Repairs>,
        protocol: &str,
    ) -> Reply {
        let exported = open.exported();
        let Open {
            transaction,
            requests,
            policies,
            findings,
            intake,
            ..
        } = open;
        let id = transaction.id;
        let intake = intake.unwrap_or_else(|| Intake::open(&*self.pipeline.spool, id));
        let from = transaction.reverse_path.clone();
        let recipients = transaction.recipients.len();
        let (fate, reply) = match intake.finish(&self.pipeline.writers).await {
            Err(reply) => (None, with_id(reply, id)),
            Ok(staged) => {
                let directory = self.pipeline.directory.view();
                integrity::look(
                    &self.pipeline.trace,
                    self.pipeline.accounts(),
                    &transaction,
                    staged.message(),
                );
                let arrival = Arrival {
                    origin: &self.pipeline.origin,
                    gather: false,
                    ownership: self.pipeline.ownership(&directory),
                    protocol,
                    repairs,
                };
                let before = findings.judgements.len();
                let judged =
                    judge(&policies, &transaction, staged.message(), arrival, findings).await;
                if let Some(facts) = &judged.facts {
                    let sasl = self.pipeline.sasl(&transaction.session);
                    let authentication = Box::new(facts.summary(sasl));
                    self.pipeline
                        .record(id, Kind::Authenticated { authentication });
                }
                let judgements = &judged.findings.judgements[before..];
                if let Some(exported) = &exported {
                    exported.calls(judgements);
                }
                for judgement in judgements {
                    let judgement = judgement.clone();
                    self.pipeline.record(id, Kind::Judged { judgement });
                }
                let fate = judged.fate.word();
                let reply =
                    commit(&self.pipeline, transaction, requests, judged, staged.body).await;
                (Some(fate), reply)
            }
        };
        // Where the spool has failed no other fate came about.
        let taken = fate.filter(|_| reply.is_positive());
        let word = taken.unwrap_or_else(|| refused(&reply));
        tracing::info!(%from, recipients, size, verdict = word, %reply, "message answered");
        if let Some(exported) = exported {
            exported.replied(word, &reply, size);
        }
        self.replied(id, reply.clone(), size, word);
        reply
    }

    /// Counts a message that was answered, and puts it on record.
    fn replied(&self, id: TransactionId, reply: Reply, size: u64, verdict: &'static str) {
        self.pipeline.count(verdict);
        let listener = self.pipeline.listener.clone();
        metrics::counter!("gatepost_message_octets_total", "listener" => listener).increment(size);
        self.pipeline.record(id, Kind::Replied { reply, size });
    }

    /// The transaction in hand, if there is one.
    pub fn in_hand(&self) -> Option<TransactionId> {
        self.open.as_ref().map(|open| open.transaction.id)
    }

    /// The session itself refused the transaction in hand, after so many octets of its message.
    pub fn refuse(&mut self, reply: Reply, size: u64) {
        if let Some(mut open) = self.open.take() {
            let verdict = refused(&reply);
            if let Some(exported) = open.exported() {
                exported.replied(verdict, &reply, size);
            }
            open.span.in_scope(|| {
                let Transaction {
                    reverse_path: from,
                    recipients,
                    ..
                } = &open.transaction;
                let recipients = recipients.len();
                tracing::info!(%from, recipients, size, verdict, %reply, "message answered");
            });
            self.replied(open.transaction.id, reply, size, verdict);
        }
    }

    /// The transaction in hand, if there is one, was given up.
    pub fn abort(&mut self, reason: &str) {
        if let Some(mut open) = self.open.take() {
            open.span.in_scope(|| tracing::info!(reason, "aborted"));
            if let Some(exported) = open.exported() {
                exported.aborted(reason);
            }
            self.pipeline.count("aborted");
            self.pipeline.record(
                open.transaction.id,
                Kind::Aborted {
                    reason: reason.to_owned(),
                },
            );
        }
    }

    /// The connection has ended; `cut` says why, where the protocol was not over.
    pub fn end(mut self, session: &server::Session, cut: Option<&str>) {
        if let Some(exported) = self.exported.take() {
            exported.end(&self.facts(session), cut);
        }
    }

    fn facts(&self, session: &server::Session) -> Session {
        Session {
            listener: self.pipeline.listener.clone(),
            flow: self.pipeline.flow,
            client: self.client(session),
            helo: session.helo().map(str::to_owned),
            tls: session.tls().map(str::to_owned),
            user: self.log_in(session).map(|log_in| log_in.name().to_owned()),
        }
    }

    /// Whose session it is.
    fn client(&self, session: &server::Session) -> SocketAddr {
        let proxied = session.proxied();
        proxied.map_or(self.client, |said| said.client(self.client))
    }
}

impl Open {
    /// Its span, if it has one, with all that the client has said.
    fn exported(&mut self) -> Option<TransactionSpan> {
        let mut exported = self.exported.take()?;
        exported.describe(&self.transaction);
        Some(exported)
    }

    /// Puts on record what was said of a sender or a recipient, and gives the refusal, if it is
    /// one.
    fn note(&mut self, pipeline: &Pipeline, admission: Admission) -> Option<Reply> {
        if let Some(exported) = &self.exported {
            exported.calls(&admission.judgements);
        }
        for judgement in &admission.judgements {
            let judgement = judgement.clone();
            pipeline.record(self.transaction.id, Kind::Judged { judgement });
        }
        let account = self.transaction.account.as_deref();
        admission.noted(&mut self.findings, account)
    }
}

/// The word for a refusal in metrics, as [`Fate::word`](super::judge::Fate::word) has it.
fn refused(reply: &Reply) -> &'static str {
    if reply.is_permanent() {
        "reject"
    } else {
        "tempfail"
    }
}

/// The session lets no client come here; it would be a mistake of ours.
fn out_of_order() -> Reply {
    Reply::new(503, "5.5.1", "No transaction is in hand")
}
