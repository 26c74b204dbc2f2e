//! Whom the resolver asks, and its bounds.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

/// Whom to ask, for how long, and how much to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolverSettings {
    /// Recursive name servers; those of `/etc/resolv.conf` where none is given.
    pub servers: Vec<NameServer>,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// How often a question is put before it is given up, from 1. It takes `timeout` times this
    /// at most, the wait for a turn included.
    pub attempts: u8,
    /// How many questions may be open at once, from 1; more wait for their turn.
    pub concurrent: usize,
    /// How many answers are kept, each for as long as its records may be (RFC 2308 for a "no").
    pub cache: u64,
}

impl Default for ResolverSettings {
    /// The system's servers, two attempts of two and a half seconds, 256 questions at once, 4096
    /// answers.
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            timeout: Duration::from_millis(2_500),
            attempts: 2,
            concurrent: 256,
            cache: 4_096,
        }
    }
}

/// Where a name server listens, by UDP and by TCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NameServer(pub SocketAddr);

/// The port of name servers (RFC 1035 section 4.2).
const DOMAIN: u16 = 53;

impl FromStr for NameServer {
    type Err = InvalidServer;

    /// `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1` or `[2001:db8::1]:5353`.
    fn from_str(server: &str) -> Result<Self, InvalidServer> {
        let address = server.parse::<IpAddr>();
        let address = address.map(|address| SocketAddr::from((address, DOMAIN)));
        let address = address.or_else(|_| server.parse::<SocketAddr>());
        match address {
            Ok(address) if address.port() != 0 => Ok(Self(address)),
            _ => Err(InvalidServer(server.to_owned())),
        }
    }
}

impl fmt::Display for NameServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What was given as a name server is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no name server: give its address, and its port if it is not 53")]
pub struct InvalidServer(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_an_address_and_perhaps_a_port() {
        let parsed = |server: &str| server.parse::<NameServer>().unwrap().to_string();
        assert_eq!(parsed("192.0.2.1"), "192.0.2.1:53");
        assert_eq!(parsed("192.0.2.1:5353"), "192.0.2.1:5353");
        assert_eq!(parsed("2001:db8::1"), "[2001:db8::1]:53");
        assert_eq!(parsed("[2001:db8::1]:5353"), "[2001:db8::1]:5353");
        for server in ["", "dns.example", "192.0.2.1:", "192.0.2.1:0", "192.0.2"] {
            assert!(server.parse::<NameServer>().is_err(), "{server}");
        }
    }
}
