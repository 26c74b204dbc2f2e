//! Whether two texts are nearly the same, by keys that can be looked up.
//!
//! A [simhash](https://doi.org/10.1145/509907.509965) of 64 bits over pairs of words: texts that
//! share most pairs differ in few bits. It is looked up by its four [bands](bands) of 16 bits: of
//! two digests that differ in three bits or less, one band at least is equal. By chance a band of
//! two unlike texts is equal once in 65,536 times; what is counted by it is of one pair of
//! correspondents, and does nothing unless it comes several times to and fro.
//!
//! Bounds: the first KiB of letters counts, from the first 4 KiB of the body as it travels. Quoted
//! lines, MIME boundaries and fields, figures, case and punctuation do not. What travels in base64
//! is alike only where it is equal; so is a text of less than eight words, and less than four say
//! nothing.

/// Octets of normalised text that count.
const TEXT: usize = 1 << 10;

/// Fewer words say nothing.
const FEWEST: usize = 4;

/// With fewer words, one that differs would be too much to be near.
const SHORT: usize = 8;

/// The digest of a body's beginning; `None` where it says too little.
pub fn of(body: &[u8]) -> Option<u64> {
    let text = normalised(body);
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    if words.len() < FEWEST {
        return None;
    }
    if words.len() < SHORT {
        return Some(hash(text.as_bytes()));
    }
    let mut votes = [0i32; 64];
    for pair in words.windows(2) {
        let [first, second] = pair else { continue };
        let of_pair = hash(first.as_bytes()) ^ hash(second.as_bytes()).rotate_left(1);
        for (bit, vote) in votes.iter_mut().enumerate() {
            *vote += if of_pair >> bit & 1 == 1 { 1 } else { -1 };
        }
    }
    let set = votes.iter().enumerate().filter(|(_, vote)| **vote > 0);
    Some(set.fold(0, |digest, (bit, _)| digest | 1 << bit))
}

/// The four bands of a digest, by which it is looked up.
pub fn bands(digest: u64) -> [u16; 4] {
    [0, 16, 32, 48].map(|at| (digest >> at) as u16)
}

/// The words of a text as they count.
fn normalised(body: &[u8]) -> String {
    let body = String::from_utf8_lossy(body);
    let mut text = String::with_capacity(TEXT);
    for line in body.lines() {
        let line = line.trim();
        if line.starts_with('>') || line.starts_with("--") || is_mime_field(line) {
            continue;
        }
        for character in line.chars() {
            if text.len() >= TEXT {
                return text.trim_end().to_owned();
            }
            if character.is_alphabetic() {
                text.extend(character.to_lowercase());
            } else if !text.ends_with(' ') && !character.is_numeric() {
                text.push(' ');
            }
        }
        if !text.ends_with(' ') {
            text.push(' ');
        }
    }
    text.trim().to_owned()
}

fn is_mime_field(line: &str) -> bool {
    let head = line.get(..8).unwrap_or_default();
    head.eq_ignore_ascii_case("content-") || line.starts_with("charset=")
}

/// FNV-1a.
pub fn hash(octets: &[u8]) -> u64 {
    octets.iter().fold(0xcbf2_9ce4_8422_2325, |hash, octet| {
        (hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "Dear customer,\r\n\r\nthank you for your message. It has reached us as \
        ticket 4711 and one of our agents will look into it as soon as possible. Please do not \
        answer this message unless you have anything to add to what you have told us.\r\n\r\nYour \
        friends at the help desk\r\n";

    fn near(one: &str, other: &str) -> bool {
        let of = |text: &str| bands(of(text.as_bytes()).unwrap());
        of(one)
            .iter()
            .zip(of(other))
            .any(|(one, other)| *one == other)
    }

    #[test]
    fn what_an_autoresponder_changes_makes_no_difference() {
        let next = ANSWER.replace("4711", "4712");
        let quoting = format!("{ANSWER}\r\n> what you wrote\r\n> and more of it\r\n");
        let shouting = ANSWER.to_uppercase();
        let named = ANSWER.replace("Dear customer", "Dear Ann");
        let part = format!("--=_x1\r\nContent-Type: text/plain;\r\n\r\n{ANSWER}");
        for other in [next, quoting, shouting, named, part] {
            assert!(near(ANSWER, &other), "{other}");
        }
    }

    #[test]
    fn what_people_write_differs() {
        let letters = [
            "The printer on the third floor is on fire again and nobody seems to care about it.",
            "I have put the fire out, but the printer does not print any more: what shall I do now?",
            "We have bought a new printer, thank you, and the old one may be collected on Monday.",
        ];
        for (at, one) in letters.iter().enumerate() {
            for other in letters.iter().skip(at + 1) {
                assert!(!near(one, other), "{one} {other}");
            }
        }
    }

    #[test]
    fn few_words_say_nothing() {
        assert_eq!(of(b"Thanks!\r\n"), None);
        assert_eq!(of(b"> quoted text of many words that we wrote\r\n"), None);
        assert_eq!(of(b""), None);
    }
}
