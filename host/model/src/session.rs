//! The SMTP connection as policies, queue and trace know it.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

/// Direction of a message, fixed by the listener that accepted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Flow {
    /// Mail from the world to an address that this relay receives mail for.
    Inbound,
    /// Mail from the application, on behalf of an account.
    Submission,
    /// Mail that the relay made itself: notices and probes.
    Internal,
}

/// Protocol by which a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// SMTP (RFC 5321).
    Smtp,
    /// HTTP interface of the relay.
    Http,
    /// None: the relay made the message itself.
    Own,
}

/// State of one SMTP connection, as policies, queue and trace see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", from = "StoredSession")]
pub struct Session {
    /// Name of the listener in the configuration.
    pub listener: String,
    /// Direction of the listener.
    pub flow: Flow,
    /// Protocol by which the message came.
    pub transport: Transport,
    /// Client's address; the one in the PROXY header if the listener accepts that. `None` if the
    /// relay made the message itself.
    pub client: Option<SocketAddr>,
    /// Argument of EHLO or HELO, once given.
    pub helo: Option<String>,
    /// Protocol and cipher; `None` in plaintext.
    pub tls: Option<String>,
    /// User authenticated by AUTH.
    pub user: Option<String>,
}

impl Session {
    /// Returns the client's address, an IPv4 address in its own form.
    pub fn client_ip(&self) -> Option<IpAddr> {
        self.client.map(|client| client.ip().to_canonical())
    }

    /// Returns true if the relay made the message itself.
    pub fn is_own(&self) -> bool {
        self.transport == Transport::Own
    }
}

/// A session as a store has it. Earlier versions wrote no transport, and the unspecified address for
/// a message of the relay's own, in the flow of the message that it was about.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
struct StoredSession {
    listener: String,
    flow: Flow,
    transport: Option<Transport>,
    client: Option<SocketAddr>,
    helo: Option<String>,
    tls: Option<String>,
    user: Option<String>,
}

impl From<StoredSession> for Session {
    fn from(stored: StoredSession) -> Self {
        let client = (stored.client).filter(|client| !client.ip().is_unspecified());
        let (transport, flow) = match (stored.transport, client) {
            (Some(transport), _) => (transport, stored.flow),
            (None, Some(_)) => (Transport::Smtp, stored.flow),
            (None, None) => (Transport::Own, Flow::Internal),
        };
        Self {
            listener: stored.listener,
            flow,
            transport,
            client,
            helo: stored.helo,
            tls: stored.tls,
            user: stored.user,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_of_earlier_versions_are_read() {
        let read = |client: &str| -> Session {
            let stored = serde_json::json!({
                "listener": "mx", "flow": "inbound", "client": client, "helo": null, "tls": null,
                "user": null,
            });
            serde_json::from_value(stored).unwrap()
        };
        let own = read("0.0.0.0:0");
        assert_eq!((own.client, own.flow), (None, Flow::Internal));
        assert!(own.is_own());
        let theirs = read("[2001:db8::1]:25");
        assert_eq!(theirs.client, "[2001:db8::1]:25".parse().ok());
        assert_eq!(
            (theirs.transport, theirs.flow),
            (Transport::Smtp, Flow::Inbound)
        );
        for session in [own, theirs] {
            let again = serde_json::to_value(&session).unwrap();
            assert_eq!(serde_json::from_value::<Session>(again).unwrap(), session);
        }
    }
}
