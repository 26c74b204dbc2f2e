//! Export of spans to an OpenTelemetry collector.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue,
    TRANSFER_ENCODING,
};
use http::uri::{Authority, Scheme, Uri};
use serde::Deserialize;

use super::units;

/// Collector that spans are exported to, and the part of them that is exported.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Otlp {
    /// URL of the collector.
    pub endpoint: Endpoint,
    /// Value of `service.name` in the resource of the spans.
    #[serde(default = "default_service_name")]
    pub service_name: String,
    /// Header fields sent with each request, such as a token.
    #[serde(default)]
    pub headers: Headers,
    /// Fraction of all traces that is exported, from 0 to 1.
    #[serde(default = "default_sample")]
    pub sample: f64,
    /// Time that the collector has to accept a batch of spans, retries included. After it the batch
    /// is dropped.
    #[serde(default = "default_timeout", deserialize_with = "units::duration")]
    pub timeout: Duration,
    /// True if spans carry mail addresses, and texts that may hold some.
    #[serde(default)]
    pub addresses: bool,
}

fn default_service_name() -> String {
    "gatepost".to_owned()
}

fn default_sample() -> f64 {
    1.0
}

fn default_timeout() -> Duration {
    Duration::from_secs(10)
}

/// Base URL of a collector that speaks OTLP over HTTP without TLS. Traces go to `v1/traces` below
/// it (OTLP 1.x, "OTLP/HTTP Request").
#[derive(Clone, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub struct Endpoint {
    authority: Authority,
    path: String,
}

/// Reason why a text is not the URL of a collector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// The text is not an http URL, or has a query or user information.
    #[error(
        "`{0}` is not the URL of a collector; write such as \"http://127.0.0.1:4318\", without a query"
    )]
    Malformed(String),
    /// The URL asks for TLS, which is not supported.
    #[error(
        "`{0}` wants TLS, which is not spoken to collectors; let one beside the relay take the spans over http and pass them on"
    )]
    Tls(String),
}

impl Endpoint {
    /// Returns host and port for the Host field, as they were written.
    pub fn authority(&self) -> &str {
        self.authority.as_str()
    }
}

impl TryFrom<String> for Endpoint {
    type Error = EndpointError;

    fn try_from(text: String) -> Result<Self, EndpointError> {
        let Ok(uri) = text.parse::<Uri>() else {
            return Err(EndpointError::Malformed(text));
        };
        if uri.scheme() == Some(&Scheme::HTTPS) {
            return Err(EndpointError::Tls(text));
        }
        match uri.authority() {
            Some(authority)
                if uri.scheme() == Some(&Scheme::HTTP)
                    && !authority.as_str().contains('@')
                    && authority.port_u16() != Some(0)
                    && uri.query().is_none() =>
            {
                Ok(Self {
                    authority: authority.clone(),
                    path: format!("{}/v1/traces", uri.path().trim_end_matches('/')),
                })
            }
            _ => Err(EndpointError::Malformed(text)),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority, self.path)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Header fields of a request. Their values are never shown.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>")]
pub struct Headers(HeaderMap);

/// Reason why a header field cannot be sent. It never shows the value, which may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeadersError {
    /// The name is not a valid field name.
    #[error("`{0}` cannot name a header; write letters, digits and hyphens")]
    Name(String),
    /// The field is set by the relay.
    #[error("the header {0} is set by the relay; leave it out")]
    Ours(HeaderName),
    /// The value has control characters or others that are not allowed.
    #[error("what the header {0} says has characters that no header can have")]
    Value(HeaderName),
}

impl Headers {
    /// Returns the fields.
    pub fn fields(&self) -> &HeaderMap {
        &self.0
    }
}

impl TryFrom<BTreeMap<String, String>> for Headers {
    type Error = HeadersError;

    fn try_from(written: BTreeMap<String, String>) -> Result<Self, HeadersError> {
        let ours = [
            HOST,
            CONNECTION,
            CONTENT_TYPE,
            CONTENT_LENGTH,
            TRANSFER_ENCODING,
        ];
        let mut fields = HeaderMap::new();
        for (name, value) in written {
            let Ok(name) = HeaderName::try_from(&name) else {
                return Err(HeadersError::Name(name));
            };
            if ours.contains(&name) {
                return Err(HeadersError::Ours(name));
            }
            let Ok(mut value) = HeaderValue::try_from(value) else {
                return Err(HeadersError::Value(name));
            };
            // Debug prints such a value as `Sensitive`.
            value.set_sensitive(true);
            fields.append(name, value);
        }
        Ok(Self(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> Result<Endpoint, EndpointError> {
        Endpoint::try_from(text.to_owned())
    }

    #[test]
    fn traces_go_below_the_base() {
        for (base, url) in [
            ("http://c:4318", "http://c:4318/v1/traces"),
            ("http://c/", "http://c/v1/traces"),
            ("http://[::1]:1/otel/", "http://[::1]:1/otel/v1/traces"),
        ] {
            let endpoint = endpoint(base).unwrap();
            assert_eq!(endpoint.to_string(), url);
        }
    }

    #[test]
    fn a_url_that_names_no_collector_is_refused() {
        for text in [
            "127.0.0.1:4318",
            "ftp://c",
            "http://",
            "http://u@c",
            "http://c?q",
            "/x",
        ] {
            assert!(
                matches!(endpoint(text), Err(EndpointError::Malformed(_))),
                "{text}"
            );
        }
        assert!(matches!(endpoint("https://c"), Err(EndpointError::Tls(_))));
    }

    #[test]
    fn a_secret_is_not_shown() {
        let fields = BTreeMap::from([("Authorization".to_owned(), "Bearer hush".to_owned())]);
        let shown = format!("{:?}", Headers::try_from(fields).unwrap());
        assert!(
            shown.contains("authorization") && !shown.contains("hush"),
            "{shown}"
        );
    }
}
