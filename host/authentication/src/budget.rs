//! The budget of a message: DNS questions of all methods together, and their time.
//!
//! A stranger's records decide what is looked up: SPF alone may ask for a hundred addresses for
//! each of two identities, all of them at somebody else's name servers. So every question of a
//! message is taken from one [`Budget`], with three rules:
//!
//! - DMARC has a part of its own, which SPF records and signatures cannot use up: the author's
//!   policy is known whatever other questions the sender causes.
//! - The other methods share the rest. The names of one organisation (by the public suffix list)
//!   get only a part of it: a third party cannot direct all questions at one victim.
//! - A question that was answered is not asked again.
//!
//! A question beyond the budget is [`Unavailable`], marked as the message's own fault: no later
//! attempt will do better. SPF is then `permerror` (RFC 7208 section 4.6.4), a signature `policy`,
//! an ARC chain `fail`, iprev and DMARC `permerror`. If only time has run out, all of them are
//! `temperror`.

use std::collections::HashMap;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::time::{Instant, timeout_at};

use crate::{Limits, organizational_domain_by_list};
use gatepost_dns::{Dns, Found, MailExchange, Unavailable};

/// Number of questions about one author: those of a tree walk, and one about the existence of the
/// name (RFC 9989 sections 4.10 and 4.10.1).
const QUESTIONS_OF_AUTHOR: usize = 9;

/// Budget of one message, with the answers so far.
pub(crate) struct Budget<'a, D> {
    dns: &'a D,
    until: Instant,
    limits: &'a Limits,
    left: Mutex<Remaining>,
    texts: Answers<Box<[u8]>>,
    v4: Answers<Ipv4Addr>,
    v6: Answers<Ipv6Addr>,
    exchanges: Answers<MailExchange>,
    names: Answers<String>,
}

/// Questions that are left for DMARC and for the others, and those asked of each organisation.
struct Remaining {
    dmarc: usize,
    others: usize,
    asked_of: HashMap<String, usize>,
}

/// Answers so far, by name.
type Answers<T> = Mutex<HashMap<String, Result<Found<T>, Unavailable>>>;

/// Method that asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    Dmarc,
    Others,
}

/// DNS within the budget of one asker.
pub(crate) struct BudgetedDns<'a, D> {
    budget: &'a Budget<'a, D>,
    asker: Asker,
}

impl<'a, D: Dns> Budget<'a, D> {
    /// Makes the budget of a message with this number of authors' domains.
    pub(crate) fn new(dns: &'a D, limits: &'a Limits, authors: usize) -> Self {
        // One more share is for identifiers: their organisations are looked up, too.
        let dmarc = (QUESTIONS_OF_AUTHOR * (authors + 1)).min(limits.questions / 2);
        Self {
            dns,
            until: Instant::now() + limits.time,
            limits,
            left: Mutex::new(Remaining {
                dmarc,
                others: limits.questions - dmarc,
                asked_of: HashMap::new(),
            }),
            texts: Answers::default(),
            v4: Answers::default(),
            v6: Answers::default(),
            exchanges: Answers::default(),
            names: Answers::default(),
        }
    }

    /// Returns the DNS for an asker.
    pub(crate) fn dns_for(&'a self, asker: Asker) -> BudgetedDns<'a, D> {
        BudgetedDns {
            budget: self,
            asker,
        }
    }

    /// Spends a question about a name; the error tells which bound is reached.
    fn spend(&self, asker: Asker, name: &str) -> Result<(), String> {
        let mut left = self.left.lock();
        let Remaining {
            dmarc,
            others,
            asked_of,
        } = &mut *left;
        let part = match asker {
            Asker::Dmarc => dmarc,
            Asker::Others => others,
        };
        if *part == 0 {
            let most = self.limits.questions;
            return Err(format!(
                "this message asks too much of the DNS: {most} questions"
            ));
        }
        if asker == Asker::Others {
            let owner = organizational_domain_by_list(name).unwrap_or_else(|| name.to_owned());
            let most = self.limits.questions_of_one;
            let asked = asked_of.entry(owner).or_default();
            if *asked >= most {
                return Err(format!(
                    "this message asks too much of one domain: {most} questions"
                ));
            }
            *asked += 1;
        }
        *part -= 1;
        Ok(())
    }

    async fn ask<T>(
        &self,
        asker: Asker,
        name: &str,
        answers: &Answers<T>,
        answer: impl Future<Output = Result<Found<T>, Unavailable>> + Send,
    ) -> Result<Found<T>, Unavailable> {
        let key = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let known = |answers: &Answers<T>| {
            let answers = answers.lock();
            answers.get(&key).map(share)
        };
        if let Some(answer) = known(answers) {
            return answer;
        }
        if let Err(why) = self.spend(asker, &key) {
            return Err(Unavailable {
                name: name.to_owned(),
                why,
                beyond_budget: true,
            });
        }
        let answer = timeout_at(self.until, answer).await.unwrap_or_else(|_| {
            Err(Unavailable {
                name: name.to_owned(),
                why: "the time for this message's look-ups is over".to_owned(),
                beyond_budget: false,
            })
        });
        let mut answers = answers.lock();
        answers.insert(key, share(&answer));
        answer
    }
}

/// Copies an answer; the records themselves are shared.
fn share<T>(answer: &Result<Found<T>, Unavailable>) -> Result<Found<T>, Unavailable> {
    match answer {
        Ok(Found::Records(records)) => Ok(Found::Records(Arc::clone(records))),
        Ok(Found::NoData) => Ok(Found::NoData),
        Ok(Found::NoName) => Ok(Found::NoName),
        Err(unavailable) => Err(unavailable.clone()),
    }
}

impl<D: Dns> Dns for BudgetedDns<'_, D> {
    async fn txt(&self, name: &str) -> Result<Found<Box<[u8]>>, Unavailable> {
        let Budget { dns, texts, .. } = self.budget;
        self.budget
            .ask(self.asker, name, texts, dns.txt(name))
            .await
    }

    async fn a(&self, name: &str) -> Result<Found<Ipv4Addr>, Unavailable> {
        let Budget { dns, v4, .. } = self.budget;
        self.budget.ask(self.asker, name, v4, dns.a(name)).await
    }

    async fn aaaa(&self, name: &str) -> Result<Found<Ipv6Addr>, Unavailable> {
        let Budget { dns, v6, .. } = self.budget;
        self.budget.ask(self.asker, name, v6, dns.aaaa(name)).await
    }

    async fn mx(&self, name: &str) -> Result<Found<MailExchange>, Unavailable> {
        let Budget { dns, exchanges, .. } = self.budget;
        self.budget
            .ask(self.asker, name, exchanges, dns.mx(name))
            .await
    }

    async fn ptr(&self, address: IpAddr) -> Result<Found<String>, Unavailable> {
        let Budget { dns, names, .. } = self.budget;
        let name = address.to_string();
        self.budget
            .ask(self.asker, &name, names, dns.ptr(address))
            .await
    }
}
