//! Mail that the application submits: what nobody but a machine wrote does not go to machines, nor
//! on where it keeps going to and fro; what does not say who wrote it waits there, and is refused
//! where the way in which it is written shows a machine. What a person is said to have written goes.

use gatepost_sdk::classification::{Classification, Rule};
use gatepost_sdk::{
    Decision, Facts, MessageClass, RecipientVerdict, Reply, Transaction, Verdict, canonical,
    email_id, machine,
};

use crate::authorship::{Submission, Writer};
use crate::content::Content;
use crate::correspondent::{Correspondent, Repeated};
use crate::counts::Way;
use crate::elsewhere::Author;
use crate::head::{Field, Head};
use crate::inbound::correspondents;
use crate::machine::HELP_DESK;
use crate::newcomers::Newcomers;
use crate::own;
use crate::pace::Found;
use crate::settings::{Settings, Suppress};
use crate::strangers::{Domain, MarkedOfAccount};
use crate::thread::{self, Depth};
use crate::{automatic_mark, hops, routing_loop};

/// Recipients of one message with whom it is looked into what goes to and fro. A loop has one or
/// two; each costs some ten look-ups, and a message may have a thousand recipients.
const LOOKED_INTO: usize = 16;

/// Recipients of one message to whom it is counted that something has gone out: with what is counted
/// of [`LOOKED_INTO`] as many as [are remembered](gatepost_sdk::bounds::REMEMBERED).
const COUNTED: usize = 200;

/// Domains of its recipients that are counted.
const DOMAINS: usize = 16;

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
    Sent,
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
    pub found: &'a Classification,
}

/// What is known of the message whoever it goes to.
struct Known<'a> {
    trigger: Trigger,
    /// Under which names it is written: From and Reply-To, in canonical form.
    us: Vec<String>,
    parents: Vec<String>,
    depth: Depth,
    content: Content<'a>,
}

/// One of its recipients.
struct Recipient<'a> {
    address: &'a String,
    /// The address in canonical form.
    them: String,
    lot: Lot,
    /// What was looked into: whether they have answered before, and how much of this they were told
    /// before.
    answers: Option<Repeated>,
    /// The same where this is the first that goes to them.
    first: First,
}

/// What is known where nothing has gone to somebody before.
#[derive(Default)]
struct First {
    /// They have just written.
    newcomer: bool,
    /// When the account had answered too many.
    held: bool,
    /// Who wants an answer there, and how much of it they were told before, where they have answered.
    author: Option<(Author, Option<Repeated>)>,
}

/// What is looked into of one recipient.
#[derive(Debug, Clone, Copy)]
struct Looks {
    at_all: bool,
    /// Also where nothing has come from them.
    at_firsts: bool,
}

/// What is decided of one recipient.
struct Judged {
    lot: Lot,
    answers: Option<Repeated>,
    first: First,
    /// How much is usual of them.
    usual: Option<Found>,
}

impl From<Lot> for Judged {
    fn from(lot: Lot) -> Self {
        Self {
            lot,
            answers: None,
            first: First::default(),
            usual: None,
        }
    }
}

