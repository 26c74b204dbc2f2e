//! Mail that the application submits: what nobody but a machine wrote does not go to machines, and
//! what does not say who wrote it waits, and in the end stays, where it keeps going to and fro.

use gatepost_sdk::header::{InReplyTo, References};
use gatepost_sdk::{
    Decision, Facts, RecipientVerdict, Reply, Transaction, Verdict, canonical, machine,
};

use crate::exchange::{self, Content, Exchange, Found, Way};
use crate::head::{Field, Head};
use crate::inbound::correspondents;
use crate::ladder::Step;
use crate::machine::HELP_DESK;
use crate::settings::{Settings, Suppress};
use crate::{automatic_mark, hops, routing_loop};

/// How many messages one may be in answer to, at most.
const PARENTS: usize = 4;

/// The tag of what a person wrote to another help desk.
const TO_HELP_DESK: &str = "to-help-desk";

/// Who is behind a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trigger {
    /// A machine.
    Automatic,
    /// A person.
    Agent,
    /// It is not said: as if a person were, but that it is watched.
    Untold,
}

/// What is to become of one recipient.
enum Lot {
    Sent(Option<Found>),
    Suppressed(String),
    Waits(String),
    Refused(String),
}

/// One message that is submitted.
pub struct Outbound<'a> {
    pub settings: &'a Settings,
    pub transaction: &'a Transaction,
    pub head: &'a Head<'a>,
    pub facts: &'a dyn Facts,
}

