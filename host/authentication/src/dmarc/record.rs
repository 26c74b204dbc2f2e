//! What a DMARC record says (RFC 9989 section 4.7).
//!
//! Only the version must be right, and stand first. What else is malformed counts as if it were
//! not there (section 4.8), except that a policy that cannot be read takes the record's effect
//! (section 4.10.1).

use crate::DmarcPolicy;

/// The most tags that are read.
const MOST: usize = 200;

/// How much alike identifiers must be (RFC 9989 section 4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Alignment {
    /// Of one organisation.
    #[default]
    Relaxed,
    /// The same domain.
    Strict,
}

/// Whether the domain is a public suffix (`psd`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Psd {
    Yes,
    No,
    #[default]
    Unknown,
}

/// A record with the right version.
#[derive(Debug, Clone, Default)]
pub(crate) struct Record {
    p: Policy,
    sp: Policy,
    np: Policy,
    pub(crate) aspf: Alignment,
    pub(crate) adkim: Alignment,
    pub(crate) psd: Psd,
    /// `t=y`: what is asked for is not meant yet.
    testing: bool,
    /// `rua` has an address at least.
    reports: bool,
}

/// The value of a policy tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Policy {
    #[default]
    Missing,
    Invalid,
    Valid(DmarcPolicy),
}

/// What is asked for of each kind of author's domain.
pub(crate) struct Policies {
    /// One that has the record itself.
    pub(crate) p: DmarcPolicy,
    /// One below it that exists.
    pub(crate) sp: DmarcPolicy,
    /// One below it that does not.
    pub(crate) np: DmarcPolicy,
}

impl Record {
    /// Reads a TXT record; `None` where it is of something else.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(text);
        // Each is compared with those before it.
        let mut tags = text.split(';').take(MOST).map(|tag| {
            let (name, value) = tag.split_once('=').unwrap_or((tag, ""));
            (name.trim().to_ascii_lowercase(), value.trim())
        });
        if tags.next()? != ("v".to_owned(), "DMARC1") {
            return None;
        }
        let mut record = Self::default();
        let mut seen = Vec::new();
        for (name, value) in tags {
            // The first of a name counts.
            if seen.contains(&name) {
                continue;
            }
            let is = |word: &str| value.eq_ignore_ascii_case(word);
            let alignment = || match is("s") {
                true => Alignment::Strict,
                false => Alignment::Relaxed,
            };
            match name.as_str() {
                "p" => record.p = Policy::parse(value),
                "sp" => record.sp = Policy::parse(value),
                "np" => record.np = Policy::parse(value),
                "aspf" => record.aspf = alignment(),
                "adkim" => record.adkim = alignment(),
                "psd" if is("y") => record.psd = Psd::Yes,
                "psd" if is("n") => record.psd = Psd::No,
                "t" => record.testing = is("y"),
                "rua" => record.reports = value.split(',').any(is_report_address),
                _ => {}
            }
            seen.push(name);
        }
        Some(record)
    }

    /// What is asked for; `None` where the record has no effect (RFC 9989 section 4.10.1).
    pub(crate) fn policies(&self) -> Option<Policies> {
        let or = |policy, default| match policy {
            Policy::Missing => Some(default),
            Policy::Invalid => None,
            Policy::Valid(policy) => Some(policy),
        };
        let valid = || {
            let Policy::Valid(p) = self.p else {
                return None;
            };
            let sp = or(self.sp, p)?;
            let np = or(self.np, sp)?;
            Some(Policies { p, sp, np })
        };
        let monitored = || {
            self.reports.then_some(Policies {
                p: DmarcPolicy::None,
                sp: DmarcPolicy::None,
                np: DmarcPolicy::None,
            })
        };
        valid().or_else(monitored)
    }

    /// What is to be done with mail that fails: `t=y` takes one step back.
    pub(crate) fn applied(&self, requested: DmarcPolicy) -> DmarcPolicy {
        match requested {
            DmarcPolicy::Reject if self.testing => DmarcPolicy::Quarantine,
            DmarcPolicy::Quarantine if self.testing => DmarcPolicy::None,
            requested => requested,
        }
    }
}

impl Policy {
    fn parse(value: &str) -> Self {
        match value.to_ascii_lowercase().as_str() {
            "none" => Self::Valid(DmarcPolicy::None),
            "quarantine" => Self::Valid(DmarcPolicy::Quarantine),
            "reject" => Self::Valid(DmarcPolicy::Reject),
            _ => Self::Invalid,
        }
    }
}

fn is_report_address(uri: &str) -> bool {
    let uri = uri.trim();
    uri.get(..7)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("mailto:"))
        && uri[7..]
            .split_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policies(text: &str) -> Option<(DmarcPolicy, DmarcPolicy, DmarcPolicy)> {
        let policies = Record::parse(text.as_bytes())?.policies()?;
        Some((policies.p, policies.sp, policies.np))
    }

    #[test]
    fn the_version_stands_first_and_is_exact() {
        for text in [
            "v=dmarc1; p=none",
            "p=none; v=DMARC1",
            "v=DMARC1x",
            "v=spf1 -all",
            "",
        ] {
            assert!(Record::parse(text.as_bytes()).is_none(), "{text:?}");
        }
        assert!(Record::parse(b" V = DMARC1 ;p=none").is_some());
    }

    #[test]
    fn policies_stand_in_for_each_other() {
        use DmarcPolicy::{None, Quarantine, Reject};
        assert_eq!(
            policies("v=DMARC1; p=reject"),
            Some((Reject, Reject, Reject))
        );
        assert_eq!(
            policies("v=DMARC1; P=Reject; sp=quarantine; pct=0"),
            Some((Reject, Quarantine, Quarantine))
        );
        assert_eq!(
            policies("v=DMARC1; p=none; np=reject; np=none"),
            Some((None, None, Reject))
        );
    }

    #[test]
    fn a_policy_that_cannot_be_read_asks_for_reports_at_most() {
        use DmarcPolicy::None;
        assert_eq!(policies("v=DMARC1; p=rejekt"), Option::None);
        assert_eq!(policies("v=DMARC1; p=reject; sp=x"), Option::None);
        assert_eq!(
            policies("v=DMARC1; p=reject; np=x; rua=mailto:a@b.example"),
            Some((None, None, None))
        );
        assert_eq!(policies("v=DMARC1; rua=https://b.example"), Option::None);
    }
}
