//! The text for people: reports in free form, and what the text adds to a standard one.
//!
//! Free forms have a structure in common. A recipient stands alone on its line, or begins a line,
//! often in angle brackets; the reason follows, on the line or below it; at the end comes the
//! message that is returned, or its header section, mostly under a line of hyphens.

use crate::bounds::{LONGEST_DIAGNOSTIC, LONGEST_LINE, MOST_LINES, MOST_RECIPIENTS, text};
use crate::fields::field;
use crate::parts::Parts;
use crate::report::{MailReport, ReportedAction, ReportedRecipient};
use crate::returned::Returned;
use crate::scan::{self, FoundAddress};
use crate::sender::{ReportAuthor, is_post_office};
use crate::status::{Status, reply_class};
use crate::words;

use gatepost_message::Address;

/// Lines of a reason that are kept.
const REASON_LINES: usize = 12;

/// Sign by which an address in a line may be a recipient.
type Sign<'a> = dyn Fn(&FoundAddress, &str) -> bool + 'a;

/// Contents of a text for people.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Recipients with their reasons.
    pub(crate) recipients: Vec<ReportedRecipient>,
    /// Header section that the text quotes.
    pub(crate) returned: Option<Returned>,
    /// True if the mail system goes on trying.
    pub(crate) delays: bool,
    /// True if it tells of a failure or a delay at all.
    fails: bool,
    /// True if a line has a reply of a server.
    has_reply: bool,
    /// True if a recipient begins a line.
    leads: bool,
}

/// Reads a report that has no machine-readable part.
pub(crate) fn read(parts: &Parts, sender: &ReportAuthor) -> Option<MailReport> {
    let told = told(parts, sender);
    let quoted = parts.returned.as_ref().or(told.returned.as_ref());
    // A message from elsewhere that was addressed to us is wrapped, not returned.
    let came_in = quoted.is_some_and(|quoted| {
        let ours = |of: &Address| sender.to.iter().any(|to| to.is_same_mailbox(of));
        let (from, to) = (quoted.from(), quoted.to());
        !from.is_empty() && to.iter().any(ours) && !from.iter().any(ours)
    });
    let is_quoted = quoted.is_some() && !came_in;
    let subject = sender.subject.as_str();
    let subject_fails = words::is_failure(subject) || words::is_delay(subject);
    let delivery_fails = words::is_delivery_failure(subject) || words::is_delay(subject);
    let forwarded = ["fw", "re:", "wg:", "aw:", "tr:", "rv:", "sv:", "vs:"];
    let forwarded = forwarded.iter().any(|prefix| subject.starts_with(prefix));
    let is_one = match () {
        () if came_in => false,
        () if sender.is_automatic && !(told.has_reply && sender.is_mail_system) => false,
        () if sender.is_mail_system => told.fails || subject_fails || told.has_reply,
        // A person's server that answers for them has a null reverse-path, too.
        () if sender.is_nobody => (told.fails || subject_fails) && (is_quoted || told.has_reply),
        () => {
            let names = told.leads || (told.has_reply && !told.recipients.is_empty());
            told.fails && delivery_fails && !forwarded && !sender.answers && (is_quoted || names)
        }
    };
    if !is_one {
        return None;
    }
    let returned = parts.returned.clone().or(told.returned).unwrap_or_default();
    let mut recipients = told.recipients;
    if recipients.is_empty() {
        recipients = from_returned(&returned, sender, parts, told.delays);
    }
    // Who names neither a recipient nor the message reports only by the address it came to.
    let is_system = sender.is_daemon || (sender.is_nobody && sender.is_mail_system);
    if recipients.is_empty() && !is_quoted && !(is_system && subject_fails) {
        return None;
    }
    if recipients.is_empty() {
        let action = action(told.delays);
        recipients.push(ReportedRecipient {
            original: None,
            last: None,
            action: Some(action),
            status: None,
            diagnostic: None,
        });
    }
    let mut report = MailReport::of_delivery(recipients, returned);
    let from = sender.from.as_ref();
    report.reporter = from.map(|of| of.domain().to_owned());
    Some(report)
}

fn action(delays: bool) -> ReportedAction {
    match delays {
        true => ReportedAction::Delayed,
        false => ReportedAction::Failed,
    }
}

