//! Carries letters between desks, with a clock of its own.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use gatepost_message::Millis;

use crate::chance::Chance;
use crate::desk::{Desk, SubmitResult};
use crate::letter::{Author, Draft, Letter};
use crate::middle::{List, Mailbox, stripped};
use crate::site::Answer;
use crate::{HOUR, MINUTE, MOST};

/// Time that a letter is under way.
const TRANSIT: Duration = Duration::from_secs(20);

/// Delays of a server's attempts after a temporary refusal.
const RETRY_DELAYS: [Duration; 6] = [
    MINUTE,
    Duration::from_secs(300),
    Duration::from_secs(900),
    Duration::from_secs(1800),
    HOUR,
    Duration::from_secs(7200),
];

/// Usual time that an application takes to answer.
const USUAL_PACE: Duration = Duration::from_secs(5);

/// Number of letters after which a loop is taken for endless.
const ENDLESS: usize = 400;

/// Event at a time of the world.
enum Event {
    /// Arrival of a letter at its address.
    Arrives(Letter),
    /// Submission of a draft by a desk.
    Submits(String, Draft, Author),
    /// Letter of an agent of a desk, with its number and recipients.
    AgentWrites(String, u32, Vec<String>),
}

/// Letter that another desk's server accepted or refused for good.
#[derive(Debug, Clone)]
pub struct FinalDelivery {
    pub at: Millis,
    pub author: Author,
    pub from: String,
    pub to: String,
    /// Reply or reason, if it did not get through.
    pub refused: Option<String>,
}

