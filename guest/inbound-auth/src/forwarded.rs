//! Mail that a customer's server forwards to us, without credentials.
//!
//! Its authors' SPF fails by nature, for the client is not theirs; a DKIM signature survives where
//! the forwarder changes nothing, and ARC tells what the forwarder saw. So it is judged by these
//! two, and never refused because DMARC fails alone.

use gatepost_sdk::{
    Authentication, Decision, DomainKind, DomainState, Outcome, ReceivingDomain, Transaction,
    Verdict,
};

use crate::direct::vouched_for;
use crate::settings::is_in;
use crate::{Network, Settings};

/// Whether one of the known forwarders of a domain has handed it over: by the network that it
/// comes from, a signature of its own, SPF of its reverse-path, or its seal as the newest of a
/// chain that passes.
///
/// The servers of a connected domain forward its mail as well: they rewrite the reverse-path to it
/// (Sender Rewriting Scheme), or sign for it. What its own people write proves the same, and has
/// not been forwarded by it.
pub fn by_known(to: &ReceivingDomain, transaction: &Transaction, proved: &Authentication) -> bool {
    let known = &to.forwarders;
    let client = &transaction.session.client_ip;
    let network = |text: &String| Network::try_from(text.clone()).ok();
    let from_network =
        (known.networks.iter().filter_map(network)).any(|network| network.contains(client));
    let connected = to.kind != DomainKind::Native && to.state == DomainState::Verified;
    let own = connected.then_some(&to.domain);
    let author = &proved.dmarc.domain;
    let forwards = |domain: &str| {
        let mut domains = known.dkim_domains.iter().chain(own);
        domains.any(|known| is_in(domain, known) && !is_in(author, known))
    };
    let mut signatures = proved.dkim.iter();
    let signed = signatures
        .any(|signature| signature.result == Outcome::Pass && forwards(&signature.domain));
    let sent = proved.spf_mailfrom.result == Outcome::Pass
        && !transaction.mail_from.is_empty()
        && forwards(&proved.spf_mailfrom.domain);
    let arc = &proved.arc;
    let sealed = arc.result == Outcome::Pass
        && (known.arc_sealers.iter()).any(|sealer| is_in(&arc.sealer, sealer));
    from_network || signed || sent || sealed
}

/// Tags it, and says what has survived.
pub fn judge(settings: &Settings, proved: &Authentication, decision: &mut Decision) -> Verdict {
    decision.tag("forwarded");
    if proved.dmarc.dkim_aligned {
        decision.reason("forwarded; the author's signature has survived");
    } else if !vouched_for(settings, proved, decision) {
        decision.reason("forwarded; nothing that proves the author has survived");
        if proved.dmarc.result == Outcome::Fail {
            decision.tag("dmarc-fail");
        }
    }
    Verdict::Pass
}
