//! Header fields with stand-ins: each kind of field has its own rule. Names of fields stay, and their
//! number.

use mail_parser::parsers::MessageStream;

use super::StandIns;
use super::words::{is_protocol, is_role, mask};

/// Fields with mailboxes.
const MAILBOXES: &[&str] = &[
    "apparently-to",
    "bcc",
    "cc",
    "delivered-to",
    "disposition-notification-to",
    "envelope-to",
    "errors-to",
    "from",
    "mail-followup-to",
    "mail-reply-to",
    "reply-to",
    "resent-bcc",
    "resent-cc",
    "resent-from",
    "resent-reply-to",
    "resent-sender",
    "resent-to",
    "return-path",
    "return-receipt-to",
    "sender",
    "to",
    "x-beenthere",
    "x-confirm-reading-to",
    "x-envelope-from",
    "x-envelope-to",
    "x-failed-recipients",
    "x-forwarded-for",
    "x-forwarded-to",
    "x-loop",
    "x-original-from",
    "x-original-to",
    "x-sender",
];

/// Fields with ids in angle brackets.
const IDS: &[&str] = &[
    "content-id",
    "in-reply-to",
    "message-id",
    "original-message-id",
    "references",
    "resent-message-id",
    "x-original-message-id",
];

/// Fields whose words are a person's.
const TEXTS: &[&str] = &[
    "comments",
    "content-description",
    "keywords",
    "organization",
    "subject",
    "thread-topic",
    "x-organization",
];

/// Fields with a signature.
const SIGNATURES: &[&str] = &[
    "arc-message-signature",
    "arc-seal",
    "dkim-signature",
    "domainkey-signature",
    "x-google-dkim-signature",
];

/// Fields whose words stay, because policies look at them.
const KEPT: &[&str] = &[
    "auto-submitted",
    "content-language",
    "content-transfer-encoding",
    "date",
    "importance",
    "list-unsubscribe-post",
    "mime-version",
    "precedence",
    "priority",
    "resent-date",
    "user-agent",
    "x-auto-response-suppress",
    "x-autoreply",
    "x-autorespond",
    "x-generator",
    "x-mailer",
    "x-mimeole",
    "x-msmail-priority",
    "x-precedence",
    "x-priority",
];

/// Beginnings of subjects that programs write, in lower case.
const PREFIXES: &[&str] = &[
    "abwesend",
    "abwesenheitsnotiz",
    "accepted",
    "antw",
    "auto",
    "auto reply",
    "auto-reply",
    "automatic reply",
    "automatisch antwoord",
    "automatische antwort",
    "autoreply",
    "aw",
    "canceled",
    "declined",
    "delivery status notification",
    "fw",
    "fwd",
    "mail delivery failed",
    "not read",
    "out of office",
    "re",
    "read",
    "ref",
    "respuesta automática",
    "réponse automatique",
    "risposta automatica",
    "rv",
    "sv",
    "tentative",
    "tr",
    "undeliverable",
    "undelivered mail returned to sender",
    "vb",
    "vs",
    "wg",
];

impl StandIns {
    /// Returns the body of a field with stand-ins; its folding stays where its words do.
    pub(super) fn field(&mut self, name: &str, body: &str) -> String {
        let name = name.trim().to_ascii_lowercase();
        let is_in = |list: &[&str]| list.contains(&name.as_str());
        if is_in(MAILBOXES) {
            self.mailboxes(body)
        } else if is_in(IDS) {
            self.ids(body)
        } else if is_in(TEXTS) {
            self.subject(body)
        } else if is_in(SIGNATURES) {
            self.signature(body)
        } else if is_in(KEPT) {
            self.text(body)
        } else if name == "content-type" || name == "content-disposition" {
            self.with_parameters(body)
        } else if name.ends_with("-account-id") {
            let (before, id, after) = trimmed(body);
            let id = match id.is_empty() {
                true => String::new(),
                false => self.account(id),
            };
            format!("{before}{id}{after}")
        } else {
            self.by_words(body)
        }
    }

