//! Answers the questions of one client's SMTP session, and drives its transactions.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use gatepost_message::{Address, Millis, Repairs, ReversePath, TransactionId};
use gatepost_model::{Session, Transaction, Transport};
use gatepost_policy::Pinned;
use gatepost_record::RecordedConnect;
use gatepost_sasl::Claim;
use gatepost_smtp::Reply;
use gatepost_smtp::dsn::Recipient;
use gatepost_smtp::server::{self, Answer, Ask, Attribute, Attributes, Mail};
use gatepost_trace::Kind;
use gatepost_volume::InHand;
use tracing::Instrument as _;

use super::answered::Answered;
use super::commit::{DeliveryTimes, Requests, commit};
use super::connection::Connection;
use super::described::MOST_NAMED;
use super::evaluation::Evaluation;
use super::incoming_data::IncomingData;
use super::judge::Arrival;
use super::{Pipeline, described, probe, suppressed, volume, with_id};
use crate::active_config::ConfigHandle;
use crate::authenticator::{LogInRefusal, Login};
use crate::http_submission::{AcceptedMessage, AnsweredSubmission, HttpProgram};
use crate::incidents;
use crate::integrity;
use crate::recording::Recording;
use crate::returns;
use gatepost_observability::spans::{SessionSpan, TransactionSpan};

/// Driver of one client's transactions.
pub struct TransactionDriver {
    /// Pipeline as it was when the session or its last transaction began.
    pipeline: Arc<Pipeline>,
    config_handle: ConfigHandle,
    client: SocketAddr,
    /// Way by which the client speaks.
    transport: Transport,
    /// Most recent successful AUTH; may be stale after STARTTLS or XCLIENT.
    login: Option<Login>,
    /// Findings of the connect hooks.
    connection: Connection,
    /// Questions to the connect hooks, if they are recorded.
    recorded_connect: Option<RecordedConnect>,
    /// Transaction in progress. Boxed, so that a client without one costs little.
    open: Option<Box<OpenTransaction>>,
    /// Span of the session, if it is in the exported sample.
    exported: Option<Box<SessionSpan>>,
    /// Times of delivery that the client has set.
    times: DeliveryTimes,
    /// True if nothing is carried out of what is decided.
    is_dry_run: bool,
    /// Request of the program that hands in the next message over HTTP.
    request: Option<Box<AnsweredSubmission>>,
    /// Answer to that request, if its message was accepted.
    accepted: Option<AcceptedMessage>,
}

/// A transaction in progress.
struct OpenTransaction {
    evaluation: Evaluation,
    requests: Requests,
    /// Share of the caps that it takes, if it is a submission.
    in_hand: Option<InHand>,
    data: Option<IncomingData>,
    /// Recipients that the client has named, refused ones included, up to a bound.
    named: Vec<Address>,
    span: tracing::Span,
    /// Span of the message, if it is in the exported sample.
    exported: Option<TransactionSpan>,
    recording: Recording,
}

impl TransactionDriver {
    /// Returns the driver for a client that has just connected from this address.
    pub fn new(pipeline: Arc<Pipeline>, config_handle: ConfigHandle, client: SocketAddr) -> Self {
        Self {
            exported: pipeline.spans.session(),
            connection: Connection::new(&pipeline.config),
            recorded_connect: None,
            pipeline,
            config_handle,
            client,
            transport: Transport::Smtp,
            login: None,
            open: None,
            times: DeliveryTimes::default(),
            is_dry_run: false,
            request: None,
            accepted: None,
        }
    }

    /// Returns the driver for the relay itself, which has no address.
    pub fn inside(pipeline: Arc<Pipeline>, config_handle: ConfigHandle) -> Self {
        let nowhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        Self {
            transport: Transport::Own,
            ..Self::new(pipeline, config_handle, nowhere)
        }
    }

    /// Returns the driver for a program that hands mail in over HTTP from this address.
    pub(crate) fn over_http(
        pipeline: Arc<Pipeline>,
        config_handle: ConfigHandle,
        client: SocketAddr,
        program: &HttpProgram,
    ) -> Self {
        Self {
            transport: Transport::Http,
            login: Some(Login::of_program(program)),
            ..Self::new(pipeline, config_handle, client)
        }
    }

    /// Sets the times that hold for messages from now on, in place of those of the configuration.
    pub(crate) fn set_times(&mut self, times: DeliveryTimes) {
        self.times = times;
    }

