//! A zone, its name server, and the resolver that asks it.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use gatepost_authentication::{Arrival, Facts, Settings, gather};
use gatepost_dns::{NameServer, Resolver, ResolverSettings};
use gatepost_message::{Message, Millis, ReversePath};
use test_support::{DnsServer, Zone};

/// Time at which all suites are judged: no signature that should pass has expired.
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

    /// Gathers the facts about a message with a null reverse-path.
    pub fn facts(&self, message: &[u8], settings: &Settings) -> Facts {
        self.facts_from("", message, settings)
    }

    /// Gathers the facts about a message with this reverse-path.
    pub fn facts_from(&self, reverse_path: &str, message: &[u8], settings: &Settings) -> Facts {
        let message = Message::from_bytes(Bytes::copy_from_slice(message));
        self.facts_of(reverse_path, &message, settings)
    }

    /// Gathers the facts about a message, whose body may be on disk.
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

/// Changes one letter of a message's body, or adds a body if there is none.
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

/// Changes one letter of the key in a key record.
pub fn other_key(record: &str) -> String {
    let Some(start) = record.find("p=") else {
        return record.to_owned();
    };
    let start = start + 2;
    let length = record[start..]
        .find([';', '='])
        .unwrap_or(record.len() - start);
    // The letter is past the head of the structure, so that it is still a key of the same length.
    let letter = start + length * 2 / 3;
    let mut bytes = record.as_bytes().to_vec();
    if let Some(byte) = bytes.get_mut(letter) {
        *byte = if *byte == b'A' { b'B' } else { b'A' };
    }
    String::from_utf8(bytes).unwrap_or_default()
}
