//! DMARC records (RFC 9989 section 4.7).
//!
//! Only the version must be valid, and be the first tag. Any other malformed tag counts as absent
//! (section 4.8), except that a malformed policy voids the record (section 4.10.1).

use crate::DmarcPolicy;

/// Number of tags that are read.
const MAX_TAGS: usize = 200;

/// Mode of alignment (RFC 9989 section 4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Alignment {
    /// Identifiers have to be of one organisation.
    #[default]
    Relaxed,
    /// Identifiers have to be the same domain.
    Strict,
}

/// Value of `psd`: the domain is a public suffix, is none, or has not declared it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Psd {
    Yes,
    No,
    #[default]
    Unknown,
}

/// DMARC record with a valid version.
#[derive(Debug, Clone, Default)]
pub(crate) struct DmarcRecord {
    p: PolicyTag,
    sp: PolicyTag,
    np: PolicyTag,
    pub(crate) aspf: Alignment,
    pub(crate) adkim: Alignment,
    pub(crate) psd: Psd,
    /// True for `t=y`: the policy is only tested.
    testing: bool,
    /// True if `rua` has at least one address.
    reports: bool,
}

/// Value of a policy tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum PolicyTag {
    #[default]
    Missing,
    Invalid,
    Valid(DmarcPolicy),
}

/// Policies of a record for each kind of author's domain.
pub(crate) struct Policies {
    /// PolicyTag for the domain of the record.
    pub(crate) p: DmarcPolicy,
    /// PolicyTag for domains below it that exist.
    pub(crate) sp: DmarcPolicy,
    /// PolicyTag for domains below it that do not exist.
    pub(crate) np: DmarcPolicy,
}

impl DmarcRecord {
    /// Reads a TXT record; `None` if it is no DMARC record.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(text);
        // Their number is limited, since each is compared with those before it.
        let mut tags = text.split(';').take(MAX_TAGS).map(|tag| {
            let (name, value) = tag.split_once('=').unwrap_or((tag, ""));
            (name.trim().to_ascii_lowercase(), value.trim())
        });
        if tags.next()? != ("v".to_owned(), "DMARC1") {
            return None;
        }
        let mut record = Self::default();
        let mut seen = Vec::new();
        for (name, value) in tags {
            // The first tag of a name counts.
            if seen.contains(&name) {
                continue;
            }
            let is = |word: &str| value.eq_ignore_ascii_case(word);
            let alignment = || match is("s") {
                true => Alignment::Strict,
                false => Alignment::Relaxed,
            };
            match name.as_str() {
                "p" => record.p = PolicyTag::parse(value),
                "sp" => record.sp = PolicyTag::parse(value),
                "np" => record.np = PolicyTag::parse(value),
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

    /// Returns the policies; `None` if the record is void (RFC 9989 section 4.10.1).
    pub(crate) fn policies(&self) -> Option<Policies> {
        let or = |policy, default| match policy {
            PolicyTag::Missing => Some(default),
            PolicyTag::Invalid => None,
            PolicyTag::Valid(policy) => Some(policy),
        };
        let valid = || {
            let PolicyTag::Valid(p) = self.p else {
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

    /// Returns the policy to apply to mail that fails: `t=y` softens it by one step.
    pub(crate) fn applied(&self, requested: DmarcPolicy) -> DmarcPolicy {
        match requested {
            DmarcPolicy::Reject if self.testing => DmarcPolicy::Quarantine,
            DmarcPolicy::Quarantine if self.testing => DmarcPolicy::None,
            requested => requested,
        }
    }
}

impl PolicyTag {
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
        let policies = DmarcRecord::parse(text.as_bytes())?.policies()?;
        Some((policies.p, policies.sp, policies.np))
    }

    #[test]
    fn a_record_needs_its_exact_version_as_the_first_tag() {
        for text in [
            "v=dmarc1; p=none",
            "p=none; v=DMARC1",
            "v=DMARC1x",
            "v=spf1 -all",
            "",
        ] {
            assert!(DmarcRecord::parse(text.as_bytes()).is_none(), "{text:?}");
        }
        assert!(DmarcRecord::parse(b" V = DMARC1 ;p=none").is_some());
    }

    #[test]
    fn a_missing_sp_or_np_takes_the_value_of_its_parent() {
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
    fn a_record_with_a_malformed_policy_is_void_or_only_monitors() {
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
