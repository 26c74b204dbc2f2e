//! What a check has found.

use std::fmt;

use gatepost_dns::Unavailable;
use serde::{Deserialize, Serialize};

/// Most records of one name that are shown.
const MOST_SHOWN: usize = 10;

/// Most characters of a record that are shown.
const LONGEST_SHOWN: usize = 500;

/// Subject of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// The proof that the domain is the account's.
    Ownership,
    /// The servers that take mail of the domain.
    Mx,
    /// The servers that take mail that is forwarded to the account.
    Forwarding,
    /// The addresses that may send in the domain's name.
    Spf,
    /// The look-ups that the SPF record causes.
    SpfLookUps,
    /// The record of a key.
    Dkim,
    /// The policy of the domain.
    Dmarc,
    /// Proof of the domain in mail on its way out.
    Alignment,
    /// The domain of the reverse-path.
    ReturnPath,
    /// The policy on TLS for mail of the domain.
    MtaSts,
    /// The name of an address that mail leaves from.
    Ptr,
    /// The name in EHLO.
    Ehlo,
    /// The record that names the addresses of the site.
    SiteSpf,
}

impl Topic {
    /// Returns the word for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ownership => "ownership",
            Self::Mx => "MX",
            Self::Forwarding => "forwarding",
            Self::Spf => "SPF",
            Self::SpfLookUps => "SPF look-ups",
            Self::Dkim => "DKIM",
            Self::Dmarc => "DMARC",
            Self::Alignment => "alignment",
            Self::ReturnPath => "return path",
            Self::MtaSts => "MTA-STS",
            Self::Ptr => "PTR",
            Self::Ehlo => "EHLO",
            Self::SiteSpf => "SPF of the site",
        }
    }
}

/// Comparison of what stands in the DNS with what was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It is as it should be.
    Right,
    /// There is nothing.
    Missing,
    /// There is something else.
    Differs,
    /// The look-up got no answer.
    Unanswered,
}

impl Standing {
    /// Returns the word for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Missing => "missing",
            Self::Differs => "differs",
            Self::Unanswered => "no answer",
        }
    }
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Finding {
    /// Subject.
    pub topic: Topic,
    /// Name, or address, that was looked up.
    pub name: String,
    /// Words for what was looked for.
    pub sought: String,
    /// Records that stand there, shortened; strangers have written them.
    pub found: Vec<String>,
    /// Result of the comparison.
    pub standing: Standing,
    /// True if mail of the domain fails without it. Other findings are advice.
    pub needed: bool,
    /// Words for the difference, or for what follows; may be empty.
    pub words: String,
    /// Lines of a zone file to paste.
    pub paste: Vec<String>,
}

impl Finding {
    pub(crate) fn new(topic: Topic, name: impl Into<String>, sought: impl Into<String>) -> Self {
        Self {
            topic,
            name: name.into(),
            sought: sought.into(),
            found: Vec::new(),
            standing: Standing::Right,
            needed: true,
            words: String::new(),
            paste: Vec::new(),
        }
    }

    /// Sets whether mail fails without it.
    pub(crate) fn needed_if(self, needed: bool) -> Self {
        Self { needed, ..self }
    }

    /// Sets what stands there.
    pub(crate) fn found<T: AsRef<[u8]>>(self, records: impl IntoIterator<Item = T>) -> Self {
        let found = records.into_iter().take(MOST_SHOWN);
        Self {
            found: found.map(|record| shown(record.as_ref())).collect(),
            ..self
        }
    }

    pub(crate) fn is(self, standing: Standing, words: impl Into<String>) -> Self {
        Self {
            standing,
            words: words.into(),
            ..self
        }
    }

    pub(crate) fn paste(self, lines: impl IntoIterator<Item = String>) -> Self {
        Self {
            paste: lines.into_iter().collect(),
            ..self
        }
    }

    pub(crate) fn unanswered(self, why: &Unavailable) -> Self {
        let words = format!("{}: {}", why.name, why.why);
        self.is(Standing::Unanswered, shown(words.as_bytes()))
    }

    /// Returns true if something has to be done in the DNS before mail works.
    pub fn is_wanting(&self) -> bool {
        self.needed && matches!(self.standing, Standing::Missing | Standing::Differs)
    }
}

/// Returns a text of a stranger, shortened.
pub(crate) fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut short: String = text.chars().take(LONGEST_SHOWN).collect();
    if short.len() < text.len() {
        short.push('\u{2026}');
    }
    short
}

/// Subject of an outlook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OutlookKind {
    /// SPF of the domain, from an address that our mail leaves from.
    Spf,
    /// Mail that leaves through the customer's smart host.
    SmartHost,
    /// Mail that leaves from our servers.
    Mx,
    /// Mail that leaves from the default address.
    DefaultAddress,
}

/// Judgement of an outsider on mail of the domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Outlook {
    /// Subject.
    pub kind: OutlookKind,
    /// Result of SPF or DMARC, in the registered word; `unknown` if it depends on others.
    pub result: String,
    /// Sentence for people.
    pub sentence: String,
}

/// Result of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Report {
    /// Domain in A-labels.
    pub domain: String,
    /// Comparisons, by topic.
    pub findings: Vec<Finding>,
    /// Results of SPF and DMARC that other servers see, for each way out.
    pub outside: Vec<Outlook>,
}

impl Report {
    /// Returns true if something that is needed is missing or differs.
    pub fn is_wanting(&self) -> bool {
        self.findings.iter().any(Finding::is_wanting)
    }

    /// Returns true if something that is needed could not be looked up.
    pub fn is_incomplete(&self) -> bool {
        let mut findings = self.findings.iter();
        findings.any(|finding| finding.needed && finding.standing == Standing::Unanswered)
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_have_written_is_shortened() {
        let records = vec!["\u{e9}".repeat(2000); 50];
        let finding = Finding::new(Topic::Spf, "a.example", "").found(records);
        assert_eq!(finding.found.len(), MOST_SHOWN);
        let lengths = finding.found.iter().map(|text| text.chars().count());
        assert!(lengths.max() == Some(LONGEST_SHOWN + 1));
        assert_eq!(shown(b"a\xff"), "a\u{fffd}");
    }

    #[test]
    fn advice_is_not_wanting() {
        let finding = |standing, needed| {
            let finding = Finding::new(Topic::Mx, "a.example", "").is(standing, "");
            finding.needed_if(needed)
        };
        let report = |findings| Report {
            domain: String::new(),
            findings,
            outside: Vec::new(),
        };
        let advice = report(vec![
            finding(Standing::Missing, false),
            finding(Standing::Unanswered, false),
            finding(Standing::Right, true),
        ]);
        assert!(!advice.is_wanting() && !advice.is_incomplete());
        let both = report(vec![
            finding(Standing::Differs, true),
            finding(Standing::Unanswered, true),
        ]);
        assert!(both.is_wanting() && both.is_incomplete());
    }
}
