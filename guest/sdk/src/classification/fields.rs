//! One pass over the envelope and the header section.

use super::rule::Rule;
use super::{Classifier, Found};
use super::{
    auto_submitted, autoreply, list, machine, precedence, report, sender, subject, suppress,
};
use crate::header::read::{addresses, decoded};
use crate::{Message, Transaction};

/// What has to be held against other fields, or is read only where something else was found.
#[derive(Default)]
struct Held {
    from: Vec<String>,
    sender: Vec<String>,
    reply_to: Vec<String>,
    to: Vec<String>,
    errors_to: Vec<String>,
    subjects: Vec<String>,
}

pub(super) fn find(
    ours: &Classifier,
    transaction: &Transaction,
    message: &dyn Message,
    found: &mut Found,
) {
    let mut held = Held::default();
    let section = section(message);
    let mut lower = [0; LONGEST];
    let mut rest = section.as_slice();
    while !rest.is_empty() {
        let (one, after) = first_field(rest);
        rest = after;
        let Some((name, body)) = split(one) else {
            continue;
        };
        let Some(lower) = lower.get_mut(..name.len()) else {
            continue;
        };
        lower.copy_from_slice(name);
        lower.make_ascii_lowercase();
        if is_of_no_interest(lower) {
            continue;
        }
        let (Ok(lower), Ok(shown)) = (str::from_utf8(lower), str::from_utf8(name)) else {
            continue;
        };
        let body = String::from_utf8_lossy(body);
        field(
            ours,
            transaction,
            message,
            (lower, shown, &body),
            &mut held,
            found,
        );
    }
    envelope(transaction, found);
    authors(&held, found);
    relations(transaction, &held, found);
    // The subject only backs what something else says, so it need not be read where nothing does.
    let evidence = !found.is_empty();
    for value in &held.subjects {
        let maybe_report = value.len() > 30 && !evidence;
        if !evidence && !maybe_report {
            continue;
        }
        let text = decoded(value);
        match subject::rule(&text) {
            Some(rule) if evidence || rule == Rule::MailReport => found.add(rule, "Subject", &text),
            _ => {}
        }
    }
}

/// No name that means anything is longer.
const LONGEST: usize = 76;

/// Octets that are asked for at a time; most header sections are whole with the first.
const CHUNK: u32 = 64 << 10;

/// The whole header section.
fn section(message: &dyn Message) -> Vec<u8> {
    let mut section = message.header_chunk(0, CHUNK);
    let mut last = section.len();
    while last >= CHUNK as usize {
        let more = message.header_chunk(section.len() as u64, CHUNK);
        last = more.len();
        section.extend_from_slice(&more);
    }
    section
}

/// The first field with its line ends, and what stands behind it.
fn first_field(octets: &[u8]) -> (&[u8], &[u8]) {
    let mut end = 0;
    loop {
        let Some(line) = octets
            .get(end..)
            .and_then(|rest| memchr::memchr(b'\n', rest))
        else {
            return (octets, &[]);
        };
        end += line + 1;
        if !matches!(octets.get(end), Some(b' ' | b'\t')) {
            return octets.split_at(end);
        }
    }
}

/// Name and raw body; white space before the colon is obsolete, and read (RFC 5322 section 4.5).
fn split(field: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', field)?;
    let (name, body) = field.split_at_checked(colon)?;
    Some((name.trim_ascii_end(), body.get(1..)?))
}

/// What most fields are: not worth a second look.
fn is_of_no_interest(name: &[u8]) -> bool {
    matches!(
        name,
        b"received"
            | b"dkim-signature"
            | b"date"
            | b"message-id"
            | b"mime-version"
            | b"references"
            | b"content-transfer-encoding"
            | b"content-language"
            | b"thread-topic"
            | b"accept-language"
            | b"received-spf"
            | b"authentication-results"
    ) || name.starts_with(b"arc-")
        || name.starts_with(b"x-google-") && name != b"x-google-group-id"
        || name.starts_with(b"x-microsoft-")
        || name.starts_with(b"x-spam")
        || name.starts_with(b"x-forefront-")
        || name.starts_with(b"x-ms-exchange-")
            && !matches!(
                name,
                b"x-ms-exchange-message-is-ndr"
                    | b"x-ms-exchange-inbox-rules-loop"
                    | b"x-ms-exchange-generated-message-source"
            )
}

