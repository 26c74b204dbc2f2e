//! Evidence of the body: the author's manner, an attached message of ours, and the text's own
//! statements.
//!
//! The first [`READ`] octets are read, which a reader sees at first, once and line by line; of the
//! parts (RFC 2045, RFC 2046) the first text, the type of a calendar's part, and the header section
//! of an attached message. This evidence is weak, because people quote all of it.

use mail_parser::decoders::{
    base64::base64_decode, charsets::map::charset_decoder, html::html_to_text,
    quoted_printable::quoted_printable_decode,
};
use mail_parser::parsers::MessageStream;
use memchr::{memchr, memchr_iter};

use super::layout::Layout;
use super::phrase_search::{self, FoundPhrases, PhraseKind};

/// Octets of the body that are read.
pub(super) const READ: u32 = 24 << 10;

/// Octets at the beginning and at the end of a text in which words are searched for.
const SEARCHED: usize = 2 << 10;

/// Boundaries that are kept at a time: nobody nests deeper.
const BOUNDARIES: usize = 8;

/// Octets of a part's header section, and of an attached message's.
const HEAD: usize = 4 << 10;

/// Contents of the body.
#[derive(Debug, Default)]
pub(super) struct Text {
    /// Text before the quotation and the signature.
    pub own: String,
    /// Beginning of it, in [plain](phrase_search::plain) form.
    pub begins: String,
    /// Phrases in that beginning.
    pub said: FoundPhrases,
    /// Phrase about failed delivery in anybody's words, or a server's reply.
    pub failure_words: Option<&'static str>,
    /// Offer, at the end, to unsubscribe.
    pub opt_out: Option<&'static str>,
    /// True if there are several such offers.
    pub opts_out: bool,
    /// Phrase about the reason why the message comes.
    pub bulk: Option<&'static str>,
    /// Phrase that introduces somebody's words, which came through a form or a platform.
    pub passed_on: Option<&'static str>,
    /// Layout of the text.
    pub layout: Layout,
    /// True if something older is quoted below.
    pub quotes: bool,
    /// Method of a calendar's part (RFC 5546).
    pub calendar: Option<String>,
    /// True if a message of one of the recipients is included.
    pub returned: bool,
    /// True if the text has header fields of a message in transit.
    pub header_in_text: bool,
    /// True if an attached message has a provider's mark of a complaint.
    pub complaint: bool,
    /// True if there is a picture of one pixel.
    pub pixel: bool,
    /// True if the only text is HTML.
    pub html_only: bool,
}

/// Type, boundary, charset and encoding of a part.
#[derive(Default)]
struct Head {
    kind: String,
    boundary: String,
    charset: String,
    encoding: String,
    method: String,
}

/// Use of the present part's lines.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Skipped,
    Head,
    Plain,
    Html,
    Calendar,
    /// Header section of an attached message.
    Attached,
}

#[derive(Default)]
struct BodyParts {
    plain: Option<(Head, Vec<u8>)>,
    html: Option<(Head, Vec<u8>)>,
    text: Text,
}

