//! Routes over HTTP for the application, served beside those of monitors.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::routing::get;
use gatepost_directory::Directory;
use gatepost_message::AddressError;

use crate::LookedUp;
use crate::directory::account_id;

/// Returns the route `/accounts/{account}/partners/{address}`: is this address a partner's?
pub fn partner_routes(directory: Arc<Directory>) -> Router {
    Router::new()
        .route("/accounts/{account}/partners/{address}", get(partner))
        .with_state(directory)
}

/// Answers whether an address is a partner's of an account, from memory: an application asks it when
/// it creates a user.
async fn partner(
    State(directory): State<Arc<Directory>>,
    Path((account, address)): Path<(String, String)>,
) -> (StatusCode, [(header::HeaderName, &'static str); 1], String) {
    let json = [(header::CONTENT_TYPE, "application/json")];
    let failed = |error: String| serde_json::json!({ "error": error }).to_string();
    let view = directory.view();
    let account = match account_id(&view, &account) {
        Ok(account) => account,
        Err(error) => return (StatusCode::NOT_FOUND, json, failed(error.to_string())),
    };
    let address = match address.parse() {
        Ok(address) => address,
        Err(error) => {
            let error: AddressError = error;
            return (StatusCode::BAD_REQUEST, json, failed(error.to_string()));
        }
    };
    match serde_json::to_string(&LookedUp::of(&view, account, address)) {
        Ok(found) => (StatusCode::OK, json, found),
        Err(error) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            json,
            failed(error.to_string()),
        ),
    }
}