    /// Replaces addresses and display names in a list of mailboxes.
    pub(super) fn mailboxes(&mut self, body: &str) -> String {
        let mut list = String::with_capacity(body.len());
        let mut phrase = Phrase::default();
        let mut rest = body;
        while let Some(first) = rest.chars().next() {
            let token = match first {
                '"' => &rest[..end_of_quoted(rest)],
                '(' => &rest[..end_of_comment(rest)],
                '<' => &rest[..rest.find('>').map_or(rest.len(), |end| end + 1)],
                ',' | ';' | ':' => &rest[..1],
                c if c.is_whitespace() => {
                    let end = rest.find(|c: char| !c.is_whitespace());
                    &rest[..end.unwrap_or(rest.len())]
                }
                _ => {
                    let special = |c: char| c.is_whitespace() || "\"(<,;".contains(c);
                    let bracket = rest.find('[').filter(|at| rest[..*at].ends_with('@'));
                    let end = rest.find(|c: char| special(c) || c == ':' && bracket.is_none());
                    // Something is taken in any case.
                    &rest[..end.unwrap_or(rest.len()).max(first.len_utf8())]
                }
            };
            rest = &rest[token.len()..];
            let is_local_part = first == '"' && rest.starts_with('@');
            match first {
                '<' => {
                    self.end_phrase(&mut phrase, &mut list, true);
                    let inner = token.trim_matches(['<', '>']);
                    let (before, inner, after) = trimmed(inner);
                    list.push('<');
                    list.push_str(before);
                    list.push_str(&self.in_brackets(inner));
                    list.push_str(after);
                    list.push_str(if token.ends_with('>') { ">" } else { "" });
                }
                '(' => {
                    self.end_phrase(&mut phrase, &mut list, false);
                    let comment = self.by_words(token);
                    list.push_str(&comment);
                }
                ',' | ';' | ':' => {
                    self.end_phrase(&mut phrase, &mut list, false);
                    list.push_str(token);
                }
                _ if is_local_part => {
                    let end = rest.find(|c: char| c.is_whitespace() || ",;<>".contains(c));
                    let (domain, after) = rest.split_at(end.unwrap_or(rest.len()));
                    let address = self.address(&format!("{token}{domain}"));
                    phrase.raw.push_str(&address);
                    phrase.has_address = true;
                    rest = after;
                }
                _ if first != '"' && token.contains('@') && !token.ends_with("?=") => {
                    let address = self.in_brackets(token);
                    phrase.raw.push_str(&address);
                    phrase.has_address = true;
                }
                _ => {
                    phrase.is_quoted |= first == '"';
                    phrase.raw.push_str(token);
                }
            }
        }
        self.end_phrase(&mut phrase, &mut list, false);
        list
    }

    /// Replaces an address, a route before one (RFC 5322 section 4.4), or an unqualified name.
    fn in_brackets(&mut self, inner: &str) -> String {
        match inner.contains('@') {
            true if inner.starts_with('@') || inner.contains(',') => self.by_words(inner),
            true => self.address(inner),
            false if inner.is_empty() || is_role(inner) => inner.to_owned(),
            false => mask(inner),
        }
    }

    /// Writes what stands for a phrase: for a display name a `Person`.
    fn end_phrase(&mut self, phrase: &mut Phrase, list: &mut String, is_name: bool) {
        let phrase = std::mem::take(phrase);
        let (before, words, after) = trimmed(&phrase.raw);
        list.push_str(before);
        if phrase.has_address {
            // An address without brackets, maybe with words beside it, which are no name.
            list.push_str(&self.besides_addresses(words));
        } else if !words.is_empty() {
            let name = decoded(words.trim_matches('"'));
            let stand_in = match is_name {
                _ if is_of_program(&name) => words.to_owned(),
                _ if name.contains('@') => match phrase.is_quoted || words.contains("=?") {
                    true => format!("\"{}\"", self.by_words(&name).replace('"', "")),
                    false => self.by_words(words),
                },
                true => match phrase.is_quoted {
                    true => format!("\"{}\"", self.name(&name)),
                    false => self.name(&name),
                },
                false => mask(&name),
            };
            list.push_str(&stand_in);
        }
        list.push_str(after);
    }

    /// Returns the stand-in for a display name; that of a program stays.
    pub fn display_name(&mut self, name: &str) -> String {
        match is_of_program(name) {
            true => name.to_owned(),
            false => self.name(name),
        }
    }

