//! URLs of token servers.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use oauth2::url::{Host, Url};

/// URL of an endpoint: `https`, or `http` on this machine, where nobody listens in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

/// Error: a text is no URL of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is no URL of a token server: write one that begins with https:// and has no password")]
pub struct EndpointError;

impl Endpoint {
    pub(crate) fn url(&self) -> &Url {
        &self.0
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let url = Url::parse(text).map_err(|_| EndpointError)?;
        let local = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
            Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
            Some(Host::Domain(_)) | None => false,
        };
        let secure = url.scheme() == "https" || (url.scheme() == "http" && local);
        let plain = url.username().is_empty() && url.password().is_none();
        match secure && plain && url.has_host() && text.len() <= 2048 {
            true => Ok(Self(url)),
            false => Err(EndpointError),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_reached_over_tls_or_on_this_machine() {
        let is = |text: &str| text.parse::<Endpoint>().is_ok();
        assert!(is("https://login.example/token"));
        assert!(is("http://127.0.0.1:8080/token") && is("http://[::1]/token"));
        for bad in [
            "http://login.example/token",
            "http://localhost/token",
            "https://user:password@login.example/",
            "ftp://127.0.0.1/",
            "login.example",
            "",
        ] {
            assert!(!is(bad), "{bad}");
        }
    }
}
