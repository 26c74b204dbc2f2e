//! Carries letters between desks, at a time of its own.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use gatepost_message::Millis;

use crate::chance::Chance;
use crate::desk::{Desk, Sent};
use crate::letter::{Author, Draft, Letter};
use crate::middle::{List, Mailbox, stripped};
use crate::site::Answer;
use crate::{HOUR, MINUTE, MOST};

/// How long a letter is under way.
const WAY: Duration = Duration::from_secs(20);

/// When a letter that was to come later comes again, as servers do it.
const AGAIN: [Duration; 6] = [
    MINUTE,
    Duration::from_secs(300),
    Duration::from_secs(900),
    Duration::from_secs(1800),
    HOUR,
    Duration::from_secs(7200),
];

/// How long an application takes to answer.
const PACE: Duration = Duration::from_secs(5);

/// Letters after which a world ends: they will go on for ever.
const END: usize = 400;

/// Something that happens.
enum Event {
    /// A letter comes to where it is addressed to.
    Comes(Letter),
    /// A desk hands something to its relay.
    Sends(String, Draft, Author),
    /// An agent of a desk writes.
    Writes(String, u32, Vec<String>),
}

/// One that was handed over to another desk's server, or was to be.
#[derive(Debug, Clone)]
pub struct Traffic {
    pub at: Millis,
    pub author: Author,
    pub from: String,
    pub to: String,
    /// Why it did not get through.
    pub refused: Option<String>,
}

/// All of it.
pub struct World {
    pub now: Millis,
    queue: BinaryHeap<Reverse<(Millis, u64)>>,
    events: BTreeMap<u64, Event>,
    serial: u64,
    pub desks: BTreeMap<String, Desk>,
    pub lists: Vec<List>,
    pub mailboxes: BTreeMap<String, Mailbox>,
    /// A gateway stands before every desk.
    pub strips: bool,
    /// How long applications take to answer.
    pub pace: Duration,
    /// By how much of it that differs, by chance.
    pub jitter: Option<Chance>,
    pub traffic: Vec<Traffic>,
    /// What a relay refused to its own desk.
    never_left: Vec<String>,
    agents: u32,
}

impl World {
    pub fn new(desks: impl IntoIterator<Item = Desk>) -> Self {
        Self {
            // A Tuesday.
            now: "2026-03-10T08:00:00Z".parse().unwrap(),
            queue: BinaryHeap::new(),
            events: BTreeMap::new(),
            serial: 0,
            desks: desks
                .into_iter()
                .map(|desk| (desk.domain.clone(), desk))
                .collect(),
            lists: Vec::new(),
            mailboxes: BTreeMap::new(),
            strips: false,
            pace: PACE,
            jitter: None,
            traffic: Vec::new(),
            never_left: Vec::new(),
            agents: 0,
        }
    }

    /// An agent of a desk will write, `after` from now.
    pub fn agent_writes(&mut self, after: Duration, desk: &str, to: &[&str]) {
        self.agents += 1;
        let to = to.iter().map(|to| (*to).to_owned()).collect();
        self.at(after, Event::Writes(desk.to_owned(), self.agents, to));
    }

    /// The application of a desk will write by itself, as when a ticket is changed.
    pub fn notifies(&mut self, desk: &str, to: &str) {
        let draft = self.desks.get_mut(desk).unwrap().notifies(to);
        let event = Event::Sends(desk.to_owned(), draft, Author::Machine(0));
        self.at(MINUTE, event);
    }

    fn at(&mut self, after: Duration, event: Event) {
        self.serial += 1;
        self.queue.push(Reverse((self.now + after, self.serial)));
        self.events.insert(self.serial, event);
    }

    /// Lets time pass until nothing is left to happen, and says whether that is so: there is an
    /// end to what is watched.
    pub async fn runs(&mut self) -> bool {
        while let Some(Reverse((at, serial))) = self.queue.pop() {
            self.now = at;
            match self.events.remove(&serial).unwrap() {
                Event::Comes(letter) => self.comes(letter).await,
                Event::Sends(desk, draft, author) => self.sends(&desk, draft, author).await,
                Event::Writes(desk, number, to) => {
                    let draft = self.desks.get_mut(&desk).unwrap().agent_writes(number, &to);
                    self.sends(&desk, draft, Author::Agent(number)).await;
                }
            }
            if self.traffic.len() > END {
                return false;
            }
        }
        true
    }

    async fn sends(&mut self, desk: &str, draft: Draft, author: Author) {
        match self.desks[desk].send(self.now, draft, author).await {
            Sent::Letters(letters) => {
                for letter in letters {
                    self.at(WAY, Event::Comes(letter));
                }
            }
            Sent::Later(draft, author) => {
                self.at(5 * MINUTE, Event::Sends(desk.to_owned(), draft, author));
            }
            Sent::Refused(reply) => {
                self.never_left
                    .push(format!("{} {desk}: {reply}\n", self.now));
            }
        }
    }

