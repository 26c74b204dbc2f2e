//! The transfer of one message to the servers of one destination, in as many transactions as it
//! takes.

use std::collections::HashSet;
use std::io;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use gatepost_dkim::Signer;
use gatepost_message::{Address, Message, Millis, Needs, ReversePath};
use gatepost_model::DestinationKey;
use gatepost_smtp::Reply;
use gatepost_smtp::client::{self, Origin, Outcome, Stage, Transaction};
use gatepost_smtp::dsn;
use gatepost_spool::Claim;
use tokio::sync::OnceCell;

use crate::connect::NoSession;
use crate::connection::{Connection, quit_in_background};
use crate::content::Content;
use crate::convert::Converted;
use crate::delivery::Delivery;
use crate::in_hand::MessageInHand;
use crate::lane::LaneLimits;
use crate::notify::{message_request, recipient_request};
use crate::pool::ConnectionPermit;
use crate::remark::Remark;
use crate::route::RoutedRecipient;
use crate::settings::LongLines;
use crate::settle::{AttemptReply, RecipientAttempt, SentMessage, Server, settle};
use crate::signing::{Kept, signed};
use crate::target::{ServerTarget, Stop};
use crate::transfer::{Transferred, UNREADABLE, transfer};

/// Delay before a message is due again whose destination had no connection free.
const BUSY_DELAY: Duration = Duration::from_secs(1);

/// Time for which a destination gets nothing after its server has said that it has too much.
const THROTTLE_DELAY: Duration = Duration::from_secs(30);

/// The same where other connections of ours are at work: fewer at once may be all it takes.
const FEWER_DELAY: Duration = Duration::from_secs(2);

/// Properties of the connection that a transaction ran on.
#[derive(Default)]
struct ConnectionFacts {
    server: Option<Server>,
    /// Protocol and cipher; `None` in plaintext.
    tls: Option<String>,
    /// As [`RecipientAttempt::dsn_passed_on`].
    dsn_passed_on: bool,
    /// Message as it travelled.
    sent: Option<Message>,
}

/// Result of one transaction.
struct TransactionEnd {
    /// The connection, if it can carry another transaction.
    connection: Option<Connection>,
    /// Recipients of the transaction.
    batch: Vec<RoutedRecipient>,
    /// Outcomes, one for each recipient in their order.
    outcomes: Vec<Outcome>,
    facts: ConnectionFacts,
}

/// The transfer of one message to one destination.
pub(crate) struct ServerTransfer {
    pub(crate) delivery: Arc<Delivery>,
    pub(crate) in_hand: Arc<MessageInHand>,
    /// Message in the name in which it leaves.
    pub(crate) message: Message,
    pub(crate) reverse_path: ReversePath,
    pub(crate) target: ServerTarget,
    pub(crate) key: DestinationKey,
    pub(crate) lane: LaneLimits,
    /// Address in whose name it leaves, if it is not the sender's.
    pub(crate) author: Option<Address>,
    /// Keys that sign it.
    pub(crate) signers: Vec<Arc<Signer>>,
    /// Signatures of the form that is not converted.
    pub(crate) signatures: Kept,
    pub(crate) content: Content,
    /// Converted forms: in ASCII, with short lines, and both.
    pub(crate) converted: [OnceCell<Option<Converted>>; 3],
}

