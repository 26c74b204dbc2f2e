//! Ways in which a connection gets its tokens.

use std::fmt;

use zeroize::Zeroizing;

use crate::{Endpoint, SigningKey};

/// Way in which a connection gets its tokens.
#[derive(Clone)]
pub struct Grant {
    /// Token endpoint.
    pub token_url: Endpoint,
    /// Id of the client.
    pub client_id: String,
    /// Scopes that are asked for.
    pub scopes: Vec<String>,
    /// Kind, with its secret.
    pub kind: GrantKind,
    /// Form in which the client sends its secret.
    pub client_authentication: ClientAuthentication,
}

/// Kind of a grant, with its secret.
#[derive(Clone)]
pub enum GrantKind {
    /// Client credentials (RFC 6749 section 4.4).
    ClientCredentials {
        /// Secret of the client.
        client_secret: Zeroizing<String>,
    },
    /// Refresh token (RFC 6749 section 6).
    RefreshToken {
        /// Secret of the client, where it has one.
        client_secret: Option<Zeroizing<String>>,
        /// First refresh token; once there is a stored one, that counts.
        first: Option<Zeroizing<String>>,
    },
    /// Signed assertion (RFC 7523 section 2.1); its issuer is the client's id.
    JwtBearer {
        /// Key that signs it.
        key: SigningKey,
        /// Id of the key, where the server has several.
        key_id: Option<String>,
        /// User for whom the token is, where the client may act for many.
        subject: Option<String>,
    },
}

/// Form in which a client sends its secret (RFC 6749 section 2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientAuthentication {
    /// In the body, as Microsoft and Google document it.
    #[default]
    Body,
    /// HTTP Basic.
    Basic,
}

impl Grant {
    /// Returns the secret of the client, where it has one.
    pub(crate) fn client_secret(&self) -> Option<&Zeroizing<String>> {
        match &self.kind {
            GrantKind::ClientCredentials { client_secret } => Some(client_secret),
            GrantKind::RefreshToken { client_secret, .. } => client_secret.as_ref(),
            GrantKind::JwtBearer { .. } => None,
        }
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("token_url", &self.token_url.to_string())
            .field("client_id", &self.client_id)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}
