//! Mail that comes directly: the author's domain has to stand for it.

use gatepost_mailboxes::{AddrSpec, in_name, looks_like};
use gatepost_sdk::{Authentication, Author, Decision, DmarcPolicy, Outcome, Verdict};

use crate::{Failure, Mode, Settings};

/// Judges by the mode that is set.
pub fn judge(settings: &Settings, proved: &Authentication, decision: &mut Decision) -> Verdict {
    match settings.mode {
        Mode::Standard => standard(settings, proved, decision),
        Mode::Enhanced => enhanced(settings, proved, decision),
    }
}

/// What the author's domain asks for is done (RFC 9989 section 5.3); the rest is taken.
fn standard(settings: &Settings, proved: &Authentication, decision: &mut Decision) -> Verdict {
    let dmarc = &proved.dmarc;
    if dmarc.result == Outcome::TempError {
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
        Some(DmarcPolicy::Quarantine) => {
            let reason = format!("DMARC fails, and {domain} asks to quarantine");
            decision.reason(&reason);
            Verdict::Quarantine(reason)
        }
        Some(DmarcPolicy::None) | None => Verdict::Pass,
    }
}

/// The author must be one, must be seen to be who they are, and their domain must have sent it.
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
    if hides_another(author) {
        return fails(decision, "the display name in From is another address");
    }
    if proved.has_aligned_pass() || vouched_for(settings, proved, decision) {
        return Verdict::Pass;
    }
    if unanswered(proved) {
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

/// Whether a sealer that is believed saw DMARC pass for this author (RFC 8617 section 7.2.1).
pub(crate) fn vouched_for(
    settings: &Settings,
    proved: &Authentication,
    decision: &mut Decision,
) -> bool {
    let Some(set) = proved.trusted_results(&settings.trusted_sealers) else {
        return false;
    };
    // Of several authors it speaks of one.
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

/// Whether what was not proved might have been, had the DNS answered.
fn unanswered(proved: &Authentication) -> bool {
    let dkim = proved.dkim.iter().map(|signature| signature.result);
    [
        proved.dmarc.result,
        proved.spf_mailfrom.result,
        proved.arc.result,
    ]
    .into_iter()
    .chain(dkim)
    .any(|result| result == Outcome::TempError)
}

/// Whether the display name shows an address that is not the author's.
fn hides_another(author: &Author) -> bool {
    let address = &author.address;
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    let own = AddrSpec {
        local: local.to_owned(),
        domain: domain.to_owned(),
    };
    let shown = in_name(&author.name);
    !shown.iter().all(|shown| looks_like(shown, &own))
}
