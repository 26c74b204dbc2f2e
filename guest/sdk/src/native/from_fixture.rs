//! Values of a fixture, as a policy meets them natively.

use gatepost_fixture as fixture;

use super::Given;
use crate::{
    ArcDkim, ArcResult, ArcSet, Authentication, Author, Credential, CredentialScope, DkimResult,
    DmarcPolicy, DmarcResult, DomainKind, DomainState, Facts, Forwarders, FromClarity, FromResult,
    IprevResult, Level, Machine, Message, Outcome, Partner, PartnerSource, ReceivingDomain,
    SpfResult,
};

/// Message as the relay would hand it to a policy. A body that cannot be read counts as empty.
///
/// ```
/// use gatepost_sdk::Message;
///
/// let stored = gatepost_message::Message::from_stored(b"Subject: s\n\nHello\n");
/// let message = gatepost_sdk::native::Mail(&stored);
/// assert_eq!(message.header("subject").as_deref(), Some("s"));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Mail<'a>(pub &'a gatepost_message::Message);

impl Message for Mail<'_> {
    fn header(&self, name: &str) -> Option<String> {
        self.section().header(name)
    }
    fn headers_named(&self, name: &str) -> Vec<String> {
        self.section().headers_named(name)
    }
    fn count(&self, name: &str) -> u32 {
        self.section().count(name)
    }
    fn headers(&self) -> Vec<(String, String)> {
        self.section().headers()
    }
    fn header_chunk(&self, offset: u64, length: u32) -> Vec<u8> {
        let head = self.0.head();
        let begin = usize::try_from(offset).map_or(head.len(), |at| at.min(head.len()));
        let end = begin.saturating_add(length as usize).min(head.len());
        head[begin..end].to_vec()
    }
    fn header_size(&self) -> u64 {
        self.0.head().len() as u64
    }
    fn body_size(&self) -> u64 {
        self.0.body().len()
    }
    fn body_chunk(&self, offset: u64, length: u32) -> Vec<u8> {
        let body = self.0.body();
        let left = body.len().saturating_sub(offset).min(u64::from(length));
        let mut chunk = vec![0; usize::try_from(left).unwrap_or_default()];
        let read = body.read_at(offset, &mut chunk).unwrap_or_default();
        chunk.truncate(read);
        chunk
    }
}

/// Look-ups of a fixture's policy. Log lines go to standard error.
pub(super) struct FixtureFacts<'a>(pub(super) &'a fixture::Fixture);

impl Facts for FixtureFacts<'_> {
    fn now(&self) -> u64 {
        self.0.now.0
    }
    fn counted(&self, key: &str, seconds: u32) -> u64 {
        self.0.memory.counted(&crate::bounds::key(key), seconds)
    }
    fn seen(&self, key: &str) -> bool {
        self.0
            .memory
            .seen
            .contains(crate::bounds::key(key).as_ref())
    }
    fn log(&self, level: Level, text: &str) {
        eprintln!("{level:?} {text}");
    }
}

/// Returns the values that a fixture gives to its policy.
pub(super) fn given(fixture: &fixture::Fixture, message: &gatepost_message::Message) -> Given {
    let known = &fixture.directory;
    let destinations = known.destinations.keys();
    let destinations = destinations
        .filter_map(|address| Some((address.clone(), domain(known.destination(address)?))));
    let credential = known.credential.clone().map(|scope| match scope {
        fixture::CredentialScope::Inbound(domain) => CredentialScope::Inbound(domain),
        fixture::CredentialScope::Submission => CredentialScope::Submission,
    });
    let settings = fixture.account_settings.clone();
    let facts = authentication(&fixture.facts(message));
    let dmarc = &facts.dmarc;
    let aligned = dmarc.spf_aligned || dmarc.dkim_aligned;
    Given {
        author_is_proved: Some(dmarc.result == Outcome::Pass || aligned),
        authentication: facts,
        destinations: destinations.collect(),
        machines: (known.machines.iter())
            .map(|(address, evidence)| {
                let machine = Machine {
                    evidence: evidence.clone(),
                    since: fixture.now.0,
                    until: fixture.now.0 + fixture::Directory::MACHINE_FOR,
                };
                (crate::canonical(address), machine)
            })
            .collect(),
        partners: (known.partners.iter())
            .map(|(key, source)| (key.clone(), partner(key, source)))
            .collect(),
        product: known.product.clone(),
        // A credential needs a user who has proved it.
        credential: (fixture.user.clone())
            .zip(credential)
            .map(|(user, scope)| Credential { user, scope }),
        settings: settings.map(|settings| serde_json::Value::Object(settings).to_string()),
        identity: super::Identity {
            host_name: fixture.identity.host_name.clone(),
            email_id: fixture.identity.email_id.clone(),
            ours: fixture.identity.ours.iter().cloned().collect(),
        },
    }
}

