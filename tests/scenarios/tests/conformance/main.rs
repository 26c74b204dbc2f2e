//! A sample of each public suite over SMTP: the message arrives at the real binary from the case's
//! client, which asks a name server that serves the case's names, and what Authentication-Results
//! at the next hop and the trace say is what the suite expects. Every case of every suite goes
//! through the function that the session calls in `host/authentication`'s tests, by the same
//! readers.
#![allow(clippy::unwrap_used)]

mod arc;
mod canonicalization;
mod chasquid;
mod dkimpy;
mod dmarc;
mod public_suffixes;
mod spf;

use std::net::{IpAddr, Ipv4Addr};

use serde_json::Value;
use test_support::{DnsServer, Relay, RelayBuilder, Sink, Zone, hostile_file};

/// Client that hands a message over.
struct Arrival<'a> {
    client: IpAddr,
    helo: &'a str,
    reverse_path: &'a str,
}

/// Client that proves nothing.
const NOBODY: Arrival<'_> = Arrival {
    client: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 99)),
    helo: "client.invalid",
    reverse_path: "",
};

/// A relay that looks into the origin of what it takes, and refuses nothing for it.
struct Site {
    relay: Relay,
    sink: Sink,
    // Answers as long as the relay runs.
    _dns: DnsServer,
}

impl Site {
    fn start(zone: Zone) -> Self {
        Self::with(zone, "")
    }

    /// With these settings of `[authentication]`.
    fn with(zone: Zone, settings: &str) -> Self {
        let (sink, dns) = (Sink::start(), DnsServer::start(zone));
        let chain = r#"chain = ["loop-guard", "header-guard", "outbound-route"]"#;
        let relay = RelayBuilder::usual(sink.address())
            .replace(chain, r#"chain = ["origin"]"#)
            .replace(
                "direction = \"inbound\"",
                "direction = \"inbound\"\nxclient-from = [\"127.0.0.1/32\"]",
            )
            .with(&format!(
                "[dns]\nservers = [\"{}\"]\ntimeout = \"1s\"\nattempts = 1\n\
                 [authentication]\n{settings}\n\
                 [[policy]]\nname = \"origin\"\nfile = {:?}\n",
                dns.address(),
                hostile_file("origin")
            ))
            .start();
        Self {
            relay,
            sink,
            _dns: dns,
        }
    }

    /// Sends a message, which must arrive as it was sent; what was found.
    fn judged(&self, arrival: &Arrival<'_>, message: &[u8]) -> Judged {
        let mut session = self.relay.client("mx");
        session.ehlo();
        let address = match arrival.client {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("IPV6:{address}"),
        };
        session.command(&format!("XCLIENT ADDR={address} NAME=[UNAVAILABLE]"), 220);
        session.command(&format!("EHLO {}", arrival.helo), 250);
        let to = ["user@desk.example"];
        let reply = session.deliver(arrival.reverse_path, &to, message).unwrap();
        assert_eq!(reply.code, 250, "{reply:?}");

        let taken = self.sink.take();
        let arrived = taken.bytes();
        assert!(
            arrived.windows(message.len()).any(|part| part == message),
            "{} is not in {}",
            String::from_utf8_lossy(message),
            String::from_utf8_lossy(&arrived)
        );
        let found = self.relay.events(&reply.transaction(), "authenticated");
        let [found] = found.as_slice() else {
            panic!("{found:?}");
        };
        Judged {
            written: taken.header("Authentication-Results").unwrap(),
            found: found["authentication"].clone(),
        }
    }

    fn ends(self) {
        self.relay.leaves_nothing(self.sink);
    }
}

/// Findings about a message, twice.
#[derive(Debug)]
struct Judged {
    /// Authentication-Results.
    written: String,
    /// The trace.
    found: Value,
}

impl Judged {
    /// The results that are written for a method, in their order.
    fn written(&self, method: &str) -> Vec<&str> {
        let results = self.written.split(";\t").skip(1);
        let of = |result| str::strip_prefix(result, method)?.strip_prefix('=');
        let word = |result: &str| result.find([' ', '\t']).unwrap_or(result.len());
        results
            .filter_map(of)
            .map(|result| &result[..word(result)])
            .collect()
    }

    /// Returns the results of every signature, in words on which both agree.
    fn dkim(&self) -> Vec<&str> {
        let signatures = self.found["dkim"].as_array().unwrap().iter();
        let found: Vec<_> = signatures.map(|one| word(&one["result"])).collect();
        match found.as_slice() {
            [] => assert_eq!(self.written("dkim"), ["none"]),
            found => assert_eq!(self.written("dkim"), found, "{self:?}"),
        }
        found
    }

    /// Returns the result of a method that has one, in a word on which both agree.
    fn result(&self, method: &str) -> &str {
        let found = word(&self.found[method]["result"]);
        let written = self.written(method);
        // Of a chain that is not there nothing is said.
        assert!(
            written == [found] || written.is_empty() && found == "none",
            "{self:?}"
        );
        found
    }
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