/// Returns the only addressee of the returned message.
fn from_returned(
    returned: &Returned,
    sender: &ReportAuthor,
    parts: &Parts,
    delays: bool,
) -> Vec<ReportedRecipient> {
    let mut to = returned.to();
    to.retain(|address| !sender.is_end(address));
    let [address] = to.as_slice() else {
        return Vec::new();
    };
    let notice = NoticeText::of(&parts.text);
    let reason = notice.reply_about(address).map(ToOwned::to_owned);
    vec![recipient(
        address.clone(),
        None,
        reason.unwrap_or_default(),
        delays,
    )]
}

/// Reads the text of a message.
pub(crate) fn told(parts: &Parts, sender: &ReportAuthor) -> Told {
    let notice = NoticeText::of(&parts.text);
    let lower = notice.lines.join("\n").to_lowercase();
    let delays = match words::is_delay(&sender.subject) {
        true => true,
        false => words::is_delay(&lower) && !words::is_failure(&sender.subject),
    };
    let returned = parts.returned.clone().or_else(|| notice.returned.clone());
    let ours = returned.as_ref().map(Returned::from).unwrap_or_default();
    let is_end = |address: &Address| {
        let same = |of: &Address| of.as_str().eq_ignore_ascii_case(address.as_str());
        sender.is_end(address) || ours.iter().any(same)
    };
    let mut named = notice.recipients(&|address| !is_end(address));
    // To write to oneself fails, too.
    if named.is_empty() && sender.failed.is_empty() {
        named = notice.alone(&|address| !is_post_office(address));
    }
    let mut recipients: Vec<ReportedRecipient> = Vec::new();
    for one in named {
        let reason = notice.reason(&one);
        recipients.push(recipient(one.address, one.original, reason, delays));
    }
    if !sender.failed.is_empty() {
        recipients = failed(sender, recipients, &notice, delays);
    }
    recipients.truncate(MOST_RECIPIENTS);
    if let [alone] = recipients.as_mut_slice()
        && alone.status.is_none()
        && let Some(mut status) = notice.status()
    {
        if delays {
            status.class = 4;
        }
        alone.status = Some(status);
    }
    Told {
        leads: !notice.alone(&|address| !is_end(address)).is_empty(),
        recipients,
        returned: notice.returned.clone(),
        delays,
        fails: words::is_failure(&lower) || delays,
        has_reply: notice.lines.iter().any(|line| is_reply(line)),
    }
}

/// Returns the recipients of X-Failed-Recipients, with the reasons that the text gives.
fn failed(
    sender: &ReportAuthor,
    told: Vec<ReportedRecipient>,
    notice: &NoticeText<'_>,
    delays: bool,
) -> Vec<ReportedRecipient> {
    let known = |address: &Address| told.iter().find(|of| of.is(address)).cloned();
    let alone = sender.failed.len() == 1 && told.len() == 1;
    let one = |address: &Address| {
        known(address).unwrap_or_else(|| {
            let other = told.first().filter(|_| alone);
            let reason = other.and_then(|of| of.diagnostic.clone());
            let reply = || notice.reply_about(address).map(ToOwned::to_owned);
            let reason = reason.or_else(reply).unwrap_or_default();
            recipient(address.clone(), None, reason, delays)
        })
    };
    sender.failed.iter().map(one).collect()
}

fn recipient(
    address: Address,
    original: Option<Address>,
    reason: String,
    delays: bool,
) -> ReportedRecipient {
    let mut status = Status::of_diagnostic(&reason);
    if let Some(status) = &mut status
        && delays
    {
        status.class = 4;
    }
    ReportedRecipient {
        original,
        last: Some(address),
        action: Some(action(delays)),
        status,
        diagnostic: Some(reason).filter(|reason| !reason.trim().is_empty()),
    }
}

/// A recipient in the text, with its place.
struct Named {
    address: Address,
    original: Option<Address>,
    /// Line, and offset behind the address in it.
    line: usize,
    behind: usize,
}

/// Lines of a notice above the returned message.
struct NoticeText<'a> {
    lines: Vec<&'a str>,
    returned: Option<Returned>,
}

