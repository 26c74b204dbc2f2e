//! Delivery status notifications (RFC 3464, and RFC 6533 for addresses in Unicode).

use gatepost_message::Address;

use crate::fields::{Group, groups, untyped};
use crate::parts::Parts;
use crate::report::{MailReport, ReportedAction, ReportedRecipient};
use crate::sender::ReportAuthor;
use crate::status::Status;
use crate::{bounds, notice, scan};

/// Fields of which a recipient has one.
const UNIQUE: [&str; 4] = ["Final-Recipient", "Action", "Status", "Diagnostic-Code"];

/// Reads the machine-readable parts, if there are any that name a recipient or an action.
pub(crate) fn read(parts: &Parts, sender: &ReportAuthor) -> Option<MailReport> {
    let is_one = parts.is_report || sender.is_mail_system || sender.is_nobody;
    if parts.delivery.is_empty() || !is_one {
        return None;
    }
    let read = parts.delivery.iter().flat_map(|body| groups(body, &UNIQUE));
    let read: Vec<Group> = read.take(bounds::MOST_FIELDS).collect();
    let told = notice::told(parts, sender);
    let mut recipients: Vec<ReportedRecipient> = Vec::new();
    for group in &read {
        if recipients.len() == bounds::MOST_RECIPIENTS {
            break;
        }
        if let Some(recipient) = recipient(group, told.delays) {
            let known =
                |of: &ReportedRecipient| of.last == recipient.last && of.action == recipient.action;
            if recipient.address().is_none() || !recipients.iter().any(known) {
                recipients.push(recipient);
            }
        }
    }
    if recipients.is_empty() {
        return None;
    }
    complete(&mut recipients, told.recipients);
    let returned = parts.returned.clone().or(told.returned).unwrap_or_default();
    let mut report = MailReport::of_delivery(recipients, returned);
    let mta = |name: &str| read.iter().find_map(|group| group.get(name));
    report.reporter = mta("Reporting-MTA").map(|value| untyped(value).to_owned());
    Some(report)
}

fn recipient(group: &Group, delays: bool) -> Option<ReportedRecipient> {
    let is_one = group.has(&[
        "Final-Recipient",
        "Original-Recipient",
        "X-Actual-Recipient",
    ]);
    if !is_one && !group.has(&["Action"]) {
        return None;
    }
    let last = ["Final-Recipient", "X-Actual-Recipient"]
        .iter()
        .find_map(|name| address(group.get(name)?));
    let original = group.get("Original-Recipient").and_then(address);
    let diagnostic = group
        .get("Diagnostic-Code")
        .or_else(|| group.get("X-Diagnostic"))
        .map(|value| untyped(value).to_owned());
    let said = group.get("Status").and_then(Status::find);
    let meant = diagnostic.as_deref().and_then(Status::of_diagnostic);
    let status = match (said, meant) {
        // What the remote server said tells more than a general status.
        (Some(said), Some(meant)) if said.is_general() && !meant.is_general() => {
            Some(Status::new(said.class, meant.subject, meant.detail))
        }
        (said, meant) => said.or(meant),
    };
    let action = group.get("Action").and_then(action).or_else(|| {
        let class = status.map(|status| status.class);
        match class {
            Some(2) => Some(ReportedAction::Delivered),
            Some(4) if delays => Some(ReportedAction::Delayed),
            Some(_) => Some(ReportedAction::Failed),
            None if delays => Some(ReportedAction::Delayed),
            None => is_one.then_some(ReportedAction::Failed),
        }
    })?;
    Some(ReportedRecipient {
        original: original.filter(|of| Some(of) != last.as_ref()),
        last,
        action: Some(action),
        status,
        diagnostic,
    })
}

/// Reads an action, in the words of RFC 3464 or others.
fn action(value: &str) -> Option<ReportedAction> {
    let value = value.trim().to_ascii_lowercase();
    let word = value.split(|c: char| !c.is_ascii_alphabetic()).next()?;
    Some(match word {
        "failed" | "failure" | "fail" | "error" | "undeliverable" | "bounced" | "rejected" => {
            ReportedAction::Failed
        }
        "delayed" | "delay" | "deferred" | "warning" => ReportedAction::Delayed,
        "delivered" | "deliverable" | "success" => ReportedAction::Delivered,
        "relayed" => ReportedAction::Relayed,
        "expanded" => ReportedAction::Expanded,
        _ => return None,
    })
}

/// Reads the address of a typed field: `rfc822; ann@one.example`.
pub(crate) fn address(value: &str) -> Option<Address> {
    let kind = value.split(';').next().unwrap_or_default().trim();
    let bare = untyped(value);
    let bare = bounds::text(bare, bounds::LONGEST_LINE);
    if kind.eq_ignore_ascii_case("utf-8") {
        return scan::address(&unicode(bare));
    }
    scan::address(bare)
}

/// Decodes `\x{E9}` (RFC 6533 section 3).
fn unicode(value: &str) -> String {
    let mut decoded = String::new();
    let mut rest = value;
    while let Some((before, coded)) = rest.split_once("\\x{") {
        decoded.push_str(before);
        let Some((number, after)) = coded.split_once('}') else {
            rest = coded;
            break;
        };
        let number = u32::from_str_radix(number, 16).ok();
        decoded.extend(number.and_then(char::from_u32));
        rest = after;
    }
    decoded.push_str(rest);
    decoded
}

/// Adds from the text for people what the fields leave out: the address of a recipient, and the
/// words of the server.
fn complete(recipients: &mut [ReportedRecipient], told: Vec<ReportedRecipient>) {
    let alone = recipients.len() == 1;
    for recipient in recipients {
        if recipient.address().is_none() && alone {
            recipient.last = told.first().and_then(|of| of.last.clone());
        }
        let same = |of: &&ReportedRecipient| {
            of.last
                .as_ref()
                .is_some_and(|address| recipient.is(address))
                || (alone && told.len() == 1)
        };
        let Some(same) = told.iter().find(same) else {
            continue;
        };
        let failed = matches!(
            recipient.action,
            Some(ReportedAction::Failed | ReportedAction::Delayed)
        );
        if recipient.diagnostic.is_none() && failed {
            recipient.diagnostic.clone_from(&same.diagnostic);
        }
        let general = recipient.status.is_none_or(Status::is_general);
        let better = same.status.filter(|of| !of.is_general());
        if let Some(better) = better.filter(|_| general && failed) {
            let class = recipient.status.map_or(better.class, |of| of.class);
            recipient.status = Some(Status::new(class, better.subject, better.detail));
        }
    }
}
