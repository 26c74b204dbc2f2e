//! Field names as the most tolerant reader takes them.

/// Returns true if some reader could take a field of this name for one of `usual`: the names differ
/// only in case, or in white space and control characters (RFC 5322 section 4.5 allows white space
/// before the colon; C libraries end text at a NUL).
///
/// ```
/// use gatepost_mailboxes::is_shown_as;
///
/// assert!(is_shown_as(b"fRom \x0c", "From"));
/// assert!(!is_shown_as(b"From-Line", "From"));
/// ```
pub fn is_shown_as(name: &[u8], usual: &str) -> bool {
    // For some readers a NUL ends the name; others skip it.
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
    fn invisible_characters_do_not_change_a_name() {
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
