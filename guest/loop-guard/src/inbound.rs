//! Mail that comes in: what has been here before is refused, what comes from another machine opens
//! a ticket and is answered by nobody but a person, and what goes to and fro without a person ends.

use gatepost_sdk::classification::Classification;
use gatepost_sdk::header::{From, MessageId, ReplyTo};
use gatepost_sdk::{
    Decision, Facts, MessageClass, RecipientVerdict, Reply, Transaction, Verdict, canonical,
    is_ours, is_support_address, machine,
};

use crate::exchange::{self, Content, Exchange, Found, Way};
use crate::head::{Field, Head};
use crate::hops;
use crate::ladder::Step;
use crate::machine as machines;
use crate::settings::Settings;
use crate::{SUPPRESS_AUTOMATIC, about, automatic_mark, email_id_mark, routing_loop};

/// No id that a relay issues is longer.
const LONGEST_ID: usize = 200;

/// What goes on between a recipient and a correspondent.
struct Limit<'a> {
    recipient: &'a String,
    /// The recipient in canonical form.
    us: String,
    them: &'a str,
    found: Found,
}

/// One message that comes in.
pub struct Inbound<'a> {
    pub settings: &'a Settings,
    pub transaction: &'a Transaction,
    pub head: &'a Head<'a>,
    pub facts: &'a dyn Facts,
    pub found: &'a Classification,
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
        let [before, recipients] = self.came_before(decision);
        if recipients.is_empty() && !before.is_empty() {
            return self.refuse(routing_loop(), decision);
        }
        let correspondents = correspondents(self.head, &transaction.mail_from);
        let quiet = self.help_desk(&correspondents, decision);
        let limits = self.exchanges(&correspondents, &recipients);
        let at = |step: Step| limits.iter().find(move |limit| limit.found.step == step);
        if let Some(limit) = at(Step::Tempfail) {
            decision.reason(&limit.found.reason);
            decision.classify(self.found.class, false);
            let text = "Too much mail to and fro without a person: try again later";
            return Verdict::Tempfail(Reply::new(451, "4.7.1", text));
        }
        let mut ended: Vec<&String> = Vec::new();
        for limit in limits
            .iter()
            .filter(|limit| limit.found.step == Step::Reject)
        {
            decision.reason(format!("{}: {}", limit.recipient, limit.found.reason));
            if !ended.contains(&limit.recipient) {
                ended.push(limit.recipient);
            }
        }
        if ended.len() == recipients.len() && !ended.is_empty() {
            return self.refuse(without_a_person(), decision);
        }
        for recipient in ended {
            let verdict = RecipientVerdict::Reject(without_a_person());
            decision.judge_recipient(recipient, verdict);
        }
        for recipient in &before {
            decision.refuse(*recipient, routing_loop());
        }
        let often = at(Step::Suppress);
        if let Some(limit) = often {
            decision.reason(format!("no machine may reply: {}", limit.found.reason));
        }
        // Whatever a message is, a machine's answer would keep a loop going.
        let may = found.reply_allowed && !quiet && often.is_none() && before.is_empty();
        decision.classify(found.class, may);
        if !may {
            decision.tag(SUPPRESS_AUTOMATIC);
        }
        self.remember(&correspondents, decision);
        self.count(&limits, decision);
        Verdict::Pass
    }

    fn refuse(&self, reply: Reply, decision: &mut Decision) -> Verdict {
        decision.classify(self.found.class, false);
        Verdict::Reject(reply)
    }

    /// The recipients to whom it has come before, and the others, of whom it is remembered that it
    /// has.
    fn came_before(&self, decision: &mut Decision) -> [Vec<&String>; 2] {
        let recipients = &self.transaction.recipients;
        // Somebody else's may come by two ways, and is none of our business.
        let id = self.head.first(Field::EmailId);
        let id = id.filter(|id| id.len() <= LONGEST_ID && is_ours(id));
        let delivered = hops::Delivered::of(self.head, self.settings);
        let (mut before, mut others) = (Vec::new(), Vec::new());
        let mut fresh = Vec::new();
        for recipient in recipients {
            if delivered.to(recipient, id.is_some()) {
                decision.reason(format!("Delivered-To names {recipient} already"));
                before.push(recipient);
                continue;
            }
            if let Some(id) = &id {
                let mark = email_id_mark(id, &canonical(recipient));
                if self.facts.seen(&mark) {
                    decision.reason(format!("email id {id} has already come to {recipient}"));
                    before.push(recipient);
                    continue;
                }
                fresh.push(mark);
            }
            others.push(recipient);
        }
        if !others.is_empty() {
            for mark in fresh {
                decision.mark_seen(mark, self.settings.remember_days * 86_400);
            }
        }
        [before, others]
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

    /// What goes on between each recipient and each correspondent to whom something has gone out: of
    /// as many pairs as [are looked into](exchange::PAIRS).
    fn exchanges<'r>(
        &self,
        correspondents: &'r [String],
        recipients: &[&'r String],
    ) -> Vec<Limit<'r>> {
        let warm = correspondents.iter();
        let warm: Vec<_> = warm
            .filter(|them| Exchange::is_warm(self.facts, them))
            .collect();
        if warm.is_empty() {
            return Vec::new();
        }
        let content = Content::of(self.head);
        let mut limits = Vec::new();
        for recipient in recipients {
            let us = canonical(recipient);
            for them in &warm {
                if limits.len() == exchange::PAIRS {
                    return limits;
                }
                limits.push(Limit {
                    recipient,
                    them,
                    found: self.between(them, &us).find(&content),
                    us: us.clone(),
                });
            }
        }
        limits
    }

    fn between<'e>(&'e self, them: &'e str, us: &'e str) -> Exchange<'e> {
        Exchange::between(self.settings, self.facts, Way::In, them, us)
    }

    /// Remembers what the message shows of its author, and that it is automatic.
    fn remember(&self, correspondents: &[String], decision: &mut Decision) {
        let Self {
            settings, found, ..
        } = self;
        if found.class != MessageClass::Human
            && let Some(MessageId(id)) = self.head.read(Field::MessageId)
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
                if !known && !is_support_address(author) {
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

    /// Counts it as an answer, once for each correspondent and once for each pair.
    fn count(&self, limits: &[Limit<'_>], decision: &mut Decision) {
        let content = Content::of(self.head);
        let mut counted: Vec<&str> = Vec::new();
        for limit in limits {
            if limit.found.step == Step::Reject {
                continue;
            }
            if !counted.contains(&limit.them) {
                counted.push(limit.them);
                Exchange::count_sender(Way::In, limit.them, decision);
            }
            let exchange = self.between(limit.them, &limit.us);
            exchange.count_pair(&content, &limit.found, decision);
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

fn without_a_person() -> Reply {
    let text = "Mail loop: this goes to and fro without a person";
    Reply::new(554, "5.4.6", text)
}
