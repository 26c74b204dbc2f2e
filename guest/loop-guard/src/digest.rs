//! Digests of texts: keys by which similar texts, the same words, and the same text are found
//! again.
//!
//! Similar texts are found by four min-wise hashes (Broder, *On the resemblance and containment of
//! documents*, 1997) over pairs of words. Each hash is equal in two texts as often as they have
//! pairs in common, so where nine of ten pairs are the same, three of the four hashes nearly always
//! are. Each is a key of its own, and three equal ones decide.
//!
//! Bounds: the first KiB of letters counts, from the first 4 KiB of the body as it travels. Quoted
//! lines, the signature below its mark, MIME boundaries and fields, figures, case and punctuation
//! do not count. Texts in base64 are similar only if they are equal, and so are texts of less than
//! eight words; a text of less than four is similar to none.

use std::hash::Hasher as _;

use fnv::FnvHasher;

/// Bytes of normalised text that count.
const TEXT_BYTES: usize = 1 << 10;

/// Fewest words of a text that can be similar to another.
const MIN_WORDS: usize = 4;

/// Mark above a signature, without the space behind it.
const SIGNATURE: &str = "--";

/// Fewest words of a text in which one may differ; shorter texts are similar only if they are
/// equal.
const MIN_WORDS_SIMILAR: usize = 8;

/// Number of min-wise hashes of a digest.
pub const HASHES: usize = 4;

/// Keys that stand for a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest {
    /// Min-wise hashes, equal for similar texts; `None` if there are too few words.
    pub near: Option<[u32; HASHES]>,
    /// Hash of the normalised words, without figures; in a text of very few words, of the whole.
    pub wording: u64,
    /// Hash of the text with figures, without quoted lines and white space.
    pub whole: u64,
    /// Number of normalised words.
    pub words: usize,
}

/// Returns the digest of a body's beginning.
pub fn of(body: &[u8]) -> Digest {
    let text = normalised(body);
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    let whole = whole(body);
    if words.len() < MIN_WORDS {
        return Digest {
            near: None,
            wording: whole,
            whole,
            words: words.len(),
        };
    }
    let wording = hash(text.as_bytes());
    let near = if words.len() < MIN_WORDS_SIMILAR {
        std::array::from_fn(|index| mixed(wording, index))
    } else {
        min_hashes(&words)
    };
    Digest {
        near: Some(near),
        wording,
        whole,
        words: words.len(),
    }
}

/// Returns the least value of each hash over all pairs of words.
fn min_hashes(words: &[&str]) -> [u32; HASHES] {
    let mut least = [u32::MAX; HASHES];
    for pair in words.windows(2) {
        let [first, second] = pair else { continue };
        let of_pair = hash(first.as_bytes()) ^ hash(second.as_bytes()).rotate_left(1);
        for (index, least) in least.iter_mut().enumerate() {
            *least = mixed(of_pair, index).min(*least);
        }
    }
    least
}

fn whole(body: &[u8]) -> u64 {
    let body = String::from_utf8_lossy(body);
    let own = body.lines().filter(|line| !line.starts_with('>'));
    let words: Vec<&str> = own.flat_map(str::split_whitespace).collect();
    hash(words.join(" ").as_bytes())
}