/// Reads the beginning of a body. `types` and `encodings` are the bodies of the fields Content-Type
/// and Content-Transfer-Encoding, in any order: if there are several, all count alike.
pub(super) fn read(
    body: &[u8],
    types: &[String],
    encodings: &[String],
    recipients: &[String],
) -> Text {
    let mut boundaries: Vec<String> = Vec::new();
    let mut top = Head::default();
    for value in types {
        let head = content_type(value);
        if !head.boundary.is_empty() && boundaries.len() < BOUNDARIES {
            boundaries.push(head.boundary.clone());
        }
        if top.kind.is_empty() || head.kind < top.kind {
            top = head;
        }
    }
    top.encoding = encodings.iter().min().cloned().unwrap_or_default();
    let mut found = BodyParts::default();
    let mut part = match boundaries.is_empty() {
        true => begin(top, &mut found, &mut boundaries),
        false => Part::Skipped,
    };
    let mut head = Vec::new();
    for line in lines(body) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if let Some(rest) = line.strip_prefix(b"--") {
            let rest = rest.trim_ascii_end();
            let is = |it: &[u8]| boundaries.iter().any(|known| known.as_bytes() == it);
            if is(rest) {
                head.clear();
                part = Part::Head;
                continue;
            }
            if rest.strip_suffix(b"--").is_some_and(is) {
                part = Part::Skipped;
                continue;
            }
        }
        match part {
            Part::Skipped => {}
            Part::Head if line.is_empty() => {
                part = begin(part_head(&head), &mut found, &mut boundaries);
            }
            Part::Head => add(&mut head, line, HEAD),
            Part::Plain | Part::Html => {
                let of = if part == Part::Plain {
                    &mut found.plain
                } else {
                    &mut found.html
                };
                if let Some((_, octets)) = of {
                    add(octets, line, READ as usize);
                }
            }
            Part::Calendar => {
                if let Some(method) = line.to_ascii_uppercase().strip_prefix(b"METHOD:") {
                    let method = String::from_utf8_lossy(method.trim_ascii()).into_owned();
                    found.text.calendar.get_or_insert(method);
                }
            }
            Part::Attached if line.is_empty() => part = Part::Skipped,
            Part::Attached => attached(line, recipients, &mut found.text),
        }
    }
    finish(found)
}

/// Returns the lines between LF.
fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = memchr_iter(b'\n', body).chain([body.len()]);
    ends.scan(0, |begin, end| {
        let line = body.get(*begin..end);
        *begin = end + 1;
        line
    })
}

/// Returns the lines of a text between LF, each with its place.
pub(super) fn text_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let ends = memchr_iter(b'\n', text.as_bytes()).chain([text.len()]);
    ends.scan(0, |next, end| {
        let begin = *next;
        *next = end + 1;
        Some((begin, text.get(begin..end)?))
    })
}

fn add(to: &mut Vec<u8>, line: &[u8], most: usize) {
    if to.len() + line.len() < most {
        to.extend_from_slice(line);
        to.push(b'\n');
    }
}

/// Returns the use of a part, by its header section.
fn begin(head: Head, found: &mut BodyParts, boundaries: &mut Vec<String>) -> Part {
    match head.kind.as_str() {
        "" | "text/plain" if found.plain.is_none() => {
            found.plain = Some((head, Vec::new()));
            Part::Plain
        }
        "text/html" if found.html.is_none() => {
            found.html = Some((head, Vec::new()));
            Part::Html
        }
        "text/calendar" => {
            if !head.method.is_empty() {
                found.text.calendar.get_or_insert(head.method);
            }
            Part::Calendar
        }
        "message/rfc822" | "message/global" | "text/rfc822-headers" | "message/rfc822-headers" => {
            Part::Attached
        }
        _ => {
            if !head.boundary.is_empty() && boundaries.len() < BOUNDARIES {
                boundaries.push(head.boundary);
            }
            Part::Skipped
        }
    }
}

/// Reads a line of the header section of an attached message.
fn attached(line: &[u8], recipients: &[String], text: &mut Text) {
    let line = String::from_utf8_lossy(line.get(..line.len().min(400)).unwrap_or_default());
    let line = line.to_ascii_lowercase();
    // Outlook.com's feedback loop (JMRP) adds it to the reported message.
    text.complaint |= line.starts_with("x-hmxmroriginalrecipient:");
    if line.starts_with("from:") || line.starts_with("return-path:") {
        text.returned |= recipients
            .iter()
            .any(|recipient| line.contains(recipient.as_str()));
    }
}

