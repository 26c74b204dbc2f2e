//! Authentication of inbound mail: its hand-over, and the proof of its author.
//!
//! Mail comes in by four ways, each with its own proof:
//!
//! - **Directly**, by no known forwarder: the author's domain has to authenticate it ([`direct`]).
//! - **Through the relay** of a customer, whose server has authenticated for its domain: the
//!   customer vouches for any author, but only for addresses of its own domain.
//! - **Past the relay**: for a domain whose mail should have come through its relay.
//! - **Forwarded** by a customer's server without credentials, to a forwarding target, to an address
//!   of its domain or to a native one: the author is proved by the signatures that survive
//!   ([`forwarded`]).
//!
//! Without credentials, the [author] must be readable, too.
//!
//! The result is given in tags (`relay-secure`, `relay-missing`, `forwarded`, `forwarder-unknown`,
//! `arc-override`, `multi-hop`, `allowed`, `dmarc-temperror`, `dmarc-fail`, `author-equivocal`,
//! `author-missing`, `author-unreadable`), and in the record with its reasons.

pub mod author;
pub mod direct;
pub mod forwarded;
pub mod hops;
mod mailbox;
mod settings;

pub use settings::{Failure, Mode, Network, Senders, Settings, Unauthenticated, UnreadableAuthor};

use gatepost_sdk::{
    Arrival, Authentication, CredentialScope, Decision, Duties, Facts, Flow, Level, Message,
    Outcome, Policy, RecipientVerdict, Reply, Transaction, Verdict, arrival, authentication,
    credential, receiving_domain,
};

/// The policy.
pub struct InboundAuth {
    settings: Settings,
}

impl Policy for InboundAuth {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<String>> {
        match settings.problems() {
            problems if problems.is_empty() => Ok(Self { settings }),
            problems => Err(problems),
        }
    }

    fn duties() -> Duties {
        Duties {
            authenticates: true,
            ..Duties::default()
        }
    }

    /// Refuses at RCPT an address that the credential of the customer's server is not for.
    fn recipient(
        &self,
        transaction: &Transaction,
        recipient: &str,
        _: &dyn Facts,
        decision: &mut Decision,
    ) -> Verdict {
        if transaction.session.flow != Flow::Inbound {
            return Verdict::Pass;
        }
        match foreign_to_credential(recipient) {
            Some(reply) => {
                decision.reason(format!(
                    "{recipient} is not an address of the credential's domain"
                ));
                Verdict::Reject(reply)
            }
            None => Verdict::Pass,
        }
    }

    fn message(
        &self,
        transaction: &Transaction,
        message: &dyn Message,
        facts: &dyn Facts,
        decision: &mut Decision,
    ) -> Verdict {
        if transaction.session.flow != Flow::Inbound {
            return Verdict::Pass;
        }
        let of_account = self.settings.of_account().unwrap_or_else(|problem| {
            facts.log(
                Level::Warn,
                &format!("the account's settings are ignored: {problem}"),
            );
            decision.reason(format!("the account's settings are ignored: {problem}"));
            None
        });
        let judge = Judge {
            settings: of_account.as_ref().unwrap_or(&self.settings),
            proved: authentication(),
            transaction,
            facts,
        };
        let verdict = judge.judge(decision);
        if !matches!(verdict, Verdict::Reject(_) | Verdict::Tempfail(_)) {
            hops::note(judge.settings, transaction, message, decision);
        }
        verdict
    }
}

/// Returns the refusal of a recipient that the session's credential is not for.
fn foreign_to_credential(recipient: &str) -> Option<Reply> {
    let CredentialScope::Inbound(domain) = credential()?.scope else {
        return Some(Reply::new(
            550,
            "5.7.1",
            "These credentials are for submission",
        ));
    };
    match receiving_domain(recipient) {
        Some(of) if of == domain => None,
        _ => Some(Reply::new(
            550,
            "5.7.1",
            "These credentials are for the addresses of another domain",
        )),
    }
}

/// Judge of one message.
struct Judge<'a> {
    settings: &'a Settings,
    proved: Authentication,
    transaction: &'a Transaction,
    facts: &'a dyn Facts,
}

