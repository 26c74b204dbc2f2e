//! Routes over HTTP for the application, served beside those of monitors.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::routing::get;
use gatepost_directory::Directory;
use gatepost_message::{Address, AddressError};

use crate::code::Code;
use crate::error::OperationError;
use crate::partners::{self, LookUpPartner, LookedUp};

/// Status, fields and body of a response.
type Response = (StatusCode, [(header::HeaderName, &'static str); 1], String);

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
) -> Response {
    let address: Result<Address, AddressError> = address.parse();
    let answer = match address {
        Ok(address) => partners::look_up(&directory, LookUpPartner { account, address }),
        Err(error) => Err(OperationError::new(Code::NotUnderstood, error)),
    };
    response(answer)
}

/// Returns the answer with status 200, or the error with the status of its kind.
fn response(answer: Result<LookedUp, OperationError>) -> Response {
    let body = answer.and_then(|answer| {
        let json = serde_json::to_string(&answer);
        json.map_err(|error| OperationError::new(Code::Internal, error))
    });
    let (status, body) = match body {
        Ok(body) => (StatusCode::OK, body),
        Err(error) => {
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
    (status, [(header::CONTENT_TYPE, "application/json")], body)
}