impl<'a> NoticeText<'a> {
    fn of(whole: &'a str) -> Self {
        let lines = whole.lines().take(MOST_LINES);
        let lines: Vec<&str> = lines.map(|line| text(line, LONGEST_LINE)).collect();
        match quoted(&lines) {
            None => Self {
                lines,
                returned: None,
            },
            Some((end, begin)) => {
                let prefix = prefix(lines.get(begin).copied().unwrap_or_default());
                let quoted = lines.iter().skip(begin);
                let quoted = quoted.map(|line| line.strip_prefix(prefix).unwrap_or(line));
                let quoted: Vec<&str> = quoted.collect();
                Self {
                    returned: Some(Returned::of(quoted.join("\r\n").as_bytes())),
                    lines: lines.get(..end).unwrap_or_default().to_vec(),
                }
            }
        }
    }

    /// Returns the recipients that the text names, by the strongest sign that it has: they begin a
    /// line; a line names them with a failure; a label stands before them; they are there.
    fn recipients(&self, may_be: &dyn Fn(&Address) -> bool) -> Vec<Named> {
        let begin = |found: &FoundAddress, line: &str| begins_line(found, line);
        let signs: [&Sign; 4] = [
            &begin,
            &|_, line| is_reply(line) || (words::cause(line).is_some()),
            &|found, line| is_labelled(found, line),
            &|_, line| !is_advice(line),
        ];
        for sign in signs {
            let named = self.named(&|found, line| may_be(&found.address) && sign(found, line));
            if !named.is_empty() {
                return named;
            }
        }
        Vec::new()
    }

    /// Returns the status that a line of the text comes to.
    fn status(&self) -> Option<Status> {
        let lines = self.lines.iter().filter(|line| !is_advice(line));
        let mut found = lines.filter_map(|line| Status::of_diagnostic(line));
        found.find(|status| !status.is_general())
    }

    /// Returns the recipients that begin a line.
    fn alone(&self, may_be: &dyn Fn(&Address) -> bool) -> Vec<Named> {
        self.named(&|found, line| may_be(&found.address) && begins_line(found, line))
    }

    fn named(&self, is_one: &dyn Fn(&FoundAddress, &str) -> bool) -> Vec<Named> {
        let mut named: Vec<Named> = Vec::new();
        for (at, line) in self.lines.iter().enumerate() {
            if !line.contains('@') || is_of_message(line) {
                continue;
            }
            let found = scan::addresses(line);
            // "(generated from x)", "(expanded from x)": the address that the sender gave.
            if let Some(origin) = origin(line, &found)
                && let Some(last) = named.last_mut()
            {
                let first = found.first().filter(|of| of.begin < origin.begin);
                let same_line = first.is_some_and(|of| of.address == last.address);
                if last.line + 1 >= at || same_line {
                    last.original = Some(origin.address.clone());
                    continue;
                }
            }
            for one in found {
                let known = |of: &Named| of.address == one.address;
                if named.len() < MOST_RECIPIENTS && is_one(&one, line) && !named.iter().any(known) {
                    named.push(Named {
                        address: one.address,
                        original: None,
                        line: at,
                        behind: one.end,
                    });
                }
            }
        }
        named
    }

    /// Returns the reason that the text gives for a recipient: what stands behind it and in the
    /// lines below; if there is no reply of a server in that, the line that has one.
    fn reason(&self, named: &Named) -> String {
        let line = self.lines.get(named.line).copied().unwrap_or_default();
        let mut reason = match begins_line_at(line, named.behind) {
            true => behind(line, named.behind).to_owned(),
            false => line.trim().to_owned(),
        };
        let mut taken = 0;
        for line in self.lines.iter().skip(named.line + 1) {
            let empty = line.trim().is_empty();
            let divides = is_divider(line);
            if divides || (empty && taken > 0) || (empty && !reason.is_empty()) {
                break;
            }
            let next = scan::addresses(line);
            let is_next = next
                .first()
                .is_some_and(|of| begins_line(of, line) && of.address != named.address);
            if is_next || taken == REASON_LINES || reason.len() > LONGEST_DIAGNOSTIC {
                break;
            }
            if empty {
                continue;
            }
            taken += 1;
            if !reason.is_empty() {
                reason.push(' ');
            }
            reason.push_str(line.trim());
        }
        let told = reply_class(&reason).is_some() || Status::find(&reason).is_some();
        if !told && let Some(reply) = self.reply_about(&named.address) {
            let reply = reply.trim();
            match reason.is_empty() || words::cause(&reason).is_none() {
                true => reason = reply.to_owned(),
                false => reason = format!("{reason} {reply}"),
            }
        }
        if reason.is_empty() {
            let line = self.lines.iter().find(|line| words::cause(line).is_some());
            reason.push_str(line.map_or("", |line| line.trim()));
        }
        reason
    }

