//! A help desk: an application that answers what comes in.

use std::rc::Rc;

use gatepost_message::{Message, Millis};

use crate::letter::{Author, Draft, Letter, addresses, body};
use crate::site::{Answer, Site};

/// What an application does of itself.
#[derive(Debug, Clone, Copy)]
pub struct Habits {
    /// It leaves alone what says that it should not be answered: the tag of its relay, or elsewhere
    /// the fields of RFC 3834.
    pub heeds: bool,
    /// It says of its own letters that a machine made them: to its relay by the trigger, elsewhere
    /// by Auto-Submitted.
    pub says_so: bool,
    /// It passes its own letters off as an agent's, as a system does that copies comments between
    /// tickets.
    pub poses_as_agent: bool,
    /// It writes to everybody on the ticket, not to the requester alone.
    pub writes_to_all: bool,
    /// Each ticket has an address and a subject of its own, and each letter opens a ticket.
    pub new_ticket_each_time: bool,
}

/// As an application should be.
pub const WELL_BEHAVED: Habits = Habits {
    heeds: true,
    says_so: true,
    poses_as_agent: false,
    writes_to_all: false,
    new_ticket_each_time: false,
};

/// One that knows nothing of other machines.
pub const OBLIVIOUS: Habits = Habits {
    heeds: false,
    says_so: false,
    ..WELL_BEHAVED
};

/// A help desk.
pub struct Desk {
    pub domain: String,
    /// The relay of ours that it is behind; `None` for a system elsewhere.
    site: Option<Rc<Site>>,
    habits: Habits,
    letters: u32,
    /// What has arrived: who wrote it, and with which tags.
    pub arrived: Vec<(Author, String)>,
}

/// What became of something that the desk wrote.
#[derive(Debug)]
pub enum Sent {
    /// These left the relay.
    Letters(Vec<Letter>),
    /// The relay wants it later: this is to be submitted again.
    Later(Draft, Author),
    /// The relay refused it.
    Refused(String),
}

impl Desk {
    pub fn new(domain: &str, site: Option<Rc<Site>>, habits: Habits) -> Self {
        Self {
            domain: domain.to_owned(),
            site,
            habits,
            letters: 0,
            arrived: Vec::new(),
        }
    }

    pub fn address(&self) -> String {
        format!("support@{}", self.domain)
    }

    /// A letter comes to the relay; what the application answers, if it gets it and answers.
    pub async fn receive(&mut self, now: Millis, letter: &Letter) -> (Answer, Option<Draft>) {
        let Letter { from, to, .. } = letter;
        let answer = match &self.site {
            Some(site) => site.receive(now, from, to, letter.message.clone()).await,
            None => Answer::Taken(letter.message.clone(), vec![to.clone()]),
        };
        let mut draft = None;
        if let Answer::Taken(message, recipients) = &answer
            && !recipients.is_empty()
        {
            let tags = message.header("X-Gatepost-Tags").unwrap_or_default();
            draft = self.answer(message, to, &tags);
            self.arrived.push((letter.author, tags));
        }
        (answer, draft)
    }

    /// The application's answer, if it gives one.
    fn answer(&mut self, message: &Message, to: &str, tags: &str) -> Option<Draft> {
        let mut writers = addresses(message, "Reply-To");
        if writers.is_empty() {
            writers = addresses(message, "From");
        }
        if self.habits.writes_to_all {
            writers.extend(addresses(message, "To"));
        }
        let own = format!("@{}", self.domain);
        writers.retain(|address| !address.ends_with(&own));
        writers.sort();
        writers.dedup();
        if writers.is_empty() || (self.habits.heeds && !self.may_answer(message, tags)) {
            return None;
        }
        let mut draft = self.draft(writers);
        if self.habits.new_ticket_each_time {
            let ticket = self.letters;
            draft.from = format!("ticket-{ticket}@{}", self.domain);
            draft.subject = format!("Request {} has come in", word(&self.domain, ticket));
            draft.body = (0..40)
                .map(|at| word(&self.domain, ticket * 100 + at) + " ")
                .collect();
        } else {
            let subject = message.header("Subject").unwrap_or_default();
            draft.from = to.to_owned();
            draft.subject = format!("Re: {}", subject.trim_start_matches("Re: "));
            draft.in_reply_to = message.header("Message-ID");
            draft.body = format!(
                "Thank you for writing to {}. We have received your request and will see to it.\r\n\r\n{}",
                self.domain,
                body(message)
                    .lines()
                    .take(20)
                    .map(|line| format!("> {line}\r\n"))
                    .collect::<String>(),
            );
        }
        if self.habits.says_so {
            draft.fields.push(match self.site {
                Some(_) => ("X-Gatepost-Trigger", "automatic".to_owned()),
                None => ("Auto-Submitted", "auto-replied".to_owned()),
            });
        }
        if self.habits.poses_as_agent {
            draft
                .fields
                .push(("X-Gatepost-Trigger", "agent".to_owned()));
        }
        Some(draft)
    }

    fn may_answer(&self, message: &Message, tags: &str) -> bool {
        match self.site {
            Some(_) => !tags.contains("suppress-automatic"),
            None => {
                let word = message.header("Auto-Submitted");
                word.is_none_or(|word| word.starts_with("no"))
            }
        }
    }

    /// What an agent writes: their `number`th letter.
    pub fn agent_writes(&mut self, number: u32, to: &[String]) -> Draft {
        let mut draft = self.draft(to.to_vec());
        draft.subject = "About the printer".to_owned();
        draft.body = format!(
            "Hello,\r\n\r\n{} {} {}, what do you think? Number {number}.\r\n\r\nAnn\r\n",
            word("opening", number),
            word("middle", number),
            word("end", number)
        );
        if self.site.is_some() {
            draft
                .fields
                .push(("X-Gatepost-Trigger", "agent".to_owned()));
        }
        draft
    }

    fn draft(&mut self, to: Vec<String>) -> Draft {
        self.letters += 1;
        Draft {
            from: self.address(),
            to,
            message_id: format!("<{}@{}>", self.letters, self.domain),
            ..Draft::default()
        }
    }

    /// The desk hands a letter to its relay, or to the world where it has none of ours.
    pub async fn send(&self, now: Millis, draft: Draft, author: Author) -> Sent {
        let message = draft.written(now);
        let answer = match &self.site {
            Some(site) => {
                site.submit(now, &self.domain, &draft.from, &draft.to, message)
                    .await
            }
            None => Answer::Taken(message, draft.to.clone()),
        };
        match answer {
            Answer::Taken(message, recipients) => Sent::Letters(
                recipients
                    .into_iter()
                    .map(|to| Letter {
                        author,
                        desk: self.domain.clone(),
                        from: draft.from.clone(),
                        to,
                        message: message.clone(),
                        tries: 0,
                    })
                    .collect(),
            ),
            Answer::Later => Sent::Later(draft, author),
            Answer::Refused(reply) => Sent::Refused(reply),
        }
    }
}

/// A word that says nothing, another for each number.
fn word(seed: &str, number: u32) -> String {
    let mut state = seed.bytes().fold(u64::from(number) + 1, |state, byte| {
        (state ^ u64::from(byte))
            .wrapping_mul(0x0000_0100_0000_01b3)
            .rotate_left(29)
    });
    (0..7)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            char::from(b'a' + (state >> 33) as u8 % 26)
        })
        .collect()
}
