//! Links to the attachments of a message, for the time of a request.
//!
//! A link names the message, the attachment and the time of its end, and is signed with a key that this
//! process makes for itself and keeps in memory. So no store is asked about links that nobody made,
//! and a restart ends all of them: the requests that they were in are made again, with others.

use std::io;
use std::sync::LazyLock;

use gatepost_message::{Millis, TransactionId};
use ring::error::Unspecified;
use ring::hmac;
use ring::rand::SystemRandom;

use crate::signature::hex;

/// Path in front of the parts of a link.
const PATH: &str = "/attachments/";

/// Key of this process.
static KEY: LazyLock<Result<hmac::Key, Unspecified>> =
    LazyLock::new(|| hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()));

/// Link to an attachment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttachmentLink {
    /// Transaction of the message.
    pub transaction: TransactionId,
    /// Number of the attachment, from 1 on.
    pub number: usize,
    /// Time of the link's end.
    pub until: Millis,
}

impl AttachmentLink {
    /// Returns the path and query of the link.
    ///
    /// # Errors
    /// The system gave no random octets for a key.
    pub fn path(&self) -> io::Result<String> {
        let key = KEY
            .as_ref()
            .map_err(|_| io::Error::other("no random octets"))?;
        let tag = hex(hmac::sign(key, self.signed().as_bytes()).as_ref());
        let Self {
            transaction,
            number,
            until,
        } = self;
        Ok(format!(
            "{PATH}{transaction}/{number}?until={}&signature={tag}",
            until.0
        ))
    }

    /// Reads a link that this process has made, whether it has ended or not. Of all others it is
    /// `None`.
    pub fn read(path: &str, query: Option<&str>) -> Option<Self> {
        let (transaction, number) = path.strip_prefix(PATH)?.split_once('/')?;
        let (until, tag) = query?.strip_prefix("until=")?.split_once("&signature=")?;
        let link = Self {
            transaction: transaction.parse().ok()?,
            number: number.parse().ok()?,
            until: Millis(until.parse().ok()?),
        };
        let key = KEY.as_ref().ok()?;
        let tag = octets(tag)?;
        let is_ours = hmac::verify(key, link.signed().as_bytes(), &tag).is_ok();
        is_ours.then_some(link)
    }

    fn signed(&self) -> String {
        format!("{}\n{}\n{}", self.transaction, self.number, self.until.0)
    }
}

/// Reads the hexadecimal digits of a signature.
fn octets(digits: &str) -> Option<[u8; 32]> {
    let mut octets = [0; 32];
    if digits.len() != 2 * octets.len() || !digits.is_ascii() {
        return None;
    }
    for (at, octet) in octets.iter_mut().enumerate() {
        *octet = u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::AttachmentLink;
    use gatepost_message::{Millis, TransactionId};

    #[test]
    fn a_link_that_was_changed_is_none() {
        let link = AttachmentLink {
            transaction: TransactionId::new(),
            number: 2,
            until: Millis(1_700_000_000_000),
        };
        let whole = link.path().unwrap();
        let (path, query) = whole.split_once('?').unwrap();
        let read = |path: &str, query: &str| AttachmentLink::read(path, Some(query));
        assert_eq!(read(path, query), Some(link));
        assert_eq!(AttachmentLink::read(path, None), None);
        let other = format!("/attachments/{}/2", TransactionId::new());
        for (path, query) in [
            (path.replace("/2", "/3").as_str(), query),
            (&other, query),
            (path, &query.replace("1700000000000", "1800000000000")),
            (path, &query[..query.len() - 2]),
            (path, &format!("{}zz", &query[..query.len() - 2])),
            (path, &format!("{query}00")),
            ("/attachments/", query),
            (path, ""),
        ] {
            assert_eq!(read(path, query), None, "{path} {query}");
        }
    }
}