    /// Returns the reply of a server about a recipient: the last line with one that names the
    /// address, else the last line with one that names no other.
    fn reply_about(&self, address: &Address) -> Option<&'a str> {
        let replies = || self.lines.iter().rev().filter(|line| is_reply(line));
        let address = address.as_str().to_lowercase();
        let names = |line: &&&str| line.to_lowercase().contains(&address);
        let found = replies().find(names);
        found
            .or_else(|| replies().find(|line| !line.contains('@')))
            .copied()
    }
}

/// Returns true if an address begins its line, behind marks of a list, and is followed by nothing,
/// or by what follows a name in a list.
fn begins_line(found: &FoundAddress, line: &str) -> bool {
    let before = line.get(..found.begin).unwrap_or_default();
    // Notes and Exchange write the type of an address before it.
    let before = before.trim().trim_end_matches(':').to_ascii_lowercase();
    let marks = before.trim_matches(|c: char| {
        c.is_ascii_digit() || c.is_whitespace() || "-*•·>|#().\"'[<=:".contains(c)
    });
    matches!(
        marks,
        "" | "smtp" | "rfc822" | "mailto" | "to" | "recipient" | "rcpt to" | "address"
    ) && follows_name(line.get(found.end..).unwrap_or_default())
}

fn begins_line_at(line: &str, behind: usize) -> bool {
    scan::addresses(line)
        .first()
        .is_some_and(|of| of.end == behind && begins_line(of, line))
}

fn follows_name(rest: &str) -> bool {
    let rest = rest.trim_start_matches(['"', '\'', '>', ')', ']']);
    let spaced = rest.starts_with([' ', '\t']);
    let rest = rest.trim_start();
    let lower = rest.to_lowercase();
    rest.is_empty()
        || rest.starts_with([
            ':', ',', ';', '(', '.', '-', '–', '<', '[', '|', '=', '→', '：',
        ])
        || (spaced && (lower.starts_with("on ") || lower.starts_with("reason") || is_reply(rest)))
        || (spaced && (words::cause(rest).is_some() || words::is_failure(&lower)))
}

/// Returns what stands behind an address that begins a line.
fn behind(line: &str, at: usize) -> &str {
    let rest = line.get(at..).unwrap_or_default();
    rest.trim_start_matches(|c: char| c.is_whitespace() || ":;,>)'\"-–=.|".contains(c))
        .trim_end()
}

/// Labels before a recipient's address.
const LABELS: &[&str] = &[
    "recipient",
    "to:",
    "address",
    "rcpt",
    "failed",
    "user",
    "mailbox",
    "intended",
    "deliver",
    "empfänger",
    "adresse",
    "an:",
    "destinat",
    "à :",
    "para:",
    "a:",
    "indirizzo",
    "endereço",
    "geadresseerde",
    "ontvanger",
    "mottagare",
    "modtager",
    "odbiorc",
    "adresat",
    "příjem",
    "получател",
    "адрес",
    "alıcı",
    "címzett",
    "宛先",
    "送信先",
    "受信者",
    "收件人",
    "받는",
    "aan:",
    "till:",
    "til:",
];

fn is_labelled(found: &FoundAddress, line: &str) -> bool {
    let before = line.get(..found.begin).unwrap_or_default().to_lowercase();
    LABELS.iter().any(|label| before.contains(label)) && !is_advice(line)
}

/// Returns true if a line tells whom to turn to.
fn is_advice(line: &str) -> bool {
    let lower = line.to_lowercase();
    let words = [
        "contact",
        "postmaster",
        "send mail to",
        "help",
        "support",
        "http",
        "questions",
        "assistance",
        "wenden sie sich",
        "contactez",
        "póngase en contacto",
        "from:",
        "sender",
        "mail from",
        "von:",
        "absender",
        "expéditeur",
        "remitente",
        "mittente",
        "reply-to",
    ];
    words.iter().any(|word| lower.contains(word))
}

