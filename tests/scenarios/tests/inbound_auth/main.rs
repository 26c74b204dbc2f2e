//! The policy `inbound-auth` in a relay: one scenario for each of its decisions, with the message
//! (`tests/fixtures/inbound-auth`), the client and the DNS that lead to it.
#![allow(clippy::unwrap_used)]

mod cancelled;
mod denied_and_allowed;
mod disconnected;
mod dns_slow;
mod enhanced;
mod forwarded;
mod forwarded_by_an_alias;
mod forwarded_to_native;
mod forwarded_twice;
mod include_bomb;
mod key_expired;
mod learnt;
mod many_signatures;
mod of_the_account;
mod other_kind;
mod past_the_relay;
mod relayed;
mod sealed;
mod spellings;
mod standard;
mod target;

use test_support::{Client, DnsServer, Relay, RelayBuilder, Reply, Sink, Zone};

/// A client that author.example says may send for it.
const ITS_OWN: &str = "198.51.100.1";

/// One that nobody knows.
const STRANGER: &str = "203.0.113.77";

/// A message of the fixtures, as it is sent.
fn eml(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/inbound-auth");
    let text = std::fs::read_to_string(format!("{folder}/{name}.eml")).unwrap();
    text.replace('\n', "\r\n").into_bytes()
}

/// A domain that signs, and whose key the DNS has.
struct Signer {
    domain: &'static str,
    key: test_support::Signer,
}

impl Signer {
    fn new(domain: &'static str, zone: &mut Zone) -> Self {
        let key = test_support::Signer::new();
        key.publish(zone, domain);
        Self { domain, key }
    }

    /// The signature of a message as a header field.
    fn signature(&self, message: &[u8]) -> Vec<u8> {
        self.key.signature(message, self.domain)
    }

    /// The message with its signature on top.
    fn signed(&self, message: &[u8]) -> Vec<u8> {
        self.key.sign(message, self.domain)
    }
}

fn base64(octets: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(octets)
}

fn decoded(text: &str) -> String {
    use base64::Engine as _;
    let octets = base64::engine::general_purpose::STANDARD.decode(text);
    String::from_utf8(octets.unwrap()).unwrap()
}

/// Returns the zone of author.example, with this DMARC policy, and its signer.
fn author(policy: &str) -> (Zone, Signer) {
    let mut zone = Zone::new();
    let signer = Signer::new("author.example", &mut zone);
    zone.txt("author.example", format!("v=spf1 ip4:{ITS_OWN} -all"))
        .txt("_dmarc.author.example", format!("v=DMARC1; p={policy}"));
    (zone, signer)
}

/// A relay whose inbound mail the policy judges, with an account of the directory behind it.
struct Site {
    sink: Sink,
    dns: DnsServer,
    relay: Relay,
}

impl Site {
    /// With these settings of the policy, as a TOML table.
    fn start(zone: Zone, settings: &str) -> Self {
        let (sink, dns) = (Sink::start(), DnsServer::start(zone));
        let chain = r#"chain = ["loop-guard", "header-guard", "outbound-route"]"#;
        let relay = RelayBuilder::usual(sink.address())
            .replace(chain, r#"chain = ["inbound-auth"]"#)
            .replace(
                "direction = \"inbound\"",
                "direction = \"inbound\"\nxclient-from = [\"127.0.0.1/32\"]",
            )
            .with(&format!(
                "[dns]\nservers = [\"{}\"]\n[[policy]]\nname = \"inbound-auth\"\n\
                 builtin = \"inbound-auth\"\nsettings = {settings}\n",
                dns.address(),
            ))
            .start();
        let native = ["--native-domain", "acme.desk.test", "--product", "Acme"];
        relay.json(&[&["account", "add"], &native[..]].concat());
        let address = ["address", "add", "--account", "acme.desk.test"];
        relay.json(&[&address[..], &["help@acme.desk.test"]].concat());
        Self { sink, dns, relay }
    }

    /// Connects customer.test with one support address; its id.
    fn connect(&self, kind: &str) -> String {
        self.connect_domain("customer.test", kind)
    }

    fn connect_domain(&self, domain: &str, kind: &str) -> String {
        let account = ["--account", "acme.desk.test"];
        let claim = ["--domain", domain, "--kind", kind];
        let made = (self.relay).json(&[&["connector", "add"], &account[..], &claim].concat());
        let id = made[0]["id"].as_str().unwrap().to_owned();
        self.relay.json(&["connector", "vouch", &id]);
        let address = ["address", "add", "--account", "acme.desk.test"];
        let help = format!("help@{domain}");
        self.relay.json(&[&address[..], &[&help]].concat());
        id
    }

    /// Makes a credential; its user name and secret.
    fn credential(&self, arguments: &[&str]) -> (String, String) {
        let made = (self.relay).json(&[&["credential", "add"], arguments].concat());
        let of = |key: &str| made[0][key].as_str().unwrap().to_owned();
        (of("user-name"), of("secret"))
    }

    /// A session under TLS.
    fn secured(&self) -> Client {
        let mut client = self.relay.client("mx");
        client.ehlo();
        client.starttls();
        client
    }

    /// A message from a client at this address; the last reply.
    fn send(&self, client: &str, to: &[&str], message: &[u8]) -> Reply {
        let mut session = self.relay.client("mx");
        session.ehlo();
        session.command(&format!("XCLIENT ADDR={client} NAME=[UNAVAILABLE]"), 220);
        session.ehlo();
        session.deliver("ann@author.example", to, message).unwrap()
    }

    /// The same to the native address.
    fn direct(&self, client: &str, message: &[u8]) -> Reply {
        self.send(client, &["help@acme.desk.test"], message)
    }

    /// The tags on what has arrived next.
    fn tags(&self) -> String {
        self.sink
            .take()
            .header("X-Gatepost-Tags")
            .unwrap_or_default()
    }

    /// Returns the number of messages in quarantine.
    fn quarantined(&self) -> usize {
        self.relay.json(&["quarantine", "list"]).len()
    }

    fn ends(self) {
        self.relay.leaves_nothing(self.sink);
    }
}

/// Code and enhanced code of a reply.
fn codes(reply: &Reply) -> (u16, &str) {
    (reply.code, reply.enhanced().unwrap_or_default())
}
