//! Default routes by direction, and the names that they may have.

use std::fmt;

use gatepost_model::{NextHop, Plan, Protocol, Step, TlsMode, Way};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};

/// Routes of mail that no policy routes, by direction.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Routes {
    /// Route of mail that came in for an account. Without one, such mail waits until it expires.
    pub inbound: Option<DefaultRoute>,
    /// Route of mail that an account submitted. Without one, such mail waits until it expires.
    pub submission: Option<DefaultRoute>,
}

/// Default route: a way in words, or a server.
#[derive(Debug, Clone, PartialEq)]
pub struct DefaultRoute(Step);

impl DefaultRoute {
    /// Returns the way.
    pub fn way(&self) -> &Way {
        &self.0.way
    }

    /// Returns the pool of egress addresses.
    pub fn egress(&self) -> Option<&str> {
        self.0.egress.as_deref()
    }

    /// Returns the plan of one step.
    pub fn plan(&self) -> Plan {
        Plan {
            steps: vec![self.0.clone()],
            ..Plan::by(Way::Mx)
        }
    }
}

impl From<NextHop> for DefaultRoute {
    fn from(hop: NextHop) -> Self {
        Self(Step::new(Way::NextHop(hop)))
    }
}

/// Forms of a default route.
const FORMS: &str = "\"mx\", \"mx from POOL\", \"inside\", \"connection NAME\", \"lmtp NAME\", \
                     \"http NAME\", \"maildir NAME\", or { host = …, port = … }";

impl<'de> Deserialize<'de> for DefaultRoute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RouteVisitor;
        impl<'de> Visitor<'de> for RouteVisitor {
            type Value = DefaultRoute;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(FORMS)
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<DefaultRoute, E> {
                let step = step(text);
                let route = step.map(DefaultRoute);
                route.ok_or_else(|| E::custom(format!("`{text}` is no route; write {FORMS}")))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<DefaultRoute, A::Error> {
                NextHop::deserialize(MapAccessDeserializer::new(map)).map(DefaultRoute::from)
            }
        }
        deserializer.deserialize_any(RouteVisitor)
    }
}

fn step(text: &str) -> Option<Step> {
    let words: Vec<_> = text.split_ascii_whitespace().collect();
    let name = |name: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        let fits = (1..=64).contains(&name.len()) && name.bytes().all(plain);
        fits.then(|| name.to_owned())
    };
    let (way, egress) = match words[..] {
        ["mx"] => (Way::Mx, None),
        ["mx", "from", pool] => (Way::Mx, Some(name(pool)?)),
        ["inside"] => (Way::Inside, None),
        ["connection", of] => (Way::Connection(name(of)?), None),
        ["lmtp", of] => (Way::Lmtp(name(of)?), None),
        ["http", of] => (Way::Http(name(of)?), None),
        ["maildir", of] => (Way::Maildir(name(of)?), None),
        _ => return None,
    };
    Some(Step {
        egress,
        ..Step::new(way)
    })
}

/// LMTP server of the application.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LmtpServer {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Use of TLS.
    #[serde(default)]
    pub tls: TlsMode,
}

impl LmtpServer {
    /// Returns the server as a next hop.
    pub fn next_hop(&self) -> NextHop {
        NextHop {
            host: self.host.clone(),
            port: self.port,
            tls: self.tls,
            protocol: Protocol::Lmtp,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_a_way_in_words_or_a_server() {
        for (text, shown, egress) in [
            ("mx", "mx", None),
            ("mx from bulk", "mx", Some("bulk")),
            ("inside", "inside", None),
            ("connection acme.out", "connection acme.out", None),
            ("lmtp app", "lmtp app", None),
            ("http app", "http app", None),
            ("maildir app", "maildir app", None),
        ] {
            let route = DefaultRoute(step(text).unwrap());
            assert_eq!(
                (route.way().to_string(), route.egress()),
                (shown.to_owned(), egress)
            );
            assert_eq!(route.plan().steps.len(), 1);
        }
        for text in [
            "",
            "mx from",
            "lmtp",
            "lmtp a b",
            "smtp a",
            "connection a/b",
            "MX",
        ] {
            assert_eq!(step(text), None, "{text}");
        }
        let server: Routes =
            toml::from_str("inbound = { host = \"a.example\", port = 25 }").unwrap();
        assert_eq!(server.inbound.unwrap().way().to_string(), "a.example:25");
        let error = toml::from_str::<Routes>("inbound = \"smtp x\"").unwrap_err();
        assert!(error.message().contains("is no route"), "{error}");
    }
}
