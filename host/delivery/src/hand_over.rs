//! One attempt for one message: routing, grouping by next hop, connecting, transfer.

use std::collections::{HashMap, HashSet};
use std::io;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use gatepost_message::{BodyDamage, Message, Needs};
use gatepost_model::{Judgement, NextHop, Routing, Step, Way};
use gatepost_smtp::Reply;
use gatepost_smtp::client::{self, Limits, Origin, Outcome, Stage, Transaction};
use gatepost_smtp::dsn;
use gatepost_spool::Claim;
use tokio::sync::OnceCell;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use crate::connect::Unreachable;
use crate::connection::{Connection, quit_in_background};
use crate::content::Content;
use crate::convert::Converted;
use crate::delivery::Delivery;
use crate::in_hand::MessageInHand;
use crate::notify::{message_request, recipient_request};
use crate::pool::ConnectionPermit;
use crate::settings::LongLines;
use crate::settle::{AttemptReply, RecipientAttempt, settle, settle_open};
use crate::transfer::{Transferred, transfer};

/// Delay before a message is due again whose next hop had no connection free.
const BUSY_DELAY: Duration = Duration::from_secs(1);

/// A recipient with a next hop.
struct RoutedRecipient {
    index: usize,
    judgements: Vec<Judgement>,
}

/// Properties of the connection that a transaction ran on.
#[derive(Default)]
struct ConnectionFacts {
    /// Protocol and cipher; `None` in plaintext.
    tls: Option<String>,
    /// As [`RecipientAttempt::dsn_passed_on`].
    dsn_passed_on: bool,
}

/// Result of one transaction.
struct HopTransaction {
    /// The connection, if it can carry another transaction.
    connection: Option<Connection>,
    /// Recipients of the transaction.
    batch: Vec<RoutedRecipient>,
    /// Outcomes, one for each recipient in their order.
    outcomes: Vec<Outcome>,
    facts: ConnectionFacts,
}

/// Hands a message to all its next hops at once, and settles every recipient.
pub(crate) async fn hand_over(delivery: Arc<Delivery>, in_hand: Arc<MessageInHand>) {
    let (by_hop, unroutable) = route(&delivery, &in_hand).await;
    settle(&delivery, &in_hand, unroutable).await;
    if by_hop.is_empty() {
        return;
    }
    let content = match Content::of(&in_hand.claim.message, in_hand.claim.smtputf8).await {
        Ok(content) => content,
        Err(error) if BodyDamage::is_cause_of(&error) => {
            return hold_damaged(&delivery, &in_hand, &error).await;
        }
        Err(error) => {
            tracing::error!(
                id = %in_hand.claim.transaction.id,
                %error,
                "cannot read a message from the spool"
            );
            let reply = Reply::new(
                451,
                "4.3.0",
                "the relay cannot read the message from its store",
            );
            return settle_open(&delivery, &in_hand, || {
                AttemptReply::FromRelay(reply.clone())
            })
            .await;
        }
    };
    let mut work = by_hop.into_iter().map(|(hop, recipients)| {
        let span = tracing::error_span!(
            "transfer",
            id = %in_hand.claim.transaction.id,
            hop = hop.host,
        );
        let transfer = HopTransfer {
            delivery: Arc::clone(&delivery),
            in_hand: Arc::clone(&in_hand),
            hop,
            content,
            converted: Default::default(),
        };
        transfer.run(recipients).instrument(span)
    });
    if work.len() == 1
        && let Some(alone) = work.next()
    {
        return alone.await;
    }
    let mut hops: JoinSet<()> = work.collect();
    // A panic on the way to one next hop must not cut off the others.
    let mut panic = None;
    while let Some(ended) = hops.join_next().await {
        panic = ended.err().filter(|error| error.is_panic()).or(panic);
    }
    if let Some(panic) = panic {
        resume_unwind(panic.into_panic());
    }
}

/// Holds the open recipients of a message whose body is not what was stored: it is neither sent nor
/// given up, and waits for an operator to restore its body.
async fn hold_damaged(delivery: &Delivery, in_hand: &MessageInHand, error: &io::Error) {
    let id = in_hand.claim.transaction.id;
    metrics::gauge!("gatepost_store_damaged", "file" => "incoming").set(1.0);
    tracing::error!(
        %id,
        %error,
        "a message is held because its body is damaged in the store: put it back from a backup and \
         release the message, or cancel it; look for the cause (the disk, the file system, what \
         else writes there)"
    );
    let reply = Reply::new(
        451,
        "4.3.0",
        "the body of the message is damaged in the relay's store",
    );
    settle_open(delivery, in_hand, || AttemptReply::Damaged(reply.clone())).await;
}

