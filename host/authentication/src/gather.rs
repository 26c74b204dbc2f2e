//! The one way to the facts: what the session, `gatepost check` and every test call.
//!
//! 1. The header section is read: the authors, signatures, ARC sets.
//! 2. The questions go out side by side, within one [budget](crate::budget): keys, DMARC's records,
//!    SPF, the client's name.
//! 3. The body is read once and the signatures are verified, on a thread where that blocks nobody.
//! 4. DMARC judges what passed.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use futures_util::future::join_all;
use gatepost_message::{Message, Millis, ReversePath};
use tokio::sync::Semaphore;

use crate::arc::Chain;
use crate::author::{self, Authors};
use crate::budget::{Asker, Budget};
use crate::dkim::body_hash::BodyHashes;
use crate::dkim::fields::RawFields;
use crate::dkim::key::Keys;
use crate::dkim::{Evidence, MessageSignature, Signatures};
use crate::dmarc::{Discovered, discover};
use crate::spf::{self, SpfClient, SpfIdentity};
use crate::{
    ArcFact, Authentication, DkimFact, Dns, Facts, FromClarity, FromFact, PartialBody, Settings,
    SpfFacts, dmarc, iprev,
};

/// How many messages have their signatures verified at a time, by all who gather: it is work for
/// the processor, and more would only take the threads from others that block.
static VERIFIERS: Semaphore = Semaphore::const_new(16);

/// How a message came.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// The client's address.
    pub client: IpAddr,
    /// The argument of EHLO or HELO.
    pub helo: &'a str,
    /// Our own name, which a domain that refuses may mention when it says why.
    pub receiver: &'a str,
    /// The argument of MAIL.
    pub reverse_path: &'a ReversePath,
    /// When the transaction began. Signatures are judged by this clock, so that the same message
    /// has the same facts when it is looked at again.
    pub at: Millis,
}

/// Gathers all there is to know.
///
/// Never fails and never panics: what could not be found out is `temperror`, with its reason. It
/// takes at most [`Limits::time`](crate::Limits::time), and then what the processor needs for the
/// body and the signatures: about a tenth of a second for 25 MiB. That part runs on the runtime's threads for
/// blocking work, so a caller may await this on any thread of a tokio runtime.
pub async fn gather(
    message: &Message,
    arrival: &Arrival<'_>,
    dns: &impl Dns,
    settings: &Settings,
) -> Facts {
    let authors = author::read_authors(message, None, settings.limits.authors).await;
    gather_with(message, authors, arrival, dns, settings).await
}

/// Gathers all there is to know of a message that was repaired as it arrived. Signatures are verified
/// on what `came`; the authors are those that either form shows, because `shown` is what people
/// will read.
pub async fn gather_repaired(
    came: &Message,
    shown: &Message,
    arrival: &Arrival<'_>,
    dns: &impl Dns,
    settings: &Settings,
) -> Facts {
    let authors = author::read_authors(came, Some(shown), settings.limits.authors).await;
    gather_with(came, authors, arrival, dns, settings).await
}

async fn gather_with(
    message: &Message,
    Authors { listed, from }: Authors,
    arrival: &Arrival<'_>,
    dns: &impl Dns,
    settings: &Settings,
) -> Facts {
    let limits = &settings.limits;
    let budget = Budget::new(dns, limits, from.domains.len());
    let of_dmarc = &budget.part(Asker::Dmarc);
    let dns = &budget.part(Asker::Others);
    let (spf, iprev, proofs, discovered) = tokio::join!(
        spf_of_both(arrival, dns, limits.time),
        iprev::check(dns, arrival.client, limits.time),
        prove(message, &from, arrival.at, dns, settings),
        discover_authors(&from, of_dmarc, settings.boundary),
    );
    let (dkim, arc) = proofs;
    let mut dmarc = Vec::new();
    for author in discovered {
        dmarc.push(author.judge(of_dmarc, &spf.mailfrom, &dkim).await);
    }
    Facts {
        dmarc: dmarc::of_all(dmarc, &from),
        spf,
        dkim,
        from,
        arc,
        iprev,
        authors: listed,
    }
}