fn part_head(octets: &[u8]) -> Head {
    let text = String::from_utf8_lossy(octets);
    let mut head = Head::default();
    let mut fields: Vec<String> = Vec::new();
    for line in text.lines() {
        match fields.last_mut() {
            Some(field) if line.starts_with([' ', '\t']) => field.push_str(line),
            _ => fields.push(line.to_owned()),
        }
    }
    for field in &fields {
        let Some((name, value)) = field.split_once(':') else {
            continue;
        };
        if name.eq_ignore_ascii_case("content-type") {
            let encoding = std::mem::take(&mut head.encoding);
            head = Head {
                encoding,
                ..content_type(value)
            };
        } else if name.eq_ignore_ascii_case("content-transfer-encoding") {
            head.encoding = value.trim().to_ascii_lowercase();
        }
    }
    head
}

fn content_type(value: &str) -> Head {
    let line = format!("{}\n", value.trim());
    let parsed = MessageStream::new(line.as_bytes()).parse_content_type();
    let Some(parsed) = parsed.into_content_type() else {
        return Head::default();
    };
    let attribute = |name| parsed.attribute(name).unwrap_or_default().to_owned();
    let kind = format!(
        "{}/{}",
        parsed.ctype(),
        parsed.subtype().unwrap_or_default()
    );
    Head {
        kind: kind.to_ascii_lowercase(),
        boundary: attribute("boundary"),
        charset: attribute("charset"),
        encoding: String::new(),
        method: attribute("method").to_ascii_uppercase(),
    }
}

fn decoded(head: &Head, octets: Vec<u8>) -> String {
    let encoding = head.encoding.trim();
    let plain = if encoding.eq_ignore_ascii_case("base64") {
        // Whole groups only, because the last may have been cut.
        let all: Vec<u8> = octets
            .iter()
            .copied()
            .filter(|b| !b.is_ascii_whitespace())
            .collect();
        base64_decode(all.get(..all.len() / 4 * 4).unwrap_or_default())
    } else if encoding.eq_ignore_ascii_case("quoted-printable") {
        quoted_printable_decode(&octets)
    } else {
        None
    };
    let octets = plain.unwrap_or(octets);
    match charset_decoder(head.charset.as_bytes()) {
        Some(decode) if !head.charset.eq_ignore_ascii_case("utf-8") => decode(&octets),
        _ => String::from_utf8(octets)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
    }
}

fn finish(found: BodyParts) -> Text {
    let BodyParts {
        plain,
        html,
        mut text,
    } = found;
    let html = html.map(|(head, octets)| decoded(&head, octets));
    text.pixel = html.as_deref().is_some_and(has_pixel);
    text.html_only = html.is_some() && plain.is_none();
    let plain = plain.map(|(head, octets)| decoded(&head, octets));
    let words = match (plain, html) {
        (Some(plain), _) if !plain.trim().is_empty() => plain,
        (_, Some(html)) => html_to_text(&html),
        (plain, None) => plain.unwrap_or_default(),
    };
    (text.own, text.quotes) = before_quotation(&words);
    let beginning = text.own.get(..text.own.floor_char_boundary(SEARCHED));
    let beginning = beginning.unwrap_or_default();
    text.layout = Layout::of(beginning);
    text.begins = phrase_search::plain(beginning);
    text.said = FoundPhrases::of(&text.begins);
    text.failure_words = (text.said.get(PhraseKind::FailureWords))
        .or_else(|| has_reply(&text.begins).then_some("a reply with its status code"));
    text.header_in_text = has_header(&words);
    // An offer stands at the end, behind everything else.
    let end = words.trim_end();
    let from = end.floor_char_boundary(end.len().saturating_sub(SEARCHED / 2));
    let from = from.max(end.floor_char_boundary(end.len() / 3));
    let end = FoundPhrases::of(&phrase_search::plain(end.get(from..).unwrap_or_default()));
    // Somebody who asks to unsubscribe is no list.
    let asked = [&text.said, &end].map(|said| said.get(PhraseKind::WantsOut));
    if asked == [None, None] {
        text.opt_out = end.get(PhraseKind::OptOut);
        text.opts_out = end.apart(PhraseKind::OptOut) > 1;
    }
    text.layout.asks |= text.said.get(PhraseKind::Request).is_some();
    let of_end = (!text.quotes).then(|| end.get(PhraseKind::Bulk)).flatten();
    text.bulk = text.said.get(PhraseKind::Bulk).or(of_end);
    text.passed_on = text
        .said
        .get(PhraseKind::Form)
        .or(end.get(PhraseKind::Form));
    text
}

