//! One pass over the envelope and the header section.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use super::phrase_search::{self, FoundPhrases, PhraseKind};
use super::rule::Rule;
use super::set::Set;
use super::{Classifier, Evidence, FoundEvidence};
use super::{
    auto_submitted, autoreply, list, machine, precedence, report, sender, subject, suppress, text,
};
use crate::header::Field;
use crate::header::read::{addresses, decoded};
use crate::{Message, Transaction, bounds, is_support_address, knows_addresses};

/// Field bodies that are compared with other fields, or read only if something else was found.
#[derive(Default)]
struct HeldFields {
    from: FieldBodies,
    sender: FieldBodies,
    reply_to: FieldBodies,
    to: FieldBodies,
    errors_to: FieldBodies,
    subjects: FieldBodies,
    /// Bodies of the fields that name the message's mailing list.
    lists: FieldBodies,
    /// Bodies of the fields in which Exchange's inbox rules name their mailbox.
    inbox_rules: FieldBodies,
    types: FieldBodies,
    encodings: FieldBodies,
    /// True if the message names another that it answers.
    answers: bool,
}

/// Bodies of all fields of one kind, in total no longer than one field may be.
#[derive(Default)]
struct FieldBodies {
    all: Vec<String>,
    octets: usize,
    /// Names and addresses in the bodies, read at the first request, because reading them costs
    /// most.
    named: OnceCell<Vec<(String, String)>>,
}

impl FieldBodies {
    fn add(&mut self, field: Field<'_>, most: usize) {
        let left = most.saturating_sub(self.octets);
        if left > 0 {
            let body = field.text(left);
            self.octets += body.len().max(1);
            self.all.push(body);
            self.named = OnceCell::new();
        }
    }

    fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Returns the addresses in the bodies, in lower case.
    fn addresses(&self) -> Vec<String> {
        let all = self.named().iter();
        all.map(|(_, address)| address.to_lowercase()).collect()
    }

    /// Returns the names and addresses in the bodies.
    fn named(&self) -> &[(String, String)] {
        self.named.get_or_init(|| {
            let all = self.all.iter().flat_map(|body| addresses(body));
            all.take(bounds::ADDRESSES).collect()
        })
    }
}

/// Octets that are read of a field which in honest mail has an address or two.
const ADDRESS_OCTETS: usize = 4 << 10;

/// State of the pass.
struct FieldPass<'a> {
    ours: &'a Classifier,
    transaction: &'a Transaction,
    message: &'a dyn Message,
    held: HeldFields,
    found: &'a mut FoundEvidence,
    /// Rule of a report's body, which is searched at most once.
    report: OnceCell<Option<Rule>>,
    /// Recipients in lower case, read at the first request.
    recipients: OnceCell<BTreeSet<String>>,
    /// Domains of the recipients, read at the first request.
    domains: OnceCell<BTreeSet<String>>,
    /// Number of fields naming the program that may still be read.
    programs: usize,
    /// Octets of fields that may still be read.
    left: usize,
}

/// Octets that are read of a field's body in which a word or two are expected.
const WORD_OCTETS: usize = 400;

/// Octets of all those bodies in total. The marks of honest mail are within the first few KiB.
const ALL_WORD_OCTETS: usize = 128 << 10;

/// Fields naming the program that are read: honest mail has one or two.
const PROGRAMS: usize = 5;

pub(super) fn find(
    ours: &Classifier,
    transaction: &Transaction,
    message: &dyn Message,
    found: &mut FoundEvidence,
) {
    let section = message.section();
    let mut pass = FieldPass {
        ours,
        transaction,
        message,
        held: HeldFields::default(),
        found,
        report: OnceCell::new(),
        recipients: OnceCell::new(),
        domains: OnceCell::new(),
        programs: PROGRAMS,
        left: ALL_WORD_OCTETS,
    };
    let mut lower = [0; LONGEST_NAME];
    for field in section.fields() {
        let name = field.name();
        let Some(lower) = lower.get_mut(..name.len()) else {
            continue;
        };
        lower.copy_from_slice(name);
        lower.make_ascii_lowercase();
        if *lower == *b"received" && pass.left > 0 {
            pass.received(field);
        }
        if carries_no_evidence(lower) {
            continue;
        }
        if let (Ok(lower), Ok(shown)) = (str::from_utf8(lower), str::from_utf8(name)) {
            pass.field(lower, shown, field);
        }
    }
    pass.envelope();
    let FieldPass { held, found, .. } = pass;
    let from = held.from.named();
    let author = authors(&held, from, found);
    relation_evidence(transaction, &held, from, found);
    let subjects: Vec<DecodedSubject> = held
        .subjects
        .all
        .iter()
        .map(|value| DecodedSubject::of(value))
        .collect();
    subject_evidence(&subjects, found);
    if held
        .to
        .all
        .iter()
        .any(|to| contains(to, "undisclosed") || contains(to, "unlisted-rec"))
    {
        found.add(Rule::Undisclosed, "To", "undisclosed recipients");
    }
    let recipients: Vec<String> = transaction
        .recipients
        .iter()
        .take(bounds::ADDRESSES)
        .map(|to| to.to_lowercase())
        .collect();
    // A circular goes to its author, and to all others in Bcc.
    let to = held.to.addresses();
    let authors = held.from.addresses();
    if !to.is_empty()
        && to.iter().all(|address| authors.contains(address))
        && !to.iter().any(|address| recipients.contains(address))
    {
        found.add(Rule::Undisclosed, "To", "the author");
    }
    let read = message.body_chunk(0, text::READ);
    let authors = recipients
        .get(..recipients.len().min(AUTHORS))
        .unwrap_or_default();
    let text = text::read(&read, &held.types.all, &held.encodings.all, authors);
    let complaint = subjects
        .iter()
        .any(|subject| subject::is_complaint(&subject.lower));
    if complaint && text.returned {
        found.add(Rule::MailReport, "Subject", "message complained about");
    }
    text_evidence(&text, &recipients, &held, found);
    answer_evidence(&text, &author, &held, found);
    forwarding_evidence(transaction, &held, &subjects, found);
    own_list_evidence(&recipients, &held, found);
    circular_evidence(&held, found);
}