async fn spf_of_both(arrival: &Arrival<'_>, dns: &impl Dns, within: Duration) -> SpfFacts {
    let client = SpfClient {
        address: arrival.client,
        helo: arrival.helo,
        receiver: arrival.receiver,
    };
    let mail_from = SpfIdentity::MailFrom(arrival.reverse_path.as_str());
    let (helo, mailfrom) = tokio::join!(
        spf::check(dns, &client, SpfIdentity::Helo, within),
        spf::check(dns, &client, mail_from, within),
    );
    SpfFacts { helo, mailfrom }
}

/// What the DNS says about each author's domain. Of a From that cannot be read none is looked up:
/// whatever they say, the message has no author that could be told.
async fn discover_authors(
    from: &FromFact,
    dns: &impl Dns,
    boundary: crate::Boundary,
) -> Vec<Discovered> {
    if from.clarity == FromClarity::Unreadable {
        return Vec::new();
    }
    let domains = from.domains.iter();
    join_all(domains.map(|domain| discover(dns, domain.clone(), boundary))).await
}

/// The signatures of a message, while their keys are looked up.
struct Claims {
    message: Message,
    signatures: Signatures,
    chain: Chain,
    now: Millis,
    partial_body: PartialBody,
}

async fn prove(
    message: &Message,
    from: &FromFact,
    now: Millis,
    dns: &impl Dns,
    settings: &Settings,
) -> (Vec<DkimFact>, ArcFact) {
    let limits = &settings.limits;
    let claims = Claims {
        message: message.clone(),
        signatures: Signatures::of(
            message,
            limits.signatures,
            limits.signed_fields,
            &from.domains,
        ),
        chain: Chain::of(message, limits.signed_fields),
        now,
        partial_body: settings.partial_body,
    };
    let keys = keys(&claims, dns, limits.keys).await;
    if keys.0.is_empty() {
        return claims.prove(&keys);
    }
    // Never closed, so never an error.
    let _turn = VERIFIERS.acquire().await;
    let proved = tokio::task::spawn_blocking(move || claims.prove(&keys));
    proved.await.unwrap_or_else(|_| {
        let why = "the signatures could not be verified: the relay is stopping";
        let dkim = DkimFact {
            result: Authentication::TempError,
            reason: Some(why.to_owned()),
            ..DkimFact::default()
        };
        (vec![dkim], ArcFact::default())
    })
}

/// The keys of the first names, all at once.
async fn keys(claims: &Claims, dns: &impl Dns, most: usize) -> Keys {
    let of_dkim = claims.signatures.readable().map(|one| &one.signed);
    let mut names: Vec<String> = Vec::new();
    for signed in of_dkim.chain(claims.chain.signed()) {
        let name = signed.key_name();
        if names.len() < most && !names.contains(&name) {
            names.push(name);
        }
    }
    let answers = names.into_iter().map(|name| async move {
        let answer = dns.txt(&name).await;
        (name, answer)
    });
    Keys(HashMap::from_iter(join_all(answers).await))
}

impl Claims {
    fn prove(&self, keys: &Keys) -> (Vec<DkimFact>, ArcFact) {
        match self.bodies(keys) {
            Ok(bodies) => {
                let evidence = Evidence {
                    fields: &RawFields::of(&self.message),
                    bodies: &bodies,
                    keys,
                    now: self.now,
                    partial_body: self.partial_body,
                };
                (
                    self.signatures.prove(&evidence),
                    self.chain.prove(&evidence),
                )
            }
            Err(error) => self.unreadable(&error),
        }
    }

    /// The hashes for those signatures that have a key.
    fn bodies(&self, keys: &Keys) -> io::Result<BodyHashes> {
        let claimed = self
            .signatures
            .readable()
            .chain(self.chain.message_signature());
        let provable: Vec<&MessageSignature> = claimed
            .filter(|signature| keys.of(&signature.signed).is_ok())
            .collect();
        BodyHashes::of(self.message.body().as_ref(), provable.iter().copied())
    }

    fn unreadable(&self, error: &io::Error) -> (Vec<DkimFact>, ArcFact) {
        let why = format!("the body could not be read: {error}");
        let dkim = self.signatures.readable().map(|signature| DkimFact {
            result: Authentication::TempError,
            reason: Some(why.clone()),
            ..signature.signed.about()
        });
        let arc = match self.chain.message_signature() {
            None => ArcFact::default(),
            Some(_) => ArcFact {
                result: Authentication::TempError,
                reason: Some(why.clone()),
                ..ArcFact::default()
            },
        };
        (dkim.collect(), arc)
    }
}
