//! Mail that comes in: what has been here before is refused, what comes from another machine opens
//! a ticket and is answered by nobody but a person. What goes to and fro without a person is taken
//! as well, and ends where we would answer it: nobody out there is refused for how often they write.

use gatepost_sdk::classification::{Classification, Evidence, Rule};
use gatepost_sdk::header::{From, ReplyTo};
use gatepost_sdk::{
    Decision, Facts, MessageClass, RecipientVerdict, Reply, Transaction, Verdict, canonical,
    is_support_address, machine,
};

use crate::bounce;
use crate::content::Content;
use crate::correspondent::{Correspondent, Repeated};
use crate::counts::Way;
use crate::elsewhere::Author;
use crate::head::{Field, Head};
use crate::hops;
use crate::machine as machines;
use crate::newcomers::Newcomers;
use crate::own;
use crate::resend::{Again, Resend};
use crate::settings::Settings;
use crate::strangers::{Arrival, Domain, MarkedOfAccount, Shows};
use crate::thread::{self, Depth};
use crate::{SUPPRESS_AUTOMATIC, about, automatic_mark, email_id_mark, routing_loop};

/// Correspondents of one message that are counted: an author, who is named in Reply-To, and of a
/// bounce the recipients that it names.
const CORRESPONDENTS: usize = 8;

/// One message that comes in.
pub struct Inbound<'a> {
    pub settings: &'a Settings,
    pub transaction: &'a Transaction,
    pub head: &'a Head<'a>,
    pub facts: &'a dyn Facts,
    pub found: &'a Classification,
}

/// What becomes of the recipients, as far as the message has come before.
#[derive(Default)]
struct Before<'a> {
    /// It loops.
    looping: Vec<&'a String>,
    /// It is sent once more, and they have it.
    have_it: Vec<&'a String>,
    /// They get it.
    others: Vec<&'a String>,
}

