//! One pass over the envelope and the header section.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use super::rule::Rule;
use super::{Classifier, Found};
use super::{
    auto_submitted, autoreply, list, machine, precedence, report, sender, subject, suppress,
};
use crate::header::Field;
use crate::header::read::{addresses, decoded};
use crate::{Message, Transaction, bounds};

/// What has to be held against other fields, or is read only where something else was found.
#[derive(Default)]
struct Held {
    from: Bodies,
    sender: Bodies,
    reply_to: Bodies,
    to: Bodies,
    errors_to: Bodies,
    subjects: Bodies,
}

/// The bodies of all fields of one kind, together no longer than one field may be.
#[derive(Default)]
struct Bodies {
    all: Vec<String>,
    octets: usize,
}

impl Bodies {
    fn hold(&mut self, field: Field<'_>, most: usize) {
        let left = most.saturating_sub(self.octets);
        if left > 0 {
            let body = field.text(left);
            self.octets += body.len().max(1);
            self.all.push(body);
        }
    }

    fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The addresses in them, in lower case.
    fn addresses(&self) -> Vec<String> {
        let all = self.named().into_iter();
        all.map(|(_, address)| address.to_lowercase()).collect()
    }

    /// Names and addresses in them.
    fn named(&self) -> Vec<(String, String)> {
        let all = self.all.iter().flat_map(|body| addresses(body));
        all.take(bounds::ADDRESSES).collect()
    }
}

/// Octets that are read of a field in which an honest message has an address or two.
const FEW: usize = 4 << 10;

/// The pass.
struct Pass<'a> {
    ours: &'a Classifier,
    transaction: &'a Transaction,
    message: &'a dyn Message,
    held: Held,
    found: &'a mut Found,
    /// What the body of a report is of: it is looked into once, however often it is asked.
    report: OnceCell<Option<Rule>>,
    /// The recipients in lower case, once they are asked for.
    recipients: OnceCell<BTreeSet<String>>,
    /// Fields that name the program which are still to be read.
    programs: usize,
}

/// Octets of a field's body that are read where it has a word or two to say.
const WORDS: usize = 400;

/// Fields that name the program of which the names are read: an honest message has one or two.
const PROGRAMS: usize = 5;