impl ServerTransfer {
    /// Hands the message over for these recipients, in as many transactions as needed.
    pub(crate) async fn run(self, mut recipients: Vec<RoutedRecipient>) {
        let settings = &self.delivery.settings;
        let limits = self.target.limits;
        let permit = self.delivery.pool.acquire(
            &self.key,
            limits
                .connections
                .unwrap_or(settings.connections_per_next_hop),
            limits.messages_a_connection,
            settings.wait_for_connection,
        );
        let Some(permit) = permit.await else {
            // RFC 3463: X.4.5, congestion.
            let reply = Reply::new(451, "4.4.5", "no connection was free");
            let until = self.delivery.now() + BUSY_DELAY;
            return self.return_to_queue(recipients, until, reply).await;
        };
        let mut connection_in_use = None;
        let mut at_most = usize::MAX;
        loop {
            let result = self.transact(&permit, connection_in_use.take(), at_most, &mut recipients);
            let TransactionEnd {
                connection,
                batch,
                outcomes,
                facts,
            } = match result.await {
                Ok(end) => end,
                Err(unreachable) => {
                    let crowded = permit.has_other_permits();
                    drop(permit);
                    return self.not_connected(recipients, unreachable, crowded).await;
                }
            };
            let taken = outcomes
                .iter()
                .filter(|outcome| outcome.reply.is_positive());
            let taken = taken.count();
            let (over, settled): (Vec<_>, Vec<_>) = batch
                .into_iter()
                .zip(outcomes)
                .partition(|(_, outcome)| taken > 0 && belongs_in_next_transaction(outcome));
            if !over.is_empty() {
                // The server has shown how many recipients it accepts in one transaction.
                at_most = taken;
                recipients.splice(..0, over.into_iter().map(|(routed, _)| routed));
            }
            if recipients.is_empty() {
                // Another message takes the connection while these results go to the disk.
                match connection {
                    Some(connection) => permit.keep(connection),
                    None => drop(permit),
                }
                return self.settle(settled, &facts).await;
            }
            connection_in_use = connection;
            self.settle(settled, &facts).await;
        }
    }

    /// Settles recipients for which no session came about, and closes the lane. Those that were not
    /// tried yet would fare no better a moment later.
    async fn not_connected(&self, recipients: Vec<RoutedRecipient>, why: NoSession, crowded: bool) {
        let (delivery, now) = (&self.delivery, self.delivery.now());
        let (queue, lane) = (&*delivery.queue, (self.lane, now));
        let lanes = &delivery.lanes;
        let (server, from_server, stop) = match why {
            NoSession::NoServer(reply) if reply.is_permanent() => {
                let reply = || AttemptReply::FromRelay(reply.clone());
                return self.settle_all(recipients, None, reply).await;
            }
            NoSession::NoServer(reply) => (None, false, self.lane_failed(reply, now)),
            NoSession::NotOpened(why) => {
                let from_server = why.reply.as_ref() == Some(&why.deferral);
                if from_server && why.deferral.code() == 421 && crowded {
                    // The server has as many connections as it wants, and some are ours: that is no
                    // attempt.
                    let reply = why.deferral;
                    let until = lanes.throttled(queue, &self.key, lane, &reply, FEWER_DELAY);
                    return self.return_to_queue(recipients, until, reply).await;
                }
                let stop = match &self.target.watch {
                    Some(watch) => {
                        let stop = watch.session_refused(&why, now);
                        lanes.close(queue, &self.key, lane, &stop, Some(watch));
                        stop
                    }
                    None => self.lane_failed(why.deferral.clone(), now),
                };
                (Some(Server::not_opened(&why)), from_server, stop)
            }
        };
        let reply = || AttemptReply::Waits {
            stop: stop.clone(),
            from_server,
        };
        self.settle_all(recipients, server, reply).await;
    }

    /// Notes in the lane that no session came about.
    fn lane_failed(&self, reply: Reply, now: Millis) -> Stop {
        let delivery = &self.delivery;
        let wait = |failures| delivery.schedule.wait(failures);
        let (queue, lane) = (&*delivery.queue, (self.lane, now));
        let until = delivery.lanes.failed(queue, &self.key, lane, &reply, wait);
        Stop {
            until,
            whole: true,
            broken: false,
            reply,
        }
    }

    /// Settles recipients with the same reply.
    async fn settle_all(
        &self,
        recipients: Vec<RoutedRecipient>,
        server: Option<Server>,
        reply_of: impl Fn() -> AttemptReply,
    ) {
        let attempts = recipients.into_iter().map(|routed| RecipientAttempt {
            judgements: routed.judgements,
            route: Some(routed.route),
            server: server.clone(),
            ..RecipientAttempt::without_route(routed.index, reply_of())
        });
        settle(&self.delivery, &self.in_hand, attempts.collect()).await;
    }

    /// Returns recipients to the queue, without an attempt.
    async fn return_to_queue(&self, recipients: Vec<RoutedRecipient>, until: Millis, reply: Reply) {
        let reply = || AttemptReply::NotAttempted {
            until,
            reply: Some(reply.clone()),
        };
        self.settle_all(recipients, None, reply).await;
    }