impl Outbound<'_> {
    /// Judges it.
    pub fn judge(&self, decision: &mut Decision) -> Verdict {
        if let Some(reason) = hops::looping(self.head, self.settings) {
            decision.reason(reason);
            return Verdict::Reject(routing_loop());
        }
        let parents = thread::parents(self.head);
        let known = Known {
            trigger: self.trigger(),
            us: correspondents(self.head, &self.transaction.mail_from),
            depth: Depth::below(self.facts, &parents),
            parents,
            content: Content::of(self.head),
        };
        let mut recipients = Vec::new();
        let mut looked_into = 0;
        for (number, address) in self.transaction.recipients.iter().enumerate() {
            let them = canonical(address);
            let looks = Looks {
                at_all: looked_into < LOOKED_INTO,
                at_firsts: number < LOOKED_INTO,
            };
            let Judged {
                lot,
                answers,
                first,
                usual,
            } = match known.trigger {
                Trigger::Automatic => self.automatic(&them, &known, looks),
                Trigger::Agent | Trigger::Untold => {
                    self.say_if_help_desk(address, &them, decision);
                    match known.trigger {
                        Trigger::Untold => self.untold(&them, &known, looks),
                        _ => Lot::Sent.into(),
                    }
                }
            };
            looked_into += usize::from(answers.is_some());
            if let Some(usual) = usual {
                usual.remember(decision);
            }
            recipients.push(Recipient {
                address,
                them,
                lot,
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
            match &recipient.lot {
                Lot::Sent => sent.push(recipient),
                // The others would have to wait with it.
                Lot::Waits(reason) => {
                    decision.reason(format!("{address}: {reason}"));
                    sent.push(recipient);
                }
                Lot::Suppressed(reason) => self.suppress(address, reason.clone(), decision),
                Lot::Refused(reason) => {
                    decision.reason(format!("{address}: {reason}"));
                    let reply = RecipientVerdict::Reject(self.without_a_person());
                    decision.judge_recipient(address, reply);
                }
            }
        }
        if let Some(from) = known.us.first() {
            own::remember(self.facts, from, self.settings.remember_days, decision);
        }
        match known.trigger {
            Trigger::Agent => self.begins_anew(&sent, decision),
            Trigger::Automatic | Trigger::Untold => self.count(&sent, &known, decision),
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

    fn correspondent<'c>(&'c self, address: &'c str) -> Correspondent<'c> {
        Correspondent::new(self.facts, &self.settings.limits, address)
    }

    fn author<'c>(&'c self, address: &'c str, author: &Author) -> Correspondent<'c> {
        Correspondent::author(self.facts, &self.settings.limits, address, author.clone())
    }

    fn newcomers(&self) -> Newcomers<'_> {
        Newcomers {
            facts: self.facts,
            settings: self.settings,
        }
    }

    /// What is known of them where nothing has gone to them before.
    fn first(&self, them: &str, known: &Known<'_>) -> First {
        let author = Author::behind(self.facts, them).map(|author| {
            let with = self.author(them, &author);
            let told = with.has_answered();
            let told = told.then(|| with.repeats(Way::Out, &known.content));
            (author, told)
        });
        let newcomers = self.newcomers();
        let newcomer = newcomers.are_at(them);
        First {
            newcomer,
            held: newcomer && newcomers.are_held(them),
            author,
        }
    }

    /// Why nothing automatic goes to who wants the answer there, if so.
    fn author_limit(&self, them: &str, first: &First) -> Option<String> {
        let (author, told) = first.author.as_ref()?;
        self.author(them, author).limit_reached(Way::Out, (*told)?)
    }

    /// The automatic message from them that this is in answer to.
    fn answered<'k>(&self, them: &str, known: &'k Known<'_>) -> Option<&'k String> {
        let mut parents = known.parents.iter();
        parents.find(|id| self.facts.seen(&automatic_mark(id, them)))
    }

    /// What nobody but a machine wrote.
    fn automatic(&self, them: &str, known: &Known<'_>, looks: Looks) -> Judged {
        let none = |reason| Judged::from(Lot::Suppressed(reason));
        if let Some(known) = machine(them) {
            return none(format!(
                "a machine writes from {them}, by {}",
                known.evidence
            ));
        }
        if known.us.iter().any(|us| us == them) {
            return none(format!("{them} would write to itself"));
        }
        if let Some(id) = self.answered(them, known) {
            return none(format!(
                "in answer to <{id}> from {them}, which is automatic"
            ));
        }
        if !looks.at_all {
            return Lot::Sent.into();
        }
        let with = self.correspondent(them);
        let warm = with.is_warm();
        let answers = self.goes_on(&with, known, warm);
        let first = match looks.at_firsts && !warm {
            true => self.first(them, known),
            false => First::default(),
        };
        let reason = self.limit_reached(&with, known, answers);
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
            None if with.is_written_to_often() => Some(self.newcomers().answer_for(&with)),
            _ => None,
        };
        if let Some(much) = usual.as_ref().and_then(|usual| usual.too_much.as_ref()) {
            return none(format!(
                "much goes to {them}, who never answers, as others write: {much}"
            ));
        }
        Judged {
            lot: Lot::Sent,
            answers,
            first,
            usual,
        }
    }

    /// Where this is no first message to them: how much of it they were told before.
    fn goes_on(&self, with: &Correspondent<'_>, known: &Known<'_>, warm: bool) -> Option<Repeated> {
        let ours = || own::is_own(self.facts, with.address);
        // Nobody answers from there, but a mail system, or somebody else of the domain.
        let instead = || {
            let domain = Domain::of(self.facts, &self.settings.limits, with.address);
            let held = || domain.is_some_and(|domain| domain.is_held());
            warm && (machine(with.address).is_some() || held())
        };
        let goes_on = with.has_answered() || with.is_held() || known.depth.is_known();
        (goes_on || instead() || ours()).then(|| with.repeats(Way::Out, &known.content))
    }

    /// Why nothing automatic goes to them, if so.
    fn limit_reached(
        &self,
        with: &Correspondent<'_>,
        known: &Known<'_>,
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
            if let Some(reason) = with.limit_reached(Way::Out, repeated) {
                return Some(reason);
            }
            if known.depth.reaches(limits.thread) {
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

    /// What does not say who wrote it: only where a limit is reached does it matter.
    fn untold(&self, them: &str, known: &Known<'_>, looks: Looks) -> Judged {
        if !looks.at_all {
            return Lot::Sent.into();
        }
        let with = self.correspondent(them);
        let warm = with.is_warm();
        let answers = self.goes_on(&with, known, warm);
        let first = match looks.at_firsts && !warm {
            true => self.first(them, known),
            false => First::default(),
        };
        let hasty = || {
            let reason = "exchanges in ten minutes, and it does not say who wrote it";
            with.is_hasty()
                .then(|| format!("{} {reason}", self.settings.limits.haste))
        };
        let lot = match self.limit_reached(&with, known, answers) {
            None => hasty().map_or(Lot::Sent, Lot::Waits),
            Some(reason) => {
                let domain = Domain::of(self.facts, &self.settings.limits, them);
                match self
                    .submission(&with, domain.as_ref(), known, answers)
                    .writer()
                {
                    Writer::Perhaps => hasty().map_or(Lot::Sent, Lot::Waits),
                    Writer::Machine { quick } => match hasty() {
                        Some(hasty) if !quick => Lot::Waits(hasty),
                        _ => Lot::Refused(format!("{reason}, and it reads like a machine's")),
                    },
                }
            }
        };
        Judged {
            lot,
            answers,
            first,
            usual: None,
        }
    }

    /// What shows who wrote it.
    fn submission<'s>(
        &self,
        them: &'s Correspondent<'s>,
        domain: Option<&'s Domain<'s>>,
        known: &'s Known<'_>,
        answers: Option<Repeated>,
    ) -> Submission<'s> {
        const TYPED: [Rule; 3] = [Rule::MailProgram, Rule::Threaded, Rule::TypedReply];
        let has = |rules: &[Rule]| {
            let mut evidence = self.found.evidence.iter();
            evidence.any(|evidence| rules.contains(&evidence.rule))
        };
        let Known { content, depth, .. } = known;
        let limit = self.settings.limits.thread;
        let in_subject = domain.is_some_and(|domain| domain.goes_on_about(content));
        Submission {
            them,
            domain,
            content,
            repeated: answers.unwrap_or_else(|| them.repeats(Way::Out, content)),
            marked: self.found.class != MessageClass::Human,
            looks_typed: has(&TYPED),
            is_answer: !known.parents.is_empty() || has(&[Rule::AnswerSubject]),
            goes_on: depth.reaches(limit) || in_subject,
            answers_machine: machine(them.address).is_some()
                || self.answered(them.address, known).is_some(),
        }
    }

    /// Where nobody gets it: the answer to the whole.
    fn refusal(&self, recipients: &[Recipient<'_>], decision: &mut Decision) -> Option<Verdict> {
        let mut waits = false;
        for recipient in recipients {
            match recipient.lot {
                Lot::Sent | Lot::Suppressed(_) => return None,
                Lot::Waits(_) => waits = true,
                Lot::Refused(_) => {}
            }
        }
        if recipients.is_empty() {
            return None;
        }
        for recipient in recipients {
            if let Lot::Waits(reason) | Lot::Refused(reason) = &recipient.lot {
                decision.reason(format!("{}: {reason}", recipient.address));
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
    fn begins_anew(&self, sent: &[Recipient<'_>], decision: &mut Decision) {
        let sent = sent.iter().map(|recipient| recipient.them.as_str());
        let mut looked_into = 0;
        for (number, them) in sent.take(COUNTED).enumerate() {
            let with = self.correspondent(them);
            with.meet(decision);
            if looked_into < LOOKED_INTO && (with.is_warm() || with.is_held()) {
                looked_into += 1;
                with.begin_anew(decision);
            }
            if number < LOOKED_INTO
                && let Some(author) = Author::behind(self.facts, them)
            {
                self.author(them, &author).begin_anew(decision);
            }
        }
    }

    /// Counts what goes out: to each recipient and their domain, and with whom it goes on.
    fn count(&self, sent: &[Recipient<'_>], known: &Known<'_>, decision: &mut Decision) {
        let mut domains: Vec<String> = Vec::new();
        let mut goes_on = known.depth.is_known();
        for (number, recipient) in sent.iter().take(COUNTED).enumerate() {
            let them = self.correspondent(&recipient.them);
            them.count_out(decision);
            let domain = match number < DOMAINS || recipient.answers.is_some() {
                true => Domain::of(self.facts, &self.settings.limits, &recipient.them),
                false => None,
            };
            if number < DOMAINS
                && let Some(of) = &domain
                && !domains.iter().any(|name| name == of.name())
            {
                of.count_out(&known.content, decision);
                domains.push(of.name().to_owned());
            }
            let First {
                newcomer,
                held,
                author,
            } = &recipient.first;
            // What goes to who is held is no machine's, as far as can be told.
            if *newcomer && !held {
                self.newcomers().count_out(decision);
            }
            if let Some((author, told)) = author {
                let author = self.author(&recipient.them, author);
                author.count_out(decision);
                if let Some(told) = told {
                    author.count_answer(&known.content, *told, decision);
                }
            }
            let Some(repeated) = recipient.answers else {
                continue;
            };
            goes_on = true;
            them.count_answer(&known.content, repeated, decision);
            if let Some(of) = domain {
                let fast = them.is_faster_than_typed(known.content.body().words);
                of.count_answer(&known.content, fast, decision);
            }
            if them.is_marked() {
                self.marked_of_account().count_out(decision);
            }
            // What goes to the account itself comes in again.
            let ourselves = known.us.contains(&recipient.them);
            if ourselves || own::is_own(self.facts, &recipient.them) {
                let marked = known.trigger == Trigger::Automatic;
                them.count_in(&known.content, repeated, marked, decision);
            }
        }
        // What is in answer to something is in a thread, whoever it goes to: the answer may come from
        // where nobody was ever written to.
        if goes_on || !known.parents.is_empty() {
            let mut ids = vec![email_id()];
            ids.extend(thread::message_id(self.head));
            known.depth.keep(self.facts, &ids, decision);
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
