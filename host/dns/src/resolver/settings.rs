//! The resolver's name servers and bounds.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

/// Name servers, time limits and cache of the resolver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolverSettings {
    /// Recursive name servers; those of `/etc/resolv.conf` if none is given.
    pub servers: Vec<NameServer>,
    /// Time limit of one attempt.
    pub timeout: Duration,
    /// Number of attempts for a question, from 1. A question takes at most `timeout` times this,
    /// including the wait for its turn.
    pub attempts: u8,
    /// Number of questions that may be open at once, from 1; others wait for their turn.
    pub concurrent: usize,
    /// Number of answers in the cache. Each is kept for the TTL of its records (RFC 2308 for
    /// negative answers).
    pub cache: u64,
}

impl Default for ResolverSettings {
    /// Returns the system's servers, two attempts of two and a half seconds, 256 questions at once,
    /// 4096 answers.
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

/// Address and port of a name server, for UDP and TCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NameServer(pub SocketAddr);

/// Port of name servers (RFC 1035 section 4.2).
const DNS_PORT: u16 = 53;

impl FromStr for NameServer {
    type Err = InvalidServer;

    /// Reads `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1` or `[2001:db8::1]:5353`.
    fn from_str(server: &str) -> Result<Self, InvalidServer> {
        let address = server.parse::<IpAddr>();
        let address = address.map(|address| SocketAddr::from((address, DNS_PORT)));
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

/// Error of a malformed name server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no name server: give its address, and its port if it is not 53")]
pub struct InvalidServer(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_server_is_an_address_with_an_optional_port() {
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
