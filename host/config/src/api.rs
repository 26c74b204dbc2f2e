//! HTTP API by which applications operate the relay.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use serde::Deserialize;

use crate::http_tls::HttpTls;

/// Requests of one token in a minute, unless the configuration says otherwise.
const REQUESTS_A_MINUTE: NonZeroU32 = NonZeroU32::new(600).unwrap();

/// Settings of the API. It listens on an address or on a socket.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Api {
    /// Address on which applications connect.
    pub listen: Option<SocketAddr>,
    /// Path of a socket in the file system, which its owner and its group may open.
    pub socket: Option<PathBuf>,
    /// Use of TLS on the address; by default none on a loopback address, and TLS on any other.
    pub tls: Option<HttpTls>,
    /// Most requests of one token in a minute.
    #[serde(default = "requests_a_minute")]
    pub requests_a_minute: NonZeroU32,
}

impl Api {
    /// Returns the use of TLS.
    pub fn tls(&self) -> HttpTls {
        let is_loopback = self.listen.is_some_and(|of| of.ip().is_loopback());
        self.tls
            .unwrap_or(match is_loopback || self.listen.is_none() {
                true => HttpTls::None,
                false => HttpTls::Implicit,
            })
    }
}

fn requests_a_minute() -> NonZeroU32 {
    REQUESTS_A_MINUTE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls(text: &str) -> HttpTls {
        toml::from_str::<Api>(text).unwrap().tls()
    }

    #[test]
    fn only_this_machine_is_answered_without_tls_unless_the_configuration_says_so() {
        for (text, expected) in [
            ("listen = \"127.0.0.1:8025\"", HttpTls::None),
            ("listen = \"[::1]:8025\"", HttpTls::None),
            ("socket = \"/run/gatepost/api.sock\"", HttpTls::None),
            (
                "listen = \"127.0.0.1:8025\"\ntls = \"implicit\"",
                HttpTls::Implicit,
            ),
            ("listen = \"0.0.0.0:8025\"", HttpTls::Implicit),
            ("listen = \"192.0.2.1:8025\"\ntls = \"none\"", HttpTls::None),
        ] {
            assert_eq!(tls(text), expected, "{text}");
        }
    }
}
