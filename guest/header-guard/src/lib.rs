//! Rules for the headers of a message, in both directions.
//!
//! Outbound mail is marked (`marks`) with five headers, by which other systems, and this one,
//! recognise it. The marks are set and protected, so that no later policy of the chain changes
//! them; the relay itself enforces that. Headers between application and relay are private, and are
//! removed after the policies before this one have read them. From and Sender must be addresses of
//! the account.
//!
//! Mail in both directions needs a well-formed header section (`section`), with one of each header
//! that RFC 5322 section 3.6 allows once: several are merged where that is safe (`duplicates`).
//!
//! Beyond that, each [`Rule`] names a header, and what to do with it or what it may hold.

mod duplicates;
mod mailboxes;
mod marks;
mod pattern;
mod rule;
mod section;
mod settings;

pub use marks::{Mark, Settings as MarkSettings};
pub use rule::{Direction, FieldAction, Rule};
pub use settings::{Duplicates, Malformed, OwnFrom, Settings};

use std::collections::BTreeSet;

use gatepost_sdk::{
    Decision, Facts, Flow, Message, Policy, Transaction, Verdict, bounds, is_support_address,
    knows_addresses,
};

use self::duplicates::Unmergeable;
use self::marks::Marks;
use self::section::Section;

/// The policy.
pub struct HeaderGuard {
    settings: Settings,
    marks: Marks,
}

impl Policy for HeaderGuard {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<String>> {
        let problems = settings.problems();
        if problems.is_empty() {
            let marks = settings.marks.resolve(&settings.product);
            Ok(Self { settings, marks })
        } else {
            Err(problems)
        }
    }

    fn message(
        &self,
        transaction: &Transaction,
        message: &dyn Message,
        _: &dyn Facts,
        decision: &mut Decision,
    ) -> Verdict {
        let section = Section::of(message);
        // Refusals first: a message that is refused is not edited.
        let merged = duplicates::merge(&section, self.settings.duplicates);
        let refusal = too_long(&section)
            .or_else(|| self.malformed(&section))
            .or_else(|| merged.as_ref().err().map(repeated))
            .or_else(|| self.rule_broken(transaction, &section))
            .or_else(|| self.foreign_from(transaction, &section));
        if let Some((reason, verdict)) = refusal {
            decision.reason(reason);
            return verdict;
        }
        for header in merged.unwrap_or_default() {
            decision.reason(header.reason);
            if let Some(body) = header.body {
                decision.set_header(header.name, body);
            }
        }
        let leaves = transaction.session.flow == Flow::Submission;
        for rule in self.rules_for(transaction) {
            let kept = leaves && self.marks.contains(&rule.header);
            rule.apply(&section, kept, decision);
        }
        if leaves {
            for header in &self.settings.private {
                if section.has(header) {
                    decision.remove_header(header);
                }
            }
            self.marks.apply(transaction, &section, decision);
        }
        Verdict::Pass
    }
}

/// Reason for the record, and verdict, if a message is refused.
type Refused = Option<(String, Verdict)>;

impl HeaderGuard {
    fn rules_for(&self, transaction: &Transaction) -> impl Iterator<Item = &Rule> {
        let flow = transaction.session.flow;
        let rules = self.settings.rules.iter();
        rules.filter(move |rule| rule.direction.is(flow))
    }

    fn malformed(&self, section: &Section) -> Refused {
        let problem = section.malformed()?;
        (self.settings.malformed == Malformed::Refuse).then(|| {
            let reason = format!("the header section is malformed: {problem}");
            (
                reason,
                refused("5.6.0", format!("Malformed header section: {problem}")),
            )
        })
    }

    fn rule_broken(&self, transaction: &Transaction, section: &Section) -> Refused {
        let refusal = self.rules_for(transaction).find_map(|rule| {
            let ours =
                transaction.session.flow == Flow::Submission && self.marks.contains(&rule.header);
            // A mark is written anew, so that it may be missing or hold anything.
            (!ours).then(|| rule.refusal(section)).flatten()
        })?;
        Some((refusal.reason, refused("5.7.1", refusal.text)))
    }

    fn foreign_from(&self, transaction: &Transaction, section: &Section) -> Refused {
        let submitted = transaction.session.flow == Flow::Submission;
        let is_checked = match self.settings.own_from {
            OwnFrom::Known => submitted && knows_addresses(),
            OwnFrom::Always => submitted,
            OwnFrom::Never => false,
        };
        if !is_checked {
            return None;
        }
        let mut before: BTreeSet<String> = BTreeSet::new();
        for field in section.fields() {
            let mut names = ["From", "Sender"].into_iter();
            let Some(header) = names.find(|name| field.is(name)) else {
                continue;
            };
            let read = match field.is_cut() {
                true => Err(mailboxes::Unreadable),
                false => mailboxes::addresses(&field.value()),
            };
            let Ok(addresses) = read else {
                let reason = format!("{header} cannot be read as addresses");
                let text = format!("The header {header} is no list of addresses");
                return Some((reason, refused("5.7.1", text)));
            };
            for address in addresses {
                if before.contains(&address) {
                    continue;
                }
                if !is_support_address(&address) {
                    let reason = format!("{header} has {address}, which is not the account's");
                    let text = format!("The header {header} has an address that is not yours");
                    return Some((reason, refused("5.7.1", text)));
                }
                if before.len() == bounds::ADDRESSES {
                    let reason = format!("{header} has more than {} addresses", before.len());
                    let text = format!("The header {header} has too many addresses");
                    return Some((reason, refused("5.7.1", text)));
                }
                before.insert(address);
            }
        }
        None
    }
}

/// Refuses a header section that was not read to its end, since fields in the rest are unknown.
fn too_long(section: &Section) -> Refused {
    section.is_cut().then(|| {
        let (fields, octets) = (bounds::FIELDS, bounds::SECTION);
        let reason = format!("the header section has more than {fields} fields or {octets} octets");
        let text = format!("Header section too long: more than {fields} fields or {octets} octets");
        (reason, refused("5.6.0", text))
    })
}

/// Refuses a header that is repeated with different contents.
fn repeated(Unmergeable { header, shown }: &Unmergeable) -> (String, Verdict) {
    let reason = format!("{shown} stands there more than once");
    let text = format!("A message has one {header} (RFC 5322 section 3.6)");
    (reason, refused("5.6.0", text))
}

fn refused(enhanced: &str, text: String) -> Verdict {
    Verdict::reject(550, enhanced, text)
}

gatepost_sdk::export!(HeaderGuard: message);
