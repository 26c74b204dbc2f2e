//! Accounts as a whole: sandboxes, administrators with their letters, and the erasure of an
//! account or of a correspondent.
#![allow(clippy::unwrap_used)]

mod administrator_code;
mod alerts;
mod erased;
mod forgotten_correspondent;
mod interrupted_erasure;
mod locked_out;
mod sandbox_binds_queued_mail;
mod sandbox_domain_clash;
mod sandbox_maildir;
mod sandbox_test_users;
mod shorter_memory;
mod store_files;

use serde_json::Value;
use test_support::{Relay, RelayBuilder, Reply, Sink};

/// Native domain of the account, and its address.
const NATIVE: &str = "trial.desk.test";
const SUPPORT: &str = "help@trial.desk.test";

/// A relay with an account, whose policy sends everything to the world.
struct Site {
    relay: Relay,
    world: Sink,
    /// User name and secret of the account.
    login: (String, String),
}

impl Site {
    /// Starts a relay with an account that is added with these further arguments.
    fn start(account: &[&str]) -> Self {
        Self::towards(Sink::start(), account)
    }

    fn towards(world: Sink, account: &[&str]) -> Self {
        let port = world.address().port();
        let routed = ["acme.test", "user.test", "world.test"].map(|domain| {
            format!("{{ domain = '{domain}', next-hop = {{ host = '127.0.0.1', port = {port}, tls = 'none' }} }}")
        });
        let relay = RelayBuilder::usual(world.address())
            .replace(
                r#"["loop-guard", "header-guard", "outbound-route"]"#,
                r#"["outbound-route"]"#,
            )
            .with(&format!(
                "[[policy]]\nname = 'outbound-route'\nbuiltin = 'outbound-route'\n\
                 grants = ['next-hop']\nsettings = {{ routes = [{}] }}\n\
                 [maildir.trials]\npath = '{{dir}}/trials'\n",
                routed.join(", ")
            ))
            .start();
        let add = [
            "account",
            "add",
            "--native-domain",
            NATIVE,
            "--product",
            "Desk",
        ];
        relay.json(&[&add[..], account].concat());
        relay.json(&["address", "add", "--account", NATIVE, SUPPORT]);
        let login = submission(&relay, NATIVE);
        Self {
            relay,
            world,
            login,
        }
    }

    /// Returns the replies to RCPT of these recipients, in a transaction that goes no further.
    fn asked(&self, recipients: &[&str]) -> Vec<Reply> {
        let (user, secret) = &self.login;
        let client = self.relay.client("submission");
        let mut client = client.authenticated(user, secret);
        client.command(&format!("MAIL FROM:<{SUPPORT}>"), 250);
        let ask = |to: &&str| {
            client.send(format!("RCPT TO:<{to}>\r\n")).unwrap();
            client.reply().unwrap()
        };
        recipients.iter().map(ask).collect()
    }

    /// Submits a message, which is taken; returns its transaction.
    fn submit(&self, to: &[&str], subject: &str) -> String {
        let (user, secret) = &self.login;
        let client = self.relay.client("submission");
        let mut client = client.authenticated(user, secret);
        let message = format!("From: Desk <{SUPPORT}>\r\nSubject: {subject}\r\n\r\nHello!\r\n");
        let reply = client.deliver(SUPPORT, to, message.as_bytes()).unwrap();
        assert_eq!(reply.code, 250, "{}", reply.text());
        reply.transaction()
    }

    fn ends(self) {
        self.relay.leaves_nothing(self.world);
    }
}

/// Issues a credential for submission; returns its user name and secret.
fn submission(relay: &Relay, account: &str) -> (String, String) {
    let issued = relay.json(&["credential", "add", "--submission", account]);
    let text = |key: &str| text(&issued[0], key);
    (text("user-name"), text("secret"))
}

fn text(of: &Value, key: &str) -> String {
    of[key]
        .as_str()
        .unwrap_or_else(|| panic!("{of}"))
        .to_owned()
}
