//! Messages that an application hands in over HTTP.

mod answered_once;
mod answers;
mod as_it_is;
mod by_whom;
mod dry_run;
mod killed;
mod later;
mod put_off;
mod refused;
mod with_files;

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use test_support::{ApiAnswer, Relay, RelayBuilder, Sink};

use crate::{account, with_api};

/// Native domain of the account, and its addresses there.
const NATIVE: &str = "acme.desk.test";
const HELP: &str = "help@acme.desk.test";

/// A relay with an account, and a token that hands in for it.
struct Desk {
    relay: Relay,
    world: Sink,
    token: String,
}

impl Desk {
    fn start() -> Self {
        Self::with(|relay| relay)
    }

    fn with(change: impl FnOnce(RelayBuilder) -> RelayBuilder) -> Self {
        let world = Sink::start();
        let relay = change(with_api(&world)).start();
        let site = relay.api_token("administer", &[]);
        let id = account(&relay, &site, NATIVE);
        let path = format!("/accounts/{id}/addresses");
        let address = json!({ "address": HELP });
        (relay.api("POST", &path, &site, &address)).with_status(201);
        let token = relay.api_token("operate", &["--account", &id]);
        Self {
            relay,
            world,
            token,
        }
    }

    /// Hands in a message of parts, with further members of the request.
    fn hands_in(&self, message: Value, members: &[(&str, Value)]) -> ApiAnswer {
        let mut request = json!({ "message": message });
        for (name, value) in members {
            request[name] = value.clone();
        }
        (self.relay).api("POST", &path(), &self.token, &request)
    }

    /// Sends a request with these header fields and this body.
    fn sends(&self, query: &str, fields: &str, body: &[u8]) -> ApiAnswer {
        let fields = format!("Authorization: Bearer {}\r\n{fields}", self.token);
        (self.relay).api_with("POST", &format!("{}{query}", path()), &fields, body)
    }

    fn ends(self) {
        self.relay.leaves_nothing(self.world);
    }
}

fn path() -> String {
    format!("/accounts/{NATIVE}/messages")
}

/// A message to Ann with this text.
fn to_ann(text: &str) -> Value {
    json!({
        "from": {"address": HELP, "name": "Desk"}, "to": ["ann@customer.example"],
        "subject": "Your parcel", "text": text,
    })
}

/// The time in so many seconds, in milliseconds since 1970.
fn in_seconds(seconds: u64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap() + seconds * 1000
}
