//! Support addresses and their canonical form.

use std::sync::Arc;

use gatepost_message::{Address, Domain, Millis, domain_to_ascii};
use serde::{Deserialize, Serialize};

use crate::{
    AccountId, ConnectorId, Destination, DirectoryError, Disconnection, LastCheck,
    LeavesFromDefault, Name, Verification, email_id::ALPHABET, random,
};

/// Address at which an account receives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct SupportAddress {
    /// Address as it was entered.
    pub address: Address,
    /// Account that receives.
    pub account: AccountId,
    /// Connector of the domain; `None` in the native domain.
    pub connector: Option<ConnectorId>,
    /// Brand whose address it is, one of the account's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<Name>,
    /// Time of creation.
    pub created: Millis,
    /// Data that the relay itself keeps of it.
    #[serde(flatten)]
    pub details: AddressDetails,
}

/// Data that the relay keeps of a support address.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct AddressDetails {
    /// Token of its forwarding target, in a connected domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forwarding: Option<ForwardingToken>,
    /// Verification of mail that comes in.
    pub inbound: Verification,
    /// Verification of mail that leaves.
    pub outbound: Verification,
    /// Time of the last proof that mail leaves by the customer's own server. It stays while another
    /// verification is on its way or gets no answer, and ends when the server refuses one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outbound_proved: Option<Millis>,
    /// Time at which that server refused to take mail of the address. It stays while another
    /// verification is on its way or gets no answer, and ends when one passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outbound_refused: Option<Millis>,
    /// Messages that leave from the default address, while they do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaves_from_default: Option<LeavesFromDefault>,
    /// Disconnection of this address alone, while it is disconnected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disconnected: Option<Disconnection>,
    /// Finding of the last probe of mail that comes in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inbound_check: Option<LastCheck>,
    /// Finding of the last probe of mail that leaves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outbound_check: Option<LastCheck>,
}

impl AddressDetails {
    /// Returns the time at which the customer's server refused to take mail of the address, if that
    /// still counts.
    pub fn outbound_refused(&self) -> Option<Millis> {
        let last = match &self.outbound {
            Verification::Failed { at, .. } if self.outbound.is_refusal() => Some(*at),
            _ => None,
        };
        last.or(self.outbound_refused)
    }

    /// Takes over what a changed verification says of the way out.
    pub(crate) fn note_outbound(&mut self, before: &Verification) {
        match &self.outbound {
            after if after == before => {}
            Verification::Verified { at } => {
                self.outbound_proved = Some(*at);
                self.outbound_refused = None;
                self.leaves_from_default = None;
            }
            Verification::Failed { at, .. } if self.outbound.is_refusal() => {
                self.outbound_refused = Some(*at);
                self.outbound_proved = None;
            }
            _ => {}
        }
    }
}

/// Token in the local part of a forwarding target, `f-<token>@<native domain>`: 16 random letters
/// and digits, so that nobody guesses one.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(transparent)]
pub struct ForwardingToken(Arc<str>);

impl ForwardingToken {
    /// Letters before the token in the local part.
    const PREFIX: &str = "f-";

    /// Length in characters.
    const LENGTH: usize = 16;

    /// Makes a new token.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn random() -> Result<Self, DirectoryError> {
        Ok(Self(random::text(ALPHABET, Self::LENGTH)?.into()))
    }

    /// Returns the token in a local part, in any case and with a sub-address or without.
    pub(crate) fn in_local_part(local: &str) -> Option<Self> {
        let local = local.to_ascii_lowercase();
        let token = local.strip_prefix(Self::PREFIX)?;
        let token = token.split_once('+').map_or(token, |(token, _)| token);
        let fits = token.len() == Self::LENGTH && token.bytes().all(|b| ALPHABET.contains(&b));
        fits.then(|| Self(token.into()))
    }

    /// Returns the forwarding target in the native domain of the account.
    pub fn at(&self, native: &Domain) -> Option<Address> {
        Address::parse(&format!("{}{}@{}", Self::PREFIX, self.0, native.as_ascii())).ok()
    }

    /// Returns the token as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SupportAddress {
    /// Returns the account and the connector that mail for it belongs to.
    pub(crate) fn destination(&self) -> Destination {
        Destination {
            account: self.account,
            connector: self.connector,
        }
    }

    /// Returns the canonical form of the address. An address that has none cannot be added; where a
    /// store holds one nevertheless, it is compared as it is spelled.
    pub fn canonical(&self) -> Canonical {
        Canonical::as_compared(&self.address)
    }
}

