//! OAuth tokens (RFC 6749) with which the relay logs in at a server.
//!
//! 1. A [`Grant`] says how a connection gets its tokens: by client credentials, by a refresh token,
//!    or by a signed assertion (RFC 7523). The first refresh token comes of the device flow (RFC
//!    8628): [`authorize`] shows a person a code and waits for the consent.
//! 2. [`AccessTokens::token`] returns a token that is valid. It is kept, also over a restart
//!    ([`TokenStore`]), and renewed after four fifths of its life. However many sessions ask, one
//!    request is under way, and it runs to its end even if nobody waits for it any more: its answer
//!    may hold the only valid refresh token.
//! 3. A refresh token that the server has replaced is durable before anything is done with it.
//! 4. An [`OauthError`] says whether a later try may succeed, and what to do. After a failure the
//!    server is left alone for a while, which doubles each time.
//!
//! The crate `oauth2` writes the requests and reads the answers; the assertion, which it lacks, is
//! written here.

#![forbid(unsafe_code)]

mod access;
mod assertion;
mod device;
mod endpoint;
mod error;
mod grant;
mod request;
mod store;
mod tokens;

pub use self::access::{AccessTokens, Clock};
pub use self::assertion::{KeyError, SigningKey};
pub use self::device::{Prompt, authorize};
pub use self::endpoint::{Endpoint, EndpointError};
pub use self::error::OauthError;
pub use self::grant::{ClientAuthentication, Grant, GrantKind};
pub use self::store::{Loading, StoreError, Storing, TokenStore};
pub use self::tokens::{AccessToken, TokenSet};
