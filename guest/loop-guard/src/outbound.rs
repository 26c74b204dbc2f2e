//! Mail that the application submits, by its trigger. Automatic mail does not go to machines, nor
//! to a correspondent with whom a limit of exchanges is reached. At that limit, mail without a
//! trigger waits, or is refused if the way in which it is written shows a machine. Mail of an agent
//! always goes.

use gatepost_sdk::classification::{Classification, Rule};
use gatepost_sdk::{
    Decision, Facts, MessageClass, RecipientVerdict, Reply, Transaction, Verdict, canonical,
    email_id, machine,
};

use crate::authorship::{Submission, Writer};
use crate::content::Content;
use crate::correspondent::{Correspondent, Repeated};
use crate::counts::MailDirection;
use crate::elsewhere::MovingAuthor;
use crate::head::{Field, Head};
use crate::inbound::correspondents;
use crate::machine::HELP_DESK;
use crate::newcomers::Newcomers;
use crate::own;
use crate::pace::PaceJudgement;
use crate::settings::{Settings, Suppress};
use crate::strangers::{Domain, MarkedOfAccount};
use crate::thread::{self, Depth};
use crate::{automatic_mark, hops, routing_loop};

/// Most recipients of one message whose exchanges are looked up. A loop has one or two; each costs
/// some ten look-ups, and a message may have a thousand recipients.
const MAX_LOOKED_UP: usize = 16;

/// Most recipients of one message that are counted: together with the counts of [`MAX_LOOKED_UP`]
/// recipients, as many keys as [are remembered](gatepost_sdk::bounds::REMEMBERED).
const MAX_COUNTED: usize = 200;

/// Most domains of its recipients that are counted.
const MAX_DOMAINS: usize = 16;

/// Tag of mail that a person wrote to another help desk.
const TO_HELP_DESK: &str = "to-help-desk";

/// Author of a submission, as its trigger header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trigger {
    /// Machine.
    Automatic,
    /// Person.
    Agent,
    /// No trigger: treated as a person's mail, but counted.
    Unstated,
}

/// Disposition of one recipient.
enum Disposition {
    Sent,
    Suppressed(String),
    Deferred(String),
    Refused(String),
}

/// Submitted message that is judged.
pub struct Outbound<'a> {
    pub settings: &'a Settings,
    pub transaction: &'a Transaction,
    pub head: &'a Head<'a>,
    pub facts: &'a dyn Facts,
    pub found: &'a Classification,
}

/// Facts about the message that are the same for all recipients.
struct SubmissionFacts<'a> {
    trigger: Trigger,
    /// Addresses under which it is written: From and Reply-To, in canonical form.
    us: Vec<String>,
    parents: Vec<String>,
    depth: Depth,
    content: Content<'a>,
}

/// Recipient of the message, as judged.
struct JudgedRecipient<'a> {
    address: &'a String,
    /// Address in canonical form.
    them: String,
    disposition: Disposition,
    /// Degree to which they were sent the same words before, if this continues an exchange.
    answers: Option<Repeated>,
    /// Facts about a recipient to whom nothing went before.
    first: FirstContact,
}

/// Facts about a recipient to whom nothing went before.
#[derive(Default)]
struct FirstContact {
    /// True if they have just written.
    newcomer: bool,
    /// True if they wrote when the account had answered too many newcomers.
    held: bool,
    /// Author who wants answers there, with the degree to which they were sent the same words
    /// before, if they have answered.
    author: Option<(MovingAuthor, Option<Repeated>)>,
}

/// Look-ups that are made for one recipient.
#[derive(Debug, Clone, Copy)]
struct LookUps {
    /// Look-ups of any kind.
    any: bool,
    /// Look-ups for a recipient to whom nothing went before.
    first_contacts: bool,
}

/// Judgement of one recipient.
struct RecipientJudgement {
    disposition: Disposition,
    answers: Option<Repeated>,
    first: FirstContact,
    /// Pace of the mail to them, if they get much and never answer.
    usual: Option<PaceJudgement>,
}

