//! What no log line shows: the token of a probe, and on request addresses.
//!
//! All that is ever logged passes here, fields and sentences, so no call can forget it. An address
//! becomes a name of 12 hexadecimal digits, the same each time, by a key that is in the store alone
//! (HMAC-SHA-256): whoever has the log cannot try addresses, whoever has the store finds the lines
//! about one by `gatepost logged`.

use std::borrow::Cow;
use std::io;
use std::path::Path;

use gatepost_files::FileError;
use ring::hmac;

/// Name of the file in the store that has the key.
pub const LOG_KEY: &str = "log.key";

/// Octets of the key.
const KEY_LENGTH: usize = 32;

/// Octets of a code that stand in a name.
const SHOWN: usize = 6;

/// Beginning of the local part in the return path of a probe, and least length of the token behind
/// it. Whoever has the token can pass for the probe.
const PROBE: &str = "probe+";
const PROBE_TOKEN: usize = 40;

/// Key by which addresses become names.
#[derive(Debug)]
pub struct AddressNames(hmac::Key);

impl AddressNames {
    /// Reads the key of a store; makes one if there is none.
    ///
    /// # Errors
    /// The file can be neither read nor made, or holds no key.
    pub fn of_store(store: &Path) -> io::Result<Self> {
        let path = store.join(LOG_KEY);
        let octets = match gatepost_files::read(&path, KEY_LENGTH as u64 + 1) {
            Ok(octets) => octets,
            Err(FileError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
                let mut octets = [0; KEY_LENGTH];
                rand::fill(&mut octets[..]);
                gatepost_files::make_folder(store)?;
                gatepost_files::replace(&path, &octets)?;
                octets.to_vec()
            }
            Err(error) => return Err(io::Error::other(error)),
        };
        match octets.len() {
            KEY_LENGTH => Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &octets))),
            _ => Err(io::Error::other(format!("{} holds no key", path.display()))),
        }
    }

    /// Returns the name of an address, in whatever case it is written.
    pub fn name(&self, address: &str) -> String {
        let code = hmac::sign(&self.0, address.to_lowercase().as_bytes());
        let digits = code.as_ref().iter().take(SHOWN);
        let digits: String = digits.map(|octet| format!("{octet:02x}")).collect();
        format!("address-{digits}")
    }
}

/// Returns a text as a log shows it.
pub(crate) fn shown<'t>(text: &'t str, names: Option<&AddressNames>) -> Cow<'t, str> {
    if !text.contains('@') {
        return Cow::Borrowed(text);
    }
    let mut shown = String::new();
    let mut kept = 0;
    let mut from = 0;
    while let Some(at) = text[from..].find('@').map(|found| from + found) {
        from = at + 1;
        let (begin, end) = (local_part(text, at).max(kept), domain(text, at));
        if begin == at || end == at + 1 {
            continue;
        }
        let instead = match names {
            Some(names) => names.name(&text[begin..end]),
            None if is_probe(&text[begin..at]) => format!("{PROBE}…{}", &text[at..end]),
            None => continue,
        };
        shown.push_str(&text[kept..begin]);
        shown.push_str(&instead);
        (kept, from) = (end, end);
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    shown.push_str(&text[kept..]);
    Cow::Owned(shown)
}

fn is_probe(local: &str) -> bool {
    let token = local.get(PROBE.len()..).unwrap_or_default();
    let is_long =
        token.len() >= PROBE_TOKEN && token.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_long && local[..PROBE.len()].eq_ignore_ascii_case(PROBE)
}

/// Returns where the local part before an at sign begins: a dot-atom, or what stands in quotes.
fn local_part(text: &str, at: usize) -> usize {
    let before = &text[..at];
    if let Some(within) = before.strip_suffix('"') {
        let within = within.strip_suffix('\\').unwrap_or(within);
        let opens = within.rmatch_indices('"').find(|(quote, _)| {
            let escapes = within[..*quote]
                .bytes()
                .rev()
                .take_while(|byte| *byte == b'\\');
            escapes.count() < 2
        });
        return opens.map_or(at, |(quote, _)| {
            let slash = within[..quote].ends_with('\\');
            quote - usize::from(slash)
        });
    }
    let is_part = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.\\".contains(c);
    let begins = before
        .char_indices()
        .rev()
        .take_while(|(_, c)| is_part(*c))
        .last();
    begins.map_or(at, |(begin, _)| begin)
}

/// Returns where the domain behind an at sign ends.
fn domain(text: &str, at: usize) -> usize {
    let behind = &text[at + 1..];
    let length = match behind.strip_prefix('[') {
        Some(literal) => literal.find(']').map_or(0, |end| end + 2),
        None => {
            let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '_');
            let end = behind.find(|c| !is_part(c)).unwrap_or(behind.len());
            behind[..end].trim_end_matches('.').len()
        }
    };
    at + 1 + length
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "abcdefghijklmnopqrstuvwxyz234567abcdefgh";

    fn names() -> AddressNames {
        AddressNames(hmac::Key::new(hmac::HMAC_SHA256, b"key"))
    }

    #[test]
    fn the_token_of_a_probe_is_never_shown() {
        let text = format!("to=<Probe+{TOKEN}@desk.example> from=<ann@a.example>");
        assert_eq!(
            shown(&text, None),
            "to=<probe+…@desk.example> from=<ann@a.example>"
        );
        assert_eq!(
            shown("<probe+short@desk.example>", None),
            "<probe+short@desk.example>"
        );
        assert_eq!(shown("no address", None), "no address");
    }

    #[test]
    fn every_address_becomes_its_name_and_nothing_else_changes() {
        let names = names();
        let ann = names.name("ann@a.example");
        for (text, expected) in [
            ("ann@a.example", ann.clone()),
            ("Ann@A.example", ann.clone()),
            ("<ann@a.example>: no.", format!("<{ann}>: no.")),
            ("see ann@a.example.", format!("see {ann}.")),
            ("\"from\":\"ann@a.example\"", format!("\"from\":\"{ann}\"")),
            ("ann@a.example, ann@a.example", format!("{ann}, {ann}")),
            ("at 12 @ noon", "at 12 @ noon".to_owned()),
            ("@", "@".to_owned()),
            ("a@b@", format!("{}@", names.name("a@b"))),
            (
                "x@[192.0.2.1]!",
                format!("{}!", names.name("x@[192.0.2.1]")),
            ),
            ("müller@bücher.example", names.name("müller@bücher.example")),
            (
                "<\"a b\"@c.example>",
                format!("<{}>", names.name("\"a b\"@c.example")),
            ),
            (
                r#""to":"\"a b\"@c.example""#,
                format!(r#""to":"{}""#, names.name(r#"\"a b\"@c.example"#)),
            ),
        ] {
            assert_eq!(shown(text, Some(&names)), expected, "{text}");
        }
        let probe = format!("probe+{TOKEN}@desk.example");
        assert_eq!(shown(&probe, Some(&names)), names.name(&probe));
    }

    #[test]
    fn names_are_the_same_with_the_key_of_the_store() {
        let store = tempfile::tempdir().unwrap();
        let first = AddressNames::of_store(store.path())
            .unwrap()
            .name("ann@a.example");
        let second = AddressNames::of_store(store.path()).unwrap();
        assert_eq!(second.name("ANN@a.example"), first);
        assert_ne!(second.name("bob@a.example"), first);
        assert_eq!(first.len(), "address-".len() + 12);
        std::fs::write(store.path().join(LOG_KEY), "short").unwrap();
        assert!(AddressNames::of_store(store.path()).is_err());
    }
}
