//! The DNS as the relay uses it: five questions and three kinds of answer.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// Answer of the DNS about one name and type.
///
/// A name without records of that type ([`Found::NoData`]) is told apart from a name that does not
/// exist ([`Found::NoName`], RFC 8020): SPF counts both as void look-ups (RFC 7208 section 4.6.4),
/// and DMARC's `np` is about the second alone (RFC 9989).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<T> {
    /// Records, at least one, in the order of the answer.
    Records(Arc<[T]>),
    /// Existing name without a record of that type.
    NoData,
    /// Name that does not exist.
    NoName,
}

impl<T> Found<T> {
    /// Returns the records; an empty slice if there are none.
    pub fn records(&self) -> &[T] {
        match self {
            Self::Records(records) => records,
            Self::NoData | Self::NoName => &[],
        }
    }

    /// Converts each record.
    pub fn map<U>(&self, to: impl Fn(&T) -> U) -> Found<U> {
        match self {
            Self::Records(records) => Found::Records(records.iter().map(to).collect()),
            Self::NoData => Found::NoData,
            Self::NoName => Found::NoName,
        }
    }
}

/// Lack of an answer: a time-out, SERVFAIL, a malformed reply, or an unreachable name server. A
/// later attempt may get one, unless the asker exceeded its budget.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("DNS gave no answer about {name}: {why}")]
pub struct Unavailable {
    /// Name of the question.
    pub name: String,
    /// Resolver's error.
    pub why: String,
    /// True if the question was not sent because the asker has used up its budget of questions. A
    /// later attempt would do no better.
    pub beyond_budget: bool,
}

/// MX record.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MailExchange {
    /// Preference; the lowest is tried first.
    pub preference: u16,
    /// Host in lower case without its final dot; empty for the root, which is the null MX (RFC
    /// 7505).
    pub host: String,
}

/// Source of DNS answers. Names are absolute, in A-labels, with or without their final dot; case
/// does not matter. The implementation follows a CNAME.
pub trait Dns: Send + Sync {
    /// Returns the TXT records of `name`, each with its strings joined without a space (RFC 7208
    /// section 3.3, RFC 6376 section 3.6.2.2). They are bytes, since they need not be UTF-8.
    fn txt(&self, name: &str)
    -> impl Future<Output = Result<Found<Box<[u8]>>, Unavailable>> + Send;

    /// Returns the A records of `name`.
    fn a(&self, name: &str) -> impl Future<Output = Result<Found<Ipv4Addr>, Unavailable>> + Send;

    /// Returns the AAAA records of `name`.
    fn aaaa(&self, name: &str)
    -> impl Future<Output = Result<Found<Ipv6Addr>, Unavailable>> + Send;

    /// Returns the MX records of `name`, the most preferred first.
    fn mx(
        &self,
        name: &str,
    ) -> impl Future<Output = Result<Found<MailExchange>, Unavailable>> + Send;

    /// Returns the PTR records of `address`, in lower case without their final dot. The caller has
    /// to check that these names have the address.
    fn ptr(
        &self,
        address: IpAddr,
    ) -> impl Future<Output = Result<Found<String>, Unavailable>> + Send;
}