/// What one field says; `name` in lower case, as it stands, and the raw body.
fn field(
    ours: &Classifier,
    transaction: &Transaction,
    message: &dyn Message,
    (name, shown, raw): (&str, &str, &str),
    held: &mut Held,
    found: &mut Found,
) {
    let value = raw.trim();
    let rule = match name {
        "from" => return held.from.push(raw.to_owned()),
        "sender" => return held.sender.push(raw.to_owned()),
        "reply-to" => return held.reply_to.push(raw.to_owned()),
        "to" | "cc" => return held.to.push(raw.to_owned()),
        "subject" => return held.subjects.push(raw.to_owned()),
        "errors-to" => return held.errors_to.push(raw.to_owned()),
        "content-type" => report::rule(value, message),
        "auto-submitted" | "x-auto-submitted" => auto_submitted::rule(value),
        "precedence" | "x-precedence" => precedence::rule(value),
        "x-auto-response-suppress" => suppress::rule(value),
        "x-failed-recipients" => Some(Rule::FailedRecipients),
        "x-ms-exchange-message-is-ndr" | "x-dsncontext" => Some(Rule::MarkedReport),
        "content-class" => content_class(value),
        "return-path" | "x-envelope-from" | "x-original-return-path" => {
            (value == "<>").then_some(Rule::FormerNullPath)
        }
        "in-reply-to" | "thread-index" => (!value.is_empty()).then_some(Rule::Correspondence),
        "x-mailer" | "user-agent" | "x-powered-by" => autoreply::mailer(value)
            .or_else(|| machine::mailer(value))
            .or_else(|| machine::is_for_people(value).then_some(Rule::Correspondence)),
        "feedback-id" | "x-feedback-id" => machine::feedback(value),
        "x-autogenerated" | "x-auto-generated" => autoreply::autogenerated(value),
        "x-amazon-mail-relay-type" => value
            .eq_ignore_ascii_case("notification")
            .then_some(Rule::MachineField),
        "x-post-messageclass" => contains(value, "autoresponder").then_some(Rule::AutoreplyField),
        "x-ms-exchange-inbox-rules-loop" => Some(Rule::InboxRule),
        "x-ms-exchange-generated-message-source" => {
            contains(value, "rules agent").then_some(Rule::InboxRule)
        }
        "x-apple-action" => value
            .eq_ignore_ascii_case("vacation")
            .then_some(Rule::AutoreplyField),
        "delivered-to" => value
            .eq_ignore_ascii_case("autoresponder")
            .then_some(Rule::AutoreplyField),
        "x-loop" => {
            let own = transaction
                .recipients
                .iter()
                .any(|it| it.eq_ignore_ascii_case(value));
            if own {
                found.add(Rule::OwnLoopMark, shown, value);
            }
            Some(Rule::LoopMark)
        }
        _ if name == ours.trigger => trigger(value),
        _ if name == ours.account_id => Some(Rule::HelpDesk),
        _ if name.starts_with("list-") => list::rule(name),
        _ => list::rule(name)
            .or_else(|| machine::rule(name).filter(|_| !autoreply::is_no(value)))
            .or_else(|| autoreply::rule(name, value)),
    };
    if let Some(rule) = rule {
        found.add(rule, shown, value);
    }
}

fn trigger(value: &str) -> Option<Rule> {
    if value.eq_ignore_ascii_case("agent") {
        Some(Rule::AgentTrigger)
    } else if value.eq_ignore_ascii_case("automatic") {
        Some(Rule::AutomaticTrigger)
    } else {
        None
    }
}

/// Content-Class of Exchange.
fn content_class(value: &str) -> Option<Rule> {
    if contains(value, "content-classes:dsn") {
        Some(Rule::MarkedReport)
    } else if contains(value, "content-classes:mdn") {
        Some(Rule::DispositionReport)
    } else {
        None
    }
}

fn contains(value: &str, word: &str) -> bool {
    value.to_ascii_lowercase().contains(word)
}

