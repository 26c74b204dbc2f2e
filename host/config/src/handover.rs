//! Page behind links that show the secret of a credential once.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use http::Uri;
use http::uri::Scheme;
use serde::Deserialize;

use crate::http_tls::HttpTls;

/// Settings of the page.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Handover {
    /// Address on which browsers connect.
    pub address: SocketAddr,
    /// URL at which browsers reach it from outside.
    pub url: HandoverUrl,
    /// Use of TLS.
    #[serde(default)]
    pub tls: HttpTls,
}

/// URL at which browsers reach the page, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct HandoverUrl(String);

/// Text that is no URL of the page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not the URL of the page; write one such as \"https://mx.desk.example\", without a query (http only at 127.0.0.1 or [::1])"
)]
pub struct HandoverUrlError(String);

impl HandoverUrl {
    /// Returns the URL of a path, which begins with a slash.
    pub fn of(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl TryFrom<String> for HandoverUrl {
    type Error = HandoverUrlError;

    fn try_from(text: String) -> Result<Self, HandoverUrlError> {
        let usable = text.parse::<Uri>().is_ok_and(|uri| {
            let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
            let is_here = host.parse().is_ok_and(|host: IpAddr| host.is_loopback());
            let has_scheme = uri.scheme() == Some(&Scheme::HTTPS)
                || (uri.scheme() == Some(&Scheme::HTTP) && is_here);
            let has_user = uri.authority().is_some_and(|of| of.as_str().contains('@'));
            has_scheme && !host.is_empty() && !has_user && uri.query().is_none()
        });
        // A fragment is dropped when a URI is read.
        match usable && !text.contains('#') {
            true => Ok(Self(text.trim_end_matches('/').to_owned())),
            false => Err(HandoverUrlError(text)),
        }
    }
}

impl fmt::Display for HandoverUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Result<HandoverUrl, HandoverUrlError> {
        text.to_owned().try_into()
    }

    #[test]
    fn links_are_below_the_url() {
        for (base, link) in [
            ("https://mx.desk.example", "https://mx.desk.example/h"),
            (
                "https://desk.example:8443/relay/",
                "https://desk.example:8443/relay/h",
            ),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/h"),
            ("http://[::1]:8080", "http://[::1]:8080/h"),
        ] {
            assert_eq!(url(base).unwrap().of("/h"), link);
        }
    }

    #[test]
    fn a_url_that_others_could_read_or_change_is_refused() {
        for wrong in [
            "http://mx.desk.example",
            "https://user:password@mx.desk.example",
            "https://mx.desk.example/?a",
            "https://mx.desk.example/#a",
            "mx.desk.example",
            "/relay",
            "",
        ] {
            assert!(url(wrong).is_err(), "{wrong}");
        }
    }
}
