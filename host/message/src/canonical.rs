//! Canonical form of addresses, by which two spellings are recognised as one correspondent.
//!
//! [`Address`] keeps the spelling, and by RFC 5321 section 2.3.11 nobody but its own host may
//! interpret a local part. But to recognise the correspondent behind an address (a partner's
//! system, a machine), a strict comparison would miss another spelling. A [`CanonicalAddress`]
//! leaves out:
//!
//! 1. Case, Unicode composition and quotes: `"Help"@BÜCHER.example` is
//!    `help@xn--bcher-kva.example`. Quotes and backslashes that a local part does not need mean
//!    nothing (RFC 5321 section 4.1.2); Unicode is composed (NFC, as RFC 6532 section 3.1 asks of
//!    mail), a domain is in A-labels (RFC 5891).
//! 2. The wrapping of a forwarder or a sender for its bounces: see [`unwrap_srs_and_batv`].
//! 3. The sub-address (RFC 5233), where a site's [`Separators`] say that there are any.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use crate::{Address, domain_to_ascii};

/// Canonical form of an address: equal for all spellings of one correspondent. It is for comparing
/// and storing, not for sending mail to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CanonicalAddress(Box<str>);

/// Characters that separate a sub-address from the name before it, such as the `+` of
/// `help+orders@`; none where addresses have no sub-addresses.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Separators(Box<str>);

/// Error: a character cannot separate a sub-address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} cannot set a sub-address apart: it takes one of !#$%&'*+-/=?^_|~")]
pub struct SeparatorError(pub char);

/// Returns the canonical form of an address, by which machines are known; text that is no address
/// is returned in lower case.
pub fn canonical_form(address: &str) -> String {
    // Most addresses are canonical already, which is cheap to find out: without `=` nothing is
    // wrapped.
    let plain = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'@');
    // A local part with a misplaced dot is quoted in canonical form.
    let odd = || address.starts_with('.') || address.contains("..") || address.contains(".@");
    if address.bytes().all(plain) && !odd() {
        return address.to_owned();
    }
    Address::parse(address).map_or_else(
        |_| address.to_lowercase(),
        |address| CanonicalAddress::of(&address, &Separators::default()).to_string(),
    )
}

impl Separators {
    /// Returns no separators: `help+orders@` is another correspondent than `help@`.
    pub fn none() -> Self {
        Self("".into())
    }

    /// Returns the characters, one after the other; empty if there are none.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn cut<'a>(&self, local: &'a str) -> &'a str {
        let at = local.find(|character| self.0.contains(character));
        match at {
            // A local part that begins with a separator has no name before it.
            None | Some(0) => local,
            Some(at) => &local[..at],
        }
    }
}

impl Default for Separators {
    /// Returns `+`.
    fn default() -> Self {
        Self("+".into())
    }
}

impl FromStr for Separators {
    type Err = SeparatorError;

    fn from_str(text: &str) -> Result<Self, SeparatorError> {
        let wrong = |character: &char| !"!#$%&'*+-/=?^_|~".contains(*character);
        match text.chars().find(wrong) {
            Some(character) => Err(SeparatorError(character)),
            None => Ok(Self(text.into())),
        }
    }
}

impl TryFrom<String> for Separators {
    type Error = SeparatorError;

    fn try_from(text: String) -> Result<Self, SeparatorError> {
        text.parse()
    }
}

impl From<Separators> for String {
    fn from(separators: Separators) -> Self {
        separators.0.into()
    }
}

impl CanonicalAddress {
    /// Returns the canonical form of an address, without spelling, wrapping and sub-address.
    ///
    /// ```
    /// use gatepost_message::{Address, CanonicalAddress, Separators};
    /// let of = |text| CanonicalAddress::of(&Address::parse(text).unwrap(), &Separators::default());
    /// assert_eq!(of("Anna+news@Desk.example"), of("\"anna\"@desk.example"));
    /// assert_eq!(of("SRS0=ab1c=2Z=desk.example=anna@forwarder.example"), of("anna@desk.example"));
    /// assert_eq!(of("prvs=1234abcdef=anna@desk.example"), of("anna@desk.example"));
    /// ```
    pub fn of(address: &Address, separators: &Separators) -> Self {
        let inner = unwrap_srs_and_batv(address);
        let address = inner.as_ref().unwrap_or(address);
        let local = composed(&unquoted(address.local()));
        Self::from_parts(separators.cut(&local), address.domain())
    }