impl Outbound<'_> {
    /// Judges it.
    pub fn judge(&self, decision: &mut Decision) -> Verdict {
        if let Some(reason) = hops::looping(self.head, self.settings) {
            decision.reason(reason);
            return Verdict::Reject(routing_loop());
        }
        let us = correspondents(self.head, &self.transaction.mail_from);
        let content = Content::of(self.head);
        let trigger = self.trigger();
        let parents = match trigger {
            Trigger::Automatic => self.parents(),
            Trigger::Agent | Trigger::Untold => Vec::new(),
        };
        let mut lots = Vec::new();
        let mut looked_into = 0;
        for recipient in &self.transaction.recipients {
            let them = canonical(recipient);
            let mut find = || {
                let found = match looked_into < exchange::PAIRS {
                    true => self.find(&them, &us, &content),
                    false => None,
                };
                looked_into += usize::from(found.is_some());
                found
            };
            let lot = match trigger {
                Trigger::Automatic => self.automatic(&them, &parents, find),
                Trigger::Agent | Trigger::Untold => {
                    self.say_if_help_desk(recipient, &them, decision);
                    match trigger {
                        Trigger::Untold => untold(find()),
                        _ => Lot::Sent(None),
                    }
                }
            };
            lots.push((recipient, them, lot));
        }
        if let Some(refusal) = self.refusal(&lots, decision) {
            return refusal;
        }
        let mut sent = Vec::new();
        for (recipient, them, lot) in lots {
            match lot {
                Lot::Sent(found) => sent.push((them, found)),
                // The others would have to wait with it.
                Lot::Waits(reason) => {
                    decision.reason(format!("{recipient}: {reason}"));
                    sent.push((them, None));
                }
                Lot::Suppressed(reason) => self.suppress(recipient, reason, decision),
                Lot::Refused(reason) => {
                    decision.reason(format!("{recipient}: {reason}"));
                    let reply = RecipientVerdict::Reject(self.without_a_person());
                    decision.judge_recipient(recipient, reply);
                }
            }
        }
        match trigger {
            Trigger::Agent => self.begins_anew(&sent, &us, decision),
            Trigger::Automatic | Trigger::Untold => self.count(sent, &us, &content, decision),
        }
        Verdict::Pass
    }

    fn trigger(&self) -> Trigger {
        let said = self.head.first(Field::Trigger);
        match said.as_deref() {
            Some(said) if said.eq_ignore_ascii_case("automatic") => Trigger::Automatic,
            Some(said) if said.eq_ignore_ascii_case("agent") => Trigger::Agent,
            _ => Trigger::Untold,
        }
    }

    /// What it is in answer to: what In-Reply-To names, else the last of References (RFC 5322
    /// section 3.6.4). What stands before that in the thread may be anybody's.
    fn parents(&self) -> Vec<String> {
        let named: Option<InReplyTo> = self.head.read(Field::InReplyTo);
        if let Some(InReplyTo(mut named)) = named {
            named.truncate(PARENTS);
            return named;
        }
        let before: Option<References> = self.head.read(Field::References);
        let last = before.and_then(|before| before.0.last().cloned());
        last.into_iter().collect()
    }

    /// What nobody but a machine wrote.
    fn automatic(
        &self,
        them: &str,
        parents: &[String],
        mut find: impl FnMut() -> Option<Found>,
    ) -> Lot {
        if let Some(known) = machine(them) {
            return Lot::Suppressed(format!(
                "a machine writes from {them}, by {}",
                known.evidence
            ));
        }
        let mut answered = parents.iter();
        if let Some(id) = answered.find(|id| self.facts.seen(&automatic_mark(id, them))) {
            return Lot::Suppressed(format!(
                "in answer to <{id}> from {them}, which is automatic"
            ));
        }
        match find() {
            Some(found) if found.step >= Step::Suppress => Lot::Suppressed(found.reason),
            found => Lot::Sent(found),
        }
    }

    /// What goes on between them and each name under which we write, at its highest; nothing where
    /// nothing has gone out to them.
    fn find(&self, them: &str, us: &[String], content: &Content<'_>) -> Option<Found> {
        if !Exchange::is_warm(self.facts, them) {
            return None;
        }
        let each = us.iter().map(|us| self.between(them, us).find(content));
        each.max_by_key(|found| found.step)
    }

    fn between<'e>(&'e self, them: &'e str, us: &'e str) -> Exchange<'e> {
        Exchange::between(self.settings, self.facts, Way::Out, them, us)
    }

    /// Where nobody gets it: the answer to the whole.
    fn refusal(&self, lots: &[(&String, String, Lot)], decision: &mut Decision) -> Option<Verdict> {
        let mut waits = false;
        for (_, _, lot) in lots {
            match lot {
                Lot::Sent(_) | Lot::Suppressed(_) => return None,
                Lot::Waits(_) => waits = true,
                Lot::Refused(_) => {}
            }
        }
        if lots.is_empty() {
            return None;
        }
        for (recipient, _, lot) in lots {
            if let Lot::Waits(reason) | Lot::Refused(reason) = lot {
                decision.reason(format!("{recipient}: {reason}"));
            }
        }
        if !waits {
            return Some(Verdict::Reject(self.without_a_person()));
        }
        let text = format!(
            "Too much mail to and fro: try again later, or say {}: agent where a person wrote it",
            self.settings.trigger_header
        );
        Some(Verdict::Tempfail(Reply::new(451, "4.7.1", text)))
    }

    /// What a person wrote lets all begin anew.
    fn begins_anew(
        &self,
        sent: &[(String, Option<Found>)],
        us: &[String],
        decision: &mut Decision,
    ) {
        let warm = sent.iter().map(|(them, _)| them);
        let warm = warm.filter(|them| Exchange::is_warm(self.facts, them));
        for them in warm.take(exchange::PAIRS) {
            for us in us {
                self.between(them, us).forget(decision);
            }
        }
    }

    /// Counts what goes out: to each recipient, and between the first of them and us.
    fn count(
        &self,
        sent: Vec<(String, Option<Found>)>,
        us: &[String],
        content: &Content<'_>,
        decision: &mut Decision,
    ) {
        for (them, _) in sent.iter().take(exchange::SENT) {
            Exchange::count_sender(Way::Out, them, decision);
        }
        for (them, found) in sent.into_iter().take(exchange::PAIRS) {
            let found = found.unwrap_or_default();
            for us in us {
                self.between(&them, us)
                    .count_pair(content, &found, decision);
            }
            if found.step == Step::Suppress {
                decision.reason(format!("{}: it does not say who wrote it", found.reason));
            }
        }
    }

    fn suppress(&self, recipient: &String, reason: String, decision: &mut Decision) {
        decision.reason(format!("{recipient} gets nothing: {reason}"));
        match self.settings.suppress {
            Suppress::Silently => {
                decision.judge_recipient(recipient, RecipientVerdict::Suppress(reason));
                if self.settings.report {
                    decision.report_suppressed();
                }
            }
            Suppress::Reject => {
                let text = "Nothing automatic is sent to this recipient";
                let reply = Reply::new(550, "5.7.1", text);
                decision.judge_recipient(recipient, RecipientVerdict::Reject(reply));
            }
        }
    }

    /// The flag for whoever wrote: a help desk answers, and a ticket is opened there.
    fn say_if_help_desk(&self, recipient: &str, them: &str, decision: &mut Decision) {
        if let Some(known) = machine(them)
            && known.evidence.starts_with(HELP_DESK)
        {
            let evidence = known.evidence;
            decision.reason(format!("{recipient} is another help desk's, by {evidence}"));
            decision.tag(TO_HELP_DESK);
        }
    }

    fn without_a_person(&self) -> Reply {
        let text = format!(
            "This goes to and fro without a person: say {}: agent where a person wrote it",
            self.settings.trigger_header
        );
        Reply::new(550, "5.7.1", text)
    }
}

/// What does not say who wrote it.
fn untold(found: Option<Found>) -> Lot {
    match found {
        Some(found) if found.step == Step::Reject => Lot::Refused(found.reason),
        Some(found) if found.step == Step::Tempfail => Lot::Waits(found.reason),
        found => Lot::Sent(found),
    }
}
