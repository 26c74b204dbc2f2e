//! Mail that a customer's server forwards to us, without credentials.
//!
//! The author's SPF always fails, because the client is the forwarder; a DKIM signature survives if
//! the forwarder changes nothing, and ARC records the results that the forwarder saw. So forwarded
//! mail is judged by DKIM and ARC, and never refused for a failure of DMARC alone.

use gatepost_sdk::{
    Authentication, Decision, DomainKind, DomainState, Outcome, ReceivingDomain, Transaction,
    Verdict,
};

use crate::direct::vouched_for;
use crate::settings::is_in;
use crate::{Network, Settings};

/// Returns true if a known forwarder of the domain handed the message over. The forwarder is
/// recognised by its network, its DKIM signature, SPF of its reverse-path, or its seal as the
/// newest of a valid ARC chain.
///
/// The servers of a connected domain are forwarders, too: they rewrite the reverse-path to the
/// domain (Sender Rewriting Scheme), or sign for it. Mail by authors of that domain proves the same
/// but was not forwarded.
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

/// Tags forwarded mail, and records which proof of the author has survived.
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