/// Asks the router for each recipient's next hop; returns the recipients by next hop, and the
/// results of those without one.
async fn route(
    delivery: &Delivery,
    in_hand: &MessageInHand,
) -> (
    HashMap<NextHop, Vec<RoutedRecipient>>,
    Vec<RecipientAttempt>,
) {
    let mut by_hop: HashMap<_, Vec<_>> = HashMap::new();
    let mut unroutable = Vec::new();
    for (index, recipient) in in_hand.claim.recipients.iter().enumerate() {
        let decided = delivery.router.route(&in_hand.claim, recipient).await;
        let judgements = decided.judgements;
        let reply = match (decided.routing, &delivery.settings.default_route) {
            (Routing::Deliver(plan), _) => match plan.steps.into_iter().next() {
                Some(Step {
                    way: Way::NextHop(hop),
                    ..
                }) => Ok(hop),
                // RFC 3463: X.3.5, system incorrectly configured.
                _ => Err(Reply::new(451, "4.3.5", "no such way to deliver")),
            },
            (Routing::Hold(reason) | Routing::Discard(reason), _) => {
                Err(Reply::new(451, "4.7.1", reason))
            }
            (Routing::Pass, Some(hop)) => Ok(hop.clone()),
            // RFC 3463: X.4.4, unable to route.
            (Routing::Pass, None) => Err(Reply::new(451, "4.4.4", "no route")),
            (Routing::Defer(reply), _) if reply.is_transient() => Err(reply),
            (Routing::Fail(reply), _) if reply.is_permanent() => Err(reply),
            (Routing::Defer(reply), _) => Err(Reply::new(451, "4.7.1", reply.text())),
            (Routing::Fail(reply), _) => Err(Reply::new(550, "5.7.1", reply.text())),
        };
        match reply {
            Ok(hop) => by_hop
                .entry(hop)
                .or_default()
                .push(RoutedRecipient { index, judgements }),
            Err(reply) => unroutable.push(RecipientAttempt {
                judgements,
                ..RecipientAttempt::without_route(index, AttemptReply::FromRelay(reply))
            }),
        }
    }
    (by_hop, unroutable)
}

/// The delivery of one message to one next hop.
struct HopTransfer {
    delivery: Arc<Delivery>,
    in_hand: Arc<MessageInHand>,
    hop: NextHop,
    content: Content,
    /// Converted forms: in ASCII, with short lines, and both.
    converted: [OnceCell<Option<Converted>>; 3],
}

impl HopTransfer {
    /// Hands the message over for these recipients, in as many transactions as needed.
    async fn run(self, mut recipients: Vec<RoutedRecipient>) {
        let patience = self.delivery.settings.wait_for_connection;
        let Some(permit) = self.delivery.pool.acquire(&self.hop, patience).await else {
            let reply_of = || match self.may_wait() {
                true => AttemptReply::NotAttempted(BUSY_DELAY),
                // RFC 3463: X.4.5, congestion.
                false => {
                    AttemptReply::FromRelay(Reply::new(451, "4.4.5", "no connection was free"))
                }
            };
            return self
                .settle(
                    recipients,
                    |_| (false, reply_of()),
                    &ConnectionFacts::default(),
                )
                .await;
        };
        let mut connection_in_use = None;
        let mut at_most = usize::MAX;
        while !recipients.is_empty() {
            let result = self.transact(&permit, connection_in_use.take(), at_most, &mut recipients);
            match result.await {
                Ok(HopTransaction {
                    connection,
                    batch,
                    outcomes,
                    facts,
                }) => {
                    connection_in_use = connection;
                    let taken = outcomes
                        .iter()
                        .filter(|outcome| outcome.reply.is_positive());
                    let taken = taken.count();
                    let (over, settled): (Vec<_>, Vec<_>) =
                        batch.into_iter().zip(outcomes).partition(|(_, outcome)| {
                            taken > 0 && belongs_in_next_transaction(outcome)
                        });
                    if !over.is_empty() {
                        // The server has shown how many recipients it accepts in one transaction.
                        at_most = taken;
                        recipients.splice(..0, over.into_iter().map(|(routed, _)| routed));
                    }
                    let (batch, outcomes): (Vec<_>, Vec<_>) = settled.into_iter().unzip();
                    let reply_of = |at: usize| {
                        let Outcome { reply, stage } = outcomes[at].clone();
                        let reply = match stage {
                            Stage::Local => AttemptReply::FromRelay(reply),
                            _ => AttemptReply::FromServer(reply),
                        };
                        (true, reply)
                    };
                    self.settle(batch, reply_of, &facts).await;
                }
                Err(Unreachable {
                    reply, from_server, ..
                }) if from_server
                    && reply.code() == 421
                    && self.may_wait()
                    && permit.has_other_permits() =>
                {
                    // The server has as many connections as it wants, and some are ours: that is no
                    // attempt.
                    let reply_of = |_| (true, AttemptReply::NotAttempted(BUSY_DELAY));
                    return self
                        .settle(recipients, reply_of, &ConnectionFacts::default())
                        .await;
                }
                // Recipients that were not tried yet would fare no better a moment later.
                Err(unreachable) => {
                    let Unreachable {
                        reply,
                        connected,
                        from_server,
                    } = unreachable;
                    let reply_of = |_| match from_server {
                        true => (connected, AttemptReply::FromServer(reply.clone())),
                        false => (connected, AttemptReply::FromRelay(reply.clone())),
                    };
                    return self
                        .settle(recipients, reply_of, &ConnectionFacts::default())
                        .await;
                }
            }
        }
        if let Some(connection) = connection_in_use {
            permit.keep(connection);
        }
    }

