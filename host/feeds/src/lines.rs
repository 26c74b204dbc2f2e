//! Parser of partner lists in text form: one address a line.
//!
//! Empty lines are skipped. A `#` begins a comment at the start of a line or after white space;
//! elsewhere it may be part of an address. A whole domain is written with an `@` before it.

use gatepost_directory::{PartnerEntry, PartnerEntryError};

/// Line that is no valid entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {wrong}")]
pub struct LineError {
    /// Line number, from 1.
    pub line: usize,
    /// Error in the line.
    pub wrong: Wrong,
}

/// Reason why a line is no entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// The line is not in UTF-8.
    #[error("it is not in UTF-8")]
    Encoding,
    /// The line is neither an address nor a domain.
    #[error(transparent)]
    Entry(#[from] PartnerEntryError),
    /// The line is a whole domain, and domains are not allowed.
    #[error("{0} is a whole domain, which silences people too; it is taken with --domains only")]
    Domain(PartnerEntry),
}

/// Parses a list, with whole domains only if `domains`. Entries keep their order and repetitions.
///
/// # Errors
/// Each line that is wrong, at most `most` of them.
pub fn parse(text: &[u8], domains: bool, most: usize) -> Result<Vec<PartnerEntry>, Vec<LineError>> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let (mut entries, mut errors) = (Vec::new(), Vec::new());
    for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
        match parse_line(line, domains) {
            Ok(entry) => entries.extend(entry),
            Err(wrong) => errors.push(LineError {
                line: number + 1,
                wrong,
            }),
        }
        if errors.len() >= most.max(1) {
            break;
        }
    }
    match errors.is_empty() {
        true => Ok(entries),
        false => Err(errors),
    }
}

fn parse_line(line: &[u8], domains: bool) -> Result<Option<PartnerEntry>, Wrong> {
    let line = std::str::from_utf8(line).map_err(|_| Wrong::Encoding)?;
    let comment = line.char_indices().find(|(at, character)| {
        *character == '#'
            && line[..*at]
                .chars()
                .next_back()
                .is_none_or(char::is_whitespace)
    });
    let line = comment.map_or(line, |(at, _)| &line[..at]).trim();
    if line.is_empty() {
        return Ok(None);
    }
    match line.parse()? {
        PartnerEntry::Domain(domain) if !domains => {
            Err(Wrong::Domain(PartnerEntry::Domain(domain)))
        }
        entry => Ok(Some(entry)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str, domains: bool) -> Result<Vec<String>, Vec<String>> {
        let text_of =
            |entries: Vec<PartnerEntry>| entries.iter().map(ToString::to_string).collect();
        let errors = |errors: Vec<LineError>| errors.iter().map(ToString::to_string).collect();
        parse(text.as_bytes(), domains, 2)
            .map(text_of)
            .map_err(errors)
    }

    #[test]
    fn a_line_is_an_address_and_may_have_a_comment() {
        let text =
            "\u{feff}# ours\r\nAnn@A.example  # of sales\r\n\r\n  a#b@a.example\n#x@a.example";
        assert_eq!(
            parsed(text, false).unwrap(),
            ["ann@a.example", "a#b@a.example"]
        );
        assert_eq!(parsed("@a.example", true).unwrap(), ["@a.example"]);
    }

    #[test]
    fn an_error_repeats_the_beginning_of_a_long_line() {
        for long in ["é".repeat(1 << 20), format!("@{}", "é".repeat(1 << 20))] {
            let errors = parsed(&long, true).unwrap_err();
            assert_eq!(errors.len(), 1);
            assert!(errors[0].len() < 1_000, "{} bytes", errors[0].len());
        }
    }

    #[test]
    fn an_error_names_its_line() {
        let errors = parsed("a@b.example\nnobody\n@a.example\n\nnobody", false).unwrap_err();
        assert_eq!(errors.len(), 2);
        assert!(
            errors[0].starts_with("line 2: \"nobody\" is no address"),
            "{errors:?}"
        );
        assert!(
            errors[1].starts_with("line 3: @a.example is a whole domain"),
            "{errors:?}"
        );
        let errors = parse(b"a@b.example\n\xff@b.example", false, 9).unwrap_err();
        assert_eq!(errors[0].to_string(), "line 2: it is not in UTF-8");
    }
}