    async fn comes(&mut self, mut letter: Letter) {
        if let Some(list) = self.lists.iter().find(|list| list.address == letter.to) {
            for letter in list.resend(&letter) {
                self.at(WAY, Event::Comes(letter));
            }
            return;
        }
        if let Some(mailbox) = self.mailboxes.get(&letter.to) {
            let letter = mailbox.forward(&letter);
            self.at(WAY, Event::Comes(letter));
            return;
        }
        if self.strips && letter.tries == 0 {
            letter.message = stripped(&letter.message, self.serial as u32);
        }
        // A hub's hosts are the desk's.
        let domain = letter.to.split_once('@').unwrap().1;
        let of_desk = |of: &&String| domain.ends_with(of.as_str());
        let domain = self.desks.keys().find(of_desk).unwrap().clone();
        let desk = self
            .desks
            .get_mut(&domain)
            .expect("all mail goes to a desk");
        let (answer, draft) = desk.receive(self.now, &letter).await;
        let mut refused = None;
        match answer {
            Answer::Taken(..) => {}
            Answer::Refused(reply) => refused = Some(reply),
            Answer::Later => {
                if let Some(wait) = AGAIN.get(letter.tries as usize) {
                    letter.tries += 1;
                    self.at(*wait, Event::Comes(letter));
                    return;
                }
                refused = Some("expired".to_owned());
            }
        }
        self.traffic.push(Traffic {
            at: self.now,
            author: letter.author,
            from: letter.desk,
            to: domain.clone(),
            refused,
        });
        if let Some(draft) = draft {
            let author = letter.author.answered();
            let pace = self.takes();
            self.at(pace, Event::Sends(domain, draft, author));
        }
    }

    /// How long the next answer takes: half as long as usual up to half as long again.
    fn takes(&mut self) -> Duration {
        let Some(chance) = &mut self.jitter else {
            return self.pace;
        };
        self.pace
            .mul_f64(0.5 + f64::from(chance.below(1000)) / 1000.0)
    }

    /// How long it took from the first letter to the last.
    pub fn lasted(&self) -> Duration {
        let mut times = self.traffic.iter().map(|letter| letter.at.0);
        let first = times.next().unwrap_or_default();
        Duration::from_millis(times.next_back().unwrap_or(first) - first)
    }

    /// The most automatic letters of two desks that one letter of a person has set off, without
    /// another between: when people write, all begins anew.
    pub fn longest_exchange(&self) -> usize {
        let mut people: BTreeMap<[&str; 2], usize> = BTreeMap::new();
        let mut exchanges: BTreeMap<_, usize> = BTreeMap::new();
        for letter in &self.traffic {
            let mut pair = [letter.from.as_str(), letter.to.as_str()];
            pair.sort_unstable();
            let people = people.entry(pair).or_default();
            match letter.author {
                Author::Agent(_) => *people += 1,
                Author::Machine(root) => {
                    *exchanges.entry((pair, *people, root)).or_default() += 1;
                }
            }
        }
        exchanges.into_values().max().unwrap_or_default()
    }

    /// What agents wrote to this desk that has arrived.
    pub fn of_agents_at(&self, desk: &str) -> usize {
        let arrived = self.desks[desk].arrived.iter();
        arrived.filter(|(author, _)| author.is_agent()).count()
    }

    /// Every letter, a line each, for whoever has to see why.
    pub fn story(&self) -> String {
        let line = |letter: &Traffic| {
            let Traffic {
                at,
                author,
                from,
                to,
                refused,
            } = letter;
            format!(
                "{at} {from} -> {to} {author:?} {}\n",
                refused.as_deref().unwrap_or("taken")
            )
        };
        let never_left = self.never_left.iter().cloned();
        self.traffic.iter().map(line).chain(never_left).collect()
    }

    /// That it has come to its end within [`MOST`].
    pub async fn falls_silent(&mut self) {
        self.falls_silent_within(MOST).await;
    }

    /// That it has come to its end, and no two desks have exchanged more.
    pub async fn falls_silent_within(&mut self, most: usize) {
        let ended = self.runs().await;
        assert!(ended, "it goes on for ever:\n{}", self.story());
        let longest = self.longest_exchange();
        assert!(
            longest <= most,
            "{longest} automatic letters:\n{}",
            self.story()
        );
    }

    /// That it does not.
    pub async fn goes_on_for_ever(&mut self) {
        let ended = self.runs().await;
        assert!(!ended, "it has come to an end:\n{}", self.story());
    }
}