    /// Returns true if the message may return to the queue without an attempt. An expired one may
    /// not: it could wait behind others for ever.
    fn may_wait(&self) -> bool {
        self.delivery.now() < self.in_hand.claim.expires_at
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
    ) -> Result<HopTransaction, Unreachable> {
        let mut used = connection_in_use.or_else(|| permit.take_idle());
        loop {
            let reused = used.is_some();
            let mut connection = match used.take() {
                Some(connection) => connection,
                None => self
                    .delivery
                    .connector
                    .connect(&self.hop)
                    .await
                    .inspect_err(|_| count("failed"))?,
            };
            count(if reused { "reused" } else { "opened" });
            let offer = connection.session.capabilities();
            let converted = self.converted(offer.eight_bit_mime, offer.chunking).await;
            let (message, content) = match converted {
                Some(converted) => (&converted.message, converted.content),
                None => (&self.in_hand.claim.message, self.content),
            };
            let limits = connection.session.capabilities().limits;
            let batch = self.batch(limits, at_most, recipients);
            let envelope = self.envelope(&batch, message, content, connection.wants_origin);
            let transferred = transfer(&mut connection, envelope, message).await;
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
                tls: connection.tls.clone(),
                dsn_passed_on,
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
            return Ok(HopTransaction {
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
        limits: Limits,
        shown: usize,
        recipients: &mut Vec<RoutedRecipient>,
    ) -> Vec<RoutedRecipient> {
        let most = self.delivery.settings.recipients_per_transaction;
        let most = most.min(shown).max(1);
        let most = limits
            .recipients
            .map_or(most, |limit| most.min(limit.get()));
        let most_domains = limits.domains.map_or(usize::MAX, NonZero::get);
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

    /// Converts the message. Long lines are converted in spite of a signature if the settings say
    /// so, 8-bit octets never. If both conversions together are impossible, only 8-bit octets are
    /// converted.
    async fn convert(&self, needs: Needs) -> Option<Converted> {
        let converter = &self.delivery.converter;
        let message = &self.in_hand.claim.message;
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
            reverse_path: claim.transaction.reverse_path.clone(),
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
            client: Some(session.client).filter(|_| !self.is_own()),
            helo: session.helo.clone(),
            extended: session.tls.is_some()
                || session.user.is_some()
                || *smtputf8
                || *dsn != dsn::MessageRequest::default(),
            ident: transaction.id.to_string(),
        }
    }

    /// Returns true if the relay made the message itself. Then it has no client, and the
    /// unspecified address says so.
    fn is_own(&self) -> bool {
        let client = self.in_hand.claim.transaction.session.client;
        client.ip().is_unspecified()
    }

    /// Settles recipients; `reply_of` returns by index whether there was a connection, and the
    /// reply.
    async fn settle(
        &self,
        recipients: Vec<RoutedRecipient>,
        reply_of: impl Fn(usize) -> (bool, AttemptReply),
        facts: &ConnectionFacts,
    ) {
        let attempts = recipients.into_iter().enumerate().map(|(at, routed)| {
            let (connected, reply) = reply_of(at);
            RecipientAttempt {
                index: routed.index,
                judgements: routed.judgements,
                route: Some(self.hop.clone()),
                connected,
                tls: facts.tls.clone(),
                dsn_passed_on: facts.dsn_passed_on,
                reply,
            }
        });
        settle(&self.delivery, &self.in_hand, attempts.collect()).await;
    }
}

/// Returns true if a recipient was one too many for a transaction that carried the message to
/// others. It goes into the next transaction, at once (RFC 5321 section 4.5.3.1.10). Each
/// transaction delivers to at least one recipient, so this ends.
fn belongs_in_next_transaction(outcome: &Outcome) -> bool {
    outcome.stage == Stage::Recipient && outcome.reply.wants_another_transaction()
}

fn count(connection: &'static str) {
    metrics::counter!("gatepost_delivery_connections_total", "connection" => connection)
        .increment(1);
}
