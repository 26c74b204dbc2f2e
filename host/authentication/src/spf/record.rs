//! SPF records: a version and terms, all of them well-formed (RFC 7208 sections 4.5, 4.6 and 12).

use super::macros::{DomainSpec, MacroString, Usage};
use super::network::{Network, Prefixes};

/// Parsed record. All terms are parsed before the first is evaluated, since a malformed term
/// anywhere voids the record (section 4.6).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct SpfRecord {
    pub(super) directives: Vec<Directive>,
    pub(super) redirect: Option<DomainSpec>,
    pub(super) explanation: Option<DomainSpec>,
}

/// Mechanism with the result of a match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Directive {
    pub(super) qualifier: Qualifier,
    pub(super) mechanism: SpfMechanism,
}

/// Qualifier of a mechanism (section 4.6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Qualifier {
    Pass,
    Fail,
    SoftFail,
    Neutral,
}

/// Mechanism (section 5). Without a domain, it is about the record's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SpfMechanism {
    All,
    Include(DomainSpec),
    A(Option<DomainSpec>, Prefixes),
    Mx(Option<DomainSpec>, Prefixes),
    Ptr(Option<DomainSpec>),
    Ip(Network),
    Exists(DomainSpec),
}

/// MalformedTerm term of a record, in printable characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MalformedTerm(pub(super) String);

/// Number of characters of a malformed term that are kept.
const MAX_SHOWN: usize = 64;

const VERSION: &[u8] = b"v=spf1";

/// Returns true if a TXT record is an SPF record: behind its version is a space or the end (section
/// 4.5).
pub fn is_record(text: &[u8]) -> bool {
    text.split_at_checked(VERSION.len())
        .is_some_and(|(version, rest)| {
            version.eq_ignore_ascii_case(VERSION) && rest.first().is_none_or(|next| *next == b' ')
        })
}

impl SpfRecord {
    /// Parses a text for which [`is_record`] is true: ASCII terms with spaces between them (section
    /// 4.6.1).
    pub(super) fn parse(text: &[u8]) -> Result<Self, MalformedTerm> {
        let terms = text.get(VERSION.len()..).unwrap_or_default();
        let mut record = Self::default();
        for term in terms.split(|byte| *byte == b' ') {
            if !term.is_empty() {
                let read = str::from_utf8(term).ok().and_then(|term| record.term(term));
                read.ok_or_else(|| MalformedTerm::at(term))?;
            }
        }
        Ok(record)
    }

    /// Parses a term and adds it: a modifier, which has a name in front of `=`, or a directive.
    fn term(&mut self, term: &str) -> Option<()> {
        let Some((name, value)) = term.split_once('=').filter(|(name, _)| is_name(name)) else {
            self.directives.push(Directive::parse(term)?);
            return Some(());
        };
        // A known modifier with a malformed value does not count as unknown, and a known modifier
        // may not come twice (section 6).
        let once = if name.eq_ignore_ascii_case("redirect") {
            &mut self.redirect
        } else if name.eq_ignore_ascii_case("exp") {
            &mut self.explanation
        } else {
            // An unknown modifier has to be well-formed, and is ignored.
            return MacroString::parse(value, Usage::Term).map(drop);
        };
        match once.replace(DomainSpec::parse(value)?) {
            None => Some(()),
            Some(_) => None,
        }
    }
}

/// Returns true for `name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." )`.
fn is_name(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    name.starts_with(|first: char| first.is_ascii_alphabetic()) && name.bytes().all(inner)
}

impl Directive {
    fn parse(term: &str) -> Option<Self> {
        let (qualifier, mechanism) = match term.as_bytes().first()? {
            b'+' => (Qualifier::Pass, &term[1..]),
            b'-' => (Qualifier::Fail, &term[1..]),
            b'~' => (Qualifier::SoftFail, &term[1..]),
            b'?' => (Qualifier::Neutral, &term[1..]),
            _ => (Qualifier::Pass, term),
        };
        Some(Self {
            qualifier,
            mechanism: SpfMechanism::parse(mechanism)?,
        })
    }
}

