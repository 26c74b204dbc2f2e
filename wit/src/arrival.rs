//! The way by which a message came to a recipient: the relay's answer to
//! [`arrival`](crate::authentication::arrival()), and a native test's.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::authentication::Arrival;
use crate::directory::{CredentialScope, DomainKind, DomainState, ReceivingDomain};
use crate::types::Flow;

/// Facts from which the way of a message to one recipient follows.
#[derive(Debug, Clone)]
pub struct ArrivalFacts<'a> {
    /// Direction of the message.
    pub flow: Flow,
    /// Address of the client.
    pub client: Option<IpAddr>,
    /// Right that the client's credential gives; `None` if it no longer counts.
    pub credential: Option<CredentialScope>,
    /// Domain at which the account receives mail for the recipient.
    pub to: Option<ReceivingDomain>,
    /// Domain of the author, in lower-case A-labels; empty if From has no single one.
    pub author: &'a str,
    /// Domains of the DKIM signatures that pass.
    pub signed: Vec<&'a str>,
    /// Domain of the reverse-path, if SPF passes for it.
    pub sent: Option<&'a str>,
    /// Domain of the newest seal, if the ARC chain passes.
    pub sealed: Option<&'a str>,
}

/// Returns the way by which a message came.
pub fn of(evidence: &ArrivalFacts<'_>) -> Arrival {
    match evidence.flow {
        // From another account of this relay.
        Flow::Inbound if evidence.client.is_none() => return Arrival::Internal,
        Flow::Inbound => {}
        Flow::Internal => return Arrival::Internal,
        Flow::Submission | Flow::Other => return Arrival::Other,
    }
    let Some(to) = &evidence.to else {
        return Arrival::Other;
    };
    match &evidence.credential {
        Some(CredentialScope::Inbound(domain)) if *domain == to.domain => {
            return match to.state {
                // The address alone is: the credential vouches for others in the domain.
                DomainState::Disconnected => Arrival::Direct,
                _ => Arrival::Relayed,
            };
        }
        Some(_) => return Arrival::Other,
        None => {}
    }
    if to.by_target {
        return match is_forwarded(evidence, to) {
            true => Arrival::Forwarded,
            false => Arrival::UnknownForwarder,
        };
    }
    match (to.kind, to.state) {
        // Only a verified domain has a relay: not one whose ownership is unproved, nor one that is
        // disconnected.
        (DomainKind::TwoWay, DomainState::Verified) => Arrival::PastRelay,
        // A customer's server often forwards to a native address.
        (DomainKind::OutboundOnly | DomainKind::Forwarded | DomainKind::Native, _)
            if is_forwarded(evidence, to) =>
        {
            Arrival::Forwarded
        }
        _ => Arrival::Direct,
    }
}

/// Returns true if a known forwarder of the domain handed the message over. The forwarder is
/// recognised by its network, its DKIM signature, SPF of its reverse-path, or its seal.
///
/// The servers of a connected domain are forwarders, too: they rewrite the reverse-path to the
/// domain (Sender Rewriting Scheme), or sign for it. Mail by authors of that domain proves the same
/// but was not forwarded, unless it came to a forwarding target, which nobody else knows.
fn is_forwarded(evidence: &ArrivalFacts<'_>, to: &ReceivingDomain) -> bool {
    let known = &to.forwarders;
    let client = evidence.client.map(|client| client.to_canonical());
    let from_network = client.is_some_and(|client| {
        let networks = known.networks.iter();
        let address = |text: &String| text.parse::<IpAddr>().map(IpNet::from).ok();
        let network = |text: &String| text.parse::<IpNet>().ok().or_else(|| address(text));
        networks
            .filter_map(network)
            .any(|network| network.contains(&client))
    });
    let connected = to.kind != DomainKind::Native && to.state == DomainState::Verified;
    let own = connected.then_some(&to.domain);
    let forwards = |domain: &str| {
        let mut domains = known.dkim_domains.iter().chain(own);
        let others = |known: &str| to.by_target || !is_in(evidence.author, known);
        domains.any(|known| is_in(domain, known) && others(known))
    };
    let signed = evidence.signed.iter().any(|domain| forwards(domain));
    let sent = evidence.sent.is_some_and(forwards);
    let sealed = evidence.sealed.is_some_and(|sealer| {
        let mut sealers = known.arc_sealers.iter();
        sealers.any(|known| is_in(sealer, known))
    });
    from_network || signed || sent || sealed
}

