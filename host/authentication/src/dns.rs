//! What the rest of the crate knows of the DNS: five questions, and three kinds of answer.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// An answer of the DNS about one name and type.
///
/// That a name exists without records of the type asked for ([`Found::NoData`]) and that it does
/// not exist at all ([`Found::NoName`], RFC 8020) are told apart: SPF counts both as void look-ups
/// (RFC 7208 section 4.6.4), DMARC's `np` asks for the second alone (RFC 9989).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<T> {
    /// At least one record, in the order of the answer.
    Records(Arc<[T]>),
    /// The name exists, but has no record of that type.
    NoData,
    /// The name does not exist.
    NoName,
}

impl<T> Found<T> {
    /// The records, none where there are none.
    pub fn records(&self) -> &[T] {
        match self {
            Self::Records(records) => records,
            Self::NoData | Self::NoName => &[],
        }
    }

    /// The same answer with other records, one for one.
    pub fn map<U>(&self, to: impl Fn(&T) -> U) -> Found<U> {
        match self {
            Self::Records(records) => Found::Records(records.iter().map(to).collect()),
            Self::NoData => Found::NoData,
            Self::NoName => Found::NoName,
        }
    }
}

/// No answer could be had: a time-out, SERVFAIL, a broken reply, or a name server out of reach.
/// It may be had later, unless it was beyond what a message may ask.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("DNS gave no answer about {name}: {why}")]
pub struct Unavailable {
    /// The name that was asked for.
    pub name: String,
    /// What went wrong, in the resolver's words.
    pub why: String,
    /// It was not asked for: the message has used up what it may ask ([`Limits`](crate::Limits)). A
    /// later attempt would do no better.
    pub beyond_budget: bool,
}

/// Where the facts' questions go. Names are absolute, in A-labels, with or without their final
/// dot; case does not matter. A CNAME is followed by the implementation.
pub trait Dns: Send + Sync {
    /// The TXT records of `name`, each with its strings joined without a space (RFC 7208 section
    /// 3.3, RFC 6376 section 3.6.2.2). Octets, for nothing says that they are UTF-8.
    fn txt(&self, name: &str)
    -> impl Future<Output = Result<Found<Box<[u8]>>, Unavailable>> + Send;

    /// The A records of `name`.
    fn a(&self, name: &str) -> impl Future<Output = Result<Found<Ipv4Addr>, Unavailable>> + Send;

    /// The AAAA records of `name`.
    fn aaaa(&self, name: &str)
    -> impl Future<Output = Result<Found<Ipv6Addr>, Unavailable>> + Send;

    /// The exchanges of the MX records of `name`, the most preferred first, in lower case without
    /// their final dot.
    fn mx(&self, name: &str) -> impl Future<Output = Result<Found<String>, Unavailable>> + Send;

    /// The names that `address` claims to have, in lower case without their final dot. Whether
    /// they have it is for the caller to ask.
    fn ptr(
        &self,
        address: IpAddr,
    ) -> impl Future<Output = Result<Found<String>, Unavailable>> + Send;
}
