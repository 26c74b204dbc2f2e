//! What may stand between two desks.

use gatepost_message::{Edit, FieldName, Message};

use crate::letter::{Letter, with};

/// A gateway that lets only those fields through that a mail reader shows, and gives each message
/// an id of its own.
pub fn stripped(message: &Message, serial: u32) -> Message {
    const KEPT: [&str; 6] = [
        "from",
        "to",
        "subject",
        "date",
        "mime-version",
        "content-type",
    ];
    let mut names: Vec<String> = message
        .fields()
        .map(|field| field.name().to_string())
        .collect();
    names.retain(|name| !KEPT.contains(&name.to_ascii_lowercase().as_str()));
    names.sort();
    names.dedup();
    let removals: Vec<Edit> = names
        .iter()
        .map(|name| Edit::Remove {
            name: FieldName::new(name).unwrap(),
        })
        .collect();
    with(
        &message.edited(&removals),
        "Message-ID",
        &format!("<{serial}@gateway.example>"),
    )
}

/// A mailing list: it sends what comes in to all members but the one who wrote, with answers
/// directed to the list.
#[derive(Debug)]
pub struct List {
    pub address: String,
    pub members: Vec<String>,
}

impl List {
    pub fn resend(&self, letter: &Letter) -> Vec<Letter> {
        let message = with(&letter.message, "Reply-To", &format!("<{}>", self.address));
        let id = self.address.replace('@', ".");
        let message = with(&message, "List-Id", &format!("<{id}>"));
        let others = self
            .members
            .iter()
            .filter(|member| !member.ends_with(&letter.desk));
        others
            .map(|member| Letter {
                from: self.address.replace('@', "-bounces@"),
                to: member.clone(),
                message: message.clone(),
                tries: 0,
                ..letter.clone()
            })
            .collect()
    }
}

/// A person's mailbox that forwards everything, as it is.
#[derive(Debug)]
pub struct Mailbox {
    pub to: String,
}

impl Mailbox {
    pub fn forward(&self, letter: &Letter) -> Letter {
        Letter {
            to: self.to.clone(),
            tries: 0,
            ..letter.clone()
        }
    }
}
