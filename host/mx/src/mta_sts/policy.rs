//! Policies: their text (RFC 8461 section 3.2), and the hosts that they allow (section 4.1).

use std::time::Duration;

use gatepost_guard::Host;
use serde::{Deserialize, Serialize};

/// Longest time for which a policy holds.
const LONGEST_AGE: u64 = 31_557_600;

/// Most hosts of a policy. The RFC has no limit; large sites have five.
const MOST_HOSTS: usize = 100;

/// Policy of a domain for the sessions that bring its mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StsPolicy {
    /// Consequence of a server that does not comply.
    pub mode: Mode,
    /// Time for which the policy holds, from when it was fetched.
    #[serde(rename = "max-age")]
    max_age: u64,
    /// Servers of the domain.
    pub hosts: Vec<HostPattern>,
}

/// Consequence of a server that does not comply with a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// It gets no mail.
    Enforce,
    /// It is reported, and gets mail.
    Testing,
    /// There is no consequence: the domain has no policy any more.
    None,
}

/// Host of a policy: a name, or `*.` and a name for all hosts with one label more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostPattern(String);

/// Error of a policy, which is then treated as if it had not been fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The text is not UTF-8.
    #[error("it is not UTF-8")]
    Encoding,
    /// A line is no field.
    #[error("line {0} is no field")]
    Line(usize),
    /// The version is absent or unknown.
    #[error("it has no version STSv1")]
    Version,
    /// The mode is absent or unknown.
    #[error("it has no mode enforce, testing or none")]
    Mode,
    /// The age is absent, no number, or too large.
    #[error("it has no max_age of 0 to {LONGEST_AGE} seconds")]
    MaxAge,
    /// A host is no host.
    #[error("a value of mx is no host")]
    Host,
    /// There is no host, in a mode that needs one.
    #[error("it has no mx")]
    NoHost,
    /// There are too many hosts.
    #[error("it has more than {MOST_HOSTS} mx")]
    ManyHosts,
}

impl TryFrom<String> for HostPattern {
    type Error = PolicyError;

    fn try_from(text: String) -> Result<Self, PolicyError> {
        let name = text.strip_prefix("*.").unwrap_or(&text);
        // It is read as hosts are, so that equal names are equal texts.
        match Host::parse(name) {
            Some(Host::Name(read)) if name.is_ascii() => Ok(Self(match name.len() == text.len() {
                true => read,
                false => format!("*.{read}"),
            })),
            _ => Err(PolicyError::Host),
        }
    }
}

impl From<HostPattern> for String {
    fn from(pattern: HostPattern) -> Self {
        pattern.0
    }
}

impl HostPattern {
    /// Returns the text, in lower case without a final dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns true if this is the host, which is in A-labels and lower case. The wildcard stands for
    /// exactly one label.
    fn matches(&self, host: &str) -> bool {
        match self.0.strip_prefix("*.") {
            Some(parent) => host
                .split_once('.')
                .is_some_and(|(label, rest)| !label.is_empty() && rest == parent),
            None => host == self.0,
        }
    }
}

impl StsPolicy {
    /// Parses the text of a policy. Lines end in CRLF or LF, empty ones are skipped. Of a field that
    /// is repeated the first counts, but for `mx`; unknown fields do not count.
    ///
    /// # Errors
    /// It is no valid policy.
    pub fn parse(text: &[u8]) -> Result<Self, PolicyError> {
        let text = std::str::from_utf8(text).map_err(|_| PolicyError::Encoding)?;
        let (mut version, mut mode, mut max_age, mut hosts) = (None, None, None, Vec::new());
        for (number, line) in text.split('\n').enumerate() {
            let line = line.trim_matches([' ', '\t', '\r']);
            if line.is_empty() {
                continue;
            }
            let field = line.split_once(':').ok_or(PolicyError::Line(number + 1))?;
            let value = field.1.trim_start_matches([' ', '\t']);
            match field.0 {
                "version" => version = version.or(Some(value)),
                "mode" => mode = mode.or(Some(value)),
                "max_age" => max_age = max_age.or(Some(value)),
                "mx" if hosts.len() == MOST_HOSTS => return Err(PolicyError::ManyHosts),
                "mx" => hosts.push(HostPattern::try_from(value.to_owned())?),
                _ => {}
            }
        }
        if version != Some("STSv1") {
            return Err(PolicyError::Version);
        }
        let mode = match mode {
            Some("enforce") => Mode::Enforce,
            Some("testing") => Mode::Testing,
            Some("none") => Mode::None,
            _ => return Err(PolicyError::Mode),
        };
        let digits = max_age.filter(|text| text.len() <= 10 && !text.starts_with('+'));
        let max_age = digits.and_then(|text| text.parse().ok());
        let max_age = max_age.filter(|age| *age <= LONGEST_AGE);
        if hosts.is_empty() && mode != Mode::None {
            return Err(PolicyError::NoHost);
        }
        Ok(Self {
            mode,
            max_age: max_age.ok_or(PolicyError::MaxAge)?,
            hosts,
        })
    }

    /// Returns the time for which the policy holds.
    pub fn max_age(&self) -> Duration {
        // A stored policy may say anything.
        Duration::from_secs(self.max_age.min(LONGEST_AGE))
    }