/// Recipients that a circular names at least.
const CIRCULAR_RECIPIENTS: usize = 10;

/// Domains of a circular's recipients at least: colleagues share one.
const CIRCULAR_DOMAINS: usize = 5;

/// Finds a message to many recipients who do not work together.
fn circular_evidence(held: &HeldFields, found: &mut FoundEvidence) {
    let named = held.to.named();
    if named.len() < CIRCULAR_RECIPIENTS {
        return;
    }
    let at = |address: &str| Some(address.rsplit_once('@')?.1.to_ascii_lowercase());
    let domains: BTreeSet<String> = named.iter().filter_map(|(_, it)| at(it)).collect();
    if domains.len() >= CIRCULAR_DOMAINS {
        let count = format!("{} recipients", named.len());
        found.add(Rule::ManyRecipients, "To", &count);
    }
}

/// Finds the evidence of the text.
fn text_evidence(
    text: &text::Text,
    recipients: &[String],
    held: &HeldFields,
    found: &mut FoundEvidence,
) {
    const TEXT: &str = "text";
    let said = &text.said;
    for (rule, phrase) in [
        (Rule::AutomaticText, said.get(PhraseKind::Automatic)),
        (Rule::FailureText, said.get(PhraseKind::Failure)),
        (Rule::FailureWords, text.failure_words),
        (Rule::AbsenceText, said.get(PhraseKind::Absence)),
        (Rule::ReceiptText, said.get(PhraseKind::Receipt)),
        (Rule::NoticeText, said.get(PhraseKind::Notice)),
        (Rule::NoticeTopic, said.get(PhraseKind::Topic)),
        (Rule::BulkText, text.bulk),
        (Rule::Digest, said.get(PhraseKind::Digest)),
        (Rule::ToMany, said.get(PhraseKind::ToMany)),
        (Rule::Form, text.passed_on),
        (Rule::OptOut, text.opt_out),
        (Rule::Challenge, said.get(PhraseKind::Challenge)),
        (Rule::MailProgram, said.get(PhraseKind::Telephone)),
    ] {
        if let Some(phrase) = phrase {
            found.add(rule, TEXT, phrase);
        }
    }
    let template = said.count(PhraseKind::Absence) >= 2 || said.count(PhraseKind::Receipt) >= 3;
    let is_letter = is_letter(text, held);
    let nobody = !is_first_person(text) && !text.layout.asks;
    let impersonal = nobody && !text.own.trim().is_empty() && !is_signed(&text.own, held);
    let marks = [
        (Rule::TrackingPixel, text.pixel, "picture of one pixel"),
        (
            Rule::ReturnedMessage,
            text.returned,
            "a recipient's own message",
        ),
        (
            Rule::HeaderInText,
            text.header_in_text,
            "Received and others",
        ),
        (Rule::Form, text.layout.form, "fields of a form"),
        (
            Rule::Records,
            text.layout.records && !text.layout.form,
            "labels and values",
        ),
        (Rule::AnswerTemplate, template, "several phrases"),
        (
            Rule::NoticeTemplate,
            nobody && said.apart(PhraseKind::Notice) > 1,
            "several phrases",
        ),
        (Rule::OptOutTemplate, text.opts_out, "several phrases"),
        (
            Rule::ReturnedFields,
            text.layout.returned,
            "addressee and reason",
        ),
        (Rule::Quotation, text.quotes, "quoted"),
        (Rule::Letter, is_letter, "a letter"),
        (Rule::Asks, text.layout.asks, "a question"),
        (Rule::FirstPerson, is_first_person(text), "I"),
        (Rule::Impersonal, impersonal, "nobody speaks"),
        (Rule::Link, impersonal && text.layout.link, "a page"),
        (Rule::HtmlOnly, text.html_only, "HTML"),
        (Rule::MailReport, text.complaint, "message complained about"),
    ];
    for (rule, is_so, shown) in marks {
        if is_so {
            found.add(rule, TEXT, shown);
        }
    }
    if found.has_any(Set::of(&[Rule::FailureText, Rule::FailureWords]))
        && let Some(other) = other_address(&text.begins, recipients, held)
    {
        found.add(Rule::FailedAddress, TEXT, &other);
    }
    let mut letters = text.own.chars().filter(|c| c.is_alphanumeric());
    if letters.nth(1).is_some() {
        found.add(Rule::OwnText, TEXT, "own");
    }
    if text.calendar.as_deref() == Some("REPLY") {
        found.add(Rule::CalendarReply, TEXT, "METHOD:REPLY");
    }
}

