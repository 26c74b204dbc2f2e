//! A zone, a name server of it, and the resolver that asks it.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use gatepost_authentication::{
    Arrival, Facts, NameServer, Resolver, ResolverSettings, Settings, gather,
};
use gatepost_message::{Message, Millis, ReversePath};
use test_support::{DnsServer, Zone};

/// When all suites are judged: no signature in them that should pass has expired.
pub const NOW: Millis = Millis(1_720_000_000_000);

pub struct World {
    server: DnsServer,
    resolver: Resolver,
    runtime: tokio::runtime::Runtime,
}

impl World {
    pub fn of(zone: Zone) -> Self {
        let server = DnsServer::start(zone);
        let settings = ResolverSettings {
            servers: vec![NameServer(server.address())],
            timeout: Duration::from_millis(500),
            ..ResolverSettings::default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let resolver = runtime.block_on(async { Resolver::new(&settings).expect("a resolver") });
        Self {
            server,
            resolver,
            runtime,
        }
    }

    pub fn server(&self) -> &DnsServer {
        &self.server
    }

    /// The facts of a message from nobody in particular.
    pub fn facts(&self, message: &[u8], settings: &Settings) -> Facts {
        self.facts_from("", message, settings)
    }

    /// The facts of a message with that reverse-path.
    pub fn facts_from(&self, reverse_path: &str, message: &[u8], settings: &Settings) -> Facts {
        let message = Message::from_bytes(Bytes::copy_from_slice(message));
        self.facts_of(reverse_path, &message, settings)
    }

    /// The facts of a message wherever its body is.
    pub fn facts_of(&self, reverse_path: &str, message: &Message, settings: &Settings) -> Facts {
        let reverse_path = ReversePath::parse(reverse_path).expect("a reverse-path");
        let arrival = Arrival {
            client: IpAddr::from([192, 0, 2, 99]),
            helo: "client.invalid",
            receiver: "mx.desk.example",
            reverse_path: &reverse_path,
            at: NOW,
        };
        self.runtime
            .block_on(gather(message, &arrival, &self.resolver, settings))
    }
}

/// The message with one letter of its body changed; with a body, where it has none.
pub fn other_body(message: &[u8]) -> Vec<u8> {
    let mut other = message.to_vec();
    let body = message
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .map(|end| end + 4)
        .and_then(|start| {
            let letter = message[start..]
                .iter()
                .position(u8::is_ascii_alphanumeric)?;
            Some(start + letter)
        });
    match body {
        Some(letter) => other[letter] ^= 1,
        None => other.extend_from_slice(b"\r\n\r\nadded\r\n"),
    }
    other
}

/// A key record with one letter of the key changed.
pub fn other_key(record: &str) -> String {
    let Some(start) = record.find("p=") else {
        return record.to_owned();
    };
    let start = start + 2;
    let length = record[start..]
        .find([';', '='])
        .unwrap_or(record.len() - start);
    // Past the head of the structure, so that it stays a key, of the same length.
    let letter = start + length * 2 / 3;
    let mut octets = record.as_bytes().to_vec();
    if let Some(octet) = octets.get_mut(letter) {
        *octet = if *octet == b'A' { b'B' } else { b'A' };
    }
    String::from_utf8(octets).unwrap_or_default()
}
