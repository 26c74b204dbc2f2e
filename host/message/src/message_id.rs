//! Message-IDs (RFC 5322 section 3.6.4).

/// Most octets of a Message-ID: those of the longest line.
const LONGEST: usize = 998;

/// Returns a Message-ID without its angle brackets; `None` for text that is none. Many programs
/// write ids that the grammar does not allow: anything without white space and brackets is one.
///
/// ```
/// use gatepost_message::bare_message_id;
/// assert_eq!(bare_message_id(" <1@a.example> "), Some("1@a.example"));
/// assert_eq!(bare_message_id("1@a.example"), Some("1@a.example"));
/// assert_eq!(bare_message_id("<1@a.example> <2@a.example>"), None);
/// ```
pub fn bare_message_id(text: &str) -> Option<&str> {
    let text = text.trim();
    let inner = text
        .strip_prefix('<')
        .and_then(|text| text.strip_suffix('>'));
    let id = inner.unwrap_or(text);
    let is_part = |at: char| !at.is_whitespace() && !at.is_control() && !matches!(at, '<' | '>');
    (!id.is_empty() && id.len() <= LONGEST && id.chars().all(is_part)).then_some(id)
}

/// Returns a Message-ID without its angle brackets, whatever else stands in it: to be shown as it
/// was written. For comparisons there is [`bare_message_id`].
///
/// ```
/// use gatepost_message::without_brackets;
/// assert_eq!(without_brackets(" <1@a.example> "), "1@a.example");
/// assert_eq!(without_brackets("no id"), "no id");
/// ```
pub fn without_brackets(text: &str) -> &str {
    let text = text.trim();
    text.trim_start_matches('<').trim_end_matches('>')
}
