//! Mail that comes in. A message that has been here before is refused. Mail from another machine
//! opens a ticket, and only a person may answer it. Mail of an exchange without a person is
//! accepted as well; such a loop ends at our answer, since nobody is refused for writing often.

use gatepost_sdk::classification::{Classification, Evidence, Rule};
use gatepost_sdk::header::{From, ReplyTo};
use gatepost_sdk::{
    Decision, Facts, MessageClass, RecipientVerdict, Reply, Transaction, Verdict, canonical,
    is_support_address, machine,
};

use crate::bounce;
use crate::content::Content;
use crate::correspondent::{Correspondent, Repeated};
use crate::counts::MailDirection;
use crate::elsewhere::MovingAuthor;
use crate::head::{Field, Head};
use crate::hops;
use crate::machine as machines;
use crate::newcomers::Newcomers;
use crate::own;
use crate::resend::{Resend, ResendKind};
use crate::settings::Settings;
use crate::strangers::{AuthorSign, Domain, MarkedOfAccount, StrangerMail};
use crate::thread::{self, Depth};
use crate::{SUPPRESS_AUTOMATIC, automatic_mark, email_id_mark, routing_loop, shortened};

/// Most correspondents of one message that are counted: the author, the address in Reply-To, and
/// the recipients that a bounce names.
const MAX_CORRESPONDENTS: usize = 8;

/// Incoming message that is judged.
pub struct Inbound<'a> {
    pub settings: &'a Settings,
    pub transaction: &'a Transaction,
    pub head: &'a Head<'a>,
    pub facts: &'a dyn Facts,
    pub found: &'a Classification,
}

/// Recipients of a message, by how it came before.
#[derive(Default)]
struct EarlierArrivals<'a> {
    /// Recipients to whom it has come back by a loop.
    looping: Vec<&'a String>,
    /// Recipients who have it already, since its client sends it once more.
    have_it_already: Vec<&'a String>,
    /// Recipients who get it.
    others: Vec<&'a String>,
}

