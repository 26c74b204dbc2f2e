//! Message disposition notifications (RFC 8098, and RFC 3798 before it): read receipts.

use crate::delivery_status::address;
use crate::fields::groups;
use crate::parts::Parts;
use crate::report::{Kind, MailReport, ReportedRecipient};

/// Reads the machine-readable part, if there is one.
pub(crate) fn read(parts: &Parts) -> Option<MailReport> {
    let groups = groups(parts.disposition.as_deref()?, &[]);
    let get = |name: &str| groups.iter().find_map(|group| group.get(name));
    let disposition = get("Disposition")?.to_ascii_lowercase();
    // The mode stands before the semicolon, modifiers behind a slash (RFC 8098 section 3.2.6).
    let kind = disposition.rsplit(';').next().unwrap_or_default();
    let (kind, modifier) = kind.split_once('/').unwrap_or((kind, ""));
    let kind = match kind.trim() {
        _ if modifier.contains("error") || modifier.contains("fail") => Kind::Other,
        "displayed" | "read" => Kind::Read,
        "deleted" => Kind::Deleted,
        _ => Kind::Other,
    };
    let last = get("Final-Recipient").and_then(address);
    let original = get("Original-Recipient").and_then(address);
    let named = last.is_some() || original.is_some();
    let recipient = ReportedRecipient {
        original: original.filter(|of| Some(of) != last.as_ref()),
        last,
        action: None,
        status: None,
        diagnostic: get("Failure")
            .or_else(|| get("Error"))
            .map(ToOwned::to_owned),
    };
    let returned = parts.returned.clone().unwrap_or_default();
    let returned = returned.with_id(get("Original-Message-ID").unwrap_or_default());
    let reporter = get("Reporting-UA").or_else(|| get("MDN-Gateway"));
    Some(MailReport {
        kind,
        recipients: named.then_some(recipient).into_iter().collect(),
        reporter: reporter.map(ToOwned::to_owned),
        returned,
        feedback_type: None,
    })
}