    fn besides_addresses(&mut self, words: &str) -> String {
        let words = words.split(' ').map(|word| match word.contains('@') {
            true => word.to_owned(),
            false => mask(word),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    /// Replaces ids in angle brackets, and the words beside them.
    fn ids(&mut self, body: &str) -> String {
        let mut replaced = String::with_capacity(body.len());
        let mut rest = body;
        while let Some(start) = rest.find('<') {
            let Some(length) = rest[start..].find('>') else {
                break;
            };
            replaced.push_str(&self.by_words(&rest[..start]));
            let id = &rest[start + 1..start + length];
            let (before, bare, after) = trimmed(id);
            replaced.push_str(&format!("<{before}{}{after}>", self.message_id(bare)));
            rest = &rest[start + length + 1..];
        }
        let (before, bare, after) = trimmed(rest);
        let is_id = bare.contains('@') && !bare.contains(char::is_whitespace);
        match is_id {
            true => format!("{replaced}{before}{}{after}", self.message_id(bare)),
            false => replaced + &self.by_words(rest),
        }
    }

    /// Masks a text but for the prefix that a program puts before a subject.
    pub(super) fn subject(&mut self, body: &str) -> String {
        let (before, text, after) = trimmed(body);
        let text = match text.contains("=?") {
            true => decoded(text).replace(|c: char| c.is_control(), " "),
            false => text.to_owned(),
        };
        let mut rest = text.as_str();
        let mut kept = String::new();
        while let Some(length) = prefix(rest) {
            kept.push_str(&rest[..length]);
            rest = &rest[length..];
        }
        format!("{before}{kept}{}{after}", mask(rest))
    }

    /// Replaces the domain, the selector and the octets of a signature (RFC 6376 section 3.5).
    fn signature(&mut self, body: &str) -> String {
        let tags = body.split(';').map(|tag| {
            let Some((name, value)) = tag.split_once('=') else {
                return self.by_words(tag);
            };
            let (before, bare, after) = trimmed(value);
            let value = match name.trim() {
                "d" => self.domain(bare),
                "s" => self.selector(bare),
                "i" => self.address(bare),
                "b" | "bh" | "z" => mask(bare),
                "h" | "a" | "c" | "q" | "cv" | "v" | "t" | "x" | "l" | "r" => bare.to_owned(),
                _ => self.by_words(bare),
            };
            format!("{name}={before}{value}{after}")
        });
        tags.collect::<Vec<_>>().join(";")
    }
}

/// Returns true for a name such as `Mail Delivery Subsystem`.
fn is_of_program(name: &str) -> bool {
    let mut words = name.split([' ', '-']);
    words.all(|word| is_role(word) || is_protocol(word))
}

/// Words before an address, or an address without brackets.
#[derive(Default)]
struct Phrase {
    raw: String,
    is_quoted: bool,
    has_address: bool,
}

/// Splits a text into the white space before it, itself, and that behind it.
pub(super) fn trimmed(text: &str) -> (&str, &str, &str) {
    let bare = text.trim();
    let before = text.len() - text.trim_start().len();
    let (before, rest) = text.split_at(before);
    (before, bare, &rest[bare.len()..])
}

/// Returns the position behind a quoted string.
fn end_of_quoted(text: &str) -> usize {
    let mut is_escaped = true;
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Returns the position behind a comment, which may hold others.
fn end_of_comment(text: &str) -> usize {
    let (mut depth, mut is_escaped) = (0, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '(' => depth += 1,
            ')' if depth == 1 => return at + 1,
            ')' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

/// Returns the length of a prefix with its colon and the space behind it, or of a phrase that a
/// program writes at the beginning.
fn prefix(text: &str) -> Option<usize> {
    let lower = text.to_lowercase();
    // Lower case may be longer than the text; then nothing is kept.
    if lower.len() != text.len() {
        return None;
    }
    let begins = PREFIXES.iter().filter(|prefix| {
        let rest = lower.strip_prefix(**prefix);
        rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    });
    let longest = begins.max_by_key(|prefix| prefix.len())?;
    let rest = &lower[longest.len()..];
    let is_short = longest.len() < 7;
    let colon = rest.starts_with(':');
    if is_short && !colon {
        return None;
    }
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    Some(text.len() - rest.trim_start().len())
}

/// Returns a text with its encoded words decoded (RFC 2047).
pub(super) fn decoded(text: &str) -> String {
    if !text.contains("=?") {
        return text.to_owned();
    }
    let line = format!("{text}\n");
    let read = MessageStream::new(line.as_bytes()).parse_unstructured();
    read.as_text().unwrap_or(text).trim().to_owned()
}
