//! One message from the claim to its last answer: route, group, connect, transfer.

use std::collections::{HashMap, HashSet};
use std::io;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use gatepost_message::{BodyDamage, Message, Needs};
use gatepost_model::{Judgement, NextHop, Routing};
use gatepost_smtp::Reply;
use gatepost_smtp::client::{self, Limits, Origin, Outcome, Stage, Transaction};
use gatepost_smtp::dsn;
use gatepost_spool::Claim;
use tokio::sync::OnceCell;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use crate::connect::Unreachable;
use crate::connection::{Connection, part};
use crate::content::Content;
use crate::convert::Converted;
use crate::delivery::Delivery;
use crate::in_hand::InHand;
use crate::notify::{message_request, recipient_request};
use crate::pool::Place;
use crate::settings::LongLines;
use crate::settle::{Answer, Said, settle, settle_open};
use crate::transfer::{Transferred, transfer};

/// How long a message goes back to the queue whose next hop has no connection free.
const BUSY: Duration = Duration::from_secs(1);

/// A recipient with a next hop.
struct Routed {
    place: usize,
    judgements: Vec<Judgement>,
}

/// What a connection was like that a transaction ran on.
#[derive(Default)]
struct Terms {
    /// Protocol and cipher; `None` in plaintext.
    tls: Option<String>,
    /// See [`Answer::dsn_passed_on`].
    dsn_passed_on: bool,
}

/// How one transaction went.
struct Handed {
    /// If it can carry another.
    connection: Option<Connection>,
    /// For whom it was.
    batch: Vec<Routed>,
    /// One for each recipient, in their order.
    outcomes: Vec<Outcome>,
    terms: Terms,
}

