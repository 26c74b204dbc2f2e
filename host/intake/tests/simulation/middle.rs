//! Intermediaries between two desks: a gateway, a mailing list, a forwarding mailbox.

use gatepost_message::{Edit, FieldName, Message};

use crate::letter::{Letter, with};

/// Removes all fields but those that a mail reader shows, and gives the message another id, as a
/// gateway may.
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

/// Mailing list: it sends incoming mail to all members but the author, with answers directed to the
/// list.
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

/// Mailbox of a person that forwards everything unchanged.
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