/// Returns one of several independent hashes (the finish of SplitMix64).
fn mixed(hash: u64, index: usize) -> u32 {
    let mut mixed = hash.wrapping_add((index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((mixed ^ (mixed >> 31)) >> 32) as u32
}

/// Returns the words of a text as they count: letters in lower case.
fn normalised(body: &[u8]) -> String {
    let body = String::from_utf8_lossy(body);
    let mut text = String::with_capacity(TEXT_BYTES);
    for line in body.lines() {
        let line = line.trim();
        // A signature is the same in all messages of its author (RFC 3676 section 4.3).
        if line == SIGNATURE {
            break;
        }
        if line.starts_with('>') || line.starts_with("--") || is_mime_field(line) {
            continue;
        }
        for character in line.chars() {
            if text.len() >= TEXT_BYTES {
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

/// Returns the FNV-1a hash.
pub fn hash(octets: &[u8]) -> u64 {
    let mut hasher = FnvHasher::default();
    hasher.write(octets);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "Dear customer,\r\n\r\nthank you for your message. It has reached us as \
        ticket 4711 and one of our agents will look into it as soon as possible. Please do not \
        answer this message unless you have anything to add to what you have told us.\r\n\r\nYour \
        friends at the help desk\r\n";

    fn alike(one: &str, other: &str) -> usize {
        let of = |text: &str| of(text.as_bytes()).near.unwrap();
        let pairs = of(one).into_iter().zip(of(other));
        pairs.filter(|(one, other)| one == other).count()
    }

    #[test]
    fn what_an_autoresponder_changes_makes_no_difference() {
        let next = ANSWER.replace("4711", "4712");
        let quoting = format!("{ANSWER}\r\n> what you wrote\r\n> and more of it\r\n");
        let shouting = ANSWER.to_uppercase();
        let part = format!("--=_x1\r\nContent-Type: text/plain;\r\n\r\n{ANSWER}");
        for other in [next, quoting, shouting, part] {
            assert_eq!(alike(ANSWER, &other), HASHES, "{other}");
        }
        // Two pairs of fifty: nearly always at least three of the four.
        let names = [
            "Ann", "Bob", "Zoe", "Maria", "Peter", "John", "Ulla", "Xaver", "Tom", "Kim", "Lee",
            "Sue", "Max", "Eva", "Olaf", "Ida",
        ];
        let found = names.iter().filter(|name| {
            let named = ANSWER.replace("Dear customer", &format!("Dear {name}"));
            alike(ANSWER, &named) >= 3
        });
        assert_eq!(found.count(), 13, "of {}", names.len());
    }

    #[test]
    fn letters_of_people_are_not_similar() {
        let letters = [
            "The printer on the third floor is on fire again and nobody seems to care about it.",
            "I have put the fire out, but the printer does not print any more: what shall I do now?",
            "We have bought a new printer, thank you, and the old one may be collected on Monday.",
        ];
        for (at, one) in letters.iter().enumerate() {
            for other in letters.iter().skip(at + 1) {
                assert_eq!(alike(one, other), 0, "{one} {other}");
            }
        }
    }

    #[test]
    fn the_wording_is_without_figures_where_there_are_words() {
        let ticket =
            |text: &str, number: u32| of(format!("{text} {number}\r\n").as_bytes()).wording;
        let many = "We have got your message as ticket";
        assert_eq!(ticket(many, 7), ticket(many, 8));
        assert_ne!(ticket("Reply", 7), ticket("Reply", 8));
        let signed = |text: &str| of(format!("{text}\r\n\r\n{ANSWER}").as_bytes()).wording;
        assert_ne!(signed("Yes, please."), signed("No, thank you."));
    }

    #[test]
    fn the_whole_includes_figures() {
        let text = b"I count to 7.\r\n";
        let whole = |text: &[u8]| of(text).whole;
        assert_eq!(
            whole(text),
            whole(b"I count\r\nto 7.\r\n\r\n> and you?\r\n")
        );
        assert_ne!(whole(text), whole(b"I count to 8.\r\n"));
    }

    #[test]
    fn a_signature_does_not_count() {
        let signed = |text: &str| of(format!("{text}\r\n-- \r\n{ANSWER}").as_bytes());
        assert_eq!(signed("Thank you!").near, None);
        assert_eq!(signed("Thank you!").words, 2);
    }

    #[test]
    fn few_words_are_similar_to_nothing() {
        assert_eq!(of(b"Thanks!\r\n").near, None);
        assert_eq!(
            of(b"> quoted text of many words that we wrote\r\n").near,
            None
        );
        assert_eq!(of(b"").near, None);
    }
}
