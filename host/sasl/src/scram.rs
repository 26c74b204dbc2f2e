//! Messages of SCRAM-SHA-256 (RFC 5802, RFC 7677), with and without channel binding.
//!
//! The client sends its user name and a nonce ([`ClientFirst`]). The server answers with its own
//! nonce and the user's salt ([`Challenge`]). The client proves by a signature over all messages
//! that it knows the password ([`Proof`]).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::{Binding, LONGEST_NAME, SaslError, Verifier, prepare};

/// The only supported kind of channel binding.
pub(crate) const BINDING: &str = "tls-exporter";

/// Random octets of one side's half of the nonce.
const NONCE: usize = 18;

/// The client's first message, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientFirst {
    /// Header with channel binding flag and authorization identity; the client must repeat it.
    gs2: String,
    /// Channel binding that must follow the header in the repetition.
    binding: Option<Binding>,
    bare: String,
    nonce: String,
    pub(crate) user: String,
}

impl ClientFirst {
    /// Reads `gs2-header client-first-message-bare` (RFC 5802 section 7). `plus` says that the
    /// mechanism is the one with channel binding; `binding` is that of the connection.
    pub(crate) fn parse(
        message: &str,
        plus: bool,
        binding: Option<Binding>,
    ) -> Result<Self, SaslError> {
        let (flag, rest) = message.split_once(',').ok_or(SaslError::Form)?;
        let (authorization, bare) = rest.split_once(',').ok_or(SaslError::Form)?;
        let binding = match (flag, plus) {
            ("n", false) => None,
            // The client supports channel binding and believes that the server does not. If the
            // server does, somebody removed PLUS from its offer.
            ("y", false) if binding.is_none() => None,
            (flag, true) if flag.strip_prefix("p=") == Some(BINDING) => {
                Some(binding.ok_or(SaslError::Binding)?)
            }
            ("n" | "y", _) => return Err(SaslError::Binding),
            (flag, _) if flag.starts_with("p=") => return Err(SaslError::Binding),
            _ => return Err(SaslError::Form),
        };
        // A mandatory extension begins with `m=`; none is supported.
        let mut attributes = bare.split(',');
        let user = value(attributes.next(), "n=").and_then(unescape)?;
        let nonce = value(attributes.next(), "r=")?;
        let printable = |octet: u8| octet.is_ascii_graphic() && octet != b',';
        if user.is_empty()
            || user.len() > LONGEST_NAME
            || nonce.is_empty()
            || !nonce.bytes().all(printable)
        {
            return Err(SaslError::Form);
        }
        match authorization.strip_prefix("a=") {
            Some(other) if unescape(other)? != user => return Err(SaslError::OtherUser),
            None if !authorization.is_empty() => return Err(SaslError::Form),
            Some(_) | None => {}
        }
        Ok(Self {
            gs2: format!("{flag},{authorization},"),
            binding,
            nonce: nonce.to_owned(),
            bare: bare.to_owned(),
            user,
        })
    }

    /// Makes the challenge, with the user's salt and a new nonce.
    pub(crate) fn challenge(self, verifier: Verifier) -> Result<Challenge, SaslError> {
        Ok(self.challenge_with(verifier, &nonce()?))
    }

    fn challenge_with(self, verifier: Verifier, ours: &str) -> Challenge {
        let nonce = format!("{}{ours}", self.nonce);
        let salt = STANDARD.encode(verifier.salt());
        let message = format!("r={nonce},s={salt},i={}", verifier.iterations());
        Challenge {
            first: Self { nonce, ..self },
            message,
            verifier,
        }
    }
}

/// The server's first message, and the state to check the client's final message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    /// The client's first message, now with both halves of the nonce.
    first: ClientFirst,
    pub(crate) message: String,
    verifier: Verifier,
}