impl Judge<'_> {
    fn judge(&self, decision: &mut Decision) -> Verdict {
        let client = self.transaction.session.client_ip().unwrap_or_default();
        let authors = self
            .proved
            .authors
            .iter()
            .map(|author| author.address.as_str());
        let senders: Vec<&str> = [self.transaction.mail_from.as_str()]
            .into_iter()
            .chain(authors)
            .collect();
        // With the domains that any reader could show, so that no spelling hides a denied author.
        let shown = self.proved.from.domains.iter();
        let shown: Vec<String> = shown.map(|domain| format!("@{domain}")).collect();
        let denied: Vec<&str> = (senders.iter().copied())
            .chain(shown.iter().map(String::as_str))
            .collect();
        if let Some(who) = self.settings.deny.find_match(client, &denied) {
            decision.reason(format!("{who} is denied"));
            return Verdict::reject(550, "5.7.1", "Mail from here is not accepted");
        }
        author::tag(&self.proved, decision);
        if credential().is_some() {
            return self.relayed(decision);
        }
        if let Some(who) = self.settings.allow.find_match(client, &senders) {
            decision.reason(format!("{who} is allowed"));
            decision.tag("allowed");
            return Verdict::Pass;
        }
        let reverse_path = &self.transaction.mail_from;
        let unreadable = author::judge(self.settings, reverse_path, &self.proved, decision);
        unreadable.unwrap_or_else(|| self.unauthenticated(decision))
    }

    /// Judges mail of a customer's server, which vouches for the author; DMARC is only recorded.
    fn relayed(&self, decision: &mut Decision) -> Verdict {
        let mut refused = Vec::new();
        for recipient in &self.transaction.recipients {
            if let Some(reply) = foreign_to_credential(recipient) {
                refused.push((recipient, reply));
            }
        }
        if let Some((_, reply)) = refused.first()
            && refused.len() == self.transaction.recipients.len()
        {
            decision.reason("no recipient is an address of the credential's domain");
            return Verdict::Reject(reply.clone());
        }
        for (recipient, reply) in refused {
            decision.judge_recipient(recipient, RecipientVerdict::Reject(reply));
        }
        let mut taken = (self.transaction.recipients.iter())
            .filter(|recipient| foreign_to_credential(recipient).is_none());
        if !taken.all(|recipient| arrival(recipient) == Arrival::Relayed) {
            decision.reason("a recipient is disconnected: the credential vouches for none of it");
            return Verdict::Pass;
        }
        let dmarc = &self.proved.dmarc;
        decision.tag("relay-secure");
        decision.reason(format!(
            "relayed by the customer's server; DMARC of {:?} is {}",
            dmarc.domain,
            dmarc.result.word()
        ));
        Verdict::Pass
    }

    fn unauthenticated(&self, decision: &mut Decision) -> Verdict {
        let recipients = &self.transaction.recipients;
        let arrivals: Vec<Arrival> = recipients.iter().map(|to| arrival(to)).collect();
        if arrivals.iter().all(|way| *way == Arrival::Internal) {
            decision.reason("another account of this relay sent it, as its users may");
            return Verdict::Pass;
        }
        let bypassed = arrivals.contains(&Arrival::PastRelay);
        let unauthenticated = self.settings.unauthenticated;
        let reply = || {
            Reply::new(
                550,
                "5.7.1",
                "Mail for this address comes through its domain's relay",
            )
        };
        if bypassed && unauthenticated == Unauthenticated::Refuse {
            decision.reason("it did not come through the relay of its domain");
            if arrivals
                .iter()
                .all(|arrival| *arrival == Arrival::PastRelay)
            {
                return Verdict::Reject(reply());
            }
            for (to, _) in recipients
                .iter()
                .zip(&arrivals)
                .filter(|(_, arrival)| **arrival == Arrival::PastRelay)
            {
                decision.judge_recipient(to, RecipientVerdict::Reject(reply()));
            }
        } else if bypassed {
            let text = "it did not come through the relay of its domain";
            self.facts.log(Level::Warn, text);
            decision.reason(text);
            decision.tag("relay-missing");
        }
        // What the relay has no word for is held to the strictest proof.
        let is_direct = |way: &Arrival| match way {
            Arrival::PastRelay => unauthenticated == Unauthenticated::Judge,
            Arrival::Forwarded | Arrival::UnknownForwarder => false,
            _ => true,
        };
        if arrivals.iter().any(is_direct) {
            return direct::judge(self.settings, &self.proved, decision);
        }
        let ways = [Arrival::Forwarded, Arrival::UnknownForwarder];
        let forwarded = ways.map(|way| arrivals.contains(&way));
        if forwarded.contains(&true) {
            let [known, unknown] = forwarded;
            forwarded::tag(known, unknown, decision);
            return forwarded::judge(self.settings, &self.proved, decision);
        }
        if self.proved.dmarc.result == Outcome::Fail {
            decision.tag("dmarc-fail");
        }
        Verdict::Pass
    }
}

gatepost_sdk::export!(InboundAuth: recipient, message);