/// Subject of a message.
struct DecodedSubject {
    /// Text, decoded.
    text: String,
    /// The same in [lower](subject::lower) case.
    lower: String,
}

impl DecodedSubject {
    fn of(body: &str) -> Self {
        let text = decoded(body);
        let lower = subject::lower(&text);
        Self { text, lower }
    }
}

/// Subjects of which evidence is taken. Honest mail has one (RFC 5322 section 3.6); phrases are searched
/// for in each.
const SUBJECTS: usize = 16;

/// Finds the evidence of the first [`SUBJECTS`].
fn subject_evidence(subjects: &[DecodedSubject], found: &mut FoundEvidence) {
    const SUBJECT: &str = "Subject";
    for DecodedSubject { text, lower } in subjects.iter().take(SUBJECTS) {
        if let Some(rule) = subject::rule(lower) {
            found.add(rule, SUBJECT, text);
        }
        let plain = phrase_search::plain(text);
        let said = FoundPhrases::of(&plain);
        let failure = || said.get(PhraseKind::FailureWords).is_some();
        for (rule, is_so) in [
            (
                Rule::NewsletterSubject,
                subject::is_newsletter(lower) || said.get(PhraseKind::ToMany).is_some(),
            ),
            (
                Rule::FailureSubject,
                subject::mentions_failure(lower) || failure(),
            ),
            (Rule::Digest, subject::is_digest(&plain)),
            (Rule::ReceiptSubject, subject::is_ticket_opened(&plain)),
            (Rule::QuotesSubject, subject::quotes_another(lower)),
            (
                Rule::NoticeSubject,
                said.get(PhraseKind::NoticeSubject).is_some() || subject::has_notice_word(&plain),
            ),
            (
                Rule::ReceiptSubject,
                said.get(PhraseKind::ReceiptSubject).is_some(),
            ),
            (Rule::Form, said.get(PhraseKind::FormSubject).is_some()),
            (Rule::AbsenceSubject, subject::ends_with_absence(lower)),
            (Rule::AnswerSubject, subject::begins_as_answer(lower)),
        ] {
            if is_so {
                found.add(rule, SUBJECT, text);
            }
        }
    }
}

/// Returns true if two of three hold: the author speaks in the first person, asks, and has signed.
fn is_letter(text: &text::Text, held: &HeldFields) -> bool {
    match (is_first_person(text), text.layout.asks) {
        (true, true) => true,
        (false, false) => false,
        _ => is_signed(&text.own, held),
    }
}

/// Returns true if the author says `I`.
fn is_first_person(text: &text::Text) -> bool {
    text.layout.capital_i || text.said.get(PhraseKind::FirstPerson).is_some()
}

/// Names that are looked for below the text.
const NAMES: usize = 4;

/// Lines at the end of a text in which a signature is looked for.
const LAST_LINES: usize = 8;

/// Octets of a long last line in which a signature is looked for.
const END_OCTETS: usize = 24;

/// Returns true if one of the last lines has a word of a person's name that From or Reply-To gives.
fn is_signed(own: &str, held: &HeldFields) -> bool {
    let lines = || own.lines().rev().filter(|line| !line.trim().is_empty());
    let short = lines()
        .take(LAST_LINES)
        .filter(|line| line.len() < 80 && !line.contains('?') && !line.contains("://"));
    // Some people sign on the line of their last words.
    let end = |line: &str| {
        let from = line.ceil_char_boundary(line.len().saturating_sub(END_OCTETS));
        line.get(from..).map(phrase_search::plain)
    };
    let ends = lines().take(1).filter_map(end);
    let last: Vec<String> = short.map(phrase_search::plain).chain(ends).collect();
    let names = held.from.named().iter().chain(held.reply_to.named());
    names.take(NAMES).any(|(name, _)| {
        let name = phrase_search::plain(name);
        let words = names_of_person(&name);
        !words.is_empty()
            && last.iter().any(|line| {
                let mut of_line = line.split(|c: char| !c.is_alphanumeric());
                of_line.any(|word| words.contains(&word))
                    || !name.is_ascii() && line.contains(&name)
            })
    })
}

/// Returns the words of a person's display name in plain form; none if it is a firm's or a team's.
fn names_of_person(name: &str) -> Vec<&str> {
    #[rustfmt::skip]
    const OF_OTHERS: &[&str] = &[
        "team", "support", "service", "services", "desk", "helpdesk", "system", "admin", "mail",
        "shop", "store", "info", "office", "sales", "customer", "care", "kundenservice", "noreply",
        "notification", "notifications", "alerts", "alert", "news", "newsletter", "accounts",
        "billing", "the", "gmbh", "ltd", "inc", "llc", "www", "com",
    ];
    let words = name.split(|c: char| !c.is_alphanumeric());
    let words: Vec<&str> = words
        .filter(|word| word.chars().nth(1).is_some() && !matches!(*word, "from" | "via"))
        .take(6)
        .collect();
    match words.iter().any(|word| OF_OTHERS.contains(word)) {
        true => Vec::new(),
        false => words,
    }
}