impl SpfMechanism {
    fn parse(text: &str) -> Option<Self> {
        let name = text.find([':', '/']).unwrap_or(text.len());
        let (name, argument) = text.split_at(name);
        Some(match name.to_ascii_lowercase().as_str() {
            "all" => argument.is_empty().then_some(Self::All)?,
            "include" => Self::Include(domain(argument)??),
            "exists" => Self::Exists(domain(argument)??),
            "ptr" => Self::Ptr(domain(argument)?),
            "a" => {
                let (argument, prefixes) = Prefixes::cut(argument)?;
                Self::A(domain(argument)?, prefixes)
            }
            "mx" => {
                let (argument, prefixes) = Prefixes::cut(argument)?;
                Self::Mx(domain(argument)?, prefixes)
            }
            "ip4" => Self::Ip(Network::v4(argument.strip_prefix(':')?)?),
            "ip6" => Self::Ip(Network::v6(argument.strip_prefix(':')?)?),
            _ => return None,
        })
    }
}

/// Parses `[ ":" domain-spec ]`; the outer `None` if it is malformed.
fn domain(argument: &str) -> Option<Option<DomainSpec>> {
    match argument {
        "" => Some(None),
        argument => DomainSpec::parse(argument.strip_prefix(':')?).map(Some),
    }
}

impl MalformedTerm {
    fn at(term: &[u8]) -> Self {
        let printable = term.escape_ascii().map(char::from);
        Self(printable.take(MAX_SHOWN).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_version_ends_with_a_space_or_the_record() {
        for record in ["v=spf1", "V=SPF1", "v=spf1 ", "v=spf1 -all"] {
            assert!(is_record(record.as_bytes()), "{record}");
        }
        for other in [
            "",
            "v=spf",
            "v=spf10",
            "v=spf1-all",
            " v=spf1",
            "v=spf1\t-all",
        ] {
            assert!(!is_record(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn a_malformed_term_is_named() {
        let wrong = |record: &[u8]| SpfRecord::parse(record).unwrap_err().0;
        assert_eq!(wrong(b"v=spf1 ip4:192.0.2.1 moo -all"), "moo");
        assert_eq!(wrong(b"v=spf1 a:\xff\r\n -all"), r"a:\xff\r\n");
        assert_eq!(
            wrong(&[b"v=spf1 ", [b'x'; 500].as_slice()].concat()).len(),
            MAX_SHOWN
        );
    }

    #[test]
    fn modifiers_may_stand_anywhere_but_once() {
        let record =
            SpfRecord::parse(b"v=spf1 Redirect=a.example a  EXP=b.example moo=%{d}").unwrap();
        assert_eq!(record.directives.len(), 1);
        assert_eq!(record.redirect, DomainSpec::parse("a.example"));
        assert_eq!(record.explanation, DomainSpec::parse("b.example"));
        for bad in [
            "exp=a.b exp=a.b",
            "redirect=",
            "1up=a",
            "=all",
            "-exp=a.b",
            "moo=%a",
        ] {
            assert!(
                SpfRecord::parse(format!("v=spf1 {bad}").as_bytes()).is_err(),
                "{bad}"
            );
        }
    }

    proptest! {
        #[test]
        fn parsing_any_bytes_does_not_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            terms in "v=spf1([ ]+[+?~-]?(all|a|mx|ptr|ip4|ip6|exists|include|exp|redirect|x)\
                [:=/]?[!-~é]{0,20}){0,6}",
        ) {
            let _ = is_record(&bytes);
            let _ = SpfRecord::parse(&bytes);
            let _ = SpfRecord::parse(&[b"v=spf1 ", bytes.as_slice()].concat());
            if let Ok(record) = SpfRecord::parse(terms.as_bytes()) {
                prop_assert!(terms.is_ascii());
                prop_assert!(record.directives.len() <= 6);
            }
        }
    }
}
