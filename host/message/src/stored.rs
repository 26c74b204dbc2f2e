//! Messages stored in files.

use std::borrow::Cow;

use bytes::Bytes;

use crate::Message;

impl Message {
    /// Reads a message from a file, as it would have come over SMTP: a bare LF becomes CRLF, and a
    /// `From ` line of an mbox (RFC 4155) in front is skipped.
    pub fn from_stored(stored: &[u8]) -> Self {
        Self::from_bytes(as_received(stored))
    }
}

fn as_received(stored: &[u8]) -> Bytes {
    let message = match stored.starts_with(b"From ") {
        true => match stored.iter().position(|&octet| octet == b'\n') {
            Some(end) => &stored[end + 1..],
            None => &[],
        },
        false => stored,
    };
    match with_crlf(message) {
        Cow::Borrowed(message) => Bytes::copy_from_slice(message),
        Cow::Owned(message) => message.into(),
    }
}

fn with_crlf(message: &[u8]) -> Cow<'_, [u8]> {
    let is_bare = |at: usize| at == 0 || message[at - 1] != b'\r';
    let mut bare = (0..message.len()).filter(|&at| message[at] == b'\n' && is_bare(at));
    let Some(first) = bare.next() else {
        return Cow::Borrowed(message);
    };
    let mut converted = Vec::with_capacity(message.len() + message.len() / 32);
    let mut from = 0;
    for at in std::iter::once(first).chain(bare) {
        converted.extend_from_slice(&message[from..at]);
        converted.extend_from_slice(b"\r\n");
        from = at + 1;
    }
    converted.extend_from_slice(&message[from..]);
    Cow::Owned(converted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_messages_get_the_line_ends_of_smtp() {
        for (stored, received) in [
            ("", ""),
            ("A: 1\r\n\r\nx\r\n", "A: 1\r\n\r\nx\r\n"),
            ("A: 1\n\nx\n", "A: 1\r\n\r\nx\r\n"),
            ("\nA\r\nB\n", "\r\nA\r\nB\r\n"),
            ("From a@b Sat Jan  1 00:00:00 2022\nA: 1\n", "A: 1\r\n"),
            ("From a@b Sat Jan  1 00:00:00 2022\r\nA: 1\r\n", "A: 1\r\n"),
            ("From a@b", ""),
            ("From: a@b\n", "From: a@b\r\n"),
            ("A: 1\rB\n", "A: 1\rB\r\n"),
        ] {
            assert_eq!(as_received(stored.as_bytes()), received, "{stored:?}");
        }
    }
}
