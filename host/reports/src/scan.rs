//! Addresses in running text.

use gatepost_message::Address;

/// Most addresses that are found in one line.
const MOST: usize = 32;

/// An address in a line, with its place.
#[derive(Debug, Clone)]
pub(crate) struct FoundAddress {
    /// The address.
    pub(crate) address: Address,
    /// Offset of its first byte, and behind its last, with angle brackets.
    pub(crate) begin: usize,
    pub(crate) end: usize,
}

/// Returns the addresses in a line. A domain without a dot counts only in angle brackets.
pub(crate) fn addresses(line: &str) -> Vec<FoundAddress> {
    let mut found: Vec<FoundAddress> = Vec::new();
    let mut searched = 0;
    while let Some(at) = line.get(searched..).and_then(|rest| rest.find('@')) {
        let at = searched + at;
        searched = at + 1;
        let earlier = found.last().map_or(0, |last| last.end);
        if let Some(one) = around(line, at, earlier) {
            searched = searched.max(one.end);
            found.push(one);
        }
        if found.len() == MOST {
            break;
        }
    }
    found
}

fn around(line: &str, at: usize, earlier: usize) -> Option<FoundAddress> {
    let (before, after) = (line.get(earlier..at)?, line.get(at + 1..)?);
    let local = match before.strip_suffix('"') {
        Some(quoted) => before.get(quoted.rfind('"')?..)?,
        None => {
            let begin = before
                .char_indices()
                .rev()
                .take_while(|(_, c)| is_local(*c))
                .last()?;
            before.get(begin.0..)?
        }
    };
    let local = local.strip_prefix("mailto:").unwrap_or(local);
    let length: usize = after
        .chars()
        .take_while(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))
        .map(char::len_utf8)
        .sum();
    let domain = match after.starts_with('[') {
        true => after.get(..=after.find(']')?)?,
        false => after.get(..length)?,
    };
    let domain = domain.trim_end_matches(['.', '-', '_']);
    let begin = at - local.len();
    let end = at + 1 + domain.len();
    let opened = line.get(..begin)?.ends_with('<');
    let closed = line.get(end..)?.starts_with('>');
    let bracketed = opened && closed;
    if !bracketed && !domain.contains('.') && !domain.starts_with('[') {
        return None;
    }
    // A language without spaces writes on behind the domain.
    let domain = domain.trim_end_matches(|c: char| !c.is_ascii() && !bracketed);
    let local = local.trim_start_matches(['\'', '.', '*', '=', '`', '-', '|', '/', '{', '}']);
    let local = local.trim_start_matches(|c: char| !c.is_ascii() && !bracketed);
    let address = Address::parse(&format!("{local}@{domain}")).ok()?;
    Some(FoundAddress {
        address,
        begin: begin - usize::from(opened),
        end: end + usize::from(closed),
    })
}

/// Returns true for the characters of a local part that is not quoted (RFC 5321 section 4.1.2).
fn is_local(c: char) -> bool {
    c.is_alphanumeric()
        || (!c.is_ascii() && !c.is_whitespace())
        || "!#$%&'*+-/=?^_`{|}~.".contains(c)
}

/// Returns the address in the value of a field: the whole value, the one in angle brackets, or the
/// last one in it.
pub(crate) fn address(value: &str) -> Option<Address> {
    let value = value.trim();
    let inner = value.trim_matches(['<', '>', '"', '\'', ' ']);
    if let Ok(address) = Address::parse(inner) {
        return Some(address);
    }
    let mut found = addresses(value);
    let bracketed = found.iter().position(|of| {
        let text = value.get(of.begin..of.end).unwrap_or_default();
        text.starts_with('<')
    });
    match bracketed {
        Some(at) => Some(found.swap_remove(at).address),
        None => found.pop().map(|of| of.address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_in_running_text() {
        for (line, wanted) in [
            ("<ann@one.example>: host mx said", &["ann@one.example"][..]),
            (
                "to a@b.example, c@d.example.",
                &["a@b.example", "c@d.example"],
            ),
            ("RCPT TO:<x@local> failed", &["x@local"]),
            ("x@local failed", &[]),
            ("'ann@one.example' on 1/2/2026", &["ann@one.example"]),
            ("mailto:ann@one.example", &["ann@one.example"]),
            (
                "ann+tag=x@one.example宛に配信できません",
                &["ann+tag=x@one.example"],
            ),
            ("宛先ann@one.exampleは", &["ann@one.example"]),
            ("\"ann b\"@one.example", &["\"ann b\"@one.example"]),
            ("@ alone, and @here", &[]),
            ("user@[192.0.2.1]", &["user@[192.0.2.1]"]),
        ] {
            let found: Vec<String> = addresses(line)
                .iter()
                .map(|of| of.address.to_string())
                .collect();
            assert_eq!(found, wanted, "{line}");
        }
    }
}
