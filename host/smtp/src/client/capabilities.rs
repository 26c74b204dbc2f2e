//! What a server offers in its reply to EHLO.

/// The extensions that this client has a use for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// RFC 2920.
    pub pipelining: bool,
    /// RFC 6152.
    pub eight_bit_mime: bool,
    /// RFC 3207.
    pub start_tls: bool,
    /// RFC 1870: whether it is offered.
    pub size: bool,
    /// RFC 1870: the greatest message it takes, in octets; `None` where it does not say.
    pub max_size: Option<u64>,
}