fn envelope(transaction: &Transaction, found: &mut Found) {
    const PATH: &str = "MAIL FROM";
    let path = &transaction.mail_from;
    if path.is_empty() {
        found.add(Rule::NullReversePath, PATH, "null reverse-path");
        return;
    }
    let local = sender::unwrapped(path);
    if sender::is_daemon(&local) {
        found.add(Rule::MailerDaemon, PATH, path);
    } else if sender::is_of_list(&local) || local == "postmaster" || sender::wants_no_reply(&local)
    {
        // A form on a web page sends from such an address what a person wrote.
        found.add(Rule::SystemSender, PATH, path);
    }
    if sender::holds_recipient(&local) {
        found.add(Rule::Verp, PATH, path);
    }
    let recipients = &transaction.recipients;
    if recipients
        .iter()
        .any(|recipient| recipient.eq_ignore_ascii_case(path))
    {
        found.add(Rule::OwnAddress, PATH, path);
    }
}

/// What the author's name and address say.
fn authors(held: &Held, found: &mut Found) {
    for value in &held.from {
        if value.contains("<>") {
            found.add(Rule::SystemAuthor, "From", "<>");
        }
        for (name, address) in addresses(value) {
            let local = local_part(&address);
            if sender::is_daemon(&local) || sender::is_daemon(&name.to_lowercase()) {
                found.add(Rule::MailerDaemon, "From", &address);
            } else if is_mail_system(&name) {
                found.add(Rule::SystemAuthor, "From", &name);
            } else if local == "postmaster" {
                found.add(Rule::SystemAuthor, "From", &address);
                found.add(Rule::SystemSender, "From", &address);
            } else if sender::is_autoresponder(&local) {
                found.add(Rule::AutoresponderAddress, "From", &address);
            } else if sender::wants_no_reply(&local) {
                found.add(Rule::NoReplyAddress, "From", &address);
            } else if sender::sends_notices(&local) {
                found.add(Rule::NoticeAddress, "From", &address);
            }
        }
    }
}

/// The display names of mail systems.
fn is_mail_system(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "mail delivery system",
        "mail delivery subsystem",
        "mail delivery service",
        "internet mail delivery",
        "mail administrator",
        "system administrator",
        "postmaster",
        "mail system",
        "mail router",
        "mailer daemon",
        "mailer-daemon",
        "microsoft outlook",
    ];
    let lower = name.trim().to_lowercase();
    NAMES.contains(&lower.as_str())
}

/// What addresses say by standing in several places.
fn relations(transaction: &Transaction, held: &Held, found: &mut Found) {
    let of = |values: &[String]| -> Vec<String> {
        let all = values.iter().flat_map(|value| addresses(value));
        all.map(|(_, address)| address.to_lowercase()).collect()
    };
    let local = sender::unwrapped(&transaction.mail_from);
    let path = transaction.mail_from.to_lowercase();
    let suspicious = sender::is_of_list(&local);
    let any = suspicious
        || !held.sender.is_empty()
        || !held.reply_to.is_empty()
        || !held.errors_to.is_empty();
    if !any {
        return;
    }
    let from = of(&held.from);
    if suspicious && !from.contains(&path) {
        found.add(Rule::ListOwner, "MAIL FROM", &transaction.mail_from);
    }
    for address in of(&held.sender) {
        if sender::is_of_list(&local_part(&address)) && !from.contains(&address) {
            found.add(Rule::ListOwner, "Sender", &address);
        }
    }
    for address in of(&held.errors_to) {
        if !from.contains(&address) {
            found.add(Rule::ErrorsTo, "Errors-To", &address);
        }
    }
    if !held.reply_to.is_empty() {
        let to = of(&held.to);
        for address in of(&held.reply_to) {
            if from.contains(&address) {
                continue;
            }
            if to.contains(&address) {
                found.add(Rule::ReplyToList, "Reply-To", &address);
            } else if is_elsewhere(&address, &from) {
                found.add(Rule::ReplyElsewhere, "Reply-To", &address);
            }
        }
    }
}

/// Whether somebody reads this address, at the domain of none of these; all are in lower case.
fn is_elsewhere(address: &str, others: &[String]) -> bool {
    let Some((local, domain)) = address.rsplit_once('@') else {
        return false;
    };
    let is_there = |other: &String| matches!(other.rsplit_once('@'), Some((_, it)) if it == domain);
    let is_read = !sender::wants_no_reply(local) && !sender::sends_notices(local);
    is_read && !others.iter().any(is_there)
}

fn local_part(address: &str) -> String {
    let local = address.rsplit_once('@').map_or(address, |(local, _)| local);
    local.to_lowercase()
}
