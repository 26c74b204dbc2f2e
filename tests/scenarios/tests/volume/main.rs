//! Volume: what accounts submit is counted and capped, and an account can be suspended.
#![allow(clippy::unwrap_used)]

mod cap_of_recipients;
mod caps_of_the_account;
mod counts_of_a_credential;
mod restart;
mod resumed_while_stopped;
mod stolen_token;
mod suspended;

use serde_json::Value;
use test_support::{Client, Relay, RelayBuilder, Reply, Sink};

/// A relay without policies: a flood is nothing but a flood.
fn builder(sink: &Sink) -> RelayBuilder {
    RelayBuilder::usual(sink.address()).replace(
        r#"chain = ["loop-guard", "header-guard", "outbound-route"]"#,
        "chain = []",
    )
}

/// A credential of an account of the directory.
struct Credential {
    user: String,
    secret: String,
    /// Address in the account's native domain.
    from: String,
}

/// Adds an account with this native domain, and an address in it; returns its id.
fn account(relay: &Relay, domain: &str) -> String {
    let add = [
        "account",
        "add",
        "--native-domain",
        domain,
        "--product",
        "Desk",
    ];
    let id = relay.json(&add)[0]["id"].as_str().unwrap().to_owned();
    let address = format!("help@{domain}");
    relay.json(&["address", "add", "--account", &id, &address]);
    id
}

impl Credential {
    /// Issues one for submission by the account with this native domain.
    fn issue(relay: &Relay, domain: &str) -> Self {
        let issued = relay.json(&["credential", "add", "--submission", domain]);
        let text = |key: &str| issued[0][key].as_str().unwrap().to_owned();
        Self {
            user: text("user-name"),
            secret: text("secret"),
            from: format!("help@{domain}"),
        }
    }

    fn log_in(&self, relay: &Relay) -> Client {
        let client = relay.client("submission");
        client.authenticated(&self.user, &self.secret)
    }

    /// Logs in and submits a message; returns the reply that ended it.
    fn submit(&self, relay: &Relay, to: &str) -> Reply {
        self.send(&mut self.log_in(relay), to)
    }

    fn send(&self, client: &mut Client, to: &str) -> Reply {
        let message = format!("From: <{}>\r\nSubject: hello\r\n\r\nHello!\r\n", self.from);
        let reply = client.deliver(&self.from, &[to], message.as_bytes());
        reply.unwrap()
    }
}

/// Returns what was accepted from a part of an account, as `gatepost account volume` shows it.
fn accepted(relay: &Relay, account: &str, of: &str, name: Option<&str>) -> Value {
    let shown = relay.json(&["account", "volume", account]).remove(0);
    let parts = shown["volume"].as_array().unwrap().iter();
    let mut found = parts.filter(|part| part["of"] == of && part["name"].as_str() == name);
    found.next().unwrap()["accepted"].clone()
}