/// With whom a message goes to and fro, and how far.
struct Traffic<'a> {
    /// Those to whom something has gone out, each with how much of this they have said before.
    warm: Vec<(Correspondent<'a>, Repeated)>,
    /// Where there are none: the domains of the others to which something has gone out.
    domains: Vec<Domain<'a>>,
    /// Where an answer might go and nothing has gone before.
    newcomers: Vec<&'a String>,
    /// The author, who wants it elsewhere.
    author: Option<Author>,
    /// The same, where something has gone to them elsewhere.
    warm_author: Option<(Correspondent<'a>, Repeated)>,
    depth: Depth,
    content: Content<'a>,
}

impl Inbound<'_> {
    /// Judges it.
    pub fn judge(&self, decision: &mut Decision) -> Verdict {
        let Self {
            transaction, found, ..
        } = self;
        if let Some(reason) = hops::looping(self.head, self.settings) {
            decision.reason(reason);
            return self.refuse(routing_loop(), decision);
        }
        let before = self.came_before(decision);
        if before.others.is_empty() && !before.looping.is_empty() && before.have_it.is_empty() {
            return self.refuse(routing_loop(), decision);
        }
        for recipient in &before.looping {
            decision.refuse(*recipient, routing_loop());
        }
        for recipient in &before.have_it {
            // The client is told that it is taken, as it was.
            let reason = "this very message has been taken already, and is sent again";
            decision.judge_recipient(*recipient, RecipientVerdict::Suppress(reason.to_owned()));
        }
        if before.others.is_empty() {
            decision.classify(found.class, false);
            return Verdict::Pass;
        }
        let writers = correspondents(self.head, &transaction.mail_from);
        let mut quiet = self.help_desk(&writers, decision);
        let itself = self.is_from_ourselves(&writers);
        if itself {
            decision.reason("no machine may reply: it is from an address of this account");
            quiet = true;
        }
        let named = match found.class {
            MessageClass::Bounce => bounce::Named::by(self.head, &transaction.recipients),
            _ => bounce::Named::default(),
        };
        let traffic = self.traffic(&writers, &named, itself);
        let reached = self.limit_reached(&traffic);
        let of_a_person = found.reply_allowed && !quiet && reached.is_none();
        let newcomers = match traffic.newcomers.is_empty() {
            false => self.newcomers().limit_reached(of_a_person, decision),
            true => None,
        };
        let held = || {
            let mut warm = traffic.warm.iter();
            let held = warm.find(|(them, _)| them.is_held());
            held.map(|(them, _)| format!("nothing automatic goes to {} for now", them.address))
        };
        let why = reached.as_ref().map(|(reason, _)| reason.clone());
        let why = why.or_else(held).or_else(|| newcomers.clone());
        if let Some(reason) = &why {
            decision.reason(format!("no machine may reply: {reason}"));
        }
        // Whatever a message is, a machine's answer would keep a loop going.
        let loops = !before.looping.is_empty();
        let may = found.reply_allowed && !quiet && why.is_none() && !loops;
        decision.classify(found.class, may);
        if !may {
            decision.tag(SUPPRESS_AUTOMATIC);
        }
        self.remember(&writers, itself, decision);
        let holds = itself || reached.is_some_and(|(_, holds)| holds);
        self.count(&traffic, &writers, [itself, holds], decision);
        if newcomers.is_some() {
            self.newcomers().hold(&traffic.newcomers, decision);
        }
        Verdict::Pass
    }

    fn refuse(&self, reply: Reply, decision: &mut Decision) -> Verdict {
        decision.classify(self.found.class, false);
        Verdict::Reject(reply)
    }

    /// The recipients to whom it has come before, and the others, of whom it is remembered that it
    /// has.
    fn came_before(&self, decision: &mut Decision) -> Before<'_> {
        // Somebody else's may come by two ways, and is none of our business.
        let id = thread::email_id(self.head);
        let resend = id
            .as_deref()
            .map(|id| Resend::of(self.transaction, self.head, id));
        let delivered = hops::Delivered::of(self.head, self.settings);
        let mut before = Before::default();
        let mut fresh = Vec::new();
        for recipient in &self.transaction.recipients {
            if delivered.to(recipient, id.is_some()) {
                decision.reason(format!("Delivered-To names {recipient} already"));
                before.looping.push(recipient);
                continue;
            }
            if let (Some(id), Some(resend)) = (&id, &resend) {
                let us = canonical(recipient);
                let mark = email_id_mark(id, &us);
                match self.facts.seen(&mark).then(|| resend.is(self.facts, &us)) {
                    Some(Again::SameMessage) => {
                        before.have_it.push(recipient);
                        continue;
                    }
                    Some(Again::Loop) => {
                        decision.reason(format!("email id {id} has already come to {recipient}"));
                        before.looping.push(recipient);
                        continue;
                    }
                    Some(Again::SameClient) | None => fresh.push((mark, us)),
                }
            }
            before.others.push(recipient);
        }
        for (mark, us) in fresh {
            decision.mark_seen(mark, self.settings.remember_days * 86_400);
            if let Some(resend) = &resend {
                resend.remember(&us, decision);
            }
        }
        before
    }

    /// Says so where it is from a help desk's account, and whether it is.
    fn help_desk(&self, correspondents: &[String], decision: &mut Decision) -> bool {
        let Some(account) = self.head.first(Field::AccountId) else {
            return false;
        };
        let account = about(&account);
        let ours = self.transaction.account.as_deref();
        decision.reason(
            match ours.is_some_and(|ours| ours.eq_ignore_ascii_case(&account)) {
                true => format!(
                    "from this help desk itself, account {account}: no automatic notification"
                ),
                false => {
                    let who = correspondents.first().map_or("somebody", String::as_str);
                    format!(
                        "from the help desk of {who}, account {account}: no automatic notification"
                    )
                }
            },
        );
        true
    }

    /// Whether an answer would go to the account itself: a form, a forwarder or a forger writes in
    /// the name of the address that it writes to, or of another one of the account.
    fn is_from_ourselves(&self, writers: &[String]) -> bool {
        let recipients = self.transaction.recipients.iter();
        let us: Vec<String> = recipients.map(|to| canonical(to)).collect();
        let mut writers = writers.iter();
        writers.any(|writer| us.contains(writer) || own::is_own(self.facts, writer))
    }

    /// With whom it goes to and fro.
    fn traffic<'t>(
        &'t self,
        writers: &'t [String],
        named: &'t bounce::Named,
        itself: bool,
    ) -> Traffic<'t> {
        let limits = &self.settings.limits;
        let content = Content::of(self.head);
        let of = |address: &'t String| Correspondent::new(self.facts, limits, address);
        let warm = writers.iter().chain(&named.addresses).map(of);
        let author = match writers {
            [author, reply_to] => Author::of(author, reply_to, self.found),
            _ => None,
        };
        let with_repeated = |them: Correspondent<'t>| {
            let repeated = them.repeats(Way::In, &content);
            (them, repeated)
        };
        let warm: Vec<_> = warm
            .filter(|them| itself || them.is_warm())
            .take(CORRESPONDENTS)
            .map(with_repeated)
            .collect();
        let elsewhere = author.clone().zip(writers.first());
        let warm_author = elsewhere
            .map(|(author, address)| Correspondent::author(self.facts, limits, address, author))
            .filter(Correspondent::is_warm)
            .map(with_repeated);
        let mut domains: Vec<Domain<'_>> = Vec::new();
        // What is warm has been met.
        let met = |writer: &String| {
            let mut warm = warm.iter();
            warm.any(|(them, _)| them.address == writer)
                || Correspondent::new(self.facts, limits, writer).is_met()
        };
        let newcomers: Vec<&String> = match itself {
            true => Vec::new(),
            false => writers.iter().filter(|writer| !met(writer)).collect(),
        };
        if warm.is_empty() && newcomers.len() == writers.len() {
            for writer in writers {
                let Some(domain) = Domain::of(self.facts, limits, writer) else {
                    continue;
                };
                if !domains.iter().any(|of| of.name() == domain.name()) && domain.is_warm() {
                    domains.push(domain);
                }
            }
        }
        let mut before = thread::parents(self.head);
        before.extend(named.ids.iter().cloned());
        before.extend(thread::email_id(self.head));
        Traffic {
            warm,
            domains,
            newcomers,
            author,
            warm_author,
            depth: Depth::below(self.facts, &before),
            content,
        }
    }

    fn newcomers(&self) -> Newcomers<'_> {
        Newcomers {
            facts: self.facts,
            settings: self.settings,
        }
    }

    /// What it shows of its author.
    fn shows(&self) -> Shows {
        const PROGRAMS: [Rule; 2] = [Rule::MailProgram, Rule::Threaded];
        let Self { found, .. } = self;
        if found.class != MessageClass::Human {
            return Shows::Machine;
        }
        let mut evidence = found.evidence.iter();
        match evidence.any(|evidence| PROGRAMS.contains(&evidence.rule)) {
            true => Shows::MailProgram,
            false => Shows::Nothing,
        }
    }

    fn arrival<'c>(&self, content: &'c Content<'c>) -> Arrival<'c> {
        let answers = |evidence: &Evidence| evidence.rule == Rule::AnswerSubject;
        Arrival {
            content,
            shows: self.shows(),
            is_answer: self.found.evidence.iter().any(answers)
                || !thread::parents(self.head).is_empty(),
        }
    }

    /// Why no machine should answer it, whatever it is; and whether what goes out could not tell.
    fn limit_reached(&self, traffic: &Traffic<'_>) -> Option<(String, bool)> {
        let limits = &self.settings.limits;
        let mut warm = traffic.warm.iter();
        let with = warm.find_map(|(them, repeated)| them.limit_reached(Way::In, *repeated));
        let in_thread = || {
            let reached = traffic.depth.reaches(limits.thread);
            reached.then(|| format!("{} exchanges in one thread without a person", limits.thread))
        };
        let at_domain = || {
            let mut domains = traffic.domains.iter();
            let arrival = self.arrival(&traffic.content);
            domains.find_map(|domain| domain.limit_reached(&arrival))
        };
        let elsewhere = || {
            let (them, repeated) = traffic.warm_author.as_ref()?;
            them.limit_reached(Way::In, *repeated)
        };
        let told = |reason| (reason, false);
        let with = with.map(told);
        let with = with.or_else(|| Some((in_thread().or_else(at_domain)?, true)));
        with.or_else(|| elsewhere().map(told))
    }

    /// Remembers what the message shows of its author, and that it is automatic.
    fn remember(&self, correspondents: &[String], itself: bool, decision: &mut Decision) {
        let Self {
            settings, found, ..
        } = self;
        if found.class != MessageClass::Human
            && let Some(id) = thread::message_id(self.head)
        {
            for them in correspondents {
                decision.mark_seen(automatic_mark(&id, them), settings.remember_days * 86_400);
            }
        }
        let Some(author) = correspondents.first() else {
            return;
        };
        let known = machine(author);
        let account = self.head.first(Field::AccountId);
        let account = account.as_deref().map(about);
        let account = account.as_deref();
        match machines::evidence(settings, self.transaction, author, found, account) {
            Some((evidence, seconds)) => {
                // A little less is as good, and need not be written again with each message; and a
                // weaker sign does not shorten what a stronger one has shown.
                let enough = self.facts.now() + u64::from(seconds) * 1000 * 7 / 8;
                let known = known.is_some_and(|known| known.until >= enough);
                if !known && !itself && !is_support_address(author) {
                    decision.reason(format!("{author} is a machine's, by {evidence}"));
                    decision.remember_machine(author, evidence, seconds);
                }
            }
            None if found.class == MessageClass::Human && found.reply_allowed => {
                if let Some(known) = known {
                    let evidence = known.evidence;
                    decision.reason(format!("{author} was taken for a machine's, by {evidence}, and a person writes from it"));
                    decision.forget_machine(author);
                }
            }
            None => {}
        }
    }

    /// Counts it as an answer to what went out, if something did; where it `holds`, whoever an answer
    /// would go to gets nothing automatic for a while.
    fn count(
        &self,
        traffic: &Traffic<'_>,
        writers: &[String],
        [itself, holds]: [bool; 2],
        decision: &mut Decision,
    ) {
        let Traffic {
            warm,
            domains,
            newcomers,
            author,
            warm_author,
            depth,
            content,
        } = traffic;
        if !newcomers.is_empty() {
            self.newcomers().count_in(newcomers, decision);
        }
        if let (Some(author), Some(reply_to)) = (author, writers.last()) {
            author.remember(self.facts, reply_to, decision);
        }
        let shows = self.shows();
        let marked = shows == Shows::Machine;
        for (them, repeated) in warm.iter().chain(warm_author) {
            them.count_in(content, *repeated, marked, decision);
            if itself {
                them.count_out(decision);
            }
        }
        for domain in domains {
            domain.count_in(&self.arrival(content), decision);
            if holds {
                domain.hold(decision);
            }
        }
        let limits = &self.settings.limits;
        for writer in writers {
            let writer = Correspondent::new(self.facts, limits, writer);
            // Another address each time: who is counted as warm is not counted again.
            if !domains.is_empty() && shows != Shows::MailProgram {
                writer.count_stranger(marked, decision);
            }
            if holds {
                writer.hold(decision);
            }
        }
        let answers = !warm.is_empty() || !domains.is_empty() || warm_author.is_some();
        if answers && marked {
            let account = MarkedOfAccount {
                facts: self.facts,
                limits,
            };
            account.count_in(decision);
        }
        if answers || depth.is_known() {
            let id = thread::message_id(self.head);
            depth.keep(self.facts, id.as_slice(), decision);
        }
    }
}

/// Whom an answer would go to, in canonical form: the author first, then who is named in Reply-To;
/// where there is no author, the reverse-path.
pub fn correspondents(head: &Head<'_>, reverse_path: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let from = head.read_beginning::<From>(Field::From).map(|from| from.0);
    let reply_to = head
        .read_beginning::<ReplyTo>(Field::ReplyTo)
        .map(|to| to.0);
    for named in [from, reply_to].into_iter().flatten() {
        let Some(first) = named.first() else { continue };
        let first = canonical(first.address.as_str());
        if !found.contains(&first) {
            found.push(first);
        }
    }
    if found.is_empty() && !reverse_path.is_empty() {
        found.push(canonical(reverse_path));
    }
    found
}