    /// Returns the results of a transaction as attempts, after lane and watch have heard of them.
    fn read(&self, outcomes: Vec<Outcome>) -> Vec<AttemptReply> {
        let (delivery, now) = (&self.delivery, self.delivery.now());
        let (queue, lane) = (&*delivery.queue, (self.lane, now));
        let mailbox = self.reverse_path.address();
        let mut works = outcomes.iter().any(|outcome| outcome.stage != Stage::Local);
        let mut too_much = None;
        let replies = outcomes.into_iter().map(|Outcome { reply, stage }| {
            if stage == Stage::Local {
                return AttemptReply::FromRelay(reply);
            }
            let stop = match &self.target.watch {
                Some(watch) if reply.is_positive() => {
                    watch.accepted(now);
                    None
                }
                Some(watch) => watch.replied(stage, &reply, mailbox, now),
                None => None,
            };
            if let Some(stop) = stop {
                works &= !stop.whole;
                delivery
                    .lanes
                    .close(queue, &self.key, lane, &stop, self.target.watch.as_ref());
                return AttemptReply::Waits {
                    stop,
                    from_server: false,
                };
            }
            if Remark::of(&reply) == Remark::Throttled {
                too_much = Some(reply.clone());
            }
            AttemptReply::FromServer(reply, stage)
        });
        let replies = replies.collect();
        match too_much {
            Some(reply) => {
                let lanes = &delivery.lanes;
                lanes.throttled(queue, &self.key, lane, &reply, THROTTLE_DELAY);
            }
            None if works => delivery.lanes.worked(queue, &self.key, self.lane, now),
            None => {}
        }
        replies
    }

    /// Runs one transaction for as many of the recipients as fit, on the open connection, an idle
    /// one or a new one. A reused connection may have died unnoticed; then a new one is tried,
    /// once. Without a connection, all recipients stay in the list.
    async fn transact(
        &self,
        permit: &ConnectionPermit,
        connection_in_use: Option<Connection>,
        at_most: usize,
        recipients: &mut Vec<RoutedRecipient>,
    ) -> Result<TransactionEnd, NoSession> {
        let mut used =
            connection_in_use.or_else(|| permit.take_idle(self.target.identity.as_deref()));
        loop {
            let reused = used.is_some();
            let mut connection = match used.take() {
                Some(connection) => connection,
                None => {
                    let connecting = self.delivery.connector.connect(&self.target.servers);
                    let mut connection = connecting.await.inspect_err(|_| count("failed"))?;
                    connection.identity.clone_from(&self.target.identity);
                    if let Some(watch) = &self.target.watch {
                        watch.session_opened(self.delivery.now());
                    }
                    connection
                }
            };
            count(if reused { "reused" } else { "opened" });
            let offer = connection.session.capabilities();
            let converted = self.converted(offer.eight_bit_mime, offer.chunking).await;
            let content = converted.map_or(self.content, |converted| converted.content);
            let limits = connection.session.capabilities().limits;
            let batch = self.batch(limits, at_most, recipients);
            let message = match self.signed(converted).await {
                Ok(message) => message,
                Err(error) => return Ok(unreadable(connection, batch, &error)),
            };
            let envelope = self.envelope(&batch, &message, content, connection.wants_origin);
            let transferred = transfer(&mut connection, envelope, &message).await;
            let Transferred {
                outcomes,
                usable,
                failed_before_data,
                dsn_passed_on,
            } = transferred;
            if reused && failed_before_data {
                permit.discard_idle();
                recipients.splice(..0, batch);
                continue;
            }
            let facts = ConnectionFacts {
                server: Some(Server::of(&connection)),
                tls: connection.tls.clone(),
                dsn_passed_on,
                sent: Some(message),
            };
            let again = usable && permit.may_reuse(&connection);
            let connection = match again {
                true => Some(connection),
                false => {
                    if usable {
                        quit_in_background(connection);
                    }
                    None
                }
            };
            return Ok(TransactionEnd {
                connection,
                batch,
                outcomes,
                facts,
            });
        }
    }

