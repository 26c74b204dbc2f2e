//! Complaints: the Abuse Reporting Format (RFC 5965), and the form of services that send the
//! message alone, with the recipient in a field of its own.

use gatepost_message::Address;

use crate::bounds::MOST_RECIPIENTS;
use crate::fields::{groups, untyped};
use crate::parts::Parts;
use crate::report::{Kind, MailReport, ReportedRecipient};
use crate::scan;

/// Fields by which services name the complaining recipient in the message that they return.
const RECIPIENT: [&str; 3] = [
    "X-HmXmrOriginalRecipient",
    "X-MS-Exchange-Organization-Original-Recipient",
    "X-Complaint-Recipient",
];

/// Reads the machine-readable part, or the field in the returned message.
pub(crate) fn read(parts: &Parts) -> Option<MailReport> {
    let Some(body) = parts.feedback.as_deref() else {
        return unmarked(parts);
    };
    let groups = groups(body, &[]);
    let all = |name: &'static str| groups.iter().flat_map(move |group| group.all(name));
    let kind = all("Feedback-Type").next()?.to_ascii_lowercase();
    let named = all("Original-Rcpt-To")
        .chain(all("Removal-Recipient"))
        .chain(all("Redacted-Address"));
    let mut recipients: Vec<Address> = Vec::new();
    for address in named.filter_map(|value| scan::address(untyped(value))) {
        if recipients.len() < MOST_RECIPIENTS && !recipients.contains(&address) {
            recipients.push(address);
        }
    }
    let returned = parts.returned.clone().unwrap_or_default();
    if recipients.is_empty() {
        recipients = one(returned.to());
    }
    let returned = returned.with_id(all("Original-Message-ID").next().unwrap_or_default());
    let mta = all("Reporting-MTA").next().map(untyped);
    let reporter = mta.or_else(|| all("User-Agent").next());
    Some(MailReport {
        // "not-spam" takes a complaint back, and a failed authentication is no person's word
        // (RFC 5965 section 7.3, RFC 6591, RFC 6430).
        kind: match kind.trim() {
            "not-spam" | "auth-failure" | "dmarc" => Kind::Other,
            _ => Kind::Complaint,
        },
        recipients: recipients.into_iter().map(ReportedRecipient::of).collect(),
        reporter: reporter.map(ToOwned::to_owned),
        returned,
        feedback_type: Some(kind.trim().to_owned()),
    })
}

/// Reads a complaint that is the returned message and nothing else.
fn unmarked(parts: &Parts) -> Option<MailReport> {
    let returned = parts.returned.clone()?;
    let message = returned.message.as_ref()?;
    let value = RECIPIENT.iter().find_map(|name| message.header(name))?;
    let recipient = scan::address(&value)?;
    Some(MailReport {
        kind: Kind::Complaint,
        recipients: vec![ReportedRecipient::of(recipient)],
        reporter: None,
        returned,
        feedback_type: Some("abuse".to_owned()),
    })
}

/// Returns the only address of a list: of several, nobody knows which complains.
fn one(addresses: Vec<Address>) -> Vec<Address> {
    match addresses.len() {
        1 => addresses,
        _ => Vec::new(),
    }
}