impl Challenge {
    /// Reads the client's final message: `c=…,r=…[,extensions],p=…`.
    pub(crate) fn read_client_final(self, message: &str) -> Result<(String, Proof), SaslError> {
        let (unproved, proof) = message.rsplit_once(",p=").ok_or(SaslError::Form)?;
        let proof = STANDARD.decode(proof).map_err(|_| SaslError::Form)?;
        let proof = proof.try_into().map_err(|_| SaslError::Form)?;
        let mut attributes = unproved.split(',');
        let bound = value(attributes.next(), "c=")?;
        let bound = STANDARD.decode(bound).map_err(|_| SaslError::Form)?;
        let nonce = value(attributes.next(), "r=")?;
        let ClientFirst {
            gs2,
            binding,
            bare,
            nonce: both,
            user,
        } = self.first;
        let due = [gs2.as_bytes(), binding.as_ref().map_or(&[], |b| &b[..])].concat();
        if bound != due {
            return Err(SaslError::Binding);
        }
        if nonce != both {
            return Err(SaslError::Nonce);
        }
        let message = format!("{bare},{},{unproved}", self.message);
        let signature = self.verifier.signature(message.as_bytes());
        let proof = Proof {
            message,
            proof,
            signature,
        };
        Ok((user, proof))
    }
}

/// The client's proof that it knows the password, unchecked.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Proof {
    /// `AuthMessage`: all messages before the proof.
    message: String,
    proof: [u8; 32],
    signature: [u8; 32],
}

impl Proof {
    pub(crate) fn holds(&self, verifier: &Verifier) -> bool {
        verifier.confirms(self.message.as_bytes(), &self.proof)
    }

    pub(crate) fn receipt(&self) -> String {
        STANDARD.encode(format!("v={}", STANDARD.encode(self.signature)))
    }
}

/// Returns a new half of a nonce.
pub(crate) fn nonce() -> Result<String, SaslError> {
    let mut random = [0; NONCE];
    let filled = SystemRandom::new().fill(&mut random);
    filled.map_err(|_| SaslError::Random)?;
    Ok(STANDARD.encode(random))
}

fn value<'a>(attribute: Option<&'a str>, name: &str) -> Result<&'a str, SaslError> {
    let value = attribute.and_then(|attribute| attribute.strip_prefix(name));
    value.ok_or(SaslError::Form)
}

/// Decodes a `saslname`: `=2C` is a comma and `=3D` an equals sign; any other `=` is malformed.
pub(crate) fn unescape(name: &str) -> Result<String, SaslError> {
    let mut pieces = name.split('=');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (character, rest) = match (piece.strip_prefix("2C"), piece.strip_prefix("3D")) {
            (Some(rest), _) => (',', rest),
            (None, Some(rest)) => ('=', rest),
            (None, None) => return Err(SaslError::Form),
        };
        text.push(character);
        text.push_str(rest);
    }
    match text.contains('\0') {
        true => Err(SaslError::Form),
        false => Ok(prepare(&text).into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pencil() -> Verifier {
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        Verifier::new("pencil", salt.try_into().unwrap(), 4096)
    }

    /// The exchange in RFC 7677 section 3.
    #[test]
    fn the_example_exchange_of_rfc_7677_holds() {
        let first = ClientFirst::parse("n,,n=user,r=rOprNGfwEbeRWgbNEkqO", false, None).unwrap();
        assert_eq!(first.user, "user");
        let challenge = first.challenge_with(pencil(), "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
        assert_eq!(
            challenge.message,
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
        );
        let last = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
            p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        let (user, proof) = challenge.read_client_final(last).unwrap();
        assert_eq!(user, "user");
        assert!(proof.holds(&pencil()));
        assert!(!proof.holds(&pencil().with_password("pencil2")));
        let receipt = STANDARD.decode(proof.receipt()).unwrap();
        assert_eq!(receipt, b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }

    #[test]
    fn names_are_unescaped_and_prepared() {
        assert_eq!(unescape("a=2Cb=3Dc=2C").as_deref(), Ok("a,b=c,"));
        assert_eq!(unescape("I\u{ad}X").as_deref(), Ok("IX"));
        assert_eq!(unescape("a=2c"), Err(SaslError::Form));
        assert_eq!(unescape("a="), Err(SaslError::Form));
    }
}