/// Returns an address in the text that is neither the author's nor a recipient's.
fn other_address(text: &str, recipients: &[String], held: &HeldFields) -> Option<String> {
    let from = held.from.addresses();
    let words = text.split(|c: char| c.is_whitespace() || "<>()[]\",;:'|=".contains(c));
    let mut addresses = words
        .map(|word| word.trim_matches(['.', '*', '_', '!', '?']))
        .filter(|word| {
            word.split_once('@')
                .is_some_and(|(local, at)| !local.is_empty() && at.contains('.') && at.len() > 3)
        });
    addresses
        .find(|address| {
            let is = |known: &String| known == address;
            !recipients.iter().any(is) && !from.iter().any(is)
        })
        .map(str::to_owned)
}

/// Octets before a name that may hold its owner's title: `L'utilisateur`.
const TITLE_OCTETS: usize = 20;

/// Finds the evidence of a typed answer.
fn answer_evidence(text: &text::Text, author: &str, held: &HeldFields, found: &mut FoundEvidence) {
    let of_machine = found.has_any(Set::of(&[
        Rule::AutomaticSubject,
        Rule::AbsenceSubject,
        Rule::AwaySubject,
        Rule::BounceSubject,
        Rule::Challenge,
        Rule::HeldByList,
        Rule::MachineSubject,
    ]));
    let as_answer = Set::of(&[Rule::AnswerSubject, Rule::MailProgram, Rule::Threaded]);
    let answers = held.answers && found.has(Rule::OwnText) && !of_machine;
    if answers && found.has_any(as_answer) {
        found.add(Rule::TypedReply, "text", "above what is answered");
    }
    // A calendar names its owner who has accepted; people do not name themselves first.
    let name = phrase_search::plain(author);
    let names = held.from.addresses().into_iter().chain([name]);
    let first = phrase_search::plain(text.own.lines().next().unwrap_or_default());
    let told = |name: &String| {
        let at = first.find(name.as_str());
        // `The user Ann Weaver has accepted`
        !name.is_empty() && at.is_some_and(|at| at < TITLE_OCTETS && at + name.len() < first.len())
    };
    if found.has(Rule::CalendarReply) && names.into_iter().any(|name| told(&name)) {
        found.add(Rule::AutomaticText, "text", "author's name");
    }
    // A notice for customers: `Ann (Wool Shop)`, or `Ann commented:`, with a line above which to
    // answer.
    let author = phrase_search::plain(author);
    let notice = || text.begins.contains("reply above this line");
    let (name, rest) = author.split_once(" (").unwrap_or((&author, ""));
    let comments = || text.begins.contains(&format!("{author} commented"));
    if held.answers
        && !name.is_empty()
        && !author.starts_with("automation")
        && notice()
        && (rest.ends_with(')') || comments())
    {
        found.add(Rule::AgentComment, "From", &author);
    }
    // Other desks give an agent's words without the name; their own templates ask for nothing and
    // have no `I`.
    let own = [
        Rule::ReceiptText,
        Rule::NoticeText,
        Rule::AutomaticSubject,
        Rule::AutoReplied,
    ];
    let desks = [Rule::HelpDesk, Rule::DeskAccount];
    if found.has_any(Set::of(&desks))
        && is_first_person(text)
        && found.has(Rule::Letter)
        && !found.has_any(Set::of(&own))
    {
        found.add(Rule::AgentComment, "text", "a letter");
    }
}

/// Finds traces of forwarding servers, and withdraws marks that they added.
fn forwarding_evidence(
    transaction: &Transaction,
    held: &HeldFields,
    subjects: &[DecodedSubject],
    found: &mut FoundEvidence,
) {
    let from: BTreeSet<String> = held.from.addresses().into_iter().collect();
    if sender::is_forwarded(&transaction.mail_from) {
        found.add(Rule::Relayed, "MAIL FROM", &transaction.mail_from);
    }
    // A rule that answers does it in its owner's name; one that forwards, in the author's.
    for mailbox in held.inbox_rules.addresses() {
        if !from.is_empty() && !from.contains(&mailbox) {
            found.add(Rule::Relayed, "X-MS-Exchange-Inbox-Rules-Loop", &mailbox);
        }
    }
    if found.has(Rule::InboxRule)
        && subjects
            .iter()
            .any(|subject| subject::is_forward(&subject.lower))
    {
        found.add(Rule::Relayed, "Subject", "forwarded by a rule");
        found.add(Rule::RuleForward, "Subject", "forwarded by a rule");
    }
    let answers = Set::of(&[
        Rule::AutomaticSubject,
        Rule::AbsenceSubject,
        Rule::AwaySubject,
        Rule::SuppressAll,
        Rule::SuppressAnswers,
        Rule::NoReplyAddress,
    ]);
    // Exchange suppresses answers in mail that it hands to a group's members, who are not in To.
    let to: BTreeSet<String> = held.to.addresses().into_iter().collect();
    let named = |recipient: &String| to.contains(&recipient.to_lowercase());
    let is_groups = |mark: &Evidence| {
        let value = mark.text.to_ascii_lowercase();
        mark.rule == Rule::SuppressAnswers && !value.contains("rn")
    };
    if !to.is_empty()
        && found.evidence.iter().any(is_groups)
        && !transaction
            .recipients
            .iter()
            .take(bounds::ADDRESSES)
            .any(named)
    {
        found.withdraw(Rule::SuppressAnswers);
        found.add(Rule::Relayed, "To", "a group");
    }
    // The customer's own server marks mail that it forwards from another address of the account.
    let ours = || {
        let elsewhere = |address: &&String| !transaction.recipients.contains(address);
        to.iter()
            .filter(elsewhere)
            .take(SUPPORT)
            .any(|address| is_support_address(address))
    };
    if found.has(Rule::Forwarded) && !found.has(Rule::Relayed) && ours() {
        found.add(Rule::Relayed, "To", "another address of the account");
    }
    // Microsoft 365 marks mail that an inbox rule forwards as generated, whoever wrote it.
    if found.has(Rule::InboxRule)
        && found.has(Rule::Relayed)
        && (!found.has_any(answers) || found.has(Rule::RuleForward))
        && let Some(mark) = found.withdraw(Rule::AutoGenerated)
    {
        found.add(Rule::Forwarded, &mark.field, &mark.text);
    }
}

