//! Names of fields, as generously as any reader takes them.

/// Whether some reader could take a field of this name for one of `usual`: it differs in case, or
/// has white space or control characters in it (RFC 5322 section 4.5 allows white space before the
/// colon; C libraries end text at an octet of zero).
///
/// ```
/// use gatepost_mailboxes::is_shown_as;
///
/// assert!(is_shown_as(b"fRom \x0c", "From"));
/// assert!(!is_shown_as(b"From-Line", "From"));
/// ```
pub fn is_shown_as(name: &[u8], usual: &str) -> bool {
    // A zero ends it for some; for others it is nothing.
    let ended = name.split(|octet| *octet == 0).next().unwrap_or_default();
    is_same(name, usual) || is_same(ended, usual)
}

fn is_same(name: &[u8], usual: &str) -> bool {
    let mut usual = usual.bytes();
    let visible = |octet: &&u8| **octet > b' ' && **octet != 0x7f && octet.is_ascii();
    let mut name = name.iter().filter(visible);
    loop {
        match (name.next(), usual.next()) {
            (None, None) => return true,
            (Some(one), Some(two)) if one.eq_ignore_ascii_case(&two) => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_makes_no_other_name() {
        for name in [
            "From",
            "FROM ",
            "\x0bFrom",
            "Fr\0om",
            "From\0x",
            "From\u{a0}",
            "\u{200b}From",
        ] {
            assert!(is_shown_as(name.as_bytes(), "From"), "{name:?}");
        }
        for name in ["", "Fro", "Fromm", "X-From", "Sender"] {
            assert!(!is_shown_as(name.as_bytes(), "From"), "{name:?}");
        }
    }
}
