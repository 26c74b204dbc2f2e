//! Another customer of the same relay, with a smart host of its own: nobody else's mail comes there, and
//! its mail goes nowhere else.

use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;
use test_support::{Certificate, Client, Sink};

use crate::places::CUSTOMER;
use crate::site::Site;

const ACCOUNT: &str = "second.desk.example";
const ADDRESS: &str = "info@second.example";

const SCRIPT: &str = "
    tls = { mode = 'starttls' }
    [auth]
    required = true
    mechanisms = ['PLAIN']
    users = [{ name = 'second', password = 'hush-of-the-second' }]
";

/// The other customer.
pub struct Second<'a> {
    site: &'a Site,
    smart_host: Sink,
    user: String,
    secret: String,
    sent: AtomicUsize,
    _home: TempDir,
}

impl<'a> Second<'a> {
    /// Adds its account, with a domain that is verified by a probe through its smart host.
    pub fn start(site: &'a Site) -> Self {
        let home = tempfile::tempdir().unwrap();
        let certificate = Certificate::make_for(home.path(), &["127.0.0.1"]);
        let [shown, key] = [&certificate.certificate, &certificate.key];
        let tls = [
            "--certificate",
            shown.to_str().unwrap(),
            "--key",
            key.to_str().unwrap(),
        ];
        let smart_host = Sink::scripted(SCRIPT, &tls);
        let relay = &site.relay;
        relay.json(&[
            "account",
            "add",
            "--native-domain",
            ACCOUNT,
            "--product",
            "Second",
        ]);
        let of = ["--account", ACCOUNT];
        let kind = ["--domain", "second.example", "--kind", "outbound-only"];
        let made = relay.json(&[&["connector", "add"], &of[..], &kind].concat());
        relay.json(&["connector", "vouch", made[0]["id"].as_str().unwrap()]);
        relay.json(&[&["address", "add", ADDRESS], &of[..]].concat());
        let settings = format!(
            "host = '127.0.0.1'\nport = {}\nuser = 'second'\nserves = ['@second.example']\n\
             ca = {{ file = {shown:?} }}\n",
            smart_host.address().port()
        );
        let settings = site.file("second.settings", &settings);
        let password = site.file("second.password", "hush-of-the-second");
        let files = ["--settings", &settings, "--password-file", &password];
        relay.json(&[&["connection", "add", "second"], &of[..], &files].concat());
        let made = relay.json(&["credential", "add", "--submission", ACCOUNT]);
        let text = |key: &str| made[0][key].as_str().unwrap().to_owned();
        let second = Self {
            site,
            smart_host,
            user: text("user-name"),
            secret: text("secret"),
            sent: AtomicUsize::new(0),
            _home: home,
        };
        second.is_verified();
        second
    }

    /// Passes the probe on, as the smart host does.
    fn is_verified(&self) {
        let verify = ["connector", "verify", ADDRESS, "--outbound"];
        self.site.relay.command(&verify);
        let probe = self.smart_host.take();
        let mut client = Client::connect_from(CUSTOMER.into(), self.site.inbound).unwrap();
        client.expect(220);
        client.ehlo();
        let reply = client.deliver(&probe.from, &[&probe.to[0]], &probe.bytes());
        assert_eq!(reply.unwrap().code, 250);
        self.site
            .relay
            .eventually("its address is verified", |relay| {
                let shown = relay.json(&["address", "show", ADDRESS]).remove(0);
                (shown["outbound"]["state"] == "verified").then_some(())
            });
    }

    /// Sends so many messages, which leave by its smart host.
    pub fn sends(&self, count: usize) {
        let listener = self.site.relay.address("submission");
        let mut client = Client::greeted(listener).authenticated(&self.user, &self.secret);
        for _ in 0..count {
            let number = self.sent.fetch_add(1, Ordering::Relaxed);
            let to = format!("second-{number}@author.example");
            let message = format!(
                "From: Second <{ADDRESS}>\r\nTo: {to}\r\nSubject: news {number}\r\n\
                 X-Gatepost-Trigger: agent\r\n\r\nNews.\r\n"
            );
            let reply = client.deliver(ADDRESS, &[&to], message.as_bytes()).unwrap();
            assert_eq!(reply.code, 250, "{}", reply.text());
            let taken = self.smart_host.take();
            assert_eq!(taken.to, [to]);
            assert_eq!(
                (taken.from.as_str(), taken.user.as_deref()),
                (ADDRESS, Some("second"))
            );
        }
    }

    /// Ends it, and asserts that nothing else came to its smart host.
    pub fn ends(self) {
        let rest = self.smart_host.rest();
        assert!(rest.is_empty(), "{rest:?}");
    }
}
