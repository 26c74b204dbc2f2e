//! What a server offers in its reply to EHLO.

use smtp_proto::{EXT_8BIT_MIME, EXT_PIPELINING, EXT_SIZE, EXT_START_TLS, EhloResponse};

use crate::reply::Reply;

/// The extensions that this client has a use for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// RFC 2920: commands may be sent before the replies to earlier ones.
    pub pipelining: bool,
    /// RFC 6152: octets outside ASCII may be sent.
    pub eight_bit_mime: bool,
    /// RFC 3207.
    pub start_tls: bool,
    /// RFC 1870: MAIL may say the size.
    pub size: bool,
    /// RFC 1870: the largest message it takes, in octets; `None` where it does not say.
    pub max_size: Option<u64>,
}

impl Capabilities {
    /// Reads a positive reply to EHLO. smtp-proto knows the keywords; it is handed the lines
    /// again only after the reply was found sound and cut to bounds. What it cannot read offers
    /// nothing.
    pub(super) fn read(reply: &Reply) -> Self {
        let last = reply.lines().len() - 1;
        let response: String = reply
            .lines()
            .iter()
            .enumerate()
            .map(|(at, line)| format!("250{}{line}\n", if at == last { ' ' } else { '-' }))
            .collect();
        let Ok(offer) = EhloResponse::parse(&mut response.as_bytes().iter()) else {
            return Self::default();
        };
        let has = |extension: u32| offer.capabilities & extension != 0;
        Self {
            pipelining: has(EXT_PIPELINING),
            eight_bit_mime: has(EXT_8BIT_MIME),
            start_tls: has(EXT_START_TLS),
            size: has(EXT_SIZE),
            max_size: u64::try_from(offer.size).ok().filter(|&size| size > 0),
        }
    }
}
