//! The questions that one message may cost, over all methods together, and their time.
//!
//! A stranger's records decide what is looked up: SPF alone may ask for a hundred addresses for
//! each of two identities, all of them at somebody else's name servers. So every question of a
//! message is taken from one [`Budget`], and three rules divide it:
//!
//! - DMARC has a part of its own, which records of SPF and signatures cannot use up: the author's
//!   policy is known whatever else the sender has us ask.
//! - The other methods share the rest, of which the names of one organisation (by the public
//!   suffix list) get a part: nobody is asked without end because a third party wants it.
//! - What was answered is not asked again.
//!
//! A question beyond it is [`Unavailable`], and says that the message is the reason: no later
//! attempt will do better. SPF is then `permerror` (RFC 7208 section 4.6.4), a signature `policy`,
//! an ARC chain `fail`, iprev and DMARC `permerror`. Where only time has run out, all of them are
//! `temperror`.

use std::collections::HashMap;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::{Instant, timeout_at};

use crate::{Dns, Found, Limits, Unavailable, organizational_domain_by_list};

/// The most questions of one tree walk, and the one whether the name exists (RFC 9989 sections 4.10
/// and 4.10.1).
const OF_ONE_AUTHOR: usize = 9;

/// What is left for one message.
pub(crate) struct Budget<'a, D> {
    dns: &'a D,
    until: Instant,
    limits: &'a Limits,
    left: Mutex<Left>,
    texts: Answers<Box<[u8]>>,
    v4: Answers<Ipv4Addr>,
    v6: Answers<Ipv6Addr>,
    exchanges: Answers<String>,
    names: Answers<String>,
}

struct Left {
    dmarc: usize,
    others: usize,
    of_one: HashMap<String, usize>,
}

/// What was answered, by name.
type Answers<T> = Mutex<HashMap<String, Result<Found<T>, Unavailable>>>;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    Dmarc,
    Others,
}

/// The DNS as one asker may use it.
pub(crate) struct Part<'a, D> {
    budget: &'a Budget<'a, D>,
    asker: Asker,
}

impl<'a, D: Dns> Budget<'a, D> {
    /// The budget of a message with so many authors' domains.
    pub(crate) fn new(dns: &'a D, limits: &'a Limits, authors: usize) -> Self {
        // One part more for identifiers, whose organisation is looked for, too.
        let dmarc = (OF_ONE_AUTHOR * (authors + 1)).min(limits.questions / 2);
        Self {
            dns,
            until: Instant::now() + limits.time,
            limits,
            left: Mutex::new(Left {
                dmarc,
                others: limits.questions - dmarc,
                of_one: HashMap::new(),
            }),
            texts: Answers::default(),
            v4: Answers::default(),
            v6: Answers::default(),
            exchanges: Answers::default(),
            names: Answers::default(),
        }
    }

    /// What an asker may use.
    pub(crate) fn part(&'a self, asker: Asker) -> Part<'a, D> {
        Part {
            budget: self,
            asker,
        }
    }

    /// Takes a question about a name; the error says why there is none.
    fn take(&self, asker: Asker, name: &str) -> Result<(), String> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let Left {
            dmarc,
            others,
            of_one,
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
            let asked = of_one.entry(owner).or_default();
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
            let answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
            answers.get(&key).map(copy)
        };
        if let Some(answer) = known(answers) {
            return answer;
        }
        if let Err(why) = self.take(asker, &key) {
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
        let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.insert(key, copy(&answer));
        answer
    }
}

/// The same answer; the records themselves are shared.
fn copy<T>(answer: &Result<Found<T>, Unavailable>) -> Result<Found<T>, Unavailable> {
    match answer {
        Ok(Found::Records(records)) => Ok(Found::Records(Arc::clone(records))),
        Ok(Found::NoData) => Ok(Found::NoData),
        Ok(Found::NoName) => Ok(Found::NoName),
        Err(unavailable) => Err(unavailable.clone()),
    }
}

impl<D: Dns> Dns for Part<'_, D> {
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

    async fn mx(&self, name: &str) -> Result<Found<String>, Unavailable> {
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
