//! Reports about mail: of delivery (RFC 3464), of reading (RFC 8098), of abuse (RFC 5965) and of
//! the like, by the Content-Type of the whole message (RFC 6522).

use mail_parser::parsers::MessageStream;

use super::rule::Rule;
use crate::Message;

/// Octets of the body that are searched if the field does not tell the report's type.
const SEARCHED: u32 = 16 << 10;

/// Returns the rule of the field; the body is searched only if it has to be.
pub(super) fn rule(value: &str, in_body: impl FnOnce() -> Option<Rule>) -> Option<Rule> {
    let line = format!("{value}\n");
    let parsed = MessageStream::new(line.as_bytes()).parse_content_type();
    let content_type = parsed.into_content_type()?;
    let subtype = content_type.subtype().unwrap_or_default();
    if content_type.ctype().eq_ignore_ascii_case("message") {
        return of(subtype);
    }
    let is_report = content_type.ctype().eq_ignore_ascii_case("multipart")
        && subtype.eq_ignore_ascii_case("report");
    if !is_report {
        return None;
    }
    match content_type.attribute("report-type") {
        // A receiver's feedback about one message that it refused is a delivery report.
        Some(kind) if kind.trim().eq_ignore_ascii_case("feedback-report") => in_body()
            .filter(|rule| *rule == Rule::DeliveryReport)
            .or(Some(Rule::MailReport)),
        Some(kind) => of(kind.trim()).or(Some(Rule::MailReport)),
        None => in_body(),
    }
}

/// Returns the rule that a report's body shows.
pub(super) fn in_body_of(message: &dyn Message) -> Option<Rule> {
    in_body(&message.body_chunk(0, SEARCHED))
}

/// Returns the rule of a machine-readable part's type.
fn of(kind: &str) -> Option<Rule> {
    match kind.to_ascii_lowercase().as_str() {
        "delivery-status" | "global-delivery-status" => Some(Rule::DeliveryReport),
        "disposition-notification" | "global-disposition-notification" => {
            Some(Rule::DispositionReport)
        }
        "feedback-report" | "tlsrpt" => Some(Rule::MailReport),
        _ => None,
    }
}

/// Returns the rule of the first such part; feedback about a message that was refused (RFC 6591
/// section 3.2.2) counts as a delivery report.
fn in_body(body: &[u8]) -> Option<Rule> {
    let lines = body.split(|&b| b == b'\n').map(<[u8]>::trim_ascii);
    let refused = |line: &[u8]| {
        const NAME: &[u8] = b"delivery-result:";
        let value = line.split_at_checked(NAME.len());
        value.is_some_and(|(name, value)| {
            name.eq_ignore_ascii_case(NAME) && value.trim_ascii().eq_ignore_ascii_case(b"reject")
        })
    };
    let first = first_report(body);
    if first == Some(Rule::MailReport) && lines.into_iter().any(refused) {
        return Some(Rule::DeliveryReport);
    }
    first
}

fn first_report(body: &[u8]) -> Option<Rule> {
    let lines = body.split(|&b| b == b'\n');
    for line in lines {
        let line = line.trim_ascii();
        const NAME: &[u8] = b"content-type:";
        let Some((name, value)) = line.split_at_checked(NAME.len()) else {
            continue;
        };
        if !name.eq_ignore_ascii_case(NAME) {
            continue;
        }
        let value = String::from_utf8_lossy(value.trim_ascii());
        let value = value.split(';').next().unwrap_or_default().trim();
        if let Some((kind, subtype)) = value.split_once('/')
            && kind.eq_ignore_ascii_case("message")
            && let Some(rule) = of(subtype)
        {
            return Some(rule);
        }
    }
    None
}
