//! The entry point to the facts, for the session, `gatepost check` and tests.
//!
//! 1. The header section is read: authors, signatures, ARC sets.
//! 2. The questions are asked at the same time, within one [budget](crate::budget): keys, DMARC
//!    records, SPF, the client's name.
//! 3. The body is read once and the signatures are verified, on a thread for blocking work.
//! 4. DMARC compares the identifiers that passed with the authors' domains.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use futures_util::future::join_all;
use gatepost_message::{Message, Millis, ReversePath};
use tokio::sync::Semaphore;

use crate::arc::ArcChain;
use crate::author::{self, Authors};
use crate::budget::{Asker, Budget};
use crate::dkim::body_hash::BodyHashes;
use crate::dkim::fields::RawFields;
use crate::dkim::key::Keys;
use crate::dkim::{Evidence, MessageSignature, Signatures};
use crate::dmarc::{Discovered, discover};
use crate::spf::{self, SpfClient, SpfIdentity};
use crate::{
    ArcFact, Authentication, DkimFact, Facts, FromClarity, FromFact, PartialBody, Settings,
    SpfFacts, dmarc, iprev,
};
use gatepost_dns::Dns;

/// Permits for messages whose signatures are verified at the same time, process-wide. This is work
/// for the processor: more would only take threads from other blocking work.
static VERIFIERS: Semaphore = Semaphore::const_new(16);

/// Client, envelope and time with which a message arrived.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// Client's address.
    pub client: IpAddr,
    /// Argument of EHLO or HELO.
    pub helo: &'a str,
    /// Relay's own name, which the explanation of an SPF `fail` may contain.
    pub receiver: &'a str,
    /// Argument of MAIL.
    pub reverse_path: &'a ReversePath,
    /// Time at which the transaction began. Signatures are judged by this clock, so that a later
    /// check of the same message has the same result.
    pub at: Millis,
}

/// Gathers all facts about a message.
///
/// Never fails and never panics: a fact that could not be found out is `temperror`, with its
/// reason. It takes at most [`Limits::time`](crate::Limits::time), and then the processor's time
/// for the body and the signatures: about a tenth of a second for 25 MiB. That part runs on the
/// runtime's threads for blocking work, so a caller may await this on any thread of a tokio
/// runtime.
pub async fn gather(
    message: &Message,
    arrival: &Arrival<'_>,
    dns: &impl Dns,
    settings: &Settings,
) -> Facts {
    let authors = author::read_authors(message, None, settings.limits.authors).await;
    gather_with(message, authors, arrival, dns, settings).await
}

/// Gathers all facts about a message that was repaired as it arrived. Signatures are verified on
/// the message that `came`. The authors are those of both forms, because people will read `shown`.
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
    let of_dmarc = &budget.dns_for(Asker::Dmarc);
    let dns = &budget.dns_for(Asker::Others);
    let (spf, iprev, verified, discovered) = tokio::join!(
        spf_of_both(arrival, dns, limits.time),
        iprev::check(dns, arrival.client, limits.time),
        verify(message, &from, arrival.at, dns, settings),
        discover_authors(&from, of_dmarc, settings.boundary),
    );
    let (dkim, arc) = verified;
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

/// Finds the DMARC record of each author's domain. Nothing is looked up for an unreadable From:
/// whatever the records say, the message's author is unknown.
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

/// Signatures of a message while their keys are looked up.
struct Claims {
    message: Message,
    signatures: Signatures,
    chain: ArcChain,
    now: Millis,
    partial_body: PartialBody,
}

async fn verify(
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
        chain: ArcChain::of(message, limits.signed_fields),
        now,
        partial_body: settings.partial_body,
    };
    let keys = keys(&claims, dns, limits.keys).await;
    if keys.0.is_empty() {
        return claims.verify(&keys);
    }
    // The semaphore is never closed, so this is never an error.
    let _permit = VERIFIERS.acquire().await;
    let verified = tokio::task::spawn_blocking(move || claims.verify(&keys));
    verified.await.unwrap_or_else(|_| {
        let why = "the signatures could not be verified: the relay is stopping";
        let dkim = DkimFact {
            result: Authentication::Temperror,
            reason: Some(why.to_owned()),
            ..DkimFact::default()
        };
        (vec![dkim], ArcFact::default())
    })
}

/// Looks up the keys of the first `most` names at the same time.
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
    fn verify(&self, keys: &Keys) -> (Vec<DkimFact>, ArcFact) {
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
                    self.signatures.verify(&evidence),
                    self.chain.verify(&evidence),
                )
            }
            Err(error) => self.unreadable(&error),
        }
    }

    /// Hashes the body for the signatures that have a key.
    fn bodies(&self, keys: &Keys) -> io::Result<BodyHashes> {
        let signatures = self
            .signatures
            .readable()
            .chain(self.chain.message_signature());
        let with_key: Vec<&MessageSignature> = signatures
            .filter(|signature| keys.of(&signature.signed).is_ok())
            .collect();
        BodyHashes::of(self.message.body().as_ref(), with_key.iter().copied())
    }

    fn unreadable(&self, error: &io::Error) -> (Vec<DkimFact>, ArcFact) {
        let why = format!("the body could not be read: {error}");
        let dkim = self.signatures.readable().map(|signature| DkimFact {
            result: Authentication::Temperror,
            reason: Some(why.clone()),
            ..signature.signed.about()
        });
        let arc = match self.chain.message_signature() {
            None => ArcFact::default(),
            Some(_) => ArcFact {
                result: Authentication::Temperror,
                reason: Some(why.clone()),
                ..ArcFact::default()
            },
        };
        (dkim.collect(), arc)
    }
}
