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