pub(super) fn find(
    ours: &Classifier,
    transaction: &Transaction,
    message: &dyn Message,
    found: &mut Found,
) {
    let section = message.section();
    let mut pass = Pass {
        ours,
        transaction,
        message,
        held: Held::default(),
        found,
        report: OnceCell::new(),
        recipients: OnceCell::new(),
        programs: PROGRAMS,
    };
    let mut lower = [0; LONGEST];
    for field in section.fields() {
        let name = field.name();
        let Some(lower) = lower.get_mut(..name.len()) else {
            continue;
        };
        lower.copy_from_slice(name);
        lower.make_ascii_lowercase();
        if is_of_no_interest(lower) {
            continue;
        }
        if let (Ok(lower), Ok(shown)) = (str::from_utf8(lower), str::from_utf8(name)) {
            pass.field(lower, shown, field);
        }
    }
    pass.envelope();
    let Pass { held, found, .. } = pass;
    let from = held.from.named();
    authors(&held, &from, found);
    relations(transaction, &held, &from, found);
    // The subject only backs what something else says, so it need not be read where nothing does.
    let evidence = !found.is_empty();
    for value in &held.subjects.all {
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

impl Pass<'_> {
    /// What one field says; `name` in lower case, `shown` as it stands.
    fn field(&mut self, name: &str, shown: &str, field: Field<'_>) {
        let held = &mut self.held;
        match name {
            "from" => return held.from.hold(field, bounds::LIST),
            "sender" => return held.sender.hold(field, FEW),
            "reply-to" => return held.reply_to.hold(field, FEW),
            "to" | "cc" => return held.to.hold(field, bounds::LIST),
            "subject" => return held.subjects.hold(field, bounds::TEXT),
            "errors-to" => return held.errors_to.hold(field, FEW),
            _ => {}
        }
        let text = field.text(WORDS);
        let value = text.trim();
        let rule = self.rule(name, shown, value);
        if let Some(rule) = rule {
            self.found.add(rule, shown, value);
        }
    }

    fn rule(&mut self, name: &str, shown: &str, value: &str) -> Option<Rule> {
        match name {
            "content-type" => {
                let (message, report) = (self.message, &self.report);
                report::rule(value, || {
                    *report.get_or_init(|| report::in_body_of(message))
                })
            }
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
            "x-mailer" | "user-agent" | "x-powered-by" => {
                self.programs = self.programs.checked_sub(1)?;
                autoreply::mailer(value)
                    .or_else(|| machine::mailer(value))
                    .or_else(|| machine::is_for_people(value).then_some(Rule::Correspondence))
            }
            "feedback-id" | "x-feedback-id" => machine::feedback(value),
            "x-autogenerated" | "x-auto-generated" => autoreply::autogenerated(value),
            "x-amazon-mail-relay-type" => value
                .eq_ignore_ascii_case("notification")
                .then_some(Rule::MachineField),
            "x-post-messageclass" => {
                contains(value, "autoresponder").then_some(Rule::AutoreplyField)
            }
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
                if self.is_recipient(value) {
                    self.found.add(Rule::OwnLoopMark, shown, value);
                }
                Some(Rule::LoopMark)
            }
            _ if name == self.ours.trigger => trigger(value),
            _ if name == self.ours.account_id => Some(Rule::HelpDesk),
            _ if name.starts_with("list-") => list::rule(name),
            _ => list::rule(name)
                .or_else(|| machine::rule(name).filter(|_| !autoreply::is_no(value)))
                .or_else(|| autoreply::rule(name, value)),
        }
    }

    fn is_recipient(&self, address: &str) -> bool {
        let lower = |recipient: &String| recipient.to_ascii_lowercase();
        let all = || self.transaction.recipients.iter().map(lower).collect();
        let recipients = self.recipients.get_or_init(all);
        recipients.contains(&address.to_ascii_lowercase())
    }

    fn envelope(&mut self) {
        const PATH: &str = "MAIL FROM";
        let path = &self.transaction.mail_from;
        if path.is_empty() {
            self.found
                .add(Rule::NullReversePath, PATH, "null reverse-path");
            return;
        }
        let local = sender::unwrapped(path);
        if sender::is_daemon(&local) {
            self.found.add(Rule::MailerDaemon, PATH, path);
        } else if sender::is_of_list(&local)
            || local == "postmaster"
            || sender::wants_no_reply(&local)
        {
            // A form on a web page sends from such an address what a person wrote.
            self.found.add(Rule::SystemSender, PATH, path);
        }
        if sender::holds_recipient(&local) {
            self.found.add(Rule::Verp, PATH, path);
        }
        let recipients = &self.transaction.recipients;
        if recipients
            .iter()
            .any(|recipient| recipient.eq_ignore_ascii_case(path))
        {
            self.found.add(Rule::OwnAddress, PATH, path);
        }
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

/// What the author's name and address say.
fn authors(held: &Held, from: &[(String, String)], found: &mut Found) {
    if held.from.all.iter().any(|value| value.contains("<>")) {
        found.add(Rule::SystemAuthor, "From", "<>");
    }
    for (name, address) in from {
        let local = local_part(address);
        if sender::is_daemon(&local) || sender::is_daemon(&name.to_lowercase()) {
            found.add(Rule::MailerDaemon, "From", address);
        } else if is_mail_system(name) {
            found.add(Rule::SystemAuthor, "From", name);
        } else if local == "postmaster" {
            found.add(Rule::SystemAuthor, "From", address);
            found.add(Rule::SystemSender, "From", address);
        } else if sender::is_autoresponder(&local) {
            found.add(Rule::AutoresponderAddress, "From", address);
        } else if sender::wants_no_reply(&local) {
            found.add(Rule::NoReplyAddress, "From", address);
        } else if sender::sends_notices(&local) {
            found.add(Rule::NoticeAddress, "From", address);
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
fn relations(transaction: &Transaction, held: &Held, from: &[(String, String)], found: &mut Found) {
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
    let from: BTreeSet<String> = from.iter().map(|(_, it)| it.to_lowercase()).collect();
    if suspicious && !from.contains(&path) {
        found.add(Rule::ListOwner, "MAIL FROM", &transaction.mail_from);
    }
    for address in held.sender.addresses() {
        if sender::is_of_list(&local_part(&address)) && !from.contains(&address) {
            found.add(Rule::ListOwner, "Sender", &address);
        }
    }
    for address in held.errors_to.addresses() {
        if !from.contains(&address) {
            found.add(Rule::ErrorsTo, "Errors-To", &address);
        }
    }
    if !held.reply_to.is_empty() {
        let to: BTreeSet<String> = held.to.addresses().into_iter().collect();
        let domains = from.iter().filter_map(|author| author.rsplit_once('@'));
        let domains: BTreeSet<&str> = domains.map(|(_, domain)| domain).collect();
        for address in held.reply_to.addresses() {
            if from.contains(&address) {
                continue;
            }
            if to.contains(&address) {
                found.add(Rule::ReplyToList, "Reply-To", &address);
            } else if is_elsewhere(&address, &domains) {
                found.add(Rule::ReplyElsewhere, "Reply-To", &address);
            }
        }
    }
}

/// Whether somebody reads this address, at none of these domains; all are in lower case.
fn is_elsewhere(address: &str, domains: &BTreeSet<&str>) -> bool {
    let Some((local, domain)) = address.rsplit_once('@') else {
        return false;
    };
    let is_read = !sender::wants_no_reply(local) && !sender::sends_notices(local);
    is_read && !domains.contains(domain)
}

fn local_part(address: &str) -> String {
    let local = address.rsplit_once('@').map_or(address, |(local, _)| local);
    local.to_lowercase()
}
