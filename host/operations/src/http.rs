//! Routes over HTTP for the application, served beside those of monitors.
//!
//! Each request presents a token (RFC 6750 section 2.1). One that is bound to an account finds no
//! other account.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use gatepost_directory::{ApiScope, ApiToken, Directory, PresentedToken};
use gatepost_message::{Address, AddressError, Millis};

use crate::code::{Code, ErrorKind};
use crate::directory::{account_id, change};
use crate::error::OperationError;
use crate::partners::{self, LookUpPartner, LookedUp};

/// Name of the authentication scheme (RFC 6750).
const BEARER: &str = "Bearer ";

/// Returns the route `/accounts/{account}/partners/{address}`, which looks a partner address up.
pub fn partner_routes(directory: Arc<Directory>) -> Router {
    Router::new()
        .route(
            "/accounts/{account}/partners/{address}",
            get(look_up_partner),
        )
        .with_state(directory)
}

/// Answers from memory whether an address is a partner of an account. An application asks this when
/// it creates a user.
async fn look_up_partner(
    State(directory): State<Arc<Directory>>,
    Path((account, address)): Path<(String, String)>,
    headers: HeaderMap,
) -> impl IntoResponse {
    let answer = async {
        let token = authorized(&directory, &headers, ApiScope::Read).await?;
        is_allowed(&directory, &token, &account)?;
        let address: Result<Address, AddressError> = address.parse();
        let address = address.map_err(|error| OperationError::new(Code::NotUnderstood, error))?;
        partners::look_up(&directory, LookUpPartner { account, address })
    };
    response(answer.await)
}

/// Returns the token that a request presents, if it is in force and may do what this scope may.
async fn authorized(
    directory: &Arc<Directory>,
    headers: &HeaderMap,
    scope: ApiScope,
) -> Result<ApiToken, OperationError> {
    let refused = |text| OperationError::new(Code::TokenNeeded, text);
    let presented = headers.get(AUTHORIZATION).and_then(|of| of.to_str().ok());
    let presented = presented.and_then(|of| {
        let (scheme, token) = of.split_at_checked(BEARER.len())?;
        scheme.eq_ignore_ascii_case(BEARER).then_some(token.trim())
    });
    let presented = presented.ok_or_else(|| refused("the request presents no token"))?;
    let presented = PresentedToken::parse(presented)
        .ok_or_else(|| refused("what the request presents is no token"))?;
    let now = Millis::now();
    let used = change(directory, move |directory| {
        directory.use_api_token(&presented, now)
    });
    let token = used.await?;
    let token = token.ok_or_else(|| refused("the token is unknown, removed or has expired"))?;
    match token.scope.includes(scope) {
        true => Ok(token),
        false => {
            let text = format!(
                "the token may {}, and this takes one that may {scope}",
                token.scope
            );
            Err(OperationError::new(Code::ScopeTooSmall, text))
        }
    }
}

/// Refuses a token that is bound to another account, in the words for an account that there is not.
fn is_allowed(
    directory: &Directory,
    token: &ApiToken,
    account: &str,
) -> Result<(), OperationError> {
    let Some(bound) = token.account else {
        return Ok(());
    };
    match account_id(&directory.view(), account) {
        Ok(id) if id == bound => Ok(()),
        Err(unknown) => Err(unknown.into()),
        Ok(_) => Err(gatepost_directory::Refusal::Unknown {
            what: "account",
            name: account.to_owned(),
        }
        .into()),
    }
}

/// Returns the answer with status 200, or the error with the status of its kind.
fn response(answer: Result<LookedUp, OperationError>) -> impl IntoResponse {
    let body = answer.and_then(|answer| {
        let json = serde_json::to_string(&answer);
        json.map_err(|error| OperationError::new(Code::Internal, error))
    });
    let mut fields = HeaderMap::new();
    let json = header::HeaderValue::from_static("application/json");
    fields.insert(CONTENT_TYPE, json);
    let (status, body) = match body {
        Ok(body) => (StatusCode::OK, body),
        Err(error) => {
            if error.kind() == ErrorKind::Unauthorized {
                // RFC 9110 section 15.5.2.
                let scheme = header::HeaderValue::from_static("Bearer");
                fields.insert(WWW_AUTHENTICATE, scheme);
            }
            let OperationError { code, message } = &error;
            let body = serde_json::json!({
                "error": message,
                "kind": error.kind().word(),
                "code": code,
                "what-to-do": code.what_to_do(),
            });
            (error.kind().status(), body.to_string())
        }
    };
    (status, fields, body)
}
