//! The forms in which a secret could be written.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// Returns the octets of a secret as they are, in hexadecimal digits, and in base64 at each place of
/// a longer text.
pub fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    assert!(secret.len() >= 11, "a short secret is found by chance");
    let hex: String = secret.iter().map(|octet| format!("{octet:02x}")).collect();
    let mut forms = vec![secret.to_vec(), hex.clone().into_bytes()];
    forms.push(hex.to_uppercase().into_bytes());
    for before in 0..3 {
        // What shares a group of three octets with others is left out at both ends.
        let whole = [&vec![0; before][..], secret].concat();
        let whole = &whole[..whole.len() / 3 * 3];
        let skipped = if before == 0 { 0 } else { 4 };
        for alphabet in [STANDARD, URL_SAFE] {
            let text = alphabet.encode(whole);
            forms.push(text.as_bytes()[skipped..].to_vec());
        }
    }
    forms.sort();
    forms.dedup();
    forms
}

/// Returns octets as a text with a character for each, in which a text is found quickly.
pub fn searchable(octets: &[u8]) -> String {
    octets.iter().map(|octet| char::from(*octet)).collect()
}

#[test]
fn a_secret_is_found_in_every_form() {
    let secret = b"hush-of-the-desk?>~";
    let is_found = |text: &[u8]| {
        let text = searchable(text);
        let mut all = forms(secret).into_iter();
        all.any(|form| text.contains(&searchable(&form)))
    };
    for before in ["", "\0", "\0u", "\0us", "\0user\0"] {
        for after in ["", "x", "xy", "xyz"] {
            let whole = [before.as_bytes(), secret, after.as_bytes()].concat();
            let hex: String = whole.iter().map(|octet| format!("{octet:02x}")).collect();
            let texts = [
                whole.clone(),
                STANDARD.encode(&whole).into_bytes(),
                URL_SAFE.encode(&whole).into_bytes(),
                hex.to_uppercase().into_bytes(),
                hex.into_bytes(),
            ];
            for text in texts {
                let text = [b"log: \xff", &text[..], b"; end"].concat();
                assert!(is_found(&text), "{before:?} {after:?}");
            }
        }
    }
    assert!(!is_found(b"hush-of-the-des, hush of the desk"));
}
