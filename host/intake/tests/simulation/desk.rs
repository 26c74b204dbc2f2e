//! A help desk: an application that answers incoming mail.

use std::rc::Rc;

use gatepost_message::{Message, Millis};

use crate::letter::{Author, Draft, Letter, addresses, body};
use crate::site::{Answer, Site};

/// Habits of an application.
#[derive(Debug, Clone, Copy)]
pub struct Habits {
    /// Leaves mail unanswered that asks for it: by the tag of its relay, or elsewhere by the fields
    /// of RFC 3834.
    pub heeds_marks: bool,
    /// Marks its own letters as a machine's: for its relay by the trigger, elsewhere by
    /// Auto-Submitted.
    pub marks_itself: bool,
    /// Marks its own letters as an agent's, like a system that copies comments between tickets.
    pub poses_as_agent: bool,
    /// Writes to everybody on the ticket, not to the requester alone.
    pub writes_to_all: bool,
    /// Opens a ticket for each letter, with an address and a subject of its own.
    pub new_ticket_each_time: bool,
    /// Address of its answers.
    pub address: AddressHabit,
    /// Words of its answers.
    pub words: Words,
    /// Names the message that it answers, and quotes it.
    pub keeps_thread: bool,
    /// Writes another subject for each letter.
    pub new_subject: bool,
    /// Writes the marks of a person's mail program.
    pub mail_program: bool,
    /// Bounces all mail, by its mail system.
    pub bounces: bool,
    /// Writes to the requester of its ticket, whoever it hears from.
    pub to_requester: bool,
}

/// Address from which a desk answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressHabit {
    /// Address that was written to.
    Same,
    /// One fixed address; the one that was written to is an alias.
    Alias,
    /// New address each time.
    New,
    /// Address that was written to, with a new token behind it each time.
    Token,
    /// One fixed address, with a new Reply-To address each time.
    NewReplyTo,
    /// Address that a hub rewrites, at a new host each time.
    Hub,
    /// New address at a new domain each time.
    NewDomain,
    /// One fixed address, with a Reply-To at a new domain each time.
    ReplyToNewDomain,
    /// New domain each time, and a Reply-To at another new one.
    AllNewDomains,
}

impl AddressHabit {
    /// Returns true if the answer has to go to a new domain each time.
    pub fn is_ever_new_domain(self) -> bool {
        matches!(
            self,
            Self::NewDomain | Self::ReplyToNewDomain | Self::AllNewDomains
        )
    }
}

/// Words with which a desk answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// Same words each time.
    Same,
    /// Same words but for two names.
    Names,
    /// Same words above a tip of the day.
    Tip,
    /// New words each time.
    Other,
}

/// Application that heeds and sets all marks.
pub const WELL_BEHAVED: Habits = Habits {
    heeds_marks: true,
    marks_itself: true,
    poses_as_agent: false,
    writes_to_all: false,
    new_ticket_each_time: false,
    address: AddressHabit::Same,
    words: Words::Same,
    keeps_thread: true,
    new_subject: false,
    mail_program: false,
    bounces: false,
    to_requester: false,
};

/// Application that knows nothing of other machines.
pub const OBLIVIOUS: Habits = Habits {
    heeds_marks: false,
    marks_itself: false,
    ..WELL_BEHAVED
};

/// Help desk.
pub struct Desk {
    pub domain: String,
    /// Relay of ours that it is behind; `None` for a system elsewhere.
    site: Option<Rc<Site>>,
    habits: Habits,
    letters: u32,
    /// Requester of the ticket.
    requester: Option<String>,
    /// Letters that have arrived: author and tags.
    pub arrived: Vec<(Author, String)>,
}

/// Result of a draft that the desk has submitted.
#[derive(Debug)]
pub enum SubmitResult {
    /// Letters that left the relay.
    Letters(Vec<Letter>),
    /// Draft to be submitted again, since the relay refused it for now.
    Later(Draft, Author),
    /// Permanent refusal of the relay, with the reply.
    Refused(String),
}

impl Desk {
    pub fn new(domain: &str, site: Option<Rc<Site>>, habits: Habits) -> Self {
        Self {
            domain: domain.to_owned(),
            site,
            habits,
            letters: 0,
            requester: None,
            arrived: Vec::new(),
        }
    }

    pub fn address(&self) -> String {
        format!("support@{}", self.domain)
    }

    /// Hands a letter to the relay; returns its answer, and the application's letter in return, if
    /// it gets it and answers.
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