/// Form in which support addresses are compared: the local part in lower case without needless
/// quotes, the domain in A-labels. Local parts may be interpreted here (RFC 5321 section 2.3.11):
/// support addresses are the site's own mailboxes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Canonical(Arc<str>);

impl Canonical {
    /// Returns the canonical form of an address; `None` if its domain is an address literal or has
    /// no A-labels.
    pub fn of(address: &Address) -> Option<Self> {
        Self::at(&local(address), address.domain())
    }

    /// Returns the canonical form of an address, or its spelling where it has none.
    pub(crate) fn as_compared(address: &Address) -> Self {
        Self::of(address).unwrap_or_else(|| Self(address.as_str().into()))
    }

    /// Returns the canonical form of the mailbox that a sub-address belongs to (RFC 5233):
    /// `help+tag@` is `help@`.
    pub(crate) fn without_detail(address: &Address) -> Option<Self> {
        let local = local(address);
        let (user, _) = local.split_once('+').filter(|(user, _)| !user.is_empty())?;
        Self::at(user, address.domain())
    }

    fn at(local: &str, domain: &str) -> Option<Self> {
        let domain = domain_to_ascii(domain).filter(|domain| !domain.starts_with('['))?;
        Some(Self(
            format!("{local}@{}", domain.to_ascii_lowercase()).into(),
        ))
    }

    /// Returns the address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the domain, in A-labels.
    pub(crate) fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

fn local(address: &Address) -> String {
    let local = address.local();
    let plain = local
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    // Quotes are needed unless the text between them is a dot-string; no dot-string has a
    // backslash.
    let needless = plain.filter(|plain| {
        !plain.starts_with('"')
            && Address::parse(&format!("{plain}@a.example")).is_ok()
            && !plain.contains('@')
    });
    needless.unwrap_or(local).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(address: &str) -> String {
        let canonical = Canonical::of(&Address::parse(address).unwrap());
        canonical.unwrap().as_str().to_owned()
    }

    #[test]
    fn case_quotes_and_the_script_of_the_domain_do_not_count() {
        assert_eq!(canonical("Help@ACME.example"), "help@acme.example");
        assert_eq!(
            canonical("\"help.me\"@acme.example"),
            "help.me@acme.example"
        );
        assert_eq!(
            canonical("\"help me\"@acme.example"),
            "\"help me\"@acme.example"
        );
        assert_eq!(canonical("\"a@b\"@acme.example"), "\"a@b\"@acme.example");
        assert_eq!(canonical("a@Bücher.example"), "a@xn--bcher-kva.example");
        assert_eq!(
            Canonical::of(&Address::parse("a@[192.0.2.1]").unwrap()),
            None
        );
    }

    #[test]
    fn a_forwarding_target_is_read_back_in_any_case() {
        let token = ForwardingToken::random().unwrap();
        let target = token.at(&"acme.desk.example".parse().unwrap()).unwrap();
        let local = target.local();
        for written in [local.to_owned(), local.to_uppercase(), format!("{local}+x")] {
            let read = ForwardingToken::in_local_part(&written);
            assert_eq!(read.as_ref(), Some(&token), "{written}");
        }
        for other in ["f-", "f-abc", "help", &local[1..], &format!("{local}x")] {
            assert_eq!(ForwardingToken::in_local_part(other), None, "{other}");
        }
    }

    #[test]
    fn a_refusal_ends_the_proof_of_the_way_out_and_silence_does_not() {
        let mut details = AddressDetails::default();
        let mut becomes = |outbound: Verification| {
            let before = std::mem::replace(&mut details.outbound, outbound);
            details.note_outbound(&before);
            details.outbound_proved
        };
        let failed = |reason: &str| Verification::Failed {
            at: Millis(3),
            reason: reason.to_owned(),
            words: String::new(),
            refuses: None,
        };
        assert_eq!(becomes(failed("never-returned")), None);
        assert_eq!(
            becomes(Verification::Verified { at: Millis(1) }),
            Some(Millis(1))
        );
        assert_eq!(
            becomes(Verification::Pending { since: Millis(2) }),
            Some(Millis(1))
        );
        assert_eq!(becomes(failed("never-returned")), Some(Millis(1)));
        assert_eq!(becomes(failed("sender-not-allowed")), None);
        assert_eq!(becomes(Verification::Pending { since: Millis(4) }), None);
    }

    #[test]
    fn a_sub_address_is_cut_off_and_never_the_whole_local_part() {
        let of = |text| Canonical::without_detail(&Address::parse(text).unwrap());
        assert_eq!(of("Help+1+2@a.example").unwrap().as_str(), "help@a.example");
        assert_eq!(of("+1@a.example"), None);
        assert_eq!(of("help@a.example"), None);
    }
}
