//! Webhooks of events: whatever an endpoint does, it is told of every event in order, at least
//! once, and knows what comes twice.
#![allow(clippy::unwrap_used)]

mod answered_twice;
mod certificates;
mod down;
mod endpoint;
mod gone;
mod guarded;
mod killed;
mod missed;
mod own_events;
mod rotated_secret;
mod skipped;
mod slow;

use std::net::SocketAddr;

use test_support::{Relay, RelayBuilder, Sink};

/// Secrets of webhooks.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEXT_SECRET: &str = "whsec_AAKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A relay without policies that may reach endpoints of this machine.
fn builder(sink: &Sink) -> RelayBuilder {
    RelayBuilder::usual(sink.address())
        .replace(
            r#"chain = ["loop-guard", "header-guard", "outbound-route"]"#,
            "chain = []",
        )
        .with("[destinations]\nallowed-networks = [\"127.0.0.0/8\"]")
        .with("[http]\naddress = \"127.0.0.1:0\"")
}

/// The table of a webhook of notices, to an endpoint at this address. Other events are not looked
/// at: notices can be made one by one.
fn webhook(name: &str, address: SocketAddr, keys: &str) -> String {
    format!(
        "[events.webhook.{name}]\nurl = \"http://{address}/events?token=hidden\"\n\
         kinds = [\"notice\"]\nretry-seconds = [1]\n{keys}"
    )
}

/// The key with the usual secret.
fn secret() -> String {
    format!("secrets = [{SECRET:?}]")
}

/// Makes two events: the account is suspended, and resumed.
fn make_events(relay: &Relay) {
    relay.json(&["account", "suspend", "acme"]);
    relay.json(&["account", "resume", "acme"]);
}
