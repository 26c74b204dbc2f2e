//! The HTTP API: what applications ask, what they hear, and what a token keeps from them.
#![allow(clippy::unwrap_used)]

mod created_and_listed;
mod endpoints;
mod events_as_they_happen;
mod forgotten_correspondents;
mod help_desk;
mod lost_updates;
mod messages;
mod pages;
mod partners;
mod policies;
mod queue_of_an_account;
mod rate;
mod recipients;
mod refusals;
mod repetitions;
mod requests_nobody_thought_of;
mod sockets;
mod the_page_runs;
mod things_of_others;
mod tokens_and_routes;

use serde_json::{Value, json};
use test_support::{Relay, RelayBuilder, Sink};

/// Settings of the API in most scenarios, in which a token may ask as often as it likes.
const API: &str = "[api]\nlisten = \"127.0.0.1:0\"\nrequests-a-minute = 1000000\n";

/// The usual relay with the API.
fn with_api(sink: &Sink) -> RelayBuilder {
    RelayBuilder::usual(sink.address()).with(API)
}

/// Adds an account over the API; returns its id.
fn account(relay: &Relay, token: &str, native_domain: &str) -> String {
    let asked = json!({
        "native-domain": native_domain, "product": "Desk", "kind": "production", "time-zone": "UTC",
    });
    let added = relay.api("POST", "/accounts", token, &asked);
    added.with_status(201).text_of("id")
}

/// Names of all items of a page, by a member.
fn names(page: &Value, member: &str) -> Vec<String> {
    let items = page["items"].as_array().unwrap().iter();
    let name = |item: &Value| item[member].as_str().unwrap().to_owned();
    items.map(name).collect()
}