fn partner(key: &str, source: &fixture::PartnerSource) -> Partner {
    Partner {
        by_domain: key.starts_with('@'),
        source: match source.clone() {
            fixture::PartnerSource::Agreement(account) => PartnerSource::Agreement(account),
            fixture::PartnerSource::ByHand => PartnerSource::ByHand,
            fixture::PartnerSource::Import(name) => PartnerSource::Import(name),
            fixture::PartnerSource::Feed(url) => PartnerSource::Feed(url),
        },
    }
}

fn domain(of: fixture::ReceivingDomain) -> ReceivingDomain {
    ReceivingDomain {
        domain: of.domain,
        kind: match of.kind {
            fixture::DomainKind::Native => DomainKind::Native,
            fixture::DomainKind::TwoWay => DomainKind::TwoWay,
            fixture::DomainKind::OutboundOnly => DomainKind::OutboundOnly,
        },
        state: match of.state {
            fixture::DomainState::Claimed => DomainState::Claimed,
            fixture::DomainState::Verified => DomainState::Verified,
            fixture::DomainState::Disconnected => DomainState::Disconnected,
        },
        forwarders: Forwarders {
            networks: of.forwarders.networks,
            dkim_domains: of.forwarders.dkim_domains,
            arc_sealers: of.forwarders.arc_sealers,
        },
    }
}

fn authentication(facts: &fixture::Facts) -> Authentication {
    let signatures = facts.dkim.iter();
    let authors = facts.authors.iter().flatten();
    Authentication {
        spf_helo: spf(&facts.spf_helo),
        spf_mailfrom: spf(&facts.spf),
        dkim: signatures
            .map(|signature| DkimResult {
                result: outcome(signature.result),
                domain: signature.domain.clone(),
                selector: signature.selector.clone(),
                algorithm: signature.algorithm.clone(),
                reason: signature.reason.clone(),
            })
            .collect(),
        dmarc: dmarc(&facts.dmarc),
        arc: ArcResult {
            result: outcome(facts.arc.result),
            instances: facts.arc.instances,
            sealer: facts.arc.sealer.clone(),
            sets: facts.arc.sets.iter().map(arc_set).collect(),
            reason: facts.arc.reason.clone(),
        },
        iprev: IprevResult {
            result: outcome(facts.iprev.result),
            name: facts.iprev.name.clone(),
        },
        authors: authors
            .map(|author| Author {
                name: author.name.clone(),
                address: author.address.clone(),
            })
            .collect(),
        from: from(facts.from.clone().unwrap_or_default()),
    }
}

fn from(from: fixture::From) -> FromResult {
    FromResult {
        clarity: match from.clarity {
            fixture::FromClarity::Unequivocal => FromClarity::Unequivocal,
            fixture::FromClarity::Equivocal => FromClarity::Equivocal,
            fixture::FromClarity::Unreadable => FromClarity::Unreadable,
        },
        domains: from.domains,
        doubt: from.doubt,
    }
}

fn outcome(outcome: fixture::Outcome) -> Outcome {
    match outcome {
        fixture::Outcome::None => Outcome::None,
        fixture::Outcome::Neutral => Outcome::Neutral,
        fixture::Outcome::Pass => Outcome::Pass,
        fixture::Outcome::Fail => Outcome::Fail,
        fixture::Outcome::SoftFail => Outcome::SoftFail,
        fixture::Outcome::Policy => Outcome::Policy,
        fixture::Outcome::TempError => Outcome::TempError,
        fixture::Outcome::PermError => Outcome::PermError,
    }
}

fn spf(spf: &fixture::Spf) -> SpfResult {
    SpfResult {
        result: outcome(spf.result),
        domain: spf.domain.clone(),
        reason: spf.reason.clone(),
    }
}

fn dmarc(dmarc: &fixture::Dmarc) -> DmarcResult {
    let policy = |policy: fixture::DmarcPolicy| match policy {
        fixture::DmarcPolicy::None => DmarcPolicy::None,
        fixture::DmarcPolicy::Quarantine => DmarcPolicy::Quarantine,
        fixture::DmarcPolicy::Reject => DmarcPolicy::Reject,
    };
    DmarcResult {
        result: outcome(dmarc.result),
        policy: dmarc.policy.map(policy),
        applied: dmarc.applied.map(policy),
        domain: dmarc.domain.clone(),
        organizational_domain: dmarc.organizational_domain.clone(),
        spf_aligned: dmarc.spf_aligned,
        dkim_aligned: dmarc.dkim_aligned,
        reason: dmarc.reason.clone(),
    }
}

fn arc_set(set: &fixture::ArcSet) -> ArcSet {
    let signatures = set.dkim.iter().map(|seen| ArcDkim {
        result: outcome(seen.result),
        domain: seen.domain.clone(),
    });
    ArcSet {
        instance: set.instance,
        sealer: set.sealer.clone(),
        results: set.results.clone(),
        authserv_id: set.authserv_id.clone(),
        dmarc: set.dmarc.map(outcome),
        dmarc_from: set.dmarc_from.clone(),
        spf: set.spf.map(outcome),
        arc: set.arc.map(outcome),
        dkim: signatures.collect(),
    }
}
