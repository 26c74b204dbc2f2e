//! Reasons why there is no token.

use crate::StoreError;

/// Reason why there is no token. No form of it holds a secret of this side.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OauthError {
    /// The token server refuses for good.
    #[error(
        "the token server refuses ({code}{}): {advice}",
        described(description)
    )]
    Refused {
        /// Code of RFC 6749 section 5.2, or of the server's own; bounded and printable.
        code: String,
        /// Words of the server; bounded and printable.
        description: Option<String>,
        /// Advice to the operator.
        advice: &'static str,
    },
    /// There is no refresh token yet.
    #[error("nobody has authorized the connection yet: run `gatepost connection authorize`")]
    NotAuthorized,
    /// The token server does not answer, or not now.
    #[error("the token server gave no token: {0}")]
    Unavailable(String),
    /// The tokens cannot be stored or read.
    #[error("the tokens of the connection cannot be kept: {0}")]
    Store(#[from] StoreError),
}

impl OauthError {
    /// Makes the refusal with this code.
    pub(crate) fn refused(code: String, description: Option<String>) -> Self {
        let advice = match code.as_str() {
            "invalid_grant" => {
                "authorize the connection anew, or give it another key: the refresh token has \
                 expired or was revoked, or the key is not known for this client and user"
            }
            "invalid_client" | "unauthorized_client" => {
                "check the client's id and secret at the provider: the secret may have expired, or \
                 the client may not be allowed this grant"
            }
            "invalid_scope" => "check the scopes, and that the provider has given consent to them",
            "access_denied" | "consent_required" | "interaction_required" => {
                "somebody has to consent: authorize the connection anew"
            }
            "expired_token" => "the code was not entered in time: authorize the connection anew",
            _ => "check the connection's OAuth settings against the provider's documentation",
        };
        match code.as_str() {
            "temporarily_unavailable" | "server_error" | "slow_down" => {
                Self::Unavailable(format!("it says {code}{}", described(&description)))
            }
            _ => Self::Refused {
                code,
                description,
                advice,
            },
        }
    }

    /// Returns true if no later try succeeds until somebody changes something.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Refused { .. } | Self::NotAuthorized => true,
            Self::Unavailable(_) | Self::Store(_) => false,
        }
    }
}

fn described(description: &Option<String>) -> String {
    match description {
        Some(words) => format!(": {words}"),
        None => String::new(),
    }
}