/// Desks, intermediaries, and the events to come.
pub struct World {
    pub now: Millis,
    queue: BinaryHeap<Reverse<(Millis, u64)>>,
    events: BTreeMap<u64, Event>,
    serial: u64,
    pub desks: BTreeMap<String, Desk>,
    pub lists: Vec<List>,
    pub mailboxes: BTreeMap<String, Mailbox>,
    /// True if a gateway that strips header fields stands before every desk.
    pub strips: bool,
    /// Time that applications take to answer.
    pub pace: Duration,
    /// Source of random deviations from it.
    pub jitter: Option<Chance>,
    pub deliveries: Vec<FinalDelivery>,
    /// Submissions that a relay refused to its own desk.
    refused_submissions: Vec<String>,
    agent_letters: u32,
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
            pace: USUAL_PACE,
            jitter: None,
            deliveries: Vec::new(),
            refused_submissions: Vec::new(),
            agent_letters: 0,
        }
    }

    /// Plans a letter of a desk's agent, `after` from now.
    pub fn agent_writes(&mut self, after: Duration, desk: &str, to: &[&str]) {
        self.agent_letters += 1;
        let to = to.iter().map(|to| (*to).to_owned()).collect();
        self.schedule(
            after,
            Event::AgentWrites(desk.to_owned(), self.agent_letters, to),
        );
    }

    /// Plans a notification of a desk's application, as when a ticket is changed.
    pub fn notifies(&mut self, desk: &str, to: &str) {
        let draft = self.desks.get_mut(desk).unwrap().notification(to);
        let event = Event::Submits(desk.to_owned(), draft, Author::Machine(0));
        self.schedule(MINUTE, event);
    }

    fn schedule(&mut self, after: Duration, event: Event) {
        self.serial += 1;
        self.queue.push(Reverse((self.now + after, self.serial)));
        self.events.insert(self.serial, event);
    }

    /// Lets time pass until no event is left; returns false if it gave up after [`ENDLESS`]
    /// letters.
    pub async fn run(&mut self) -> bool {
        while let Some(Reverse((at, serial))) = self.queue.pop() {
            self.now = at;
            match self.events.remove(&serial).unwrap() {
                Event::Arrives(letter) => self.arrive(letter).await,
                Event::Submits(desk, draft, author) => self.submit(&desk, draft, author).await,
                Event::AgentWrites(desk, number, to) => {
                    let draft = self.desks.get_mut(&desk).unwrap().agent_letter(number, &to);
                    self.submit(&desk, draft, Author::Agent(number)).await;
                }
            }
            if self.deliveries.len() > ENDLESS {
                return false;
            }
        }
        true
    }

    async fn submit(&mut self, desk: &str, draft: Draft, author: Author) {
        match self.desks[desk].send(self.now, draft, author).await {
            SubmitResult::Letters(letters) => {
                for letter in letters {
                    self.schedule(TRANSIT, Event::Arrives(letter));
                }
            }
            SubmitResult::Later(draft, author) => {
                self.schedule(5 * MINUTE, Event::Submits(desk.to_owned(), draft, author));
            }
            SubmitResult::Refused(reply) => {
                self.refused_submissions
                    .push(format!("{} {desk}: {reply}\n", self.now));
            }
        }
    }

    async fn arrive(&mut self, mut letter: Letter) {
        if let Some(list) = self.lists.iter().find(|list| list.address == letter.to) {
            for letter in list.resend(&letter) {
                self.schedule(TRANSIT, Event::Arrives(letter));
            }
            return;
        }
        if let Some(mailbox) = self.mailboxes.get(&letter.to) {
            let letter = mailbox.forward(&letter);
            self.schedule(TRANSIT, Event::Arrives(letter));
            return;
        }
        if self.strips && letter.tries == 0 {
            letter.message = stripped(&letter.message, self.serial as u32);
        }
        // The hosts of a hub belong to the desk.
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
                if let Some(wait) = RETRY_DELAYS.get(letter.tries as usize) {
                    letter.tries += 1;
                    self.schedule(*wait, Event::Arrives(letter));
                    return;
                }
                refused = Some("expired".to_owned());
            }
        }
        self.deliveries.push(FinalDelivery {
            at: self.now,
            author: letter.author,
            from: letter.desk,
            to: domain.clone(),
            refused,
        });
        if let Some(draft) = draft {
            let author = letter.author.answering();
            let pace = self.answer_time();
            self.schedule(pace, Event::Submits(domain, draft, author));
        }
    }

    /// Returns the time that the next answer takes: from half as long as usual to half as long
    /// again.
    fn answer_time(&mut self) -> Duration {
        let Some(chance) = &mut self.jitter else {
            return self.pace;
        };
        self.pace
            .mul_f64(0.5 + f64::from(chance.below(1000)) / 1000.0)
    }

    /// Returns the time from the first letter to the last.
    pub fn duration(&self) -> Duration {
        let mut times = self.deliveries.iter().map(|letter| letter.at.0);
        let first = times.next().unwrap_or_default();
        Duration::from_millis(times.next_back().unwrap_or(first) - first)
    }

    /// Returns the most automatic letters between two desks that one letter of a person has set
    /// off, before the next letter of a person: there the count begins anew.
    pub fn longest_exchange(&self) -> usize {
        let mut people: BTreeMap<[&str; 2], usize> = BTreeMap::new();
        let mut exchanges: BTreeMap<_, usize> = BTreeMap::new();
        for letter in &self.deliveries {
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

    /// Returns the number of agents' letters that have arrived at this desk.
    pub fn agent_letters_at(&self, desk: &str) -> usize {
        let arrived = self.desks[desk].arrived.iter();
        arrived.filter(|(author, _)| author.is_agent()).count()
    }

    /// Returns every letter, a line each, for the reader of a failed test.
    pub fn log(&self) -> String {
        let line = |letter: &FinalDelivery| {
            let FinalDelivery {
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
        let refused_submissions = self.refused_submissions.iter().cloned();
        self.deliveries
            .iter()
            .map(line)
            .chain(refused_submissions)
            .collect()
    }

    /// Asserts that it ends within [`MOST`] letters.
    pub async fn falls_silent(&mut self) {
        self.falls_silent_within(MOST).await;
    }

    /// Asserts that it ends, and no two desks have exchanged more than `most` letters.
    pub async fn falls_silent_within(&mut self, most: usize) {
        let ended = self.run().await;
        assert!(ended, "it goes on for ever:\n{}", self.log());
        let longest = self.longest_exchange();
        assert!(
            longest <= most,
            "{longest} automatic letters:\n{}",
            self.log()
        );
    }

    /// Asserts that it does not end.
    pub async fn goes_on_for_ever(&mut self) {
        let ended = self.run().await;
        assert!(!ended, "it has come to an end:\n{}", self.log());
    }
}