    /// Has messages judged from now on, and nothing of it carried out.
    pub(crate) fn run_dry(&mut self) {
        self.is_dry_run = true;
    }

    /// Sets the request that the next message comes with.
    pub(crate) fn set_request(&mut self, request: AnsweredSubmission) {
        self.request = Some(Box::new(request));
    }

    /// Returns the answer to the request, once its message was accepted.
    pub(crate) fn take_accepted(&mut self) -> Option<AcceptedMessage> {
        self.accepted.take()
    }

    /// Answers a question of the session.
    pub async fn answer(&mut self, ask: Ask, session: &server::Session) -> Answer {
        match ask {
            Ask::Connect => self.connect(session).await,
            Ask::Verifier(user) => self.verifier(&user, session),
            Ask::Authenticate(claim) => self.authenticate(claim, session).await,
            Ask::Proxied(attributes) => self.proxied(&attributes),
            Ask::Mail(mail) => self.mail(mail, session).await,
            Ask::Recipient(recipient) => self.recipient(recipient).await,
            Ask::Message { size, repairs, .. } => {
                Answer::Reply(self.message(size, repairs, session).await)
            }
        }
    }

    async fn connect(&mut self, session: &server::Session) -> Answer {
        // A client that XCLIENT puts in the place of another starts afresh.
        self.connection = Connection::new(&self.pipeline.config);
        let id = TransactionId::new();
        let recording = Recording::begin(self.pipeline.policy_record.as_ref(), id, None);
        let policies = recording.watch(self.pipeline.policies());
        let refusal = self.ask_connect(&policies, session).await;
        self.recorded_connect = recording.connect();
        if let Some(exported) = &self.exported {
            exported.calls(self.connection.judgements());
        }
        match refusal {
            None => Answer::Proceed,
            Some(reply) => {
                tracing::info!(%reply, "client refused");
                if recording.is_on() {
                    let transaction = Transaction {
                        id,
                        time: Millis::now(),
                        session: self.facts(session),
                        account: None,
                        reverse_path: ReversePath::Null,
                        recipients: Vec::new(),
                    };
                    recording.end(transaction, None, refused(&reply), Some(reply.clone()));
                }
                // The session makes it the banner, with one of the two codes that a banner can
                // have.
                Answer::Reply(reply)
            }
        }
    }

    /// Returns the verifier to check a proof of this user against.
    fn verifier(&mut self, user: &str, session: &server::Session) -> Answer {
        self.pipeline = self.config_handle.pipeline(&self.pipeline);
        let Pipeline {
            authenticator,
            directory,
            ..
        } = &*self.pipeline;
        let from = self.client(session).ip();
        match authenticator.verifier(&directory.view(), from, user) {
            Ok(verifier) => Answer::Verifier(verifier),
            Err(refusal) => Answer::Reply(self.refused_log_in(refusal, from)),
        }
    }

    async fn authenticate(&mut self, claim: Claim, session: &server::Session) -> Answer {
        self.pipeline = self.config_handle.pipeline(&self.pipeline);
        let from = self.client(session).ip();
        let Pipeline {
            authenticator,
            directory,
            flow,
            ..
        } = &*self.pipeline;
        match authenticator
            .authenticate(directory, *flow, from, claim)
            .await
        {
            Ok(login) => {
                self.login = Some(login);
                Answer::Proceed
            }
            Err(refusal) => Answer::Reply(self.refused_log_in(refusal, from)),
        }
    }

    /// Counts the use of a credential after its end, tells of one that is locked out, and returns the
    /// reply to the client.
    fn refused_log_in(&self, refusal: LogInRefusal, from: IpAddr) -> Reply {
        if let Some(user) = refusal.in_grace {
            incidents::used_in_grace(&self.pipeline, user, from);
        }
        let directory = self.pipeline.directory.view();
        let locked_out = (refusal.locked_out)
            .and_then(|user| incidents::locked_out(&directory, &user, from.to_string()));
        if let Some(incident) = locked_out {
            incidents::tell(&self.pipeline, incident);
        }
        refusal.reply
    }

    /// Returns the login that is still the session's.
    fn login(&self, session: &server::Session) -> Option<&Login> {
        let login = self.login.as_ref()?;
        // Over HTTP nobody logs in within the session.
        let is_sessions =
            self.transport == Transport::Http || session.user() == Some(login.given());
        is_sessions.then_some(login)
    }

