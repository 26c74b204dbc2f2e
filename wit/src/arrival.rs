//! The way by which a message came to a recipient: the relay's answer to
//! [`arrival`](crate::authentication::arrival()), and a native test's.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::authentication::Arrival;
use crate::directory::{CredentialScope, DomainKind, DomainState, ReceivingDomain};
use crate::types::Flow;

/// Facts from which the way of a message to one recipient follows.
#[derive(Debug, Clone)]
pub struct Evidence<'a> {
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
pub fn of(evidence: &Evidence<'_>) -> Arrival {
    match evidence.flow {
        Flow::Inbound => {}
        Flow::Internal => return Arrival::Internal,
        Flow::Submission | Flow::Other => return Arrival::Other,
    }
    let Some(to) = &evidence.to else {
        return Arrival::Other;
    };
    match &evidence.credential {
        Some(CredentialScope::Inbound(domain)) if *domain == to.domain => return Arrival::Relayed,
        Some(_) => return Arrival::Other,
        None => {}
    }
    match (to.kind, to.state) {
        // Only a verified domain has a relay: not one whose ownership is unproved, nor one that is
        // disconnected.
        (DomainKind::TwoWay, DomainState::Verified) => Arrival::PastRelay,
        // A customer's server often forwards to a native address.
        (DomainKind::OutboundOnly | DomainKind::Native, _) if is_forwarded(evidence, to) => {
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
/// but was not forwarded.
fn is_forwarded(evidence: &Evidence<'_>, to: &ReceivingDomain) -> bool {
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
        domains.any(|known| is_in(domain, known) && !is_in(evidence.author, known))
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