/// Addresses that are looked up as the account's.
const SUPPORT: usize = 8;

/// Lists that are compared with the recipients: a message names one, several times.
const LISTS: usize = 16;

/// Recipients whose own messages are looked for among the attached.
const AUTHORS: usize = 16;

/// Finds lists that mail reaches the help desk through: a list of the recipient's own, or the
/// address of a team. Fields that such a list adds say nothing about the author.
fn own_list_evidence(recipients: &[String], held: &HeldFields, found: &mut FoundEvidence) {
    let to: BTreeSet<String> = held.to.addresses().into_iter().collect();
    let all = held
        .lists
        .all
        .iter()
        .flat_map(|value| list::addresses(value));
    // Somebody who answers others there talks to the list's members.
    let talks = found.has_any(Set::of(&[
        Rule::Correspondence,
        Rule::Quotation,
        Rule::AnswerSubject,
    ])) && !found.has(Rule::AnswersUs);
    let own = all.take(LISTS).find(|(local, domain)| {
        let list = format!("{local}@{domain}");
        // A customer may connect a list, which forwards to another address of the account.
        if is_support_address(&list) && (!talks || knows_addresses()) {
            return true;
        }
        let ours = recipients.iter().any(|recipient| {
            let at = recipient.rsplit_once('@').map_or("", |(_, at)| at);
            // A list named after its topic is one on which many talk.
            *domain == at && !domain.starts_with("lists.") && !domain.starts_with("list.")
        });
        ours && !talks || sender::is_team_address(local, domain) && to.contains(&list)
    });
    let Some((local, domain)) = own else { return };
    for rule in [
        Rule::ListField,
        Rule::ListUnsubscribe,
        Rule::ListManagerField,
        Rule::ListPrecedence,
        Rule::BulkPrecedence,
        Rule::ListOwner,
        Rule::ReplyToList,
        Rule::ErrorsTo,
        Rule::Verp,
        Rule::LoopMark,
        Rule::OwnLoopMark,
        Rule::SystemSender,
    ] {
        found.withdraw(rule);
    }
    found.add(Rule::OwnList, "List-Id", &format!("{local}@{domain}"));
}

/// Octets of the longest name that means anything.
const LONGEST_NAME: usize = 76;

/// Returns true for most fields, which carry no evidence.
fn carries_no_evidence(name: &[u8]) -> bool {
    matches!(
        name,
        b"received"
            | b"dkim-signature"
            | b"date"
            | b"mime-version"
            | b"references"
            | b"content-language"
            | b"thread-topic"
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
                    | b"x-ms-exchange-forwardingloop"
                    | b"x-ms-exchange-generated-message-source"
            )
}

