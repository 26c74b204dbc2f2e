//! Mail that a customer's server forwards to us, without credentials.
//!
//! Its authors' SPF fails by nature, for the client is not theirs; a DKIM signature survives where
//! the forwarder changes nothing, and ARC tells what the forwarder saw. So it is judged by these
//! two, and never refused because DMARC fails alone.

use gatepost_sdk::{Authentication, Decision, Forwarders, Outcome, Transaction, Verdict};

use crate::direct::vouched_for;
use crate::settings::is_in;
use crate::{Network, Settings};

/// Whether one of the known forwarders has handed it over: by the network that it comes from, a
/// signature of its own, or its seal as the newest of a chain that passes.
pub fn by_known(known: &Forwarders, transaction: &Transaction, proved: &Authentication) -> bool {
    let client = &transaction.session.client_ip;
    let network = |text: &String| Network::try_from(text.clone()).ok();
    let from_network =
        (known.networks.iter().filter_map(network)).any(|network| network.contains(client));
    let mut signatures = proved.dkim.iter();
    let signed = signatures.any(|signature| {
        signature.result == Outcome::Pass
            && (known.dkim_domains.iter()).any(|domain| is_in(&signature.domain, domain))
    });
    let arc = &proved.arc;
    let sealed = arc.result == Outcome::Pass
        && (known.arc_sealers.iter()).any(|sealer| is_in(&arc.sealer, sealer));
    from_network || signed || sealed
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