    /// Returns true if a host, in A-labels and lower case, is a server of the domain.
    pub fn allows(&self, host: &str) -> bool {
        self.hosts.iter().any(|pattern| pattern.matches(host))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn policy(hosts: &[&str]) -> StsPolicy {
        let hosts: String = hosts.iter().map(|host| format!("mx: {host}\n")).collect();
        let text = format!("version: STSv1\nmode: enforce\nmax_age: 60\n{hosts}");
        StsPolicy::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_wildcard_stands_for_exactly_one_label() {
        let policy = policy(&["*.Mail.example", "mx.example."]);
        for (host, allowed) in [
            ("a.mail.example", true),
            ("mx.example", true),
            ("mail.example", false),
            ("a.b.mail.example", false),
            (".mail.example", false),
            ("amail.example", false),
            ("a.mx.example", false),
            ("*.mail.example", true),
        ] {
            assert_eq!(policy.allows(host), allowed, "{host}");
        }
    }

    #[test]
    fn a_malformed_policy_is_refused_with_the_reason() {
        let whole = "version: STSv1\nmode: testing\nmax_age: 60\nmx: a.example\n";
        assert!(StsPolicy::parse(whole.as_bytes()).is_ok());
        for (from, to, error) in [
            ("STSv1", "STSv2", PolicyError::Version),
            ("version: STSv1\n", "", PolicyError::Version),
            ("testing", "strict", PolicyError::Mode),
            ("testing", "Testing", PolicyError::Mode),
            ("60", "31557601", PolicyError::MaxAge),
            ("60", "-1", PolicyError::MaxAge),
            ("60", "+1", PolicyError::MaxAge),
            ("60", "1d", PolicyError::MaxAge),
            ("60", "99999999999999999999", PolicyError::MaxAge),
            ("max_age: 60\n", "", PolicyError::MaxAge),
            ("mx: a.example\n", "", PolicyError::NoHost),
            ("a.example", "*", PolicyError::Host),
            ("a.example", "a.*.example", PolicyError::Host),
            ("a.example", "*.*.example", PolicyError::Host),
            ("a.example", "192.0.2.1", PolicyError::Host),
            ("a.example", "b\u{fc}cher.example", PolicyError::Host),
            ("mx: a.example", "mx a.example", PolicyError::Line(4)),
        ] {
            let text = whole.replace(from, to);
            assert_eq!(StsPolicy::parse(text.as_bytes()), Err(error), "{text:?}");
        }
        let many = format!("{whole}{}", "mx: a.example\n".repeat(MOST_HOSTS));
        assert_eq!(
            StsPolicy::parse(many.as_bytes()),
            Err(PolicyError::ManyHosts)
        );
        assert_eq!(StsPolicy::parse(b"\xff"), Err(PolicyError::Encoding));
    }

    #[test]
    fn a_policy_without_consequence_needs_no_host() {
        let none = StsPolicy::parse(b"version: STSv1\r\nmode: none\r\nmax_age: 0").unwrap();
        assert_eq!((none.mode, none.max_age()), (Mode::None, Duration::ZERO));
    }

    proptest! {
        #[test]
        fn a_policy_is_read_in_every_layout(
            mode in prop::sample::select(vec![(Mode::Enforce, "enforce"), (Mode::Testing, "testing"), (Mode::None, "none")]),
            max_age in 0..=LONGEST_AGE,
            hosts in prop::collection::vec("(\\*\\.)?[a-z]{1,8}\\.example", 1..5),
            order in Just(vec![0, 1, 2, 3, 4, 5]).prop_shuffle(),
            ends in prop::collection::vec(prop::sample::select(vec!["\n", "\r\n", " \r\n", "\n\n"]), 6),
            space in prop::sample::select(vec!["", " ", "\t ", "   "]),
            last_end: bool,
        ) {
            let mut mx = hosts.iter();
            let first_mx: Vec<String> = mx.by_ref().take(1).map(|host| format!("mx:{space}{host}")).collect();
            let other_mx: Vec<String> = mx.map(|host| format!("mx:{space}{host}")).collect();
            let groups = [
                vec![format!("version:{space}STSv1")],
                vec![format!("mode:{space}{}", mode.1), "mode: other".to_owned()],
                vec![format!("max_age:{space}{max_age}"), "max_age: 1".to_owned()],
                first_mx,
                other_mx,
                vec!["x-new: a:b".to_owned()],
            ];
            let mut text = String::new();
            for (index, end) in order.iter().zip(&ends) {
                for line in &groups[*index] {
                    text.push_str(line);
                    text.push_str(end);
                }
            }
            if !last_end {
                text.truncate(text.trim_end().len());
            }
            let policy = StsPolicy::parse(text.as_bytes()).unwrap();
            prop_assert_eq!(policy.mode, mode.0);
            prop_assert_eq!(policy.max_age(), Duration::from_secs(max_age));
            let mut read: Vec<&str> = policy.hosts.iter().map(HostPattern::as_str).collect();
            let mut written: Vec<&str> = hosts.iter().map(String::as_str).collect();
            read.sort_unstable();
            written.sort_unstable();
            prop_assert_eq!(read, written);
            let stored = serde_json::to_string(&policy).unwrap();
            prop_assert_eq!(serde_json::from_str::<StsPolicy>(&stored).unwrap(), policy);
        }

        #[test]
        fn no_text_panics(text in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = StsPolicy::parse(&text);
        }

        #[test]
        fn a_wildcard_never_allows_its_parent_or_two_labels(
            labels in prop::collection::vec("[a-z0-9-]{1,5}x", 0..4),
        ) {
            let host: String = labels.iter().map(|label| format!("{label}.")).collect();
            let host = format!("{host}mail.example");
            prop_assert_eq!(policy(&["*.mail.example"]).allows(&host), labels.len() == 1);
        }
    }
}