/// Exchanges that a message belongs to.
struct Exchanges<'a> {
    /// Correspondents to whom mail went, each with the degree to which they repeat themselves.
    written_to: Vec<(Correspondent<'a>, Repeated)>,
    /// Domains of the authors to which mail went, if none of the addresses was written to.
    domains: Vec<Domain<'a>>,
    /// Addresses to which an answer might go, and nothing went before.
    newcomers: Vec<&'a String>,
    /// Author, if they want the answer at another address.
    author: Option<MovingAuthor>,
    /// The same author, if mail went to another of their addresses.
    author_written_to: Option<(Correspondent<'a>, Repeated)>,
    depth: Depth,
    content: Content<'a>,
}

impl Inbound<'_> {
    /// Judges the message.
    pub fn judge(&self, decision: &mut Decision) -> Verdict {
        let Self {
            transaction, found, ..
        } = self;
        if let Some(reason) = hops::looping(self.head, self.settings) {
            decision.reason(reason);
            return self.refuse(routing_loop(), decision);
        }
        let before = self.earlier_arrivals(decision);
        if before.others.is_empty()
            && !before.looping.is_empty()
            && before.have_it_already.is_empty()
        {
            return self.refuse(routing_loop(), decision);
        }
        for recipient in &before.looping {
            decision.refuse(*recipient, routing_loop());
        }
        for recipient in &before.have_it_already {
            // The client gets the same 250 as the first time.
            let reason = "this very message has been taken already, and is sent again";
            decision.judge_recipient(*recipient, RecipientVerdict::Suppress(reason.to_owned()));
        }
        if before.others.is_empty() {
            decision.classify(found.class, false);
            return Verdict::Pass;
        }
        let writers = correspondents(self.head, &transaction.mail_from);
        let mut quiet = self.help_desk(&writers, decision);
        let from_own_account = self.is_from_ourselves(&writers);
        if from_own_account {
            decision.reason("no machine may reply: it is from an address of this account");
            quiet = true;
        }
        let named = match found.class {
            MessageClass::Bounce => bounce::NamedInBounce::read(self.head, &transaction.recipients),
            _ => bounce::NamedInBounce::default(),
        };
        let exchanges = self.exchanges(&writers, &named, from_own_account);
        let reached = self.limit_reached(&exchanges);
        let of_a_person = found.reply_allowed && !quiet && reached.is_none();
        let newcomers = match exchanges.newcomers.is_empty() {
            false => self.newcomers().limit_reached(of_a_person, decision),
            true => None,
        };
        let held = || {
            let mut written_to = exchanges.written_to.iter();
            let held = written_to.find(|(them, _)| them.is_held());
            held.map(|(them, _)| format!("nothing automatic goes to {} for now", them.address))
        };
        let why = reached.as_ref().map(|(reason, _)| reason.clone());
        let why = why.or_else(held).or_else(|| newcomers.clone());
        if let Some(reason) = &why {
            decision.reason(format!("no machine may reply: {reason}"));
        }
        // A machine's answer would keep a loop going, whatever the class of the message.
        let loops = !before.looping.is_empty();
        let may = found.reply_allowed && !quiet && why.is_none() && !loops;
        decision.classify(found.class, may);
        if !may {
            decision.tag(SUPPRESS_AUTOMATIC);
        }
        self.remember(&writers, from_own_account, decision);
        let holds = from_own_account || reached.is_some_and(|(_, holds)| holds);
        self.count(&exchanges, &writers, [from_own_account, holds], decision);
        if newcomers.is_some() {
            self.newcomers().hold(&exchanges.newcomers, decision);
        }
        Verdict::Pass
    }

    fn refuse(&self, reply: Reply, decision: &mut Decision) -> Verdict {
        decision.classify(self.found.class, false);
        Verdict::Reject(reply)
    }

    /// Sorts the recipients by how the message came to them before, and remembers it for the
    /// others.
    fn earlier_arrivals(&self, decision: &mut Decision) -> EarlierArrivals<'_> {
        // Only messages of ours count: others may come by two ways without a loop.
        let id = thread::email_id(self.head);
        let resend = id
            .as_deref()
            .map(|id| Resend::of(self.transaction, self.head, id));
        let delivered = hops::Delivered::of(self.head, self.settings);
        let mut before = EarlierArrivals::default();
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
                match self
                    .facts
                    .seen(&mark)
                    .then(|| resend.kind_at(self.facts, &us))
                {
                    Some(ResendKind::SameMessage) => {
                        before.have_it_already.push(recipient);
                        continue;
                    }
                    Some(ResendKind::Loop) => {
                        decision.reason(format!("email id {id} has already come to {recipient}"));
                        before.looping.push(recipient);
                        continue;
                    }
                    Some(ResendKind::SameClient) | None => fresh.push((mark, us)),
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

    /// Returns true if the message is from a help desk's account, and gives the reason.
    fn help_desk(&self, correspondents: &[String], decision: &mut Decision) -> bool {
        let Some(account) = self.head.first(Field::AccountId) else {
            return false;
        };
        let account = shortened(&account);
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

    /// Returns true if an answer would go to the account itself: a form, a forwarder or a forger
    /// writes in the name of the address that it writes to, or of another one of the account.
    fn is_from_ourselves(&self, writers: &[String]) -> bool {
        let recipients = self.transaction.recipients.iter();
        let us: Vec<String> = recipients.map(|to| canonical(to)).collect();
        let mut writers = writers.iter();
        writers.any(|writer| us.contains(writer) || own::is_own(self.facts, writer))
    }

    /// Finds the exchanges that the message belongs to.
    fn exchanges<'t>(
        &'t self,
        writers: &'t [String],
        named: &'t bounce::NamedInBounce,
        from_own_account: bool,
    ) -> Exchanges<'t> {
        let limits = &self.settings.limits;
        let content = Content::of(self.head);
        let of = |address: &'t String| Correspondent::new(self.facts, limits, address);
        let written_to = writers.iter().chain(&named.addresses).map(of);
        let author = match writers {
            [author, reply_to] => MovingAuthor::of(author, reply_to, self.found),
            _ => None,
        };
        let with_repeated = |them: Correspondent<'t>| {
            let repeated = them.repeats(MailDirection::In, &content);
            (them, repeated)
        };
        let written_to: Vec<_> = written_to
            .filter(|them| from_own_account || them.was_written_to())
            .take(MAX_CORRESPONDENTS)
            .map(with_repeated)
            .collect();
        let elsewhere = author.clone().zip(writers.first());
        let author_written_to = elsewhere
            .map(|(author, address)| Correspondent::of_author(self.facts, limits, address, author))
            .filter(Correspondent::was_written_to)
            .map(with_repeated);
        let mut domains: Vec<Domain<'_>> = Vec::new();
        // Whoever was written to is no newcomer.
        let met = |writer: &String| {
            let mut written_to = written_to.iter();
            written_to.any(|(them, _)| them.address == writer)
                || Correspondent::new(self.facts, limits, writer).was_written_to_by_person()
        };
        let newcomers: Vec<&String> = match from_own_account {
            true => Vec::new(),
            false => writers.iter().filter(|writer| !met(writer)).collect(),
        };
        if written_to.is_empty() && newcomers.len() == writers.len() {
            for writer in writers {
                let Some(domain) = Domain::of(self.facts, limits, writer) else {
                    continue;
                };
                if !domains.iter().any(|of| of.name() == domain.name()) && domain.was_written_to() {
                    domains.push(domain);
                }
            }
        }
        let mut before = thread::parents(self.head);
        before.extend(named.ids.iter().cloned());
        before.extend(thread::email_id(self.head));
        Exchanges {
            written_to,
            domains,
            newcomers,
            author,
            author_written_to,
            depth: Depth::of_answer_to(self.facts, &before),
            content,
        }
    }

    fn newcomers(&self) -> Newcomers<'_> {
        Newcomers {
            facts: self.facts,
            settings: self.settings,
        }
    }

    /// Returns the sign of its author that the message shows.
    fn sign(&self) -> AuthorSign {
        const PROGRAMS: [Rule; 2] = [Rule::MailProgram, Rule::Threaded];
        let Self { found, .. } = self;
        if found.class != MessageClass::Human {
            return AuthorSign::Machine;
        }
        let mut evidence = found.evidence.iter();
        match evidence.any(|evidence| PROGRAMS.contains(&evidence.rule)) {
            true => AuthorSign::MailProgram,
            false => AuthorSign::Nothing,
        }
    }

    fn arrival<'c>(&self, content: &'c Content<'c>) -> StrangerMail<'c> {
        let answers = |evidence: &Evidence| evidence.rule == Rule::AnswerSubject;
        StrangerMail {
            content,
            sign: self.sign(),
            is_answer: self.found.evidence.iter().any(answers)
                || !thread::parents(self.head).is_empty(),
        }
    }

    /// Returns the reason why no machine should answer, if a limit is reached; with true if the
    /// judgement of the answer could not find that out, so that its addresses have to be held.
    fn limit_reached(&self, exchanges: &Exchanges<'_>) -> Option<(String, bool)> {
        let limits = &self.settings.limits;
        let mut written_to = exchanges.written_to.iter();
        let with = written_to
            .find_map(|(them, repeated)| them.limit_reached(MailDirection::In, *repeated));
        let in_thread = || {
            let reached = exchanges.depth.reaches(limits.thread);
            reached.then(|| format!("{} exchanges in one thread without a person", limits.thread))
        };
        let at_domain = || {
            let mut domains = exchanges.domains.iter();
            let arrival = self.arrival(&exchanges.content);
            domains.find_map(|domain| domain.limit_reached(&arrival))
        };
        let elsewhere = || {
            let (them, repeated) = exchanges.author_written_to.as_ref()?;
            them.limit_reached(MailDirection::In, *repeated)
        };
        let told = |reason| (reason, false);
        let with = with.map(told);
        let with = with.or_else(|| Some((in_thread().or_else(at_domain)?, true)));
        with.or_else(|| elsewhere().map(told))
    }

    /// Remembers that the message is automatic, and that its author is a machine or a person.
    fn remember(&self, correspondents: &[String], from_own_account: bool, decision: &mut Decision) {
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
        let account = account.as_deref().map(shortened);
        let account = account.as_deref();
        match machines::evidence(settings, self.transaction, author, found, account) {
            Some((evidence, seconds)) => {
                // A record that lasts nearly as long is not written again with each message, and a
                // weaker sign does not shorten the time of a stronger one.
                let enough = self.facts.now() + u64::from(seconds) * 1000 * 7 / 8;
                let known = known.is_some_and(|known| known.until >= enough);
                if !known && !from_own_account && !is_support_address(author) {
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

    /// Counts the message as an answer, if something went out before. If it `holds`, the addresses
    /// to which an answer would go get nothing automatic for a while.
    fn count(
        &self,
        exchanges: &Exchanges<'_>,
        writers: &[String],
        [from_own_account, holds]: [bool; 2],
        decision: &mut Decision,
    ) {
        let Exchanges {
            written_to,
            domains,
            newcomers,
            author,
            author_written_to,
            depth,
            content,
        } = exchanges;
        if !newcomers.is_empty() {
            self.newcomers().count_in(newcomers, decision);
        }
        if let (Some(author), Some(reply_to)) = (author, writers.last()) {
            author.remember(self.facts, reply_to, decision);
        }
        let sign = self.sign();
        let marked = sign == AuthorSign::Machine;
        for (them, repeated) in written_to.iter().chain(author_written_to) {
            them.count_in(content, *repeated, marked, decision);
            if from_own_account {
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
            // The address changes each time: correspondents who were written to are counted above.
            if !domains.is_empty() && sign != AuthorSign::MailProgram {
                writer.count_stranger(marked, decision);
            }
            if holds {
                writer.hold(decision);
            }
        }
        let answers = !written_to.is_empty() || !domains.is_empty() || author_written_to.is_some();
        if answers && marked {
            let account = MarkedOfAccount {
                facts: self.facts,
                limits,
            };
            account.count_in(decision);
        }
        if answers || depth.is_known() {
            let id = thread::message_id(self.head);
            depth.remember(self.facts, id.as_slice(), decision);
        }
    }
}

/// Returns the addresses to which an answer would go, in canonical form: the author, then the
/// address in Reply-To; without an author, the reverse-path.
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