impl From<Disposition> for RecipientJudgement {
    fn from(disposition: Disposition) -> Self {
        Self {
            disposition,
            answers: None,
            first: FirstContact::default(),
            usual: None,
        }
    }
}

impl Outbound<'_> {
    /// Judges the message.
    pub fn judge(&self, decision: &mut Decision) -> Verdict {
        if let Some(reason) = hops::looping(self.head, self.settings) {
            decision.reason(reason);
            return Verdict::Reject(routing_loop());
        }
        let parents = thread::parents(self.head);
        let message = SubmissionFacts {
            trigger: self.trigger(),
            us: correspondents(self.head, &self.transaction.mail_from),
            depth: Depth::of_answer_to(self.facts, &parents),
            parents,
            content: Content::of(self.head),
        };
        let mut recipients = Vec::new();
        let mut looked_up = 0;
        for (number, address) in self.transaction.recipients.iter().enumerate() {
            let them = canonical(address);
            let look_ups = LookUps {
                any: looked_up < MAX_LOOKED_UP,
                first_contacts: number < MAX_LOOKED_UP,
            };
            let RecipientJudgement {
                disposition,
                answers,
                first,
                usual,
            } = match message.trigger {
                Trigger::Automatic => self.automatic(&them, &message, look_ups),
                Trigger::Agent | Trigger::Unstated => {
                    self.say_if_help_desk(address, &them, decision);
                    match message.trigger {
                        Trigger::Unstated => self.unstated(&them, &message, look_ups),
                        _ => Disposition::Sent.into(),
                    }
                }
            };
            looked_up += usize::from(answers.is_some());
            if let Some(usual) = usual {
                usual.remember(decision);
            }
            recipients.push(JudgedRecipient {
                address,
                them,
                disposition,
                answers,
                first,
            });
        }
        if let Some(refusal) = self.refusal(&recipients, decision) {
            return refusal;
        }
        let mut sent = Vec::new();
        for recipient in recipients {
            let address = recipient.address;
            match &recipient.disposition {
                Disposition::Sent => sent.push(recipient),
                // A 451 would make the other recipients wait too.
                Disposition::Deferred(reason) => {
                    decision.reason(format!("{address}: {reason}"));
                    sent.push(recipient);
                }
                Disposition::Suppressed(reason) => self.suppress(address, reason.clone(), decision),
                Disposition::Refused(reason) => {
                    decision.reason(format!("{address}: {reason}"));
                    let reply = RecipientVerdict::Reject(self.without_a_person());
                    decision.judge_recipient(address, reply);
                }
            }
        }
        if let Some(from) = message.us.first() {
            own::remember(self.facts, from, self.settings.remember_days, decision);
        }
        match message.trigger {
            Trigger::Agent => self.forget_exchanges(&sent, decision),
            Trigger::Automatic | Trigger::Unstated => self.count(&sent, &message, decision),
        }
        Verdict::Pass
    }

    fn trigger(&self) -> Trigger {
        let said = self.head.first(Field::Trigger);
        match said.as_deref() {
            Some(said) if said.eq_ignore_ascii_case("automatic") => Trigger::Automatic,
            Some(said) if said.eq_ignore_ascii_case("agent") => Trigger::Agent,
            _ => Trigger::Unstated,
        }
    }

    fn correspondent<'c>(&'c self, address: &'c str) -> Correspondent<'c> {
        Correspondent::new(self.facts, &self.settings.limits, address)
    }

    fn author<'c>(&'c self, address: &'c str, author: &MovingAuthor) -> Correspondent<'c> {
        Correspondent::of_author(self.facts, &self.settings.limits, address, author.clone())
    }

    fn newcomers(&self) -> Newcomers<'_> {
        Newcomers {
            facts: self.facts,
            settings: self.settings,
        }
    }

    /// Returns the facts about a recipient to whom nothing went before.
    fn first_contact(&self, them: &str, message: &SubmissionFacts<'_>) -> FirstContact {
        let author = MovingAuthor::wanting_answers_at(self.facts, them).map(|author| {
            let with = self.author(them, &author);
            let told = with.has_answered();
            let told = told.then(|| with.repeats(MailDirection::Out, &message.content));
            (author, told)
        });
        let newcomers = self.newcomers();
        let newcomer = newcomers.await_answer_at(them);
        FirstContact {
            newcomer,
            held: newcomer && newcomers.are_held(them),
            author,
        }
    }

    /// Returns the reason why nothing automatic goes to the author who wants answers there, if a
    /// limit is reached.
    fn author_limit(&self, them: &str, first: &FirstContact) -> Option<String> {
        let (author, told) = first.author.as_ref()?;
        self.author(them, author)
            .limit_reached(MailDirection::Out, (*told)?)
    }

    /// Returns the Message-ID of the automatic message from them that this one answers.
    fn answered<'k>(&self, them: &str, message: &'k SubmissionFacts<'_>) -> Option<&'k String> {
        let mut parents = message.parents.iter();
        parents.find(|id| self.facts.seen(&automatic_mark(id, them)))
    }

    /// Judges one recipient of mail that a machine wrote.
    fn automatic(
        &self,
        them: &str,
        message: &SubmissionFacts<'_>,
        look_ups: LookUps,
    ) -> RecipientJudgement {
        let none = |reason| RecipientJudgement::from(Disposition::Suppressed(reason));
        if let Some(known) = machine(them) {
            return none(format!(
                "a machine writes from {them}, by {}",
                known.evidence
            ));
        }
        if message.us.iter().any(|us| us == them) {
            return none(format!("{them} would write to itself"));
        }
        if let Some(id) = self.answered(them, message) {
            return none(format!(
                "in answer to <{id}> from {them}, which is automatic"
            ));
        }
        if !look_ups.any {
            return Disposition::Sent.into();
        }
        let with = self.correspondent(them);
        let written_to = with.was_written_to();
        let answers = self.repeated_in_exchange(&with, message, written_to);
        let first = match look_ups.first_contacts && !written_to {
            true => self.first_contact(them, message),
            false => FirstContact::default(),
        };
        let reason = self.limit_reached(&with, message, answers);
        let by_author = || self.author_limit(them, &first);
        if let Some(reason) = reason.or_else(by_author) {
            return none(reason);
        }
        if first.held {
            return none(format!(
                "{them} wrote when the account had answered too many newcomers"
            ));
        }
        let usual = match answers {
            None if with.is_written_to_often() => Some(self.newcomers().pace_of_mail_to(&with)),
            _ => None,
        };
        if let Some(much) = usual.as_ref().and_then(|usual| usual.too_much.as_ref()) {
            return none(format!(
                "much goes to {them}, who never answers, as others write: {much}"
            ));
        }
        RecipientJudgement {
            disposition: Disposition::Sent,
            answers,
            first,
            usual,
        }
    }

    /// Returns the degree to which they were sent the same words before, if this message continues
    /// an exchange.
    fn repeated_in_exchange(
        &self,
        with: &Correspondent<'_>,
        message: &SubmissionFacts<'_>,
        written_to: bool,
    ) -> Option<Repeated> {
        let ours = || own::is_own(self.facts, with.address);
        // Answers may come from a mail system or another address of the domain instead.
        let instead = || {
            let domain = Domain::of(self.facts, &self.settings.limits, with.address);
            let held = || domain.is_some_and(|domain| domain.is_held());
            written_to && (machine(with.address).is_some() || held())
        };
        let goes_on = with.has_answered() || with.is_held() || message.depth.is_known();
        (goes_on || instead() || ours()).then(|| with.repeats(MailDirection::Out, &message.content))
    }

    /// Returns the reason why nothing automatic goes to them, if a limit is reached.
    fn limit_reached(
        &self,
        with: &Correspondent<'_>,
        message: &SubmissionFacts<'_>,
        answers: Option<Repeated>,
    ) -> Option<String> {
        let limits = &self.settings.limits;
        let them = with.address;
        if let Some(repeated) = answers {
            if with.is_held() {
                return Some(format!(
                    "what comes from {them} goes to and fro without a person"
                ));
            }
            if let Some(reason) = with.limit_reached(MailDirection::Out, repeated) {
                return Some(reason);
            }
            if message.depth.reaches(limits.thread) {
                let limit = limits.thread;
                return Some(format!("{limit} exchanges in one thread without a person"));
            }
            let account = self.marked_of_account();
            if with.is_marked()
                && let Some(reason) = account.limit_reached()
            {
                return Some(reason);
            }
        }
        if !with.is_written_to_often() {
            return None;
        }
        if let Some(known) = machine(them) {
            let evidence = known.evidence;
            return Some(format!("often to {them}, a machine's by {evidence}"));
        }
        let domain = Domain::of(self.facts, limits, them)?;
        domain.is_held().then(|| {
            let domain = domain.name();
            format!("what goes to {them} is answered from ever new addresses {domain}")
        })
    }

    fn marked_of_account(&self) -> MarkedOfAccount<'_> {
        MarkedOfAccount {
            facts: self.facts,
            limits: &self.settings.limits,
        }
    }

    /// Judges one recipient of mail without a trigger; its author matters only if a limit is
    /// reached.
    fn unstated(
        &self,
        them: &str,
        message: &SubmissionFacts<'_>,
        look_ups: LookUps,
    ) -> RecipientJudgement {
        if !look_ups.any {
            return Disposition::Sent.into();
        }
        let with = self.correspondent(them);
        let written_to = with.was_written_to();
        let answers = self.repeated_in_exchange(&with, message, written_to);
        let first = match look_ups.first_contacts && !written_to {
            true => self.first_contact(them, message),
            false => FirstContact::default(),
        };
        let hasty = || {
            let reason = "exchanges in ten minutes, and it does not say who wrote it";
            with.is_hasty()
                .then(|| format!("{} {reason}", self.settings.limits.haste))
        };
        let disposition = match self.limit_reached(&with, message, answers) {
            None => hasty().map_or(Disposition::Sent, Disposition::Deferred),
            Some(reason) => {
                let domain = Domain::of(self.facts, &self.settings.limits, them);
                match self
                    .submission(&with, domain.as_ref(), message, answers)
                    .writer()
                {
                    Writer::PossiblyPerson => {
                        hasty().map_or(Disposition::Sent, Disposition::Deferred)
                    }
                    Writer::Machine { quick } => match hasty() {
                        Some(hasty) if !quick => Disposition::Deferred(hasty),
                        _ => {
                            Disposition::Refused(format!("{reason}, and it reads like a machine's"))
                        }
                    },
                }
            }
        };
        RecipientJudgement {
            disposition,
            answers,
            first,
            usual: None,
        }
    }

    /// Collects the signs of the author.
    fn submission<'s>(
        &self,
        them: &'s Correspondent<'s>,
        domain: Option<&'s Domain<'s>>,
        message: &'s SubmissionFacts<'_>,
        answers: Option<Repeated>,
    ) -> Submission<'s> {
        const TYPED_RULES: [Rule; 3] = [Rule::MailProgram, Rule::Threaded, Rule::TypedReply];
        let has = |rules: &[Rule]| {
            let mut evidence = self.found.evidence.iter();
            evidence.any(|evidence| rules.contains(&evidence.rule))
        };
        let SubmissionFacts { content, depth, .. } = message;
        let limit = self.settings.limits.thread;
        let in_subject = domain.is_some_and(|domain| domain.goes_on_about(content));
        Submission {
            them,
            domain,
            content,
            repeated: answers.unwrap_or_else(|| them.repeats(MailDirection::Out, content)),
            marked: self.found.class != MessageClass::Human,
            looks_typed: has(&TYPED_RULES),
            is_answer: !message.parents.is_empty() || has(&[Rule::AnswerSubject]),
            goes_on: depth.reaches(limit) || in_subject,
            answers_machine: machine(them.address).is_some()
                || self.answered(them.address, message).is_some(),
        }
    }

    /// Returns the reply to the whole message, if no recipient gets it.
    fn refusal(
        &self,
        recipients: &[JudgedRecipient<'_>],
        decision: &mut Decision,
    ) -> Option<Verdict> {
        let mut deferred = false;
        for recipient in recipients {
            match recipient.disposition {
                Disposition::Sent | Disposition::Suppressed(_) => return None,
                Disposition::Deferred(_) => deferred = true,
                Disposition::Refused(_) => {}
            }
        }
        if recipients.is_empty() {
            return None;
        }
        for recipient in recipients {
            if let Disposition::Deferred(reason) | Disposition::Refused(reason) =
                &recipient.disposition
            {
                decision.reason(format!("{}: {reason}", recipient.address));
            }
        }
        if !deferred {
            return Some(Verdict::Reject(self.without_a_person()));
        }
        let text = format!(
            "Too much mail to and fro: try again later, or say {}: agent where a person wrote it",
            self.settings.trigger_header
        );
        Some(Verdict::Tempfail(Reply::new(451, "4.7.1", text)))
    }

    /// Forgets the exchanges with the recipients, since a person has written.
    fn forget_exchanges(&self, sent: &[JudgedRecipient<'_>], decision: &mut Decision) {
        let sent = sent.iter().map(|recipient| recipient.them.as_str());
        let mut looked_up = 0;
        for (number, them) in sent.take(MAX_COUNTED).enumerate() {
            let with = self.correspondent(them);
            with.count_mail_of_person(decision);
            if looked_up < MAX_LOOKED_UP && (with.was_written_to() || with.is_held()) {
                looked_up += 1;
                with.forget_exchanges(decision);
            }
            if number < MAX_LOOKED_UP
                && let Some(author) = MovingAuthor::wanting_answers_at(self.facts, them)
            {
                self.author(them, &author).forget_exchanges(decision);
            }
        }
    }

    /// Counts the message for each recipient, their domain, and the exchange that it continues.
    fn count(
        &self,
        sent: &[JudgedRecipient<'_>],
        message: &SubmissionFacts<'_>,
        decision: &mut Decision,
    ) {
        let mut domains: Vec<String> = Vec::new();
        let mut goes_on = message.depth.is_known();
        for (number, recipient) in sent.iter().take(MAX_COUNTED).enumerate() {
            let them = self.correspondent(&recipient.them);
            them.count_out(decision);
            let domain = match number < MAX_DOMAINS || recipient.answers.is_some() {
                true => Domain::of(self.facts, &self.settings.limits, &recipient.them),
                false => None,
            };
            if number < MAX_DOMAINS
                && let Some(of) = &domain
                && !domains.iter().any(|name| name == of.name())
            {
                of.count_out(&message.content, decision);
                domains.push(of.name().to_owned());
            }
            let FirstContact {
                newcomer,
                held,
                author,
            } = &recipient.first;
            // Mail that still goes to a held newcomer is probably a person's.
            if *newcomer && !held {
                self.newcomers().count_out(decision);
            }
            if let Some((author, told)) = author {
                let author = self.author(&recipient.them, author);
                author.count_out(decision);
                if let Some(told) = told {
                    author.count_answer(&message.content, *told, decision);
                }
            }
            let Some(repeated) = recipient.answers else {
                continue;
            };
            goes_on = true;
            them.count_answer(&message.content, repeated, decision);
            if let Some(of) = domain {
                let fast = them.is_faster_than_typed(message.content.body().words);
                of.count_answer(&message.content, fast, decision);
            }
            if them.is_marked() {
                self.marked_of_account().count_out(decision);
            }
            // Mail to the account itself comes in again.
            let ourselves = message.us.contains(&recipient.them);
            if ourselves || own::is_own(self.facts, &recipient.them) {
                let marked = message.trigger == Trigger::Automatic;
                them.count_in(&message.content, repeated, marked, decision);
            }
        }
        // An answer is in a thread whoever it goes to: the next one may come from an address that
        // was never written to.
        if goes_on || !message.parents.is_empty() {
            let mut ids = vec![email_id()];
            ids.extend(thread::message_id(self.head));
            message.depth.remember(self.facts, &ids, decision);
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

    /// Warns the author that a help desk answers, and opens a ticket.
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