    /// Returns true if the session's login is no longer valid.
    pub fn is_revoked(&self, session: &server::Session) -> bool {
        self.login(session).is_some_and(|login| {
            let now = self.config_handle.pipeline(&self.pipeline);
            !now.authenticator.is_valid(&now.directory.view(), login)
        })
    }

    /// Takes over what a trusted client says about another client. All of it is believed except the
    /// user, who must be one of ours that may log in on this listener.
    fn proxied(&mut self, attributes: &Attributes) -> Answer {
        self.pipeline = self.config_handle.pipeline(&self.pipeline);
        if let Some(user) = attributes.value(Attribute::Login) {
            let Pipeline {
                authenticator,
                directory,
                flow,
                ..
            } = &*self.pipeline;
            let from = attributes.client(self.client).ip();
            match authenticator.trust(directory, *flow, from, user) {
                Ok(found) => self.login = Some(found),
                Err(refusal) => return Answer::Reply(self.refused_log_in(refusal, from)),
            }
        }
        tracing::info!(proxied = %attributes, "the client speaks for another");
        Answer::Proceed
    }

    async fn mail(&mut self, mail: Mail, session: &server::Session) -> Answer {
        self.pipeline = self.config_handle.pipeline(&self.pipeline);
        let id = TransactionId::new();
        let span = tracing::error_span!("transaction", %id);
        let exported = self.pipeline.spans.message(id);
        let exported = exported.map(|trace| trace.transaction(self.exported.as_deref_mut()));
        let record = (self.pipeline.policy_record.as_ref()).filter(|_| !self.is_dry_run);
        let recording = Recording::begin(record, id, self.recorded_connect.as_ref());
        let policies = recording.watch(self.pipeline.policies());
        let refused_connection = self
            .ask_connect_again(&policies, session, exported.as_ref())
            .instrument(span.clone())
            .await;
        self.recorded_connect = recording.connect().or(self.recorded_connect.take());
        let transaction = Transaction {
            id,
            time: Millis::now(),
            session: self.facts(session),
            account: None,
            reverse_path: mail.reverse_path,
            recipients: Vec::new(),
        };
        let mut open = Box::new(OpenTransaction {
            evaluation: Evaluation::begin(policies, transaction, &self.connection),
            requests: Requests {
                smtputf8: mail.smtputf8,
                message: mail.dsn,
                recipients: Vec::new(),
                times: self.times,
                answer: None,
            },
            in_hand: None,
            data: None,
            named: Vec::new(),
            span: span.clone(),
            exported,
            recording,
        });
        self.pipeline.record(
            id,
            Kind::Begun {
                session: open.evaluation.transaction().session.clone(),
            },
        );
        self.pipeline.record_all(id, self.connection.judgements());
        let refusal = match self.pipeline.queue.room() {
            _ if refused_connection.is_some() => refused_connection,
            Err(error) => Some(super::spool_refusal(&error)),
            Ok(()) => {
                let directory = self.pipeline.directory.view();
                let ownership = self.pipeline.ownership(&directory);
                let transaction = open.evaluation.transaction();
                match span.in_scope(|| volume::begin(&self.pipeline, ownership, transaction)) {
                    Err(reached) => Some(reached),
                    Ok(in_hand) => {
                        open.in_hand = in_hand;
                        let sender = open.evaluation.sender(ownership);
                        let refusal = sender.instrument(span.clone()).await;
                        open.record_judgements(&self.pipeline);
                        refusal
                    }
                }
            }
        };
        let reply = match refusal {
            Some(reply) => with_id(reply, id),
            None => Reply::new(250, "2.1.0", format!("Ok, transaction {id}")),
        };
        let from = open.evaluation.transaction().reverse_path.clone();
        span.in_scope(|| match reply.is_positive() {
            true => {
                tracing::debug!(%from, "begun");
                if let Some(forwarded) = session.forwarded() {
                    tracing::info!(%forwarded, "passed on for another");
                }
            }
            false => {
                tracing::info!(%from, %reply, "sender refused");
            }
        });
        self.pipeline.record(
            id,
            Kind::Sender {
                reverse_path: from,
                reply: reply.clone(),
            },
        );
        if reply.is_positive() {
            self.open = Some(open);
        } else {
            let verdict = refused(&reply);
            self.pipeline.count(verdict);
            open.described(&self.pipeline, verdict);
            open.recorded(verdict, Some(&reply));
            if let Some(exported) = open.exported() {
                exported.replied(verdict, &reply, 0);
            }
        }
        Answer::Reply(reply)
    }

