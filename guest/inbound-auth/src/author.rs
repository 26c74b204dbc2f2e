//! Treatment of mail whose author is ambiguous or unreadable.
//!
//! DMARC is about the domains that From shows. If they are unknown, nothing is proved, and an
//! impostor's message looks like this: so it is refused or quarantined, whatever else it proves
//! (RFC 9989 section 11.5).

use gatepost_sdk::{Authentication, Decision, FromClarity, Outcome, Verdict};

use crate::{Settings, UnreadableAuthor};

/// Tags mail whose From is ambiguous or unreadable. All readings of an ambiguous From are judged.
pub fn tag(proved: &Authentication, decision: &mut Decision) {
    let tag = match proved.from.clarity {
        FromClarity::Unequivocal => return,
        FromClarity::Equivocal => "author-equivocal",
        FromClarity::Unreadable | FromClarity::Other => "author-unreadable",
    };
    decision.tag(tag);
    if let Some(doubt) = &proved.from.doubt {
        decision.reason(doubt);
    }
}

/// Returns the verdict on mail whose author is unknown.
///
/// A notice of a mail system (RFC 3464; by its null reverse-path, RFC 5321 section 4.5.5) may have
/// only a name in From: many have `MAILER-DAEMON`, and no reader shows a domain then.
pub fn judge(
    settings: &Settings,
    reverse_path: &str,
    proved: &Authentication,
    decision: &mut Decision,
) -> Option<Verdict> {
    let clarity = proved.from.clarity;
    let unreadable = matches!(clarity, FromClarity::Unreadable | FromClarity::Other);
    if !unreadable && proved.dmarc.result != Outcome::Permerror {
        return None;
    }
    let mut authors = proved.authors.iter();
    let is_name_alone = unreadable
        && proved.from.domains.is_empty()
        && !proved.authors.is_empty()
        && authors.all(|author| author.address.is_empty());
    if reverse_path.is_empty() && is_name_alone {
        decision.tag("author-missing");
        return None;
    }
    let why = proved.from.doubt.as_deref();
    let why = why.or(proved.dmarc.reason.as_deref());
    let why = why.unwrap_or("DMARC cannot be judged");
    Some(match settings.unreadable_author {
        UnreadableAuthor::Refuse => {
            let text = format!("The author cannot be told: {why}");
            Verdict::reject(550, "5.6.0", &text)
        }
        UnreadableAuthor::Quarantine => {
            Verdict::Quarantine(format!("the author cannot be told: {why}"))
        }
    })
}