impl FieldPass<'_> {
    /// Finds the evidence of a Received field: a local program that submitted the message.
    fn received(&mut self, field: Field<'_>) {
        let text = field.text(WORD_OCTETS.min(self.left));
        self.left -= text.len().min(self.left);
        if machine::is_local_program(text.as_bytes()) {
            self.found
                .add(Rule::LocalProgram, "Received", "by a program");
        }
    }

    /// Finds the evidence of one field; `name` in lower case, `shown` as it stands.
    fn field(&mut self, name: &str, shown: &str, field: Field<'_>) {
        let held = &mut self.held;
        match name {
            "from" => return held.from.add(field, bounds::LIST),
            "sender" => return held.sender.add(field, ADDRESS_OCTETS),
            "reply-to" => return held.reply_to.add(field, ADDRESS_OCTETS),
            "to" | "cc" => return held.to.add(field, bounds::LIST),
            "subject" => return held.subjects.add(field, bounds::TEXT),
            "errors-to" => return held.errors_to.add(field, ADDRESS_OCTETS),
            "content-transfer-encoding" => return held.encodings.add(field, WORD_OCTETS),
            "content-type" => {
                held.types.add(field, bounds::TEXT);
            }
            "list-id" | "list-post" | "x-beenthere" | "mailing-list" => {
                held.lists.add(field, bounds::TEXT);
            }
            "x-ms-exchange-inbox-rules-loop" | "x-ms-exchange-forwardingloop" => {
                held.inbox_rules.add(field, bounds::TEXT);
            }
            _ => {}
        }
        let text = field.text(WORD_OCTETS.min(self.left));
        self.left -= text.len().min(self.left);
        let value = text.trim();
        let rule = self.rule(name, shown, value);
        if let Some(rule) = rule {
            self.found.add(rule, shown, value);
        }
    }

    fn rule(&mut self, name: &str, shown: &str, value: &str) -> Option<Rule> {
        match name {
            "content-type" => {
                // Drupal breaks its lines so as well, and adds `delsp`.
                if contains(value, "format=flowed") && !contains(value, "delsp") {
                    self.found.add(Rule::Flowed, shown, "format=flowed");
                }
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
            "in-reply-to" => {
                self.held.answers |= !value.is_empty();
                if self.is_id_of_recipient(value) {
                    self.found.add(Rule::AnswersUs, shown, value);
                }
                (!value.is_empty()).then_some(Rule::Correspondence)
            }
            "thread-index" => (!value.is_empty()).then_some(Rule::Threaded),
            // A person's client hands a message to Exchange with a language.
            "accept-language" => (!value.is_empty()).then_some(Rule::MailProgram),
            "x-gmail-original-message-id" => Some(Rule::MailProgram),
            "message-id" => {
                let of_web_mail = machine::is_web_mail_id(value).then_some(Rule::MailProgram);
                let bare = || machine::is_bare_host_id(value).then_some(Rule::BareHost);
                let library = || machine::is_script_library_id(value).then_some(Rule::Script);
                of_web_mail.or_else(library).or_else(bare)
            }
            // RFC 7293, and the fields of DocuSign: for an account, or for one document.
            "require-recipient-valid-since" | "recipient-id" | "site-id" => {
                (!value.is_empty()).then_some(Rule::TemplateField)
            }
            "x-php-originating-script" | "x-php-script" => {
                if machine::is_form_script(value) {
                    self.found.add(Rule::Form, shown, value);
                }
                if machine::is_answer_mark(value) {
                    self.found.add(Rule::AnswerMark, shown, value);
                }
                Some(Rule::Script)
            }
            "x-forwarded-to"
            | "x-forwarded-for"
            | "resent-from"
            | "resent-to"
            | "resent-sender"
            | "x-sieve-redirected-from" => (!value.is_empty()).then_some(Rule::Relayed),
            // Certified mail (Italy, DM 2 November 2005): receipts and errors.
            "x-ricevuta" => (!value.is_empty()).then_some(Rule::MarkedReport),
            // Web mail records the client that wrote the message.
            "x-originating-client" | "x-ui-sender-class" => {
                (!value.is_empty()).then_some(Rule::MailProgram)
            }
            "x-ms-mail-application" => {
                let flow = contains(value, "power automate") || contains(value, "microsoft-flow");
                (flow || contains(value, "logic-apps")).then_some(Rule::MachineField)
            }
            "x-github-reason" => {
                let machine = ["ci_activity", "security_alert", "approval_requested"];
                let is_machine = machine.iter().any(|it| value.eq_ignore_ascii_case(it));
                let rule = if is_machine {
                    Rule::NoticeField
                } else {
                    Rule::ListManagerField
                };
                Some(rule)
            }
            "x-mailer" | "user-agent" | "x-powered-by" => {
                self.programs = self.programs.checked_sub(1)?;
                autoreply::mailer(value)
                    .or_else(|| machine::mailer(value))
                    .or_else(|| machine::is_for_newsletters(value).then_some(Rule::Campaign))
                    .or_else(|| machine::is_for_people(value).then_some(Rule::MailProgram))
                    .or_else(|| machine::is_program(value).then_some(Rule::Program))
                    .or_else(|| machine::is_script(value).then_some(Rule::Script))
                    .or_else(|| (name != "x-powered-by").then_some(Rule::OtherProgram))
            }
            "feedback-id" | "x-feedback-id" => {
                (!value.is_empty()).then_some(())?;
                machine::feedback(value).or(Some(Rule::MailProgram))
            }
            "x-autogenerated" | "x-auto-generated" => autoreply::autogenerated(value),
            "x-amazon-mail-relay-type" => value
                .eq_ignore_ascii_case("notification")
                .then_some(Rule::Program),
            "x-post-messageclass" => {
                contains(value, "autoresponder").then_some(Rule::AutoreplyField)
            }
            "x-ms-exchange-inbox-rules-loop" | "x-ms-exchange-forwardingloop" => {
                Some(Rule::InboxRule)
            }
            "x-ms-exchange-generated-message-source" => {
                if contains(value, "booking attendant") {
                    Some(Rule::AutoreplyField)
                } else {
                    contains(value, "rules agent").then_some(Rule::InboxRule)
                }
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
            _ if name == self.ours.account_id => Some(Rule::DeskAccount),
            _ if name.starts_with("list-") => list::rule(name),
            _ => list::rule(name)
                .or_else(|| self.service_rule(name, shown, value))
                .or_else(|| autoreply::rule(name, value)),
        }
    }

    /// Returns the rule of a field of the author's service, by name and value.
    fn service_rule(&mut self, name: &str, shown: &str, value: &str) -> Option<Rule> {
        if name.starts_with("x-") && machine::is_answer_mark(value) {
            self.found.add(Rule::AnswerMark, shown, value);
        }
        if value.eq_ignore_ascii_case("challenge") {
            return Some(Rule::Challenge);
        }
        machine::rule(name)
            .filter(|_| !autoreply::is_no(value))
            .or_else(|| machine::is_template_field(name).then_some(Rule::TemplateField))
    }

    /// Returns true if one of these message ids was made at a recipient's domain.
    fn is_id_of_recipient(&self, ids: &str) -> bool {
        let lower = ids.to_ascii_lowercase();
        let all = || {
            let recipients = self.transaction.recipients.iter();
            let domain = |to: &String| Some(to.rsplit_once('@')?.1.to_ascii_lowercase());
            recipients.filter_map(domain).collect()
        };
        let domains: &BTreeSet<String> = self.domains.get_or_init(all);
        let ids = lower.split(['<', '>', ' ', '\t']);
        ids.filter_map(|id| id.rsplit_once('@'))
            .any(|(_, host)| domains.contains(host))
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
        } else if local == "postmaster" {
            self.found.add(Rule::SystemSender, PATH, path);
        } else if sender::is_list_address(&local) {
            // RFC 5230 section 4.6; but people write from addresses of that form too.
            let author = self.held.from.addresses().contains(&path.to_lowercase());
            if !author || sender::is_list_program_address(&local) {
                self.found.add(Rule::SystemSender, PATH, path);
            }
        }
        if sender::is_web_server_mailbox(&local) {
            self.found.add(Rule::ServerPath, PATH, path);
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
        // An answer would go to the recipient, unless another address is named for it.
        let from = self.held.from.addresses();
        if self.held.reply_to.is_empty()
            && let Some(own) = from.iter().find(|author| self.is_recipient(author))
        {
            self.found.add(Rule::OwnAddress, "From", own);
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

/// Returns the rule of Exchange's Content-Class.
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

/// Finds the evidence of the authors' names and addresses; returns the name if there is one author.
fn authors(held: &HeldFields, from: &[(String, String)], found: &mut FoundEvidence) -> String {
    if held.from.all.iter().any(|value| value.contains("<>")) {
        found.add(Rule::SystemAuthor, "From", "<>");
    }
    for (name, address) in from {
        let local = local_part(address);
        if sender::is_daemon(&local) || sender::is_daemon(&name.to_lowercase()) {
            found.add(Rule::MailerDaemon, "From", address);
        } else if sender::is_postmaster(&local) {
            found.add(Rule::SystemAuthor, "From", address);
            found.add(Rule::SystemSender, "From", address);
        } else if is_mail_system(name) {
            found.add(Rule::SystemAuthor, "From", name);
        } else if sender::is_autoresponder(&local) {
            found.add(Rule::AutoresponderAddress, "From", address);
        } else if sender::wants_no_reply(&local) {
            found.add(Rule::NoReplyAddress, "From", address);
        } else if sender::is_notice_address(&local) {
            found.add(Rule::NoticeAddress, "From", address);
        } else if sender::is_system_mailbox(&local) {
            found.add(Rule::SystemMailbox, "From", address);
        } else if sender::is_web_server_mailbox(&local) {
            found.add(Rule::WebServer, "From", address);
        }
        if machine::is_program_name(name) {
            found.add(Rule::ProgramName, "From", name);
        }
        if machine::is_via(name) || machine::is_site_name(name) {
            found.add(Rule::ForSomebody, "From", name);
        } else if let Some((_, domain)) = address.rsplit_once('@')
            && sender::is_notice_domain(&domain.to_ascii_lowercase())
        {
            found.add(Rule::ForSomebody, "From", address);
        }
        if is_administrator(name) {
            found.add(Rule::AdministratorName, "From", name);
        }
    }
    match from {
        [(name, _)] => name.clone(),
        _ => String::new(),
    }
}

/// Returns true for display names that Exchange and Sendmail use, and administrators as well.
fn is_administrator(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "mail administrator",
        "system administrator",
        "systemadministrator",
        "administrateur système",
        "administrador del sistema",
        "administrador do sistema",
        "postmaster",
        "microsoft outlook",
    ];
    if NAMES.contains(&name.trim().to_lowercase().as_str()) {
        return true;
    }
    // The word for mail, in any language.
    let name = phrase_search::plain(name);
    let mail = [
        "mail",
        "correo",
        "correio",
        "courrier",
        "messagerie",
        "posta",
        "poczty",
        "почты",
    ];
    let words = || name.split(|c: char| !c.is_alphanumeric());
    words().any(|word| word.starts_with("admin") || word.starts_with("amministrator"))
        && words().any(|word| mail.contains(&word))
}

/// Returns true for the display names of mail systems.
fn is_mail_system(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "mail delivery system",
        "mail delivery subsystem",
        "mail delivery service",
        "internet mail delivery",
        "mail system",
        "mail router",
        "mailer daemon",
        "mailer-daemon",
    ];
    let lower = name.trim().to_lowercase();
    NAMES.contains(&lower.as_str()) || is_mail_program(&phrase_search::plain(name))
}

/// Returns true if a display name in plain form, in any language, has a word for mail and one for a
/// server or program: `Systeme de messagerie`, `Почтовый робот`.
fn is_mail_program(name: &str) -> bool {
    #[rustfmt::skip]
    const MAIL: &[&str] = &[
        "mail", "email", "e-mail", "mailserver", "mailsystem", "post", "posta", "poczta",
        "pocztowy", "pocztowa", "postovna", "postova", "почтовая", "поштова", "pocztowe",
        "postovni", "postovy", "courrier", "messagerie", "correo", "correio", "mensajeria",
        "levelezo", "levelezorendszer", "levelezoszerver", "e-posta", "eposta", "почтовый",
        "почты", "поштовий", "пошти", "mailsysteem", "postsystem", "postsystemet", "mailsystemet",
        "thu", "mailverteiler", "listenserver", "mailrobot", "sahkopostijarjestelma",
    ];
    #[rustfmt::skip]
    const PROGRAMS: &[&str] = &[
        "system", "systeme", "sistema", "systemet", "systeem", "rendszer", "sistemi", "sistem",
        "server", "serveur", "servidor", "serwer", "robot", "робот", "система", "системы",
        "сервер", "daemon", "delivery", "sunucusu", "thong", "gateway", "relay", "bramka", "brama",
        "brana", "passerelle", "pasarela", "шлюз", "filtr", "filter", "filtre", "filtro", "фильтр",
    ];
    #[rustfmt::skip]
    const WHOLE: &[&str] = &[
        "listserver", "listserv", "list server", "list manager", "mailing list manager",
        "mailserver", "mailsystem", "mailsysteem", "mailverteiler", "postsystem", "postsystemet",
        "levelezorendszer", "sahkopostijarjestelma", "mailrobot", "listenserver",
    ];
    #[rustfmt::skip]
    const UNSPACED: &[&str] = &[
        "メール配信システム", "メール管理", "メールシステム", "メールサーバ", "メール自動", "邮件系统", "邮件服务器", "邮件管理员", "郵件系統",
        "郵件伺服器", "郵件管理員", "메일관리자", "메일 관리자", "메일시스템", "메일 시스템", "메일서버",
    ];
    if !name.is_ascii() && UNSPACED.iter().any(|word| name.contains(word)) {
        return true;
    }
    let words = || name.split(|c: char| !c.is_alphanumeric() && c != '-');
    WHOLE.contains(&name)
        || words().any(|word| MAIL.contains(&word)) && words().any(|word| PROGRAMS.contains(&word))
}

/// Finds the evidence of addresses that stand in several places.
fn relation_evidence(
    transaction: &Transaction,
    held: &HeldFields,
    from: &[(String, String)],
    found: &mut FoundEvidence,
) {
    let local = sender::unwrapped(&transaction.mail_from);
    let path = transaction.mail_from.to_lowercase();
    let suspicious = sender::is_list_address(&local);
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
        let local = local_part(&address);
        let service = sender::wants_no_reply(&local) || sender::is_notice_address(&local);
        if service && !from.contains(&address) {
            found.add(Rule::ServiceSender, "Sender", &address);
        }
        if sender::is_list_address(&local_part(&address)) && !from.contains(&address) {
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
            // A platform that relays between people hides them behind addresses, with a token in
            // the one for answers.
            let token = is_token(&address) && from.iter().all(|author| wants_no_reply(author));
            let tagged = address.split_once('+').zip(address.rsplit_once('@'));
            let tagged = tagged.is_some_and(|((local, _), (_, domain))| {
                from.contains(&format!("{local}@{domain}"))
            });
            let local = local_part(&address);
            if sender::is_challenge_address(&local) {
                found.add(Rule::Challenge, "Reply-To", &address);
            }
            if !sender::wants_no_reply(&local) && !sender::is_notice_address(&local) {
                found.add(Rule::ReplyNamed, "Reply-To", &address);
            }
            if to.contains(&address) {
                found.add(Rule::ReplyToList, "Reply-To", &address);
            } else if tagged || token || is_elsewhere(&address, &domains) {
                found.add(Rule::ReplyElsewhere, "Reply-To", &address);
            }
        }
    }
}

/// Returns true if a platform that relays between people made up the local part for an answer.
fn is_token(address: &str) -> bool {
    let local = local_part(address);
    let digits = local.chars().filter(char::is_ascii_digit).count();
    local.len() >= 12 && digits >= 3 && local.chars().any(char::is_alphabetic)
}

fn wants_no_reply(address: &str) -> bool {
    sender::wants_no_reply(&local_part(address))
}

/// Returns true if somebody reads this address, and it is at none of these domains; all are in
/// lower case.
fn is_elsewhere(address: &str, domains: &BTreeSet<&str>) -> bool {
    let Some((local, domain)) = address.rsplit_once('@') else {
        return false;
    };
    let is_read = !sender::wants_no_reply(local) && !sender::is_notice_address(local);
    is_read && !domains.contains(domain)
}

fn local_part(address: &str) -> String {
    let local = address.rsplit_once('@').map_or(address, |(local, _)| local);
    local.to_lowercase()
}
