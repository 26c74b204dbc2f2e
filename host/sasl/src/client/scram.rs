//! SCRAM-SHA-256 (RFC 5802, RFC 7677) from the client's side, with and without channel binding.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

use super::{ExchangeError, LoginCredential};
use crate::scram::{BINDING, nonce};
use crate::verifier::{hash, salted, sign};
use crate::{Binding, prepare};

/// Rounds of PBKDF2 that a server may ask for. Fewer than RFC 7677 section 4 allows would let a
/// false server guess the password from the answer; the most take less than a second.
pub(super) const ITERATIONS: RangeInclusive<u32> = 4096..=1_000_000;

/// The most octets of a salt and of a nonce.
const LONGEST_VALUE: usize = 1024;

/// Statement of the client about channel binding (RFC 5802 section 6).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flag {
    /// The client cannot bind, or may not.
    CannotBind,
    /// The client could bind, and the server offers no mechanism for it. A server that does offer
    /// one learns from this that somebody has changed its offer.
    NotOffered,
    /// The exchange is bound to this connection.
    Bound(Binding),
}

/// Exchange whose first message is made.
pub(super) struct First {
    gs2: String,
    bound: Zeroizing<Vec<u8>>,
    bare: String,
    nonce: String,
    password: Zeroizing<String>,
}

/// Exchange whose proof is made.
pub(super) struct Last {
    /// `ServerSignature`, which the server has to show.
    signature: Zeroizing<[u8; 32]>,
}

/// Server's final message (RFC 5802 section 7).
pub(super) enum ServerFinal {
    /// The server has proved itself.
    Proved,
    /// The server refuses, for this reason.
    Refused(String),
}

impl First {
    pub(super) fn new(credential: &LoginCredential, flag: Flag) -> Result<Self, ExchangeError> {
        let nonce = nonce().map_err(|_| ExchangeError::Random)?;
        Ok(Self::with_nonce(credential, flag, nonce))
    }

    fn with_nonce(credential: &LoginCredential, flag: Flag, nonce: String) -> Self {
        let (gs2, binding): (_, &[u8]) = match &flag {
            Flag::CannotBind => ("n,,".to_owned(), &[]),
            Flag::NotOffered => ("y,,".to_owned(), &[]),
            Flag::Bound(binding) => (format!("p={BINDING},,"), binding),
        };
        let user = escape(&prepare(credential.user()));
        let mut prepared = prepare(credential.secret());
        let password = Zeroizing::new(prepared.clone().into_owned());
        if let Cow::Owned(prepared) = &mut prepared {
            prepared.zeroize();
        }
        Self {
            bound: Zeroizing::new([gs2.as_bytes(), binding].concat()),
            gs2,
            bare: format!("n={user},r={nonce}"),
            nonce,
            password,
        }
    }

    /// Returns the client's first message.
    pub(super) fn message(&self) -> String {
        format!("{}{}", self.gs2, self.bare)
    }

    /// Answers the server's first message, `r=…,s=…,i=…[,extensions]`, with the proof.
    pub(super) fn answer(self, challenge: &str) -> Result<(String, Last), ExchangeError> {
        // A mandatory extension begins with `m=`; none is supported.
        let mut attributes = challenge.split(',');
        let nonce = value(attributes.next(), "r=")?;
        let salt = value(attributes.next(), "s=")?;
        let rounds = value(attributes.next(), "i=")?;
        let grown = nonce.len() > self.nonce.len() && nonce.len() <= LONGEST_VALUE;
        if !grown || !nonce.starts_with(&self.nonce) {
            return Err(ExchangeError::Nonce);
        }
        let salt = STANDARD.decode(salt).map_err(|_| ExchangeError::Form)?;
        let digits = rounds.bytes().all(|octet| octet.is_ascii_digit());
        let rounds: u32 = rounds.parse().map_err(|_| ExchangeError::Form)?;
        if salt.is_empty() || salt.len() > LONGEST_VALUE || !digits {
            return Err(ExchangeError::Form);
        }
        if !ITERATIONS.contains(&rounds) {
            return Err(ExchangeError::Iterations(rounds));
        }
        let unproved = format!("c={},r={nonce}", STANDARD.encode(&*self.bound));
        let message = format!("{},{challenge},{unproved}", self.bare);
        let salted = Zeroizing::new(salted(self.password.as_bytes(), &salt, rounds));
        let client_key = Zeroizing::new(sign(&*salted, b"Client Key"));
        let signature = sign(&hash(&*client_key), message.as_bytes());
        let mut proof = *client_key;
        for (octet, of) in proof.iter_mut().zip(signature) {
            *octet ^= of;
        }
        let server_key = Zeroizing::new(sign(&*salted, b"Server Key"));
        let last = Last {
            signature: Zeroizing::new(sign(&*server_key, message.as_bytes())),
        };
        Ok((format!("{unproved},p={}", STANDARD.encode(proof)), last))
    }
}