    /// Removes the recipients for one transaction from the list, within the limits of the settings
    /// and of the next hop (RFC 9422), announced or shown.
    fn batch(
        &self,
        offered: client::Limits,
        shown: usize,
        recipients: &mut Vec<RoutedRecipient>,
    ) -> Vec<RoutedRecipient> {
        let own = self.target.limits;
        let most = self.delivery.settings.recipients_per_transaction;
        let most = most.min(own.recipients.unwrap_or(usize::MAX));
        let most = most.min(shown).max(1);
        let most = offered
            .recipients
            .map_or(most, |limit| most.min(limit.get()));
        let most_domains = offered.domains.map_or(usize::MAX, NonZero::get);
        let most_domains = most_domains.min(own.domains.unwrap_or(usize::MAX).max(1));
        let mut domains = HashSet::new();
        let mut taken = 0;
        let fits = |routed: &mut RoutedRecipient| {
            let domain = self.in_hand.recipient(routed.index).address.domain();
            let room = domains.len() < most_domains || domains.contains(domain);
            let fits = taken < most && room;
            if fits {
                taken += 1;
                domains.insert(domain);
            }
            fits
        };
        recipients.extract_if(.., fits).collect()
    }

    /// Returns the message in a form that this server accepts, if it does not accept it as it is.
    /// Each form is made once.
    async fn converted(&self, takes_eight_bit: bool, chunking: bool) -> Option<&Converted> {
        let Content {
            eight_bit,
            smtputf8,
            long_lines,
            ..
        } = self.content;
        let settings = &self.delivery.settings;
        // A header section in UTF-8 has no other form.
        let ascii_needed = eight_bit && !smtputf8 && !takes_eight_bit;
        // A notice is written so that it can always be converted.
        let ascii = ascii_needed && (settings.convert_8bit || self.is_own());
        let convertible = matches!(
            settings.long_lines,
            LongLines::Convert | LongLines::ConvertSigned
        );
        let needs = Needs {
            ascii,
            short_lines: long_lines && !chunking && convertible,
            despite_signatures: false,
        };
        let made = match (needs.ascii, needs.short_lines) {
            (false, false) => return None,
            (true, false) => &self.converted[0],
            (false, true) => &self.converted[1],
            (true, true) => &self.converted[2],
        };
        made.get_or_init(|| self.convert(needs)).await.as_ref()
    }

    /// Returns the message in the form in which it travels, signed.
    async fn signed(&self, converted: Option<&Converted>) -> io::Result<Message> {
        let (message, kept) = match converted {
            Some(converted) => (&converted.message, &converted.signatures),
            None => (&self.message, &*self.signatures),
        };
        match self.signers.as_slice() {
            [] => Ok(message.clone()),
            signers => signed(message, signers, kept, self.delivery.now()).await,
        }
    }

    /// Converts the message. Long lines are converted in spite of a signature if the settings say
    /// so, 8-bit octets never. If both conversions together are impossible, only 8-bit octets are
    /// converted.
    async fn convert(&self, needs: Needs) -> Option<Converted> {
        let converter = &self.delivery.converter;
        let message = &self.message;
        let despite = self.delivery.settings.long_lines == LongLines::ConvertSigned;
        let first = Needs {
            despite_signatures: needs.short_lines && !needs.ascii && despite,
            ..needs
        };
        if let Some(converted) = converter.convert(message, self.content, first).await {
            return Some(converted);
        }
        if !(needs.ascii && needs.short_lines) {
            return None;
        }
        let ascii = Needs {
            short_lines: false,
            ..needs
        };
        converter.convert(message, self.content, ascii).await
    }

