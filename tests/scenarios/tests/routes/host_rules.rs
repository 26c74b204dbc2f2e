//! Mail that never leaves through a customer's connection, whatever a policy answers.

mod another_account;
mod another_domain;
mod foreign_send_as;
mod native_address;
mod null_sender;

use test_support::{DnsServer, Relay, RelayBuilder, Sink};

use crate::{beside, relay, routed, server, zone};

/// Route of a policy that sends everything through the customer's connection.
const ALL_BY_CONNECTION: &str = r#"{ by = { connection = "smart" } }"#;

/// Site with the account `acme.desk.test` of the directory, which sends as `customer.test` and
/// `second.test`, and has a connection to a smart host that serves `customer.test`.
struct Site {
    relay: Relay,
    _dns: DnsServer,
    /// Server of `b.example`, by MX.
    world: Sink,
    /// Server of the connection.
    smart_host: Sink,
}

/// User of an account.
struct User {
    name: String,
    secret: String,
}

impl Site {
    /// Starts a site with these routes of outbound-route.
    fn start(routes: &str) -> Self {
        Self::with(|relay| routed(relay, routes))
    }

    fn with(change: impl FnOnce(RelayBuilder) -> RelayBuilder) -> Self {
        let world = server("");
        let smart_host = beside(&world, 3, "");
        let mut zone = zone(&[(10, 2)]);
        zone.mx("customer.test", 10, "mx2.b.example");
        let dns = DnsServer::start(zone);
        let relay = change(relay(&dns, world.address().port())).start();
        let site = Self {
            relay,
            _dns: dns,
            world,
            smart_host,
        };
        site.account("acme.desk.test", &["customer.test", "second.test"]);
        let port = site.smart_host.address().port().to_string();
        let server = ["--host", "127.0.0.3", "--port", &port, "--tls", "none"];
        let of = ["connection", "add", "smart", "--account", "acme.desk.test"];
        let serves = ["--serves", "@customer.test"];
        site.relay.json(&[&of[..], &server, &serves].concat());
        site
    }

    /// Adds an account that sends as these domains, too.
    fn account(&self, native: &str, domains: &[&str]) {
        let account = [
            "account",
            "add",
            "--native-domain",
            native,
            "--product",
            "P",
        ];
        self.relay.json(&account);
        for domain in domains {
            let claim = [
                "connector",
                "add",
                "--kind",
                "outbound-only",
                "--domain",
                domain,
            ];
            let made = self
                .relay
                .json(&[&claim[..], &["--account", native]].concat());
            let connector = made[0]["id"].as_str().unwrap();
            (self.relay).json(&["connector", "vouch", connector, "--outbound"]);
        }
    }

    /// Makes a user of an account.
    fn user(&self, native: &str) -> User {
        let made = self
            .relay
            .json(&["credential", "add", "--submission", native]);
        let text = |key: &str| made[0][key].as_str().unwrap().to_owned();
        User {
            name: text("user-name"),
            secret: text("secret"),
        }
    }

    /// Submits a message with that reverse-path and author for x@b.example; returns its
    /// transaction.
    fn submit(&self, user: &User, sender: &str, author: &str) -> String {
        let client = self.relay.client("submission");
        let mut client = client.authenticated(&user.name, &user.secret);
        let message = format!("From: {author}\r\nSubject: hello\r\n\r\nHello!\r\n");
        let reply = client.deliver(sender, &["x@b.example"], message.as_bytes());
        let reply = reply.unwrap();
        assert_eq!(reply.code, 250, "{}", reply.text());
        reply.transaction()
    }

    /// Asserts that the connection carries the account's own mail, so that a scenario shows what
    /// differs.
    fn assert_carries_own_mail(&self, user: &User) {
        self.submit(user, "help@customer.test", "help@customer.test");
        let taken = self.smart_host.take();
        assert_eq!(taken.from, "help@customer.test");
        assert_eq!(taken.to, ["x@b.example"]);
    }

    /// Ends the smart host, to which nothing more may have come.
    fn assert_nothing_left(self) {
        crate::assert_nothing_came(self.smart_host);
        crate::assert_nothing_came(self.world);
    }
}