/// Returns true if a domain is this one or a sub-domain of it.
fn is_in(domain: &str, of: &str) -> bool {
    let rest = domain.len().checked_sub(of.len());
    let Some((above, end)) = rest.and_then(|at| domain.split_at_checked(at)) else {
        return false;
    };
    let ends = !of.is_empty() && end.eq_ignore_ascii_case(of);
    ends && (above.is_empty() || above.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::Forwarders;

    fn domain(kind: DomainKind, state: DomainState) -> ReceivingDomain {
        ReceivingDomain {
            domain: "customer.example".into(),
            kind,
            state,
            forwarders: Forwarders {
                networks: vec!["203.0.113.0/24".into(), "2001:db8::1".into()],
                dkim_domains: vec!["list.example".into()],
                arc_sealers: vec!["sealer.example".into()],
            },
            by_target: false,
        }
    }

    /// Returns the facts about a message of `a@author.example` that proves nothing.
    fn to(kind: DomainKind, state: DomainState) -> ArrivalFacts<'static> {
        ArrivalFacts {
            flow: Flow::Inbound,
            client: "192.0.2.1".parse().ok(),
            credential: None,
            to: Some(domain(kind, state)),
            author: "author.example",
            signed: Vec::new(),
            sent: None,
            sealed: None,
        }
    }

    #[test]
    fn the_domain_alone_decides_about_mail_that_proves_nothing() {
        use {DomainKind as Kind, DomainState as State};
        for (kind, state, arrival) in [
            (Kind::Native, State::Verified, Arrival::Direct),
            (Kind::OutboundOnly, State::Verified, Arrival::Direct),
            (Kind::TwoWay, State::Verified, Arrival::PastRelay),
            (Kind::TwoWay, State::Claimed, Arrival::Direct),
            (Kind::TwoWay, State::Disconnected, Arrival::Direct),
            (Kind::Forwarded, State::Verified, Arrival::Direct),
            (Kind::Other, State::Verified, Arrival::Direct),
        ] {
            assert_eq!(of(&to(kind, state)), arrival, "{kind:?} {state:?}");
        }
    }

    #[test]
    fn a_credential_is_for_its_own_domain() {
        let with = |credential| {
            let credential = Some(credential);
            let plain = to(DomainKind::TwoWay, DomainState::Verified);
            of(&ArrivalFacts {
                credential,
                ..plain
            })
        };
        let inbound = |domain: &str| CredentialScope::Inbound(domain.into());
        assert_eq!(with(inbound("customer.example")), Arrival::Relayed);
        assert_eq!(with(inbound("other.example")), Arrival::Other);
        assert_eq!(with(CredentialScope::Submission), Arrival::Other);
    }

    #[test]
    fn a_forwarder_is_known_by_any_of_its_marks() {
        let plain = || to(DomainKind::Native, DomainState::Verified);
        let forwarded = |change: &dyn Fn(&mut ArrivalFacts<'static>)| {
            let mut evidence = plain();
            change(&mut evidence);
            of(&evidence) == Arrival::Forwarded
        };
        assert!(forwarded(&|of| of.client = "203.0.113.9".parse().ok()));
        assert!(forwarded(
            &|of| of.client = "::ffff:203.0.113.9".parse().ok()
        ));
        assert!(forwarded(&|of| of.client = "2001:db8::1".parse().ok()));
        assert!(forwarded(
            &|of| of.signed = vec!["x.example", "mail.List.example"]
        ));
        assert!(forwarded(&|of| of.sent = Some("list.example")));
        assert!(forwarded(&|of| of.sealed = Some("sealer.example")));
        assert!(!forwarded(&|of| of.signed = vec!["notlist.example"]));
        assert!(!forwarded(&|of| of.sent = Some("customer.example")));
        // Its own author is not forwarded.
        assert!(!forwarded(&|of| {
            of.author = "list.example";
            of.sent = Some("list.example");
        }));
    }

    #[test]
    fn the_servers_of_a_verified_outbound_only_domain_are_its_forwarders() {
        let sent = |state| {
            let plain = to(DomainKind::OutboundOnly, state);
            of(&ArrivalFacts {
                sent: Some("customer.example"),
                ..plain
            })
        };
        assert_eq!(sent(DomainState::Verified), Arrival::Forwarded);
        assert_eq!(sent(DomainState::Claimed), Arrival::Direct);
    }

    #[test]
    fn a_forwarding_target_is_for_forwarders_of_any_author() {
        use {DomainKind as Kind, DomainState as State};
        let to_target = |kind, state, sent, author: &'static str| {
            let mut evidence = to(kind, state);
            evidence.to.iter_mut().for_each(|of| of.by_target = true);
            of(&ArrivalFacts {
                sent,
                author,
                ..evidence
            })
        };
        for kind in [Kind::Forwarded, Kind::OutboundOnly, Kind::TwoWay] {
            let own = Some("customer.example");
            for author in ["author.example", "customer.example"] {
                let known = to_target(kind, State::Verified, own, author);
                assert_eq!(known, Arrival::Forwarded, "{kind:?} {author}");
            }
            for (state, sent) in [(State::Verified, None), (State::Disconnected, own)] {
                let nobody = to_target(kind, state, sent, "author.example");
                assert_eq!(nobody, Arrival::UnknownForwarder, "{kind:?} {state:?}");
            }
        }
    }

    #[test]
    fn what_did_not_come_in_has_no_way() {
        let plain = to(DomainKind::Native, DomainState::Verified);
        for (flow, arrival) in [
            (Flow::Submission, Arrival::Other),
            (Flow::Internal, Arrival::Internal),
            (Flow::Other, Arrival::Other),
        ] {
            let evidence = ArrivalFacts {
                flow,
                ..plain.clone()
            };
            assert_eq!(of(&evidence), arrival, "{flow:?}");
        }
        assert_eq!(of(&ArrivalFacts { to: None, ..plain }), Arrival::Other);
    }
}