impl Last {
    /// Checks the server's final message, `v=…` or `e=…`.
    pub(super) fn check(&self, message: &str) -> Result<ServerFinal, ExchangeError> {
        let mut attributes = message.split(',');
        let first = attributes.next().unwrap_or_default();
        if let Some(error) = first.strip_prefix("e=") {
            return Ok(ServerFinal::Refused(error.to_owned()));
        }
        let signature = value(Some(first), "v=")?;
        let signature = STANDARD
            .decode(signature)
            .map_err(|_| ExchangeError::Form)?;
        match bool::from(signature.as_slice().ct_eq(&*self.signature)) {
            true => Ok(ServerFinal::Proved),
            false => Err(ExchangeError::Unproved),
        }
    }
}

fn value<'a>(attribute: Option<&'a str>, name: &str) -> Result<&'a str, ExchangeError> {
    let value = attribute.and_then(|attribute| attribute.strip_prefix(name));
    value
        .filter(|value| !value.is_empty())
        .ok_or(ExchangeError::Form)
}

/// Encodes a `saslname`: a comma as `=2C`, an equals sign as `=3D` (RFC 5802 section 5.1).
pub(super) fn escape(name: &str) -> String {
    name.replace('=', "=3D").replace(',', "=2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str =
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    fn first(flag: Flag) -> First {
        let password = Zeroizing::new("pencil".to_owned());
        let credential = LoginCredential::password("user", password).expect("a sound credential");
        First::with_nonce(&credential, flag, "rOprNGfwEbeRWgbNEkqO".to_owned())
    }

    /// The exchange in RFC 7677 section 3.
    #[test]
    fn the_example_exchange_of_rfc_7677_is_made_and_proved() {
        let first = first(Flag::CannotBind);
        assert_eq!(first.message(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let (answer, last) = first.answer(FIRST).expect("a sound challenge");
        assert_eq!(
            answer,
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        let good = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
        assert!(matches!(last.check(good), Ok(ServerFinal::Proved)));
        let wrong = "v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
        assert!(matches!(last.check(wrong), Err(ExchangeError::Unproved)));
        let refused = last.check("e=invalid-proof");
        assert!(matches!(refused, Ok(ServerFinal::Refused(why)) if why == "invalid-proof"));
    }

    #[test]
    fn the_first_message_says_what_is_known_about_channel_binding() {
        for (flag, gs2) in [
            (Flag::CannotBind, "n,,"),
            (Flag::NotOffered, "y,,"),
            (Flag::Bound([7; 32]), "p=tls-exporter,,"),
        ] {
            let first = first(flag);
            assert!(first.message().starts_with(gs2));
            let (answer, _) = first.answer(FIRST).expect("a sound challenge");
            let bound = answer.split(',').next().and_then(|c| c.strip_prefix("c="));
            let bound = STANDARD
                .decode(bound.unwrap_or_default())
                .unwrap_or_default();
            assert!(bound.starts_with(gs2.as_bytes()));
            assert_eq!(
                bound.len() - gs2.len(),
                if gs2.starts_with('p') { 32 } else { 0 }
            );
        }
    }

    #[test]
    fn a_challenge_that_costs_too_much_or_too_little_is_refused() {
        for (rounds, error) in [
            ("4095", ExchangeError::Iterations(4095)),
            ("1", ExchangeError::Iterations(1)),
            ("1000001", ExchangeError::Iterations(1_000_001)),
            ("4294967295", ExchangeError::Iterations(u32::MAX)),
            ("4294967296", ExchangeError::Form),
            ("+4096", ExchangeError::Form),
            ("", ExchangeError::Form),
        ] {
            let challenge = FIRST.replace("i=4096", &format!("i={rounds}"));
            let answer = first(Flag::CannotBind).answer(&challenge);
            assert_eq!(answer.err(), Some(error), "{rounds}");
        }
    }

    #[test]
    fn malformed_challenges_are_refused() {
        let long = format!("r=rOprNGfwEbeRWgbNEkqO{},s=AAAA,i=4096", "x".repeat(2000));
        for (challenge, error) in [
            ("", ExchangeError::Form),
            (
                "m=new,r=rOprNGfwEbeRWgbNEkqOx,s=AAAA,i=4096",
                ExchangeError::Form,
            ),
            ("r=rOprNGfwEbeRWgbNEkqOx,s=,i=4096", ExchangeError::Form),
            ("r=rOprNGfwEbeRWgbNEkqOx,s=A,i=4096", ExchangeError::Form),
            ("r=rOprNGfwEbeRWgbNEkqO,s=AAAA,i=4096", ExchangeError::Nonce),
            ("r=another,s=AAAA,i=4096", ExchangeError::Nonce),
            (&long, ExchangeError::Nonce),
        ] {
            let answer = first(Flag::CannotBind).answer(challenge);
            assert_eq!(answer.err(), Some(error), "{challenge}");
        }
    }

    #[test]
    fn names_are_escaped() {
        assert_eq!(escape("a,b=c"), "a=2Cb=3Dc");
    }
}