    /// Returns the address with its sub-address and its wrapping; only case, composition and
    /// quotes are made canonical.
    pub fn spelled(address: &Address) -> Self {
        Self::from_parts(&unquoted(address.local()), address.domain())
    }

    /// Returns the domain, by which whole domains are compared.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    fn from_parts(local: &str, domain: &str) -> Self {
        let local = quoted_if_needed(&composed(&composed(local).to_lowercase()));
        Self(format!("{local}@{}", canonical_domain(domain)).into())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CanonicalAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Returns the canonical form of a domain: lower-case A-labels, or, if it has none, the composed
/// text in lower case.
fn canonical_domain(domain: &str) -> String {
    domain_to_ascii(domain).map_or_else(
        || composed(&composed(domain).to_lowercase()),
        |ascii| ascii.to_ascii_lowercase(),
    )
}

fn composed(text: &str) -> String {
    // US-ASCII is composed.
    match text.is_ascii() {
        true => text.to_owned(),
        false => text.nfc().collect(),
    }
}

/// Returns a local part without quotes, and without the backslashes that only they need.
fn unquoted(local: &str) -> String {
    let quoted = (local.strip_prefix('"')).and_then(|rest| rest.strip_suffix('"'));
    let Some(quoted) = quoted else {
        return local.to_owned();
    };
    let mut text = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        let unescaped = match character {
            '\\' => characters.next(),
            _ => Some(character),
        };
        text.extend(unescaped);
    }
    text
}

