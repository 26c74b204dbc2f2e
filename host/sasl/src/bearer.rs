//! The server's side of the mechanisms that carry an OAuth token: OAUTHBEARER (RFC 7628) and
//! XOAUTH2, its predecessor, which Google and Microsoft offer.
//!
//! The client sends one message, a [`BearerClaim`]. If the token is not good, the server sends an
//! error in JSON as a challenge, the client acknowledges it, and only then the server refuses.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::{LONGEST_NAME, SaslError};

/// The most octets of a token; those of Microsoft have up to some 3,000.
const LONGEST_TOKEN: usize = 8192;

/// Mechanism that carries an OAuth token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BearerMechanism {
    /// The registered mechanism (RFC 7628).
    OauthBearer,
    /// Its predecessor, documented by Google and Microsoft.
    Xoauth2,
}

/// A client's claim to be a user, with an access token; unproved until [`BearerClaim::holds`].
#[derive(Clone, PartialEq, Eq)]
pub struct BearerClaim {
    mechanism: BearerMechanism,
    user: Option<String>,
    token: Zeroizing<String>,
}

/// Exchange that was told its error and waits for the client's acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedBearer(BearerMechanism);

impl BearerMechanism {
    /// Returns the mechanism of that name; case does not matter.
    pub fn parse(name: &str) -> Option<Self> {
        let mut all = [Self::OauthBearer, Self::Xoauth2].into_iter();
        all.find(|mechanism| mechanism.name().eq_ignore_ascii_case(name))
    }

    /// Returns the name in the offer of AUTH.
    pub fn name(self) -> &'static str {
        match self {
            Self::OauthBearer => "OAUTHBEARER",
            Self::Xoauth2 => "XOAUTH2",
        }
    }

    /// Reads the client's message, in base64.
    ///
    /// # Errors
    /// Any [`SaslError`]; it ends the exchange.
    pub fn claim(self, response: &[u8]) -> Result<BearerClaim, SaslError> {
        if response == b"*" {
            return Err(SaslError::Cancelled);
        }
        let octets = Zeroizing::new(STANDARD.decode(response).map_err(|_| SaslError::Base64)?);
        let message = str::from_utf8(&octets).map_err(|_| SaslError::Form)?;
        let message = message.strip_suffix("\x01\x01").ok_or(SaslError::Form)?;
        let mut fields = message.split('\x01');
        let user = match self {
            Self::OauthBearer => authorization(fields.next())?,
            Self::Xoauth2 => {
                let user = fields.next().and_then(|field| field.strip_prefix("user="));
                Some(user.ok_or(SaslError::Form)?.to_owned())
            }
        };
        let token = fields.find_map(|field| field.strip_prefix("auth="));
        let (scheme, token) = token
            .and_then(|token| token.split_once(' '))
            .ok_or(SaslError::Form)?;
        let sound = |token: &str| {
            (1..=LONGEST_TOKEN).contains(&token.len())
                && token.bytes().all(|b| b.is_ascii_graphic())
        };
        let known = user
            .as_ref()
            .is_none_or(|user| (1..=LONGEST_NAME).contains(&user.len()));
        if !scheme.eq_ignore_ascii_case("Bearer") || !sound(token) || !known {
            return Err(SaslError::Form);
        }
        Ok(BearerClaim {
            mechanism: self,
            user,
            token: Zeroizing::new(token.to_owned()),
        })
    }
}

impl BearerClaim {
    /// Returns the mechanism of the claim.
    pub fn mechanism(&self) -> BearerMechanism {
        self.mechanism
    }

    /// Returns the user that the client wants to be; `None` if the token alone shall say it.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Returns true if the client has sent this token.
    pub fn holds(&self, token: &str) -> bool {
        self.token.as_bytes().ct_eq(token.as_bytes()).into()
    }

    /// Refuses the claim. Returns the challenge, in base64, that carries the error (RFC 7628
    /// section 3.2.2), and the exchange that waits for the acknowledgement.
    pub fn refuse(self, error: &str) -> (String, RefusedBearer) {
        (STANDARD.encode(error), RefusedBearer(self.mechanism))
    }
}

impl RefusedBearer {
    /// Reads the client's acknowledgement: an empty line for XOAUTH2, one octet 0x01 for
    /// OAUTHBEARER (RFC 7628 section 3.2.3). The claim is refused in either case.
    ///
    /// # Errors
    /// It is something else.
    pub fn acknowledge(self, response: &[u8]) -> Result<(), SaslError> {
        match (self.0, response) {
            (_, b"*") => Err(SaslError::Cancelled),
            (BearerMechanism::Xoauth2, b"") | (BearerMechanism::OauthBearer, b"AQ==") => Ok(()),
            _ => Err(SaslError::Form),
        }
    }
}

impl fmt::Debug for BearerClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BearerClaim")
            .field("mechanism", &self.mechanism)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// Reads the GS2 header of OAUTHBEARER: `n,,` or `n,a=user,` (RFC 7628 section 3.1).
fn authorization(header: Option<&str>) -> Result<Option<String>, SaslError> {
    let rest = header.ok_or(SaslError::Form)?;
    let rest = rest
        .strip_prefix("n,")
        .or_else(|| rest.strip_prefix("y,"))
        .and_then(|rest| rest.strip_suffix(','))
        .ok_or(SaslError::Form)?;
    match rest.strip_prefix("a=") {
        Some(user) => crate::scram::unescape(user).map(Some),
        None if rest.is_empty() => Ok(None),
        None => Err(SaslError::Form),
    }
}
