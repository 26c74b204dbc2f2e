//! Tokens by which a domain's DNS proves that the domain is an account's.
//!
//! A token is a message authentication code (HMAC-SHA-256, RFC 2104) over the account and the
//! domain, made with a key of the [key ring](crate::Settings::key_ring). It is published in a TXT
//! record, so everybody may read it; it proves nothing for another account or another domain.

use gatepost_message::Domain;
use ring::hmac;

use crate::AccountId;
use crate::email_id::code;

/// Issuer of tokens.
#[derive(Debug)]
pub(crate) struct OwnershipTokens {
    /// HMAC keys, one for each key of the ring, oldest first.
    keys: Vec<hmac::Key>,
}

impl OwnershipTokens {
    pub(crate) const PURPOSE: &str = "ownership of domains";

    pub(crate) fn new(keys: Vec<hmac::Key>) -> Self {
        Self { keys }
    }

    /// Issues the tokens of an account for a domain, one with each key. The first is the one to
    /// publish: it stays the same when the ring gets a key, so that the record may come late.
    pub(crate) fn issue(&self, account: AccountId, domain: &Domain) -> Vec<String> {
        // No id of an account and no domain has a NUL.
        let named = format!("{account}\0{}", domain.as_ascii());
        self.keys.iter().map(|key| code(key, &named)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(keys: &[u8]) -> OwnershipTokens {
        let key = |byte: &u8| hmac::Key::new(hmac::HMAC_SHA256, &[*byte; 32]);
        OwnershipTokens::new(keys.iter().map(key).collect())
    }

    #[test]
    fn a_token_is_of_one_account_and_one_domain() {
        let (one, other) = (AccountId::random().unwrap(), AccountId::random().unwrap());
        let domain = |text: &str| text.parse::<Domain>().unwrap();
        let made = tokens(&[1]);
        let token = made.issue(one, &domain("b\u{fc}cher.example"));
        assert_eq!(token.len(), 1);
        assert_eq!(made.issue(one, &domain("XN--bcher-kva.example")), token);
        assert_ne!(made.issue(other, &domain("b\u{fc}cher.example")), token);
        assert_ne!(made.issue(one, &domain("a.b\u{fc}cher.example")), token);
        assert_ne!(
            tokens(&[2]).issue(one, &domain("b\u{fc}cher.example")),
            token
        );
    }

    #[test]
    fn a_token_stays_when_the_ring_gets_a_key() {
        let account = AccountId::random().unwrap();
        let domain: Domain = "a.example".parse().unwrap();
        let before = tokens(&[1]).issue(account, &domain);
        let rotated = tokens(&[1, 2]).issue(account, &domain);
        assert_eq!(rotated.first(), before.first());
        assert_eq!(rotated.len(), 2);
        assert!(tokens(&[]).issue(account, &domain).is_empty());
    }
}