/// Takes a message to its next hops, all at once, and settles every recipient.
pub(crate) async fn hand_over(delivery: Arc<Delivery>, in_hand: Arc<InHand>) {
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
            tracing::error!(id = %in_hand.claim.transaction.id, %error, "cannot read a message from the spool");
            let reply = Reply::new(
                451,
                "4.3.0",
                "the relay cannot read the message from its store",
            );
            return settle_open(&delivery, &in_hand, || Said::ByRelay(reply.clone())).await;
        }
    };
    let mut work = by_hop.into_iter().map(|(hop, recipients)| {
        let span = tracing::error_span!(
            "transfer",
            id = %in_hand.claim.transaction.id,
            hop = hop.host,
        );
        let to_hop = ToHop {
            delivery: Arc::clone(&delivery),
            in_hand: Arc::clone(&in_hand),
            hop,
            content,
            converted: Default::default(),
        };
        to_hop.run(recipients).instrument(span)
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

/// Holds what is left of a message whose body is not what was stored: it is neither sent on nor
/// given up, and waits for somebody to put its body back.
async fn hold_damaged(delivery: &Delivery, in_hand: &InHand, error: &io::Error) {
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
    settle_open(delivery, in_hand, || Said::Damaged(reply.clone())).await;
}

/// Asks where each recipient goes: those with a next hop by next hop, and the answers to those
/// without.
async fn route(
    delivery: &Delivery,
    in_hand: &InHand,
) -> (HashMap<NextHop, Vec<Routed>>, Vec<Answer>) {
    let mut by_hop: HashMap<_, Vec<_>> = HashMap::new();
    let mut unroutable = Vec::new();
    for (place, recipient) in in_hand.claim.recipients.iter().enumerate() {
        let decided = delivery.router.route(&in_hand.claim, recipient).await;
        let judgements = decided.judgements;
        let reply = match (decided.routing, &delivery.settings.default_route) {
            (Routing::NextHop(hop), _) => Ok(hop),
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
                .push(Routed { place, judgements }),
            Err(reply) => unroutable.push(Answer {
                judgements,
                ..Answer::without_route(place, Said::ByRelay(reply))
            }),
        }
    }
    (by_hop, unroutable)
}

/// One message on its way to one next hop.
struct ToHop {
    delivery: Arc<Delivery>,
    in_hand: Arc<InHand>,
    hop: NextHop,
    content: Content,
    /// In ASCII, with short lines, and both.
    converted: [OnceCell<Option<Converted>>; 3],
}

impl ToHop {
    /// Hands the message over for these recipients, in as many transactions as it takes.
    async fn run(self, mut recipients: Vec<Routed>) {
        let patience = self.delivery.settings.wait_for_connection;
        let Some(place) = self.delivery.pool.place(&self.hop, patience).await else {
            let said = || match self.may_wait() {
                true => Said::Nothing(BUSY),
                // RFC 3463: X.4.5, congestion.
                false => Said::ByRelay(Reply::new(451, "4.4.5", "no connection was free")),
            };
            return self
                .settle(recipients, |_| (false, said()), &Terms::default())
                .await;
        };
        let mut at_hand = None;
        let mut at_most = usize::MAX;
        while !recipients.is_empty() {
            let handed = self.transact(&place, at_hand.take(), at_most, &mut recipients);
            match handed.await {
                Ok(Handed {
                    connection,
                    batch,
                    outcomes,
                    terms,
                }) => {
                    at_hand = connection;
                    let taken = outcomes
                        .iter()
                        .filter(|outcome| outcome.reply.is_positive());
                    let taken = taken.count();
                    let (over, settled): (Vec<_>, Vec<_>) = batch
                        .into_iter()
                        .zip(outcomes)
                        .partition(|(_, outcome)| taken > 0 && is_for_the_next(outcome));
                    if !over.is_empty() {
                        // The server has shown how many it takes in one.
                        at_most = taken;
                        recipients.splice(..0, over.into_iter().map(|(routed, _)| routed));
                    }
                    let (batch, outcomes): (Vec<_>, Vec<_>) = settled.into_iter().unzip();
                    let said = |at: usize| {
                        let Outcome { reply, stage } = outcomes[at].clone();
                        let said = match stage {
                            Stage::Local => Said::ByRelay(reply),
                            _ => Said::ByServer(reply),
                        };
                        (true, said)
                    };
                    self.settle(batch, said, &terms).await;
                }
                Err(Unreachable { reply, said, .. })
                    if said && reply.code() == 421 && self.may_wait() && place.has_company() =>
                {
                    // The server has as many connections as it wants, and some are ours: that is
                    // no attempt.
                    let said = |_| (true, Said::Nothing(BUSY));
                    return self.settle(recipients, said, &Terms::default()).await;
                }
                // It is no better a moment later for those who have not had their turn.
                Err(unreachable) => {
                    let Unreachable {
                        reply,
                        connected,
                        said,
                    } = unreachable;
                    let said = |_| match said {
                        true => (connected, Said::ByServer(reply.clone())),
                        false => (connected, Said::ByRelay(reply.clone())),
                    };
                    return self.settle(recipients, said, &Terms::default()).await;
                }
            }
        }
        if let Some(connection) = at_hand {
            place.keep(connection);
        }
    }

    /// Whether the message may go back to the queue without an attempt. One that has expired may
    /// not, else it could wait behind others for ever.
    fn may_wait(&self) -> bool {
        self.delivery.now() < self.in_hand.claim.expires_at
    }

    /// One transaction for as many of the recipients as the next hop takes in one, on the
    /// connection at hand, an idle one or a new one. A connection that was used before may have
    /// died unseen; then a new one is tried, once. Where there is none, all recipients stay.
    async fn transact(
        &self,
        place: &Place,
        at_hand: Option<Connection>,
        at_most: usize,
        recipients: &mut Vec<Routed>,
    ) -> Result<Handed, Unreachable> {
        let mut used = at_hand.or_else(|| place.idle());
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
                got_nowhere,
                dsn_passed_on,
            } = transferred;
            if reused && got_nowhere {
                place.distrust_idle();
                recipients.splice(..0, batch);
                continue;
            }
            let terms = Terms {
                tls: connection.tls.clone(),
                dsn_passed_on,
            };
            let again = usable && place.may_reuse(&connection);
            let connection = match again {
                true => Some(connection),
                false => {
                    if usable {
                        part(connection);
                    }
                    None
                }
            };
            return Ok(Handed {
                connection,
                batch,
                outcomes,
                terms,
            });
        }
    }

    /// Takes off the recipients that go into one transaction, within the bounds of the settings
    /// and of the next hop (RFC 9422), as it says them or as it has shown them.
    fn batch(&self, limits: Limits, shown: usize, recipients: &mut Vec<Routed>) -> Vec<Routed> {
        let most = self.delivery.settings.recipients_per_transaction;
        let most = most.min(shown).max(1);
        let most = limits
            .recipients
            .map_or(most, |limit| most.min(limit.get()));
        let most_domains = limits.domains.map_or(usize::MAX, NonZero::get);
        let mut domains = HashSet::new();
        let mut taken = 0;
        let fits = |routed: &mut Routed| {
            let domain = self.in_hand.recipient(routed.place).address.domain();
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

    /// The message as this server takes it, where it does not take it as it is. Made once for each
    /// kind of server.
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
        // A notice was written so that it can be.
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

    /// Long lines are changed despite a signature where the settings say so, 8-bit octets never. A
    /// message that cannot be had without the one is had without the other.
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
        recipients: &[Routed],
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
                    let claimed = self.in_hand.recipient(routed.place);
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
                // A notice is never refused by the relay itself.
                (true, LongLines::Refuse) if !self.is_own() => client::LongLines::ByChunk,
                (true, _) => client::LongLines::Sent,
            },
            ends_in_crlf: content.ends_in_crlf,
            dsn: message_request(claim.sender, &claim.dsn),
            origin: wants_origin.then(|| self.origin()),
        }
    }

    /// Who sent the message here.
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

    /// Whether the relay made the message itself. Then it has no client, and says so with an
    /// address of nobody.
    fn is_own(&self) -> bool {
        let client = self.in_hand.claim.transaction.session.client;
        client.ip().is_unspecified()
    }

    /// Settles recipients; `said` tells by their position whether there was a connection and
    /// what was said.
    async fn settle(
        &self,
        recipients: Vec<Routed>,
        said: impl Fn(usize) -> (bool, Said),
        terms: &Terms,
    ) {
        let answers = recipients.into_iter().enumerate().map(|(at, routed)| {
            let (connected, said) = said(at);
            Answer {
                place: routed.place,
                judgements: routed.judgements,
                route: Some(self.hop.clone()),
                connected,
                tls: terms.tls.clone(),
                dsn_passed_on: terms.dsn_passed_on,
                said,
            }
        });
        settle(&self.delivery, &self.in_hand, answers.collect()).await;
    }
}

/// Whether a recipient was one too many for a transaction that carried the message to others. Its
/// turn is the next transaction, at once (RFC 5321 section 4.5.3.1.10): each carries the message to
/// somebody, so there is an end.
fn is_for_the_next(outcome: &Outcome) -> bool {
    outcome.stage == Stage::Recipient && outcome.reply.wants_another_transaction()
}

fn count(connection: &'static str) {
    metrics::counter!("gatepost_delivery_connections_total", "connection" => connection)
        .increment(1);
}
