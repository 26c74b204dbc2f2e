//! Transfer encodings, decoded piece by piece (RFC 2045 section 6).

/// Decoder of one part's octets.
#[derive(Debug, Clone)]
pub(crate) enum TransferDecoder {
    /// 7bit, 8bit or binary.
    Identity,
    Base64(Base64),
    QuotedPrintable(QuotedPrintable),
}

/// Bits that wait for more.
#[derive(Debug, Clone, Default)]
pub(crate) struct Base64 {
    bits: u32,
    count: u8,
}

/// Octets that wait for more: white space that may end its line, or the begin of an escape.
#[derive(Debug, Clone, Default)]
pub(crate) struct QuotedPrintable {
    waiting: Vec<u8>,
}

/// Most octets of white space that wait for the end of their line.
const MOST_WAITING: usize = 1024;

impl TransferDecoder {
    /// Decodes a piece, and adds what is complete.
    pub(crate) fn decode(&mut self, piece: &[u8], into: &mut Vec<u8>) {
        match self {
            Self::Identity => into.extend_from_slice(piece),
            Self::Base64(base64) => piece.iter().for_each(|octet| base64.take(*octet, into)),
            Self::QuotedPrintable(quoted) => {
                piece.iter().for_each(|octet| quoted.take(*octet, into));
            }
        }
    }

    /// Adds what waited for more.
    pub(crate) fn finish(&mut self, into: &mut Vec<u8>) {
        match self {
            Self::Identity => {}
            Self::Base64(base64) => base64.flush(into),
            Self::QuotedPrintable(quoted) => {
                let waiting = std::mem::take(&mut quoted.waiting);
                let is_space = waiting.iter().all(|octet| matches!(octet, b' ' | b'\t'));
                // White space at the end was added on the way (RFC 2045 section 6.7).
                if !is_space && waiting != b"=" && waiting != b"=\r" {
                    into.extend_from_slice(&waiting);
                }
            }
        }
    }
}

impl Base64 {
    fn take(&mut self, octet: u8, into: &mut Vec<u8>) {
        let value = match octet {
            b'A'..=b'Z' => octet - b'A',
            b'a'..=b'z' => octet - b'a' + 26,
            b'0'..=b'9' => octet - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            // What follows is another one: some programs encode in several.
            b'=' => return self.flush(into),
            _ => return,
        };
        self.bits = self.bits << 6 | u32::from(value);
        self.count += 1;
        if self.count == 4 {
            into.extend_from_slice(&self.bits.to_be_bytes()[1..]);
            *self = Self::default();
        }
    }

    fn flush(&mut self, into: &mut Vec<u8>) {
        match self.count {
            2 => into.push((self.bits >> 4) as u8),
            3 => into.extend_from_slice(&((self.bits >> 2) as u16).to_be_bytes()),
            _ => {}
        }
        *self = Self::default();
    }
}

impl QuotedPrintable {
    fn take(&mut self, octet: u8, into: &mut Vec<u8>) {
        if self.waiting.first() == Some(&b'=') {
            return self.escaped(octet, into);
        }
        match octet {
            b'=' => {
                into.append(&mut self.waiting);
                self.waiting.push(octet);
            }
            b' ' | b'\t' if self.waiting.len() < MOST_WAITING => self.waiting.push(octet),
            b'\r' | b'\n' => {
                self.waiting.clear();
                into.push(octet);
            }
            _ => {
                into.append(&mut self.waiting);
                into.push(octet);
            }
        }
    }

    /// Takes an octet after `=`. What is no escape stays as it was written.
    fn escaped(&mut self, octet: u8, into: &mut Vec<u8>) {
        match (&self.waiting[..], octet) {
            (_, b'\n') => self.waiting.clear(),
            ([_], b'\r' | b' ' | b'\t') | ([_, b' ' | b'\t'], b' ' | b'\t' | b'\r') => {
                self.waiting.truncate(1);
                self.waiting.push(octet);
            }
            ([_], _) if octet.is_ascii_hexdigit() => self.waiting.push(octet),
            ([_, high], _) if high.is_ascii_hexdigit() && octet.is_ascii_hexdigit() => {
                into.push(digit(*high) << 4 | digit(octet));
                self.waiting.clear();
            }
            _ => {
                into.append(&mut self.waiting);
                self.take(octet, into);
            }
        }
    }
}

fn digit(octet: u8) -> u8 {
    match octet {
        b'0'..=b'9' => octet - b'0',
        _ => octet.to_ascii_lowercase() - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::{Base64, QuotedPrintable, TransferDecoder};

    fn decoded(mut decoder: TransferDecoder, text: &[u8], piece: usize) -> Vec<u8> {
        let mut found = Vec::new();
        for piece in text.chunks(piece) {
            decoder.decode(piece, &mut found);
        }
        decoder.finish(&mut found);
        found
    }

    #[test]
    fn base64_is_the_same_in_any_pieces() {
        for (text, due) in [
            (&b"SGVsbG8sIHdvcmxkIQ==\r\n"[..], &b"Hello, world!"[..]),
            (b"SGVs\r\nbG8s IHdv\r\n!cmxk", b"Hello, world"),
            (b"YQ==YWI=", b"aab"),
            (b"YWI", b"ab"),
            (b"Y", b""),
            (b"", b""),
        ] {
            for piece in 1..8 {
                let found = decoded(TransferDecoder::Base64(Base64::default()), text, piece);
                assert_eq!(found, due, "{piece}");
            }
        }
    }

    #[test]
    fn quoted_printable_is_the_same_in_any_pieces() {
        for (text, due) in [
            (&b"a=3Db=\r\nc \t\r\nd"[..], &b"a=bc\r\nd"[..]),
            (b"=e4=E4", b"\xe4\xe4"),
            (b"x=zz =4", b"x=zz =4"),
            (b"a= \t\r\nb", b"ab"),
            (b"soft=", b"soft"),
            (b"end  ", b"end"),
        ] {
            for piece in 1..8 {
                let quoted = TransferDecoder::QuotedPrintable(QuotedPrintable::default());
                assert_eq!(decoded(quoted, text, piece), due, "{piece} {text:?}");
            }
        }
    }
}