    /// Returns the application's answer, if it gives one.
    fn answer(&mut self, message: &Message, to: &str, tags: &str) -> Option<Draft> {
        let mut writers = addresses(message, "Reply-To");
        if writers.is_empty() {
            writers = addresses(message, "From");
        }
        if self.habits.writes_to_all {
            writers.extend(addresses(message, "To"));
        }
        let own = |address: &str| address.ends_with(&format!("@{}", self.domain));
        writers.retain(|address| !own(address));
        if let (true, Some(requester)) = (self.habits.to_requester, &self.requester) {
            writers = vec![requester.clone()];
        }
        writers.sort();
        writers.dedup();
        if writers.is_empty() || (self.habits.heeds_marks && !self.may_answer(message, tags)) {
            return None;
        }
        if self.habits.bounces {
            return Some(self.bounce(message, to));
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
            draft.subject = match self.habits.new_subject {
                true => self.new_words(3),
                false => format!("Re: {}", subject.trim_start_matches("Re: ")),
            };
            draft.body = self.answer_text();
            if self.habits.keeps_thread {
                draft.in_reply_to = message.header("Message-ID");
                let quoted = body(message);
                let quoted = quoted.lines().take(20);
                let quoted: String = quoted.map(|line| format!("> {line}\r\n")).collect();
                draft.body += "\r\n\r\n";
                draft.body += &quoted;
            }
            self.answers_from(to, &mut draft);
        }
        if self.habits.mail_program {
            let program = "Microsoft Outlook 16.0".to_owned();
            draft.fields.push(("X-Mailer", program));
            let index = format!("AQHa{}{}", word("index", self.letters), self.letters);
            draft.fields.push(("Thread-Index", index));
        }
        if self.habits.marks_itself {
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

    /// Returns this number of words, others for each letter.
    fn new_words(&self, count: u32) -> String {
        let from = 100 * self.letters;
        let words = (from..from + count).map(|at| word(&self.domain, at));
        words.collect::<Vec<_>>().join(" ")
    }

    /// Returns the text of an answer.
    fn answer_text(&self) -> String {
        let number = self.letters;
        let words = |from: u32, count: u32| -> String {
            (0..count)
                .map(|at| word(&self.domain, from + at) + " ")
                .collect()
        };
        let thanks = format!(
            "Thank you for writing to {}. We have received your request and will see to it.",
            self.domain
        );
        match self.habits.words {
            Words::Same => thanks,
            Words::Names => format!(
                "Dear {},\r\n\r\n{thanks} As soon as we know more you will hear from us. Until then there \
                 is nothing to do, and no need to answer this message. Whoever has anything to add may \
                 do so by writing to us again.\r\n\r\n{} of the help desk",
                word(&self.domain, 2 * number),
                word(&self.domain, 2 * number + 1),
            ),
            Words::Tip => format!(
                "{thanks}\r\n\r\nTip of the day: {}",
                words(100 * number, 20)
            ),
            Words::Other => words(100 * number, 30),
        }
    }

    /// Sets the addresses of an answer to mail to this address.
    fn answers_from(&self, to: &str, draft: &mut Draft) {
        let (number, domain) = (self.letters, &self.domain);
        draft.from = match self.habits.address {
            AddressHabit::Same => to.to_owned(),
            AddressHabit::Alias | AddressHabit::NewReplyTo | AddressHabit::ReplyToNewDomain => {
                format!("desk@{domain}")
            }
            AddressHabit::New => format!("ticket-{number}@{domain}"),
            AddressHabit::Token => {
                let local = to.split(['+', '@']).next().unwrap();
                format!("{local}+{}@{domain}", word(domain, number))
            }
            AddressHabit::Hub => format!("{}@n{number}.{domain}", word(domain, number)),
            AddressHabit::NewDomain => format!("{}@d{number}{domain}", word(domain, number)),
            AddressHabit::AllNewDomains => format!("{}@e{number}{domain}", word(domain, number)),
        };
        let reply_to = match self.habits.address {
            AddressHabit::NewReplyTo => format!("<desk-reply-{number}@{domain}>"),
            AddressHabit::ReplyToNewDomain | AddressHabit::AllNewDomains => {
                format!("<desk@d{number}{domain}>")
            }
            _ => return,
        };
        draft.fields.push(("Reply-To", reply_to));
    }

    /// Returns the bounce of its mail system.
    fn bounce(&mut self, message: &Message, to: &str) -> Draft {
        let path = message.header("Return-Path").unwrap_or_default();
        let writer = addresses(message, "From");
        let mut draft = self.draft(writer);
        draft.from = format!("MAILER-DAEMON@mx.{}", self.domain);
        draft.null_path = true;
        draft.subject = "Undelivered Mail Returned to Sender".to_owned();
        draft
            .fields
            .push(("Auto-Submitted", "auto-replied".to_owned()));
        draft.body = format!(
            "This is the mail system at host mx.{}. Your message {path} could not be delivered.\r\n\r\n\
             <{to}>: user unknown\r\n\r\nMessage-ID: {}\r\n",
            self.domain,
            message.header("Message-ID").unwrap_or_default(),
        );
        draft
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

    /// Returns the notification of its application that a ticket was changed.
    pub fn notification(&mut self, to: &str) -> Draft {
        self.requester = Some(to.to_owned());
        let mut draft = self.draft(vec![to.to_owned()]);
        draft.subject = "[#4711] Your ticket has been updated".to_owned();
        draft.body = format!("Something was added to your ticket. {}", self.letters);
        if self.habits.marks_itself {
            draft
                .fields
                .push(("X-Gatepost-Trigger", "automatic".to_owned()));
        }
        draft
    }

    /// Returns an agent's letter of this number.
    pub fn agent_letter(&mut self, number: u32, to: &[String]) -> Draft {
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

    /// Submits a draft to its relay, or hands it to the world if it has none of ours.
    pub async fn send(&self, now: Millis, draft: Draft, author: Author) -> SubmitResult {
        let message = draft.written(now);
        let answer = match &self.site {
            Some(site) => {
                site.submit(now, &self.domain, &draft.from, &draft.to, message)
                    .await
            }
            None => Answer::Taken(message, draft.to.clone()),
        };
        match answer {
            Answer::Taken(message, recipients) => SubmitResult::Letters(
                recipients
                    .into_iter()
                    .map(|to| Letter {
                        author,
                        desk: self.domain.clone(),
                        from: match draft.null_path {
                            true => String::new(),
                            false => draft.from.clone(),
                        },
                        to,
                        message: message.clone(),
                        tries: 0,
                    })
                    .collect(),
            ),
            Answer::Later => SubmitResult::Later(draft, author),
            Answer::Refused(reply) => SubmitResult::Refused(reply),
        }
    }
}

/// Returns a random word, another for each number.
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
