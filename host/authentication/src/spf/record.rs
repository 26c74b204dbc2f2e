//! A record as it was published: its terms, all of them well-formed (RFC 7208 sections 4.5, 4.6
//! and 12).

use super::macros::{DomainSpec, MacroString, Place};
use super::network::{Network, Prefixes};

/// A record. The terms are read to the last before the first is evaluated, since a mistake anywhere
/// spoils the whole (section 4.6).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Record {
    pub(super) directives: Vec<Directive>,
    pub(super) redirect: Option<DomainSpec>,
    pub(super) explanation: Option<DomainSpec>,
}

/// A mechanism, and what its match means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Directive {
    pub(super) qualifier: Qualifier,
    pub(super) mechanism: Mechanism,
}

/// Section 4.6.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Qualifier {
    Pass,
    Fail,
    SoftFail,
    Neutral,
}

/// Section 5. No domain is the one whose record it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mechanism {
    All,
    Include(DomainSpec),
    A(Option<DomainSpec>, Prefixes),
    Mx(Option<DomainSpec>, Prefixes),
    Ptr(Option<DomainSpec>),
    Ip(Network),
    Exists(DomainSpec),
}

/// The record is malformed: at this term, in printable characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) String);

/// The most characters of a malformed term that are repeated.
const REPEATED: usize = 64;

const VERSION: &[u8] = b"v=spf1";

/// Whether a TXT record is one of SPF: its version ends with a space or the record (section 4.5).
pub(super) fn is_record(text: &[u8]) -> bool {
    text.split_at_checked(VERSION.len())
        .is_some_and(|(version, rest)| {
            version.eq_ignore_ascii_case(VERSION) && rest.first().is_none_or(|next| *next == b' ')
        })
}

impl Record {
    /// Reads what [`is_record`] (section 4.6.1): terms with spaces between them, in ASCII.
    pub(super) fn parse(text: &[u8]) -> Result<Self, Malformed> {
        let terms = text.get(VERSION.len()..).unwrap_or_default();
        let mut record = Self::default();
        for term in terms.split(|octet| *octet == b' ') {
            if !term.is_empty() {
                let read = str::from_utf8(term).ok().and_then(|term| record.term(term));
                read.ok_or_else(|| Malformed::at(term))?;
            }
        }
        Ok(record)
    }

    /// Adds a term: a modifier, whose name is before a `=`, or a directive.
    fn term(&mut self, term: &str) -> Option<()> {
        let Some((name, value)) = term.split_once('=').filter(|(name, _)| is_name(name)) else {
            self.directives.push(Directive::parse(term)?);
            return Some(());
        };
        // A known name with a bad value is not an unknown modifier, and neither may come twice
        // (section 6).
        let once = if name.eq_ignore_ascii_case("redirect") {
            &mut self.redirect
        } else if name.eq_ignore_ascii_case("exp") {
            &mut self.explanation
        } else {
            // Unknown: well-formed, and ignored.
            return MacroString::parse(value, Place::Term).map(drop);
        };
        match once.replace(DomainSpec::parse(value)?) {
            None => Some(()),
            Some(_) => None,
        }
    }
}

/// `name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." )`.
fn is_name(name: &str) -> bool {
    let inner = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet);
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
            mechanism: Mechanism::parse(mechanism)?,
        })
    }
}

impl Mechanism {
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

/// `[ ":" domain-spec ]`; the outer none if it is malformed.
fn domain(argument: &str) -> Option<Option<DomainSpec>> {
    match argument {
        "" => Some(None),
        argument => DomainSpec::parse(argument.strip_prefix(':')?).map(Some),
    }
}

impl Malformed {
    fn at(term: &[u8]) -> Self {
        let printable = term.escape_ascii().map(char::from);
        Self(printable.take(REPEATED).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_version_is_a_word_of_its_own() {
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
    fn what_is_wrong_is_named() {
        let wrong = |record: &[u8]| Record::parse(record).unwrap_err().0;
        assert_eq!(wrong(b"v=spf1 ip4:192.0.2.1 moo -all"), "moo");
        assert_eq!(wrong(b"v=spf1 a:\xff\r\n -all"), r"a:\xff\r\n");
        assert_eq!(
            wrong(&[b"v=spf1 ", [b'x'; 500].as_slice()].concat()).len(),
            REPEATED
        );
    }

    #[test]
    fn modifiers_are_read_wherever_they_stand() {
        let record = Record::parse(b"v=spf1 Redirect=a.example a  EXP=b.example moo=%{d}").unwrap();
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
                Record::parse(format!("v=spf1 {bad}").as_bytes()).is_err(),
                "{bad}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_octets_are_read_or_refused(
            octets in proptest::collection::vec(any::<u8>(), 0..200),
            terms in "v=spf1([ ]+[+?~-]?(all|a|mx|ptr|ip4|ip6|exists|include|exp|redirect|x)[:=/]?[!-~é]{0,20}){0,6}",
        ) {
            let _ = is_record(&octets);
            let _ = Record::parse(&octets);
            let _ = Record::parse(&[b"v=spf1 ", octets.as_slice()].concat());
            if let Ok(record) = Record::parse(terms.as_bytes()) {
                prop_assert!(terms.is_ascii());
                prop_assert!(record.directives.len() <= 6);
            }
        }
    }
}
