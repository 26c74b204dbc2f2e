//! Tokens that requests present (RFC 6750).

use std::sync::Arc;

use gatepost_directory::{ApiScope, ApiToken, Directory, PresentedToken};
use gatepost_message::Millis;
use gatepost_operations::{Code, OperationError};
use http::HeaderMap;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};

use crate::problem::ApiProblem;

/// Name of the authentication scheme, with the space behind it.
const BEARER: &str = "Bearer ";

/// Returns the token that a request presents, if it is in force.
///
/// # Errors
/// It presents none, or one that is not in force (401).
pub(crate) async fn presented(
    directory: &Arc<Directory>,
    headers: &HeaderMap,
) -> Result<ApiToken, ApiProblem> {
    let presented = headers.get(AUTHORIZATION).and_then(|of| of.to_str().ok());
    let presented = presented.and_then(|of| {
        let (scheme, token) = of.split_at_checked(BEARER.len())?;
        scheme.eq_ignore_ascii_case(BEARER).then_some(token.trim())
    });
    // A request without a token is told no error code (RFC 6750 section 3.1).
    let presented = presented.ok_or_else(|| {
        ApiProblem::new(Code::TokenNeeded, "the request presents no token")
            .with(WWW_AUTHENTICATE, "Bearer realm=\"gatepost\"")
    })?;
    let refused = |text| {
        let challenge = "Bearer realm=\"gatepost\", error=\"invalid_token\"";
        ApiProblem::new(Code::TokenNeeded, text).with(WWW_AUTHENTICATE, challenge)
    };
    let presented = PresentedToken::parse(presented)
        .ok_or_else(|| refused("what the request presents is no token"))?;
    let now = Millis::now();
    if let Some(token) = directory.recently_used_api_token(&presented, now) {
        return Ok(token);
    }
    let directory = Arc::clone(directory);
    // It may wait for the disk: the use is recorded.
    let used = tokio::task::spawn_blocking(move || directory.use_api_token(&presented, now));
    let used = used.await.map_err(OperationError::from)?;
    let used = used.map_err(OperationError::from)?;
    used.ok_or_else(|| refused("the token is unknown, removed or has expired"))
}

/// Checks that a token may do what a route wants.
///
/// # Errors
/// Its scope is too small (403).
pub(crate) fn require(token: &ApiToken, scope: ApiScope) -> Result<(), ApiProblem> {
    if token.scope.includes(scope) {
        return Ok(());
    }
    let text = format!(
        "the token may {}, and this takes one that may {scope}",
        token.scope
    );
    let challenge =
        format!("Bearer realm=\"gatepost\", error=\"insufficient_scope\", scope=\"{scope}\"");
    Err(ApiProblem::new(Code::ScopeTooSmall, text).with(WWW_AUTHENTICATE, &challenge))
}