    async fn ask_connect(&mut self, policies: &Pinned, session: &server::Session) -> Option<Reply> {
        let facts = self.facts(session);
        let config = &self.pipeline.config;
        let asking = self.connection.ask(config, policies, &facts, Millis::now());
        asking.await
    }

    /// Asks the connect hooks again if a version that was asked is no longer active, so that one
    /// transaction is judged by one version of each policy. Returns the refusal, if there is one
    /// now.
    async fn ask_connect_again(
        &mut self,
        policies: &Pinned,
        session: &server::Session,
        exported: Option<&TransactionSpan>,
    ) -> Option<Reply> {
        if self.connection.is_judged_by(policies) {
            return None;
        }
        let refusal = self.ask_connect(policies, session).await;
        if let Some(exported) = exported {
            exported.calls(self.connection.judgements());
        }
        refusal
    }

    async fn recipient(&mut self, Recipient { address, dsn }: Recipient) -> Answer {
        let Some(open) = &mut self.open else {
            return Answer::Reply(out_of_order());
        };
        let id = open.evaluation.transaction().id;
        let span = open.span.clone();
        if open.named.len() < MOST_NAMED {
            open.named.push(address.clone());
        }
        let transaction = open.evaluation.transaction();
        let suppressed = suppressed::refusal(&self.pipeline, transaction, &address);
        let mut refusal = suppressed.instrument(span.clone()).await;
        if refusal.is_none() {
            let admitted = open.in_hand.as_mut().map_or(Ok(()), |in_hand| {
                span.in_scope(|| in_hand.recipient(Millis::now()))
            });
            refusal = admitted
                .err()
                .map(|reached| volume::refusal(&self.pipeline, &reached));
        }
        if refusal.is_none() {
            let directory = self.pipeline.directory.view();
            let ownership = self.pipeline.ownership(&directory);
            let recipient = open.evaluation.recipient(ownership, &address);
            refusal = recipient.instrument(span.clone()).await;
            open.record_judgements(&self.pipeline);
            // A recipient that was named before keeps the requests of its first RCPT.
            let accepted = open.evaluation.transaction().recipients.len();
            if open.requests.recipients.len() < accepted {
                open.requests.recipients.push(dsn);
            } else if let Some(in_hand) = &mut open.in_hand {
                in_hand.recipient_refused();
            }
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

    /// Prepares for the octets of the message.
    pub fn data_started(&mut self) {
        if let Some(open) = &mut self.open {
            open.data = Some(IncomingData::open(
                &self.pipeline.bodies,
                open.evaluation.transaction().id,
            ));
        }
    }

    /// Stores octets of the message.
    pub async fn data(&mut self, octets: &[u8]) {
        if let Some(OpenTransaction {
            data: Some(data), ..
        }) = self.open.as_deref_mut()
        {
            data.store(octets, &self.pipeline.writers).await;
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
        let protocol = match self.transport {
            Transport::Http => "HTTP",
            _ => session.protocol(open.requests.smtputf8),
        };
        let (reply, accepted) = self
            .judge_and_commit(*open, size, repairs.as_deref(), protocol)
            .instrument(span)
            .await;
        if reply.is_positive() {
            self.connection.effects_committed();
            self.accepted = accepted;
        }
        reply
    }

    async fn judge_and_commit(
        &self,
        mut open: OpenTransaction,
        size: u64,
        repairs: Option<&Repairs>,
        protocol: &str,
    ) -> (Reply, Option<AcceptedMessage>) {
        let exported = open.exported();
        let OpenTransaction {
            mut evaluation,
            mut requests,
            in_hand,
            data,
            named,
            recording,
            ..
        } = open;
        let transaction = evaluation.transaction();
        let id = transaction.id;
        let data = data.unwrap_or_else(|| IncomingData::open(&self.pipeline.bodies, id));
        let from = transaction.reverse_path.clone();
        let recipients = transaction.recipients.len();
        let staged = data.finish(&self.pipeline.writers).await;
        let described = staged.as_ref().ok().map(|staged| {
            let mut transaction = transaction.clone();
            transaction.recipients = Vec::new();
            (transaction, staged.message())
        });
        let mut metadata = None;
        let taken = match &staged {
            Ok(staged) => {
                probe::taken(&self.pipeline, &evaluation, &staged.message(), repairs).await
            }
            Err(_) => None,
        };
        let mut accepted = None;
        let mut judged = None;
        let (disposition, reply) = match (staged, taken) {
            (Err(reply), _) => (None, with_id(reply, id)),
            (Ok(_), Some(reply)) => (Some("record"), reply),
            (Ok(staged), None) => {
                let answered = Answered::of(&self.pipeline, transaction, &staged.message()).await;
                let directory = self.pipeline.directory.view();
                let unauthenticated = incidents::unauthenticated(&directory, transaction);
                let resolver = self.pipeline.authentication.resolver();
                integrity::examine(
                    (&self.pipeline.trace, &self.pipeline.learnt),
                    (self.pipeline.accounts(), resolver.clone()),
                    transaction,
                    staged.message(),
                );
                let returned = returns::examine(
                    &self.pipeline.trace,
                    (self.pipeline.accounts(), resolver.clone()),
                    evaluation.transaction(),
                    evaluation.returned(),
                    staged.message(),
                )
                .await;
                if let Some(returned) = &returned {
                    evaluation.returns(returned);
                }
                let arrival = Arrival {
                    authentication: &self.pipeline.authentication,
                    gather: false,
                    ownership: self.pipeline.ownership(&directory),
                    protocol,
                    repairs,
                    answered: Some(&answered),
                };
                let by_target = evaluation.by_target().to_vec();
                let evaluated = evaluation.message(staged.message(), arrival).await;
                if let Some(facts) = &evaluated.judged.facts {
                    let sasl = self.pipeline.sasl(&evaluated.transaction.session);
                    let authentication = Box::new(facts.summary(sasl));
                    self.pipeline
                        .record(id, Kind::Authenticated { authentication });
                }
                if let Some(exported) = &exported {
                    exported.calls(evaluated.new_judgements());
                }
                self.pipeline.record_all(id, evaluated.new_judgements());
                metadata.clone_from(&evaluated.judged.metadata);
                let disposition = evaluated.judged.disposition.word();
                let answer = (self.request.as_ref())
                    .and_then(|request| request.answer(id, &evaluated.judged));
                if let Some((answer, to_keep)) = answer {
                    accepted = Some(answer);
                    requests.answer = to_keep;
                }
                let message = staged.message();
                let shows = probe::may_show(&evaluated.transaction, &message, &by_target);
                let came = shows.then(|| evaluated.transaction.clone());
                let facts = evaluated.judged.facts.clone();
                judged = recording.is_on().then(|| {
                    let refused_by_relay = evaluated.judged.refused_by_relay.clone();
                    (evaluated.transaction.clone(), refused_by_relay)
                });
                let reply = match self.is_dry_run {
                    true => evaluated.judged.reply(&evaluated.transaction),
                    false => {
                        commit(
                            &self.pipeline,
                            evaluated,
                            requests,
                            in_hand,
                            staged.body,
                            returned,
                            answered.transaction,
                        )
                        .await
                    }
                };
                for incident in unauthenticated.into_iter().filter(|_| reply.is_positive()) {
                    incidents::tell(&self.pipeline, incident);
                }
                if let Some(came) = came.filter(|_| reply.is_positive()) {
                    let known = facts.as_ref();
                    probe::proves(&self.pipeline, &came, &message, &by_target, known).await;
                    probe::confirmation(&self.pipeline, &came, &message, facts).await;
                }
                (Some(disposition), reply)
            }
        };
        // If the spool has failed, no other disposition came about.
        let taken = disposition.filter(|_| reply.is_positive());
        let word = match self.is_dry_run {
            true => "dry-run",
            false => taken.unwrap_or_else(|| refused(&reply)),
        };
        if let Some((transaction, message)) = described {
            let message = Some((&message, metadata.as_deref()));
            described::note(&self.pipeline, &transaction, &named, message, word);
        }
        tracing::info!(%from, recipients, size, verdict = word, %reply, "message answered");
        if let Some((transaction, refused_by_relay)) = judged {
            recording.end(transaction, refused_by_relay, word, Some(reply.clone()));
        }
        if let Some(exported) = exported {
            exported.replied(word, &reply, size);
        }
        self.replied(id, reply.clone(), size, word);
        (reply, accepted)
    }

    /// Counts an answered message and records its reply.
    fn replied(&self, id: TransactionId, reply: Reply, size: u64, verdict: &'static str) {
        self.pipeline.count(verdict);
        let listener = self.pipeline.listener.clone();
        metrics::counter!("gatepost_message_octets_total", "listener" => listener).increment(size);
        self.pipeline.record(id, Kind::Replied { reply, size });
    }

    /// Returns the id of the transaction in progress.
    pub fn in_hand(&self) -> Option<TransactionId> {
        self.open
            .as_ref()
            .map(|open| open.evaluation.transaction().id)
    }

    /// Records that the session itself refused the transaction, after so many octets of its
    /// message.
    pub fn refuse(&mut self, reply: Reply, size: u64) {
        if let Some(mut open) = self.open.take() {
            let verdict = refused(&reply);
            open.described(&self.pipeline, verdict);
            open.recorded(verdict, Some(&reply));
            if let Some(exported) = open.exported() {
                exported.replied(verdict, &reply, size);
            }
            open.span.in_scope(|| {
                let Transaction {
                    reverse_path: from,
                    recipients,
                    ..
                } = open.evaluation.transaction();
                let recipients = recipients.len();
                tracing::info!(%from, recipients, size, verdict, %reply, "message answered");
            });
            self.replied(open.evaluation.transaction().id, reply, size, verdict);
        }
    }

    /// Records that the transaction in progress, if any, was given up.
    pub fn abort(&mut self, reason: &str) {
        if let Some(mut open) = self.open.take() {
            open.span.in_scope(|| tracing::info!(reason, "aborted"));
            if let Some(exported) = open.exported() {
                exported.aborted(reason);
            }
            self.pipeline.count("aborted");
            open.described(&self.pipeline, "aborted");
            open.recorded("aborted", None);
            self.pipeline.record(
                open.evaluation.transaction().id,
                Kind::Aborted {
                    reason: reason.to_owned(),
                },
            );
        }
    }

    /// Ends with the connection; `cut` is the reason where the protocol was not over.
    pub fn end(mut self, session: &server::Session, cut: Option<&str>) {
        if let Some(exported) = self.exported.take() {
            exported.end(&self.facts(session), cut);
        }
    }

    fn facts(&self, session: &server::Session) -> Session {
        Session {
            listener: self.pipeline.listener.clone(),
            flow: self.pipeline.flow,
            transport: self.transport,
            client: Some(self.client(session)).filter(|client| !client.ip().is_unspecified()),
            helo: session.helo().map(str::to_owned),
            tls: session.tls().map(str::to_owned),
            user: self.login(session).map(|login| login.name().to_owned()),
        }
    }

    /// Returns the address of the client, or of the one that a proxy speaks for.
    fn client(&self, session: &server::Session) -> SocketAddr {
        let proxied = session.proxied();
        proxied.map_or(self.client, |attributes| attributes.client(self.client))
    }
}

impl OpenTransaction {
    /// Notes a transaction that ended before its message. One that named nobody is not looked for.
    fn described(&self, pipeline: &Pipeline, outcome: &'static str) {
        let transaction = self.evaluation.transaction();
        if !self.named.is_empty() || outcome != "aborted" {
            described::note(pipeline, transaction, &self.named, None, outcome);
        }
    }

    /// Records a transaction that ended before its message was judged.
    fn recorded(&self, verdict: &'static str, reply: Option<&Reply>) {
        if self.recording.is_on() {
            let transaction = self.evaluation.transaction().clone();
            self.recording
                .end(transaction, None, verdict, reply.cloned());
        }
    }

    /// Takes the exported span, if there is one, with the envelope on it.
    fn exported(&mut self) -> Option<TransactionSpan> {
        let mut exported = self.exported.take()?;
        exported.describe(self.evaluation.transaction());
        Some(exported)
    }

    /// Records the judgements of a sender or a recipient.
    fn record_judgements(&self, pipeline: &Pipeline) {
        let judgements = self.evaluation.new_judgements();
        if let Some(exported) = &self.exported {
            exported.calls(judgements);
        }
        pipeline.record_all(self.evaluation.transaction().id, judgements);
    }
}

/// Returns the word for a refusal in metrics, as in
/// [`Disposition::word`](super::judge::Disposition::word).
fn refused(reply: &Reply) -> &'static str {
    if reply.is_permanent() {
        "reject"
    } else {
        "tempfail"
    }
}

/// The session asks only within a transaction; this reply would be a mistake of ours.
fn out_of_order() -> Reply {
    Reply::new(503, "5.5.1", "No transaction is in hand")
}