/// Returns true if the text has header fields that servers write in transit (RFC 5321 section 4.4),
/// with others of a message: old mail systems return an undelivered message so.
fn has_header(words: &str) -> bool {
    let (mut trace, mut others) = (0, 0);
    for (_, line) in text_lines(words) {
        let line = line.trim_start_matches(['>', ' ', '\t', '|']);
        let begins = |name: &str| {
            let field = line.get(..name.len());
            field.is_some_and(|field| field.eq_ignore_ascii_case(name))
        };
        match line.as_bytes().first().map(u8::to_ascii_lowercase) {
            Some(b'r') => {
                trace += usize::from(begins("received: ") || begins("return-path: "));
            }
            Some(b'm') => others += usize::from(begins("message-id: ")),
            Some(b'f') => others += usize::from(begins("from: ")),
            Some(b't') => others += usize::from(begins("to: ")),
            Some(b'd') => others += usize::from(begins("date: ")),
            Some(b's') => others += usize::from(begins("subject: ")),
            _ => {}
        }
    }
    trace > 0 && others > 2
}

/// Returns true if the text has a server's reply with its status code (RFC 5321 section 4.2, RFC
/// 3463): `550 5.1.1`, `554-5.7.1`.
fn has_reply(text: &str) -> bool {
    let octets = text.as_bytes();
    memchr_iter(b'.', octets).any(|point| {
        let begins = point.checked_sub(5).and_then(|at| octets.get(at..));
        matches!(
            begins.unwrap_or_default(),
            [
                b'4' | b'5',
                b'0'..=b'5',
                b'0'..=b'9',
                b' ' | b'-',
                b'4' | b'5',
                b'.',
                b'0'..=b'7',
                b'.',
                b'0'..=b'9',
                ..
            ]
        )
    })
}

/// Returns true if there is a picture of one pixel, which tells the sender who has opened a letter.
fn has_pixel(html: &str) -> bool {
    let lower = html.to_ascii_lowercase();
    lower.split("<img").skip(1).any(|tag| {
        let tag = tag.split('>').next().unwrap_or_default();
        let tag: String = tag
            .chars()
            .filter(|c| !matches!(c, '"' | '\'' | ' '))
            .collect();
        tag.contains("width=1height=1")
            || tag.contains("height=1width=1")
            || tag.contains("width:1px") && tag.contains("height:1px")
    })
}

/// Returns the text before the first line of a quotation or signature, and true if something is
/// quoted.
fn before_quotation(text: &str) -> (String, bool) {
    let mut own = String::new();
    let mut passed_on = false;
    let mut below = text.len();
    for (begin, line) in text_lines(text) {
        let line = line.trim();
        // Between such lines a platform passes on what somebody else wrote.
        if is_parting(line)
            && FoundPhrases::of(&phrase_search::plain(line))
                .get(PhraseKind::Form)
                .is_some()
        {
            if passed_on {
                return (own, false);
            }
            passed_on = true;
            own.clear();
            continue;
        }
        // A signature, or a gateway's footer.
        if line == "--" || is_rule(line) && !own.is_empty() {
            below = begin;
            break;
        }
        if begins_quotation(line) {
            return (own, true);
        }
        if !line.is_empty() {
            own.push_str(line);
            own.push('\n');
        }
    }
    let below = text.get(below..).unwrap_or_default();
    let quotes = text_lines(below).any(|(_, line)| begins_quotation(line.trim()));
    (own, quotes || passed_on)
}

