//! Prevents mail to and from partners, with whom an account shares its tickets.
//!
//! Where two help desks share a ticket, a change in one appears in the other without mail. A
//! notification to a partner's address would open a second ticket there, whose notification opens
//! a third here. So mail is stopped in both directions, whoever has written it: partners read the
//! ticket in their own system.
//!
//! - **Outbound**, a recipient who is a partner gets no mail; all others get theirs.
//! - **Inbound**, mail from a partner is refused, with a text that gives the reason. Delivery
//!   reports are accepted: they are about our own mail, and nobody answers them.
//! - If somebody else **addresses a partner** among others, the message is accepted, and the
//!   application learns which of the addressees get no mail.

mod settings;

pub use settings::{Settings, Suppress};

use std::collections::BTreeSet;

use gatepost_sdk::header::{Cc, From, Headers as _, Mailbox, To};
use gatepost_sdk::{
    Address, Decision, Duties, Facts, Flow, Message, Partner, Policy, RecipientVerdict, Reply,
    Transaction, Verdict, bounds, partner,
};

/// The most addresses of one message that are looked up: a field may name thousands, and each
/// look-up takes a part of the time that a policy has.
pub const MOST: usize = bounds::ADDRESSES;

/// The most partners that the field names; a reason tells the number of further ones.
pub const LISTED: usize = 100;

/// The tag of a message that addresses a partner.
pub const TAG: &str = "partner-addressed";

/// The policy.
pub struct PartnerGuard {
    settings: Settings,
}

impl Policy for PartnerGuard {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<String>> {
        match settings.problems() {
            problems if problems.is_empty() => Ok(Self { settings }),
            problems => Err(problems),
        }
    }

    fn duties() -> Duties {
        Duties {
            suppresses: true,
            ..Duties::default()
        }
    }

    /// Refuses a partner at RCPT where the settings say so, so that the application learns at once.
    fn recipient(
        &self,
        transaction: &Transaction,
        recipient: &str,
        _: &dyn Facts,
        decision: &mut Decision,
    ) -> Verdict {
        let refuses = self.settings.suppress == Suppress::Reject;
        if !refuses || transaction.session.flow != Flow::Submission {
            return Verdict::Pass;
        }
        match partner(recipient) {
            Some(known) => {
                decision.reason(describe_partner(recipient, &known));
                Verdict::Reject(gets_no_mail())
            }
            None => Verdict::Pass,
        }
    }

    fn message(
        &self,
        transaction: &Transaction,
        message: &dyn Message,
        _: &dyn Facts,
        decision: &mut Decision,
    ) -> Verdict {
        match transaction.session.flow {
            Flow::Submission => self.outbound(transaction, decision),
            Flow::Inbound => self.inbound(transaction, message, decision),
            Flow::Internal | Flow::Other => Verdict::Pass,
        }
    }
}

impl PartnerGuard {
    fn outbound(&self, transaction: &Transaction, decision: &mut Decision) -> Verdict {
        for recipient in &transaction.recipients {
            let Some(known) = partner(recipient) else {
                continue;
            };
            let reason = describe_partner(recipient, &known);
            decision.reason(&reason);
            let verdict = match self.settings.suppress {
                Suppress::Silently => RecipientVerdict::Suppress(reason),
                // The recipient became a partner after RCPT.
                Suppress::Reject => RecipientVerdict::Reject(gets_no_mail()),
            };
            decision.judge_recipient(recipient, verdict);
        }
        Verdict::Pass
    }

    fn inbound(
        &self,
        transaction: &Transaction,
        message: &dyn Message,
        decision: &mut Decision,
    ) -> Verdict {
        let mut left = MOST;
        if let Some((address, known)) = sender(transaction, message, &mut left) {
            decision.reason(describe_partner(&address, &known));
            if is_delivery_report(transaction, message) {
                decision.reason("a report of delivery, which nobody answers, is let through");
            } else {
                return Verdict::reject(550, "5.7.1", self.settings.text.clone());
            }
        }
        let to = message.read_all::<To>().into_iter().map(|to| to.0);
        let cc = message.read_all::<Cc>().into_iter().map(|cc| cc.0);
        let addressed = partners(to.chain(cc).flatten(), &mut left);
        if addressed.is_empty() {
            return Verdict::Pass;
        }
        decision.tag(TAG);
        // The field is US-ASCII, for any reader.
        let ascii = addressed.iter().filter(|(address, _)| address.is_ascii());
        let mut listed: Vec<_> = ascii.map(|(address, _)| format!("<{address}>")).collect();
        if listed.len() > LISTED {
            let more = listed.len() - LISTED;
            let header = &self.settings.partners_header;
            decision.reason(format!("{more} partners more are not named in {header}"));
            listed.truncate(LISTED);
        }
        if !listed.is_empty() {
            decision.set_header(self.settings.partners_header.clone(), listed.join(", "));
        }
        for (address, known) in &addressed {
            decision.reason(format!(
                "{}; they will not be written to",
                describe_partner(address, known)
            ));
        }
        Verdict::Pass
    }
}

/// Returns the partner who has sent the message, by its reverse-path or as an author.
fn sender(
    transaction: &Transaction,
    message: &dyn Message,
    left: &mut usize,
) -> Option<(String, Partner)> {
    let reverse_path = Some(transaction.mail_from.as_str()).filter(|path| !path.is_empty());
    if let Some((path, known)) = reverse_path.and_then(|path| Some((path, partner(path)?))) {
        return Some((path.to_owned(), known));
    }
    let authors = message
        .read_all::<From>()
        .into_iter()
        .flat_map(|from| from.0);
    partners(authors, left).into_iter().next()
}

/// Returns the partners among the mailboxes, each once. `left` is the number of look-ups left.
fn partners(mailboxes: impl Iterator<Item = Mailbox>, left: &mut usize) -> Vec<(String, Partner)> {
    let mut found: Vec<(String, Partner)> = Vec::new();
    let mut before: BTreeSet<Address> = BTreeSet::new();
    for Mailbox { address, .. } in mailboxes {
        if before.contains(&address) {
            continue;
        }
        let Some(rest) = left.checked_sub(1) else {
            break;
        };
        *left = rest;
        found.extend(partner(address.as_str()).map(|known| (address.to_string(), known)));
        before.insert(address);
    }
    found
}

/// Returns true for a delivery report (RFC 3464 section 2) with a null reverse-path (RFC 5321
/// section 4.5.5). An automatic reply has the null reverse-path too (RFC 3834 section 3.3), but is
/// no report.
fn is_delivery_report(transaction: &Transaction, message: &dyn Message) -> bool {
    let kind = message.header("Content-Type").unwrap_or_default();
    let kind = kind.to_ascii_lowercase();
    let words: String = kind
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '"')
        .collect();
    transaction.mail_from.is_empty()
        && words.starts_with("multipart/report")
        && words.contains("report-type=delivery-status")
}

fn describe_partner(address: &str, known: &Partner) -> String {
    match known.by_domain {
        false => format!("{address} is a partner's by {}", known.source),
        true => format!("{address} is in a partner's domain by {}", known.source),
    }
}

fn gets_no_mail() -> Reply {
    Reply::new(
        550,
        "5.7.1",
        "This address is a partner's with whom tickets are shared; it gets no mail",
    )
}

gatepost_sdk::export!(PartnerGuard: recipient, message);
