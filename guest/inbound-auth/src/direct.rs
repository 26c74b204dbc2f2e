//! Mail that comes directly: the author's domain has to authenticate it.

use gatepost_mailboxes::{AddrSpec, in_name, looks_like};
use gatepost_sdk::{Authentication, Author, Decision, DmarcPolicy, Outcome, Verdict};

use crate::{Failure, Mode, Settings};

/// Judges by the mode in the settings.
pub fn judge(settings: &Settings, proved: &Authentication, decision: &mut Decision) -> Verdict {
    match settings.mode {
        Mode::Standard => standard(settings, proved, decision),
        Mode::Enhanced => enhanced(settings, proved, decision),
    }
}

/// Applies the DMARC policy of the author's domain (RFC 9989 section 5.3); other mail is accepted.
fn standard(settings: &Settings, proved: &Authentication, decision: &mut Decision) -> Verdict {
    let dmarc = &proved.dmarc;
    if dmarc.result == Outcome::Temperror {
        decision.reason("DMARC could not be checked: the DNS did not answer");
        decision.tag("dmarc-temperror");
        return Verdict::Pass;
    }
    if dmarc.result == Outcome::Fail {
        if vouched_for(settings, proved, decision) {
            return Verdict::Pass;
        }
        decision.tag("dmarc-fail");
    }
    let domain = &dmarc.domain;
    match dmarc.applied {
        Some(DmarcPolicy::Reject) => {
            decision.reason(format!("DMARC fails, and {domain} asks to reject"));
            Verdict::reject(
                550,
                "5.7.1",
                "DMARC fails, and the author's domain asks to reject",
            )
        }
        // An unknown request is taken for the milder one.
        Some(DmarcPolicy::Quarantine | DmarcPolicy::Other) => {
            let reason = format!("DMARC fails, and {domain} asks to quarantine");
            decision.reason(&reason);
            Verdict::Quarantine(reason)
        }
        Some(DmarcPolicy::None) | None => Verdict::Pass,
    }
}

/// Requires a single author, a display name that shows no other address, and proof that the
/// author's domain has sent the message.
fn enhanced(settings: &Settings, proved: &Authentication, decision: &mut Decision) -> Verdict {
    let fails = |decision: &mut Decision, why: &str| {
        decision.reason(why);
        match settings.enhanced_failure {
            Failure::Quarantine => Verdict::Quarantine(why.to_owned()),
            Failure::Refuse => Verdict::reject(550, "5.7.1", why),
        }
    };
    let author = match proved.authors.as_slice() {
        [author] if !author.address.is_empty() => author,
        [] | [_] => return fails(decision, "From has no address"),
        _ => return fails(decision, "From has several addresses"),
    };
    if shows_another_address(author) {
        return fails(decision, "the display name in From is another address");
    }
    if proved.has_aligned_pass() || vouched_for(settings, proved, decision) {
        return Verdict::Pass;
    }
    if dns_failed(proved) {
        decision.reason("the origin could not be checked: the DNS did not answer");
        return Verdict::tempfail(
            451,
            "4.7.1",
            "The origin cannot be checked now, try again later",
        );
    }
    fails(
        decision,
        "neither SPF nor DKIM shows that the author's domain has sent it",
    )
}

/// Returns true if a trusted sealer saw DMARC pass for this author (RFC 8617 section 7.2.1).
pub(crate) fn vouched_for(
    settings: &Settings,
    proved: &Authentication,
    decision: &mut Decision,
) -> bool {
    let Some(set) = proved.trusted_results(&settings.trusted_sealers) else {
        return false;
    };
    // With several authors, the sealer's result is about only one of them.
    let same_author = proved.from.domains.len() <= 1
        && set.dmarc_from.as_deref() == Some(proved.dmarc.domain.as_str());
    let vouched = set.dmarc == Some(Outcome::Pass) && same_author;
    if vouched {
        decision.tag("arc-override");
        decision.reason(format!(
            "{} saw DMARC pass for {} (ARC instance {})",
            set.sealer, proved.dmarc.domain, set.instance
        ));
    }
    vouched
}

/// Returns true if a proof may be missing only because the DNS did not answer.
fn dns_failed(proved: &Authentication) -> bool {
    let dkim = proved.dkim.iter().map(|signature| signature.result);
    [
        proved.dmarc.result,
        proved.spf_mailfrom.result,
        proved.arc.result,
    ]
    .into_iter()
    .chain(dkim)
    .any(|result| result == Outcome::Temperror)
}

/// Returns true if the display name shows an address that is not the author's.
fn shows_another_address(author: &Author) -> bool {
    let address = &author.address;
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    let own = AddrSpec {
        local: local.to_owned(),
        domain: domain.to_owned(),
    };
    let shown = in_name(&author.name);
    !shown.iter().all(|shown| looks_like(shown, &own))
}