/// Returns true for a line that separates the text from what stands below.
fn is_rule(line: &str) -> bool {
    line.len() >= 8 && line.chars().all(|c| matches!(c, '-' | '_' | '=' | '*'))
}

/// Returns true for a line that announces what follows: `-----Original Message-----`.
fn is_parting(line: &str) -> bool {
    line.starts_with("-----") && line.ends_with("-----")
}

/// Returns true for a quoted line, or the one that mail programs put in front: `-----Original
/// Message-----`, `From: Ann <ann@x.example>`, `On Monday … wrote:`.
fn begins_quotation(line: &str) -> bool {
    const AUTHORS: &[&str] = &[
        "from:",
        "von:",
        "de:",
        "de :",
        "da:",
        "van:",
        "från:",
        "fra:",
        "lähettäjä:",
        "od:",
        "от:",
        "gönderen:",
        "发件人",
        "寄件者",
        "差出人",
        "보낸 사람",
    ];
    if line.starts_with('>') || is_parting(line) {
        return true;
    }
    if memchr(b'@', line.as_bytes()).is_none() {
        return false;
    }
    let lower = line
        .get(..line.floor_char_boundary(120))
        .unwrap_or_default()
        .to_lowercase();
    AUTHORS.iter().any(|word| lower.starts_with(word))
        || line.ends_with([':', '：']) && line.len() < 200
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_one(kind: &str, encoding: &str, body: &str) -> Text {
        let recipients = ["help@desk.example".to_owned()];
        read(
            body.as_bytes(),
            &[kind.to_owned()],
            &[encoding.to_owned()],
            &recipients,
        )
    }

    #[test]
    fn a_text_is_decoded_and_the_quotation_left_out() {
        for (kind, encoding, body) in [
            ("text/plain; charset=utf-8", "", "Grüße\n\n> old\n"),
            (
                "text/plain; charset=iso-8859-1",
                "quoted-printable",
                "Gr=FC=DFe\r\n> old",
            ),
            (
                "text/plain; charset=utf-8",
                "base64",
                "R3LDvMOf\r\nZQo+IG9sZAo=\r\n",
            ),
            (
                "multipart/mixed; boundary=\"b\"",
                "",
                "--b\nContent-Type: multipart/alternative; boundary=c\n\n\
                 --c\nContent-Type: text/html\n\n\
                 <p>no</p>\n\
                 --c\nContent-Type: text/plain; charset=utf-8\n\nGrüße\n> old\n--c--\n--b--\n",
            ),
            ("text/html; charset=utf-8", "", "<p>Grüße</p>"),
        ] {
            let text = read_one(kind, encoding, body);
            assert_eq!(text.own.trim(), "Grüße", "{kind} {encoding}");
        }
    }

    #[test]
    fn a_reply_with_its_status_code_is_seen_and_a_date_is_not() {
        for (body, expected) in [
            ("Sent to x: 550 5.1.1 who?", true),
            ("554-5.7.1 no", true),
            ("Back on 5.1.2026", false),
            ("Room 550 5", false),
        ] {
            assert_eq!(has_reply(body), expected, "{body}");
        }
    }

    #[test]
    fn an_attached_message_of_ours_is_seen_and_one_of_others_is_not() {
        for (from, ours) in [("Desk <Help@desk.example>", true), ("ann@x.example", false)] {
            let body =
                format!("--b\n\nhello\n--b\nContent-Type: message/rfc822\n\nFrom: {from}\n\nx\n");
            let text = read_one("multipart/mixed; boundary=b", "", &body);
            assert_eq!((text.returned, text.own.trim()), (ours, "hello"));
        }
        let body = "--b\nContent-Type: text/calendar; method=REPLY\n\nBEGIN:VCALENDAR\n--b--";
        let text = read_one("multipart/mixed; boundary=b", "", body);
        assert_eq!(text.calendar.as_deref(), Some("REPLY"));
    }
}
