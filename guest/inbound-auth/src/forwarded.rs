//! Mail that a customer's server forwards to us, without credentials.
//!
//! The author's SPF always fails, because the client is the forwarder; a DKIM signature survives if
//! the forwarder changes nothing, and ARC records the results that the forwarder saw. So forwarded
//! mail is judged by DKIM and ARC, and never refused for a failure of DMARC alone.

use gatepost_sdk::{Authentication, Decision, Outcome, Verdict};

use crate::Settings;
use crate::direct::vouched_for;

/// Tags mail by who has forwarded it: somebody known, or nobody known to a forwarding target, which
/// proves nothing but that the client knows the target.
pub fn tag(known: bool, unknown: bool, decision: &mut Decision) {
    if known {
        decision.tag("forwarded");
    }
    if unknown {
        decision.tag("forwarder-unknown");
        decision.reason("it came to a forwarding target from nobody who is known to forward there");
    }
}

/// Records which proof of the author of forwarded mail has survived.
pub fn judge(settings: &Settings, proved: &Authentication, decision: &mut Decision) -> Verdict {
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
