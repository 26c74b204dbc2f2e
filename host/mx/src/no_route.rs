//! Reasons why no server takes the mail of a domain.

use gatepost_smtp::Reply;

/// Most characters of a wrong domain that a reply repeats.
const SHOWN: usize = 100;

/// Reason why there is no server for the mail of a domain. [`NoRoute::reply`] tells the sender.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoRoute {
    /// The text is neither a domain nor an address literal.
    #[error("{0:?} is neither a domain nor an address literal")]
    NotADomain(String),
    /// The domain does not exist.
    #[error("the domain {0} does not exist")]
    NoSuchDomain(String),
    /// The domain takes no mail (null MX, RFC 7505).
    #[error("the domain {0} takes no mail")]
    NullMx(String),
    /// The domain names no server that has an address.
    #[error("{0} names no server with an address")]
    NoServer(String),
    /// The best server of the domain is this relay.
    #[error("mail for {0} loops back: its MX records name this relay as the best server")]
    Loop(String),
    /// The address of the literal is not public.
    #[error("mail to [{address}] is not sent: the address is {what}")]
    RefusedLiteral {
        /// Address of the literal.
        address: String,
        /// Use of the address.
        what: &'static str,
    },
    /// The DNS gave no answer about the domain.
    #[error("cannot look up {domain}: {why}")]
    NoAnswer {
        /// Domain.
        domain: String,
        /// Resolver's error.
        why: String,
    },
    /// The servers of the domain cannot be reached for now: their names are not resolved, or lead
    /// to addresses that are not public.
    #[error("no server of {domain} can be reached: {why}")]
    NoAddress {
        /// Domain.
        domain: String,
        /// Reason for the best server.
        why: String,
    },
    /// The MTA-STS policy of the domain is in mode `enforce`, and allows none of its servers.
    #[error("the MTA-STS policy of {0} allows none of its servers")]
    MtaSts(String),
}

impl NoRoute {
    pub(crate) fn not_a_domain(text: &str) -> Self {
        Self::NotADomain(text.chars().take(SHOWN).collect())
    }

    /// Returns the reply that describes it, as a next hop would give it: 5yz fails the recipient,
    /// 4yz lets it wait.
    pub fn reply(&self) -> Reply {
        // The details are those of RFC 3463 and RFC 7505.
        let (code, enhanced) = match self {
            Self::NotADomain(_) => (550, "5.1.3"),
            Self::NoSuchDomain(_) => (550, "5.1.2"),
            Self::NullMx(_) => (556, "5.1.10"),
            Self::NoServer(_) => (550, "5.4.4"),
            Self::Loop(_) => (554, "5.4.6"),
            Self::RefusedLiteral { .. } => (550, "5.1.2"),
            Self::NoAnswer { .. } => (451, "4.4.3"),
            Self::NoAddress { .. } => (451, "4.4.4"),
            Self::MtaSts(_) => (451, "4.7.5"),
        };
        Reply::new(code, enhanced, self.to_string())
    }

    /// Returns true if a later look-up may end otherwise.
    pub fn is_temporary(&self) -> bool {
        self.reply().is_transient()
    }
}