/// Returns the text as a local part, with quotes if it needs them.
fn quoted_if_needed(plain: &str) -> String {
    let is_special = |character: char| " \"(),:;<>@[\\]".contains(character);
    if !plain.is_empty() && !plain.split('.').any(str::is_empty) && !plain.contains(is_special) {
        return plain.to_owned();
    }
    let mut quoted = String::from('"');
    for character in plain.chars() {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}

/// Returns the address that a forwarder or a sender has wrapped so that bounces come back to it;
/// `None` if nothing is wrapped. No signature is checked: the question is who is meant, and
/// `SRS0=…=anna@` means Anna, whoever wrote it.
///
/// | form | by |
/// | --- | --- |
/// | `SRS0=hash=time=domain=local@forwarder` | the Sender Rewriting Scheme (Shevek 2003, libsrs2), whose first separator may be `=`, `+` or `-` |
/// | `SRS1=hash=forwarder==hash=time=domain=local@second` | the same, at the second forwarder and all after it |
/// | `mailbox+SRS=hash=time=domain=local@forwarder` | Microsoft 365, for what a mailbox forwards |
/// | `prvs=tag=local@domain` | Bounce Address Tag Validation (draft-levine-smtp-batv-01) |
/// | `msprvs1=tag=local@domain` | the same by Momentum and its kin |
/// | `btv1==tag==local@domain` | the same by Barracuda |
pub fn unwrap_srs_and_batv(address: &Address) -> Option<Address> {
    let mut inner = unwrap_once(address)?;
    // The loop ends, because each address is shorter than the one around it.
    while let Some(next) = unwrap_once(&inner) {
        inner = next;
    }
    Some(inner)
}

fn unwrap_once(address: &Address) -> Option<Address> {
    let local = composed(&unquoted(address.local()));
    let inner = |(local, domain): (&str, &str)| match local {
        "" => None,
        local => Address::parse(&format!("{}@{domain}", quoted_if_needed(local))).ok(),
    };
    let of_tag = || batv_local_part(&local).map(|local| (local, address.domain()));
    (srs_address(&local).and_then(inner)).or_else(|| of_tag().and_then(inner))
}

/// Returns local part and domain of the first sender in an address of the Sender Rewriting Scheme.
fn srs_address(local: &str) -> Option<(&str, &str)> {
    let is_separator = |character| matches!(character, '=' | '+' | '-');
    let scheme = |tag: &str, text| {
        strip_prefix_ignore_case(tag, text).and_then(|rest| rest.strip_prefix(is_separator))
    };
    let rest = match scheme("srs1", local) {
        // Skip the hash and the first forwarder; then comes its SRS0 without the tag.
        Some(second) => {
            let (_, rest) = second.split_once('=')?;
            let (_, rest) = rest.split_once('=')?;
            rest.strip_prefix(is_separator)?
        }
        None => match scheme("srs0", local) {
            Some(first) => first,
            None => {
                let at = local.to_ascii_lowercase().find("+srs=")?;
                &local[at + "+srs=".len()..]
            }
        },
    };
    let mut parts = rest.splitn(4, '=');
    let (_hash, _time) = (parts.next()?, parts.next()?);
    let domain = parts.next()?;
    Some((parts.next()?, domain))
}

/// Returns the local part after a tag of Bounce Address Tag Validation.
fn batv_local_part(local: &str) -> Option<&str> {
    let is_tag = |tag: &str| !tag.is_empty() && tag.chars().all(|c| c.is_ascii_alphanumeric());
    let behind = |name, separator: &str| {
        let (tag, local) = strip_prefix_ignore_case(name, local)?.split_once(separator)?;
        is_tag(tag).then_some(local)
    };
    behind("prvs=", "=")
        .or_else(|| behind("msprvs1=", "="))
        .or_else(|| behind("btv1==", "=="))
}

/// Returns the text after a prefix; the case of the prefix does not matter.
fn strip_prefix_ignore_case<'a>(prefix: &str, text: &'a str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn canonical(text: &str, separators: &str) -> String {
        let address = Address::parse(text).unwrap();
        CanonicalAddress::of(&address, &separators.parse().unwrap())
            .as_str()
            .to_owned()
    }

    #[test]
    fn all_spellings_have_one_canonical_form() {
        for (written, is) in [
            ("Help@ACME.example", "help@acme.example"),
            // RFC 5321 section 4.1.2: the sender may quote what needs no quotes.
            ("\"help.me\"@acme.example", "help.me@acme.example"),
            ("\"he\\lp\"@acme.example", "help@acme.example"),
            ("\"help me\"@acme.example", "\"help me\"@acme.example"),
            ("\"help\\ me\"@acme.example", "\"help me\"@acme.example"),
            ("\"a@b\"@acme.example", "\"a@b\"@acme.example"),
            ("\".a\"@acme.example", "\".a\"@acme.example"),
            ("\"a\\\"b\"@acme.example", "\"a\\\"b\"@acme.example"),
            ("\"\"@acme.example", "\"\"@acme.example"),
            // RFC 5890: a domain and its A-labels.
            ("a@Bücher.example", "a@xn--bcher-kva.example"),
            ("a@XN--BCHER-KVA.example", "a@xn--bcher-kva.example"),
            // RFC 6532 section 3.1: composed.
            ("ju\u{308}rgen@acme.example", "j\u{fc}rgen@acme.example"),
            ("J\u{dc}RGEN@acme.example", "j\u{fc}rgen@acme.example"),
            ("a@[IPv6:2001:DB8:0::1]", "a@[ipv6:2001:db8::1]"),
        ] {
            assert_eq!(canonical(written, "+"), is, "{written}");
        }
    }

    #[test]
    fn a_sub_address_is_cut_off_at_the_sites_separators() {
        assert_eq!(canonical("help+1+2@a.example", "+"), "help@a.example");
        assert_eq!(canonical("\"help+1 2\"@a.example", "+"), "help@a.example");
        assert_eq!(canonical("help-1@a.example", "+-"), "help@a.example");
        assert_eq!(canonical("help-1@a.example", "+"), "help-1@a.example");
        assert_eq!(canonical("help+1@a.example", ""), "help+1@a.example");
        assert_eq!(canonical("+1@a.example", "+"), "+1@a.example");
        assert_eq!("+@".parse::<Separators>(), Err(SeparatorError('@')));
    }

    /// The forms are those of the Sender Rewriting Scheme's paper (Shevek, 2003, sections 3 and
    /// 4), of draft-levine-smtp-batv-01 section 4, and of the senders named at
    /// [`unwrap_srs_and_batv`].
    #[test]
    fn srs_and_batv_are_unwrapped() {
        for wrapped in [
            "SRS0=HHH=TT=orig.example=Anna@forwarder.example",
            "srs0+HHH=TT=orig.example=anna@forwarder.example",
            "SRS0-HHH=TT=orig.example=anna@forwarder.example",
            "SRS1=HHH=forwarder.example==HHH=TT=orig.example=anna@second.example",
            "SRS1+HHH=forwarder.example=+HHH=TT=orig.example=anna@second.example",
            "SRS1=HHH=forwarder.example=-HHH=TT=orig.example=anna@second.example",
            "ben+SRS=44ldt=IX=orig.example=anna@forwarder.example",
            "prvs=1234abcdef=anna@orig.example",
            "PRVS=1234abcdef=anna@orig.example",
            "msprvs1=17349FAoKaxYz=anna@orig.example",
            "btv1==0123456789a==anna@orig.example",
            "SRS0=HHH=TT=orig.example=prvs=1234abcdef=anna@forwarder.example",
            "prvs=1234abcdef=SRS0=HHH=TT=orig.example=anna@forwarder.example",
            "SRS0=HHH=TT=orig.example=anna+news@forwarder.example",
            "\"prvs=1234abcdef=anna\"@orig.example",
        ] {
            assert_eq!(canonical(wrapped, "+"), "anna@orig.example", "{wrapped}");
        }
        assert_eq!(
            canonical("SRS0=HHH=TT=orig.example=a=b@forwarder.example", "+"),
            "a=b@orig.example"
        );
        assert_eq!(
            canonical("\"prvs=1234abcdef=a b\"@orig.example", "+"),
            "\"a b\"@orig.example"
        );
    }

    #[test]
    fn addresses_that_only_look_wrapped_are_kept() {
        for address in [
            "srs0@a.example",
            "srs0=abc@a.example",
            "srs0=a=b=c@a.example",
            "srs0=a=b=-c-=anna@a.example",
            "srs1=a=b=anna@a.example",
            "prvs=@a.example",
            "prvs=abc@a.example",
            "prvs=a!c=anna@a.example",
            "prvs=abc=@a.example",
            "bounces+srs=44ldt=ix@a.example",
            "btv1=abc=anna@a.example",
        ] {
            assert_eq!(canonical(address, ""), address);
        }
    }

    fn addresses() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("SRS0=".to_owned()),
            Just("srs1=h=f.example==".to_owned()),
            Just("x+SRS=".to_owned()),
            Just("h=t=d.example=".to_owned()),
            Just("prvs=1a=".to_owned()),
            Just("btv1==1a==".to_owned()),
            Just("ΑΣ".to_owned()),
            Just("\u{212a}\u{345}\u{130}=\u{338}".to_owned()),
            "[a-zA-Z+=.-]{0,4}",
            "\\PC{0,3}",
        ];
        let local = proptest::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat());
        let quoted = local.prop_flat_map(|local| {
            prop_oneof![
                Just(local.clone()),
                Just(format!("\"{}\"", local.replace(['"', '\\'], "\\\"")))
            ]
        });
        let domain = prop_oneof![
            "[a-zA-Z]{1,3}\\.example",
            "\\PC{1,4}",
            Just("[192.0.2.1]".into())
        ];
        (quoted, domain).prop_map(|(local, domain)| format!("{local}@{domain}"))
    }

    proptest! {
        /// The fast path of [`canonical_form`] has the same result as the slow one.
        #[test]
        fn an_address_in_canonical_form_stays_as_it_is(
            address in "[a-z0-9._-]{1,12}@(xn--)?[a-z0-9.-]{1,16}"
        ) {
            let long = Address::parse(&address).map_or_else(
                |_| address.to_lowercase(),
                |address| CanonicalAddress::of(&address, &Separators::default()).to_string(),
            );
            prop_assert_eq!(canonical_form(&address), long);
        }

        #[test]
        fn canonicalising_twice_changes_nothing(text in addresses(), separators in "[+=-]{0,2}") {
            if let Ok(address) = Address::parse(&text) {
                let separators: Separators = separators.parse().unwrap();
                let once = CanonicalAddress::of(&address, &separators);
                if let Ok(again) = Address::parse(once.as_str()) {
                    prop_assert_eq!(CanonicalAddress::of(&again, &separators), once);
                }
                let spelled = CanonicalAddress::spelled(&address);
                if let Ok(again) = Address::parse(spelled.as_str()) {
                    prop_assert_eq!(&CanonicalAddress::spelled(&again), &spelled);
                    prop_assert_eq!(
                        CanonicalAddress::of(&again, &separators),
                        CanonicalAddress::of(&address, &separators)
                    );
                }
            }
        }

        #[test]
        fn case_does_not_change_the_canonical_form(local in "[a-zA-Z0-9+=.]{1,20}", domain in "[a-zA-Z]{1,9}") {
            let of = |text: String| {
                let address = Address::parse(&text).ok()?;
                Some(CanonicalAddress::of(&address, &Separators::default()))
            };
            let text = format!("{local}@{domain}");
            prop_assert_eq!(of(text.to_lowercase()), of(text.to_uppercase()));
        }
    }
}
