//! What a server offers in its reply to EHLO or LHLO.

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
    /// RFC 3461: MAIL and RCPT may say what the sender wants to hear, and the server sees to it.
    pub dsn: bool,
}

impl Capabilities {
    /// Reads a positive reply to EHLO: a keyword and its parameters on each line but the first
    /// (RFC 5321 section 4.1.1.1). What it does not understand it leaves out.
    pub(super) fn read(reply: &Reply) -> Self {
        let mut offer = Self::default();
        for line in reply.lines().iter().skip(1) {
            let mut words = line.split_ascii_whitespace();
            let keyword = words.next().unwrap_or_default();
            match keyword.to_ascii_uppercase().as_str() {
                "PIPELINING" => offer.pipelining = true,
                "8BITMIME" => offer.eight_bit_mime = true,
                "STARTTLS" => offer.start_tls = true,
                "SIZE" => {
                    offer.size = true;
                    let size = words.next().and_then(|size| size.parse().ok());
                    // RFC 1870 section 4: 0 is no limit.
                    offer.max_size = size.filter(|&size| size > 0);
                }
                "DSN" => offer.dsn = true,
                _ => {}
            }
        }
        offer
    }
}