    fn envelope(
        &self,
        recipients: &[RoutedRecipient],
        message: &Message,
        content: Content,
        wants_origin: bool,
    ) -> Transaction {
        let claim = &self.in_hand.claim;
        let notifications = &self.delivery.settings.notifications;
        Transaction {
            reverse_path: self.reverse_path.clone(),
            recipients: recipients
                .iter()
                .map(|routed| {
                    let claimed = self.in_hand.recipient(routed.index);
                    dsn::Recipient {
                        address: claimed.address.clone(),
                        dsn: recipient_request(notifications, claim.sender, &claimed.dsn),
                    }
                })
                .collect(),
            size: message.size(),
            eight_bit: content.eight_bit,
            smtputf8: content.smtputf8,
            long_lines: match (content.long_lines, self.delivery.settings.long_lines) {
                (false, _) => client::LongLines::None,
                // The relay itself never refuses a notice.
                (true, LongLines::Refuse) if !self.is_own() => client::LongLines::ByChunk,
                (true, _) => client::LongLines::Sent,
            },
            ends_in_crlf: content.ends_in_crlf,
            dsn: message_request(claim.sender, &claim.dsn),
            origin: wants_origin.then(|| self.origin()),
        }
    }

    /// Returns the facts about the message's client, for XFORWARD.
    fn origin(&self) -> Origin {
        let Claim {
            transaction,
            smtputf8,
            dsn,
            ..
        } = &self.in_hand.claim;
        let session = &transaction.session;
        Origin {
            client: session.client,
            helo: session.helo.clone(),
            extended: session.tls.is_some()
                || session.user.is_some()
                || *smtputf8
                || *dsn != dsn::MessageRequest::default(),
            ident: transaction.id.to_string(),
        }
    }

    /// Returns true if the relay made the message itself.
    fn is_own(&self) -> bool {
        self.in_hand.claim.transaction.session.is_own()
    }

    /// Settles the recipients of a transaction.
    async fn settle(&self, ended: Vec<(RoutedRecipient, Outcome)>, facts: &ConnectionFacts) {
        let (recipients, outcomes): (Vec<_>, Vec<_>) = ended.into_iter().unzip();
        let replies = self.read(outcomes);
        let given_ids = self.given_ids(&replies);
        let ended = recipients.into_iter().zip(replies);
        let attempts = ended.map(|(routed, reply)| RecipientAttempt {
            index: routed.index,
            judgements: routed.judgements,
            route: Some(routed.route),
            server: facts.server.clone(),
            tls: facts.tls.clone(),
            dsn_passed_on: facts.dsn_passed_on,
            given_ids: given_ids.clone(),
            sent: facts.sent.clone().map(|message| SentMessage {
                message,
                author: self.author.clone(),
                reverse_path: self.reverse_path.clone(),
            }),
            reply,
        });
        settle(&self.delivery, &self.in_hand, attempts.collect()).await;
    }
}

impl ServerTransfer {
    /// Returns the Message-IDs that the service has given the message, as its reply tells.
    fn given_ids(&self, replies: &[AttemptReply]) -> Vec<String> {
        let Some(watch) = &self.target.watch else {
            return Vec::new();
        };
        let taken = replies.iter().find_map(|reply| match reply {
            AttemptReply::FromServer(reply, _) if reply.is_positive() => Some(reply),
            _ => None,
        });
        taken.map_or_else(Vec::new, |reply| watch.given_ids(reply))
    }
}

/// Returns true if a recipient was one too many for a transaction that carried the message to
/// others. It goes into the next transaction, at once (RFC 5321 section 4.5.3.1.10). Each
/// transaction delivers to at least one recipient, so this ends.
fn belongs_in_next_transaction(outcome: &Outcome) -> bool {
    outcome.stage == Stage::Recipient && outcome.reply.wants_another_transaction()
}

/// Makes the end of a transaction that could not begin, since the message cannot be read.
fn unreadable(
    connection: Connection,
    batch: Vec<RoutedRecipient>,
    error: &io::Error,
) -> TransactionEnd {
    tracing::error!(%error, "cannot read a message from the spool");
    let outcome = Outcome {
        reply: Reply::new(451, "4.3.0", UNREADABLE),
        stage: Stage::Local,
    };
    TransactionEnd {
        facts: ConnectionFacts {
            server: Some(Server::of(&connection)),
            ..ConnectionFacts::default()
        },
        connection: Some(connection),
        outcomes: vec![outcome; batch.len()],
        batch,
    }
}

fn count(connection: &'static str) {
    metrics::counter!("gatepost_delivery_connections_total", "connection" => connection)
        .increment(1);
}