/// Returns true if a line is about the message and no recipient.
fn is_of_message(line: &str) -> bool {
    let lower = line.trim_start().to_lowercase();
    let names = [
        "message-id",
        "message id",
        "messageid",
        "msgid",
        "in-reply-to",
        "references",
        "subject",
        "from:",
        "sender:",
        "return-path",
        "mail from",
        ">>> mail",
        "<<< 250",
        "x-",
        "betreff",
        "reporting-mta",
        "received:",
        "date:",
    ];
    names.iter().any(|name| lower.starts_with(name))
}

/// Returns the address from which another came: "(generated from x)".
fn origin<'f>(line: &str, found: &'f [FoundAddress]) -> Option<&'f FoundAddress> {
    let lower = line.to_ascii_lowercase();
    let at = [
        "generated from",
        "expanded from",
        "originally to",
        "forwarded from",
        "redirected from",
    ]
    .iter()
    .find_map(|words| lower.find(words))?;
    found.iter().find(|of| of.begin >= at)
}

/// Returns true if a line has a reply of a server in it: a code, or a status.
fn is_reply(line: &str) -> bool {
    reply_class(line).is_some() || Status::find(line).is_some_and(|status| status.class != 2)
}

/// Returns true for a line that divides.
fn is_divider(line: &str) -> bool {
    let line = line.trim();
    let marks = ["--", "==", "__", "**", "##", "~~", "- -"];
    marks.iter().any(|mark| line.starts_with(mark))
}

/// Fields of which a header section has some.
const USUAL: [&str; 13] = [
    "received",
    "return-path",
    "message-id",
    "mime-version",
    "dkim-signature",
    "from",
    "to",
    "subject",
    "date",
    "content-type",
    "reply-to",
    "cc",
    "sender",
];

/// Fields that only header sections have.
const TELLING: [&str; 6] = [
    "received",
    "return-path",
    "message-id",
    "mime-version",
    "dkim-signature",
    "content-type",
];

/// Returns the end of the notice, and the line with which a returned header section begins.
fn quoted(lines: &[&str]) -> Option<(usize, usize)> {
    let mut at = 0;
    while at < lines.len() {
        let line = lines.get(at).copied().unwrap_or_default();
        let begins = at == 0 || {
            let before = lines.get(at - 1).copied().unwrap_or_default();
            unmarked(before).is_empty()
                || is_divider(before)
                || before.trim_end().ends_with([':', '.'])
        };
        if begins && field(unmarked(line)).is_some() {
            let (usual, telling, length) = header_section(lines, at);
            let announced = announced(lines, at);
            if usual >= 2 && (telling >= 1 || (announced.is_some() && usual >= 3)) {
                return Some((announced.unwrap_or(at), at));
            }
            at += length.max(1);
        } else {
            at += 1;
        }
    }
    None
}

/// Returns the line above that announces the returned message: the nearest with text, if it divides
/// or ends in a colon.
fn announced(lines: &[&str], at: usize) -> Option<usize> {
    let above = lines.get(..at)?.iter().rev().take(4);
    let found = above.enumerate().find(|(_, line)| !line.trim().is_empty());
    let (back, line) = found?;
    let line = line.trim();
    let announces = is_divider(line) || line.ends_with([':', '.', '-']);
    announces.then_some(at - 1 - back)
}

/// Returns how many usual and telling fields the header section at this line has, and its lines.
fn header_section(lines: &[&str], at: usize) -> (usize, usize, usize) {
    let prefix = prefix(lines.get(at).copied().unwrap_or_default());
    let (mut usual, mut telling, mut length) = (0, 0, 0);
    for line in lines.iter().skip(at).take(200) {
        let Some(line) = line.strip_prefix(prefix) else {
            break;
        };
        let folded = length > 0 && line.starts_with([' ', '\t']) && !line.trim().is_empty();
        let name = field(line).map(|(name, _)| name.to_ascii_lowercase());
        match name {
            _ if folded => {}
            Some(name) => {
                usual += usize::from(USUAL.contains(&name.as_str()));
                telling += usize::from(TELLING.contains(&name.as_str()));
            }
            None => break,
        }
        length += 1;
    }
    (usual, telling, length)
}

/// Returns the marks of a quotation at the beginning of a line.
fn prefix(line: &str) -> &str {
    let length = line.len() - unmarked(line).len();
    line.get(..length).unwrap_or_default()
}

fn unmarked(line: &str) -> &str {
    line.trim_start_matches(['>', '|', ' ', '\t'])
}
