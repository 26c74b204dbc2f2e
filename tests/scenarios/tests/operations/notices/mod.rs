//! What a sender is told of a message.

mod delayed;
mod in_another_script;
mod in_portuguese;
mod not_asked_for;
mod of_a_site;
mod relayed;
mod returned;
mod to_strangers;

use mail_parser::{Message, MessageParser, MimeHeaders};
use test_support::{Client, Relay};

/// The chain of the usual relay's listeners; of a submission it would make a machine's message.
const CHAIN: &str = r#"chain = ["loop-guard", "header-guard", "outbound-route"]"#;

/// A notice as a mail reader has it: its header, and the type and contents of its three parts.
pub struct Notice {
    pub subject: String,
    pub text: String,
    pub status: String,
    pub returned: (String, String),
}

impl Notice {
    /// Reads one.
    #[track_caller]
    pub fn read(octets: &[u8]) -> Self {
        let message = MessageParser::default().parse(octets).unwrap();
        let report = message.content_type().unwrap();
        assert_eq!(report.subtype(), Some("report"));
        assert_eq!(report.attribute("report-type"), Some("delivery-status"));
        let parts = message.parts[0].sub_parts().unwrap();
        let [text, status, returned] = parts else {
            panic!("not three parts");
        };
        let contents = |part: &u32| {
            let part = &message.parts[*part as usize];
            String::from_utf8_lossy(part.contents()).into_owned()
        };
        Self {
            subject: message.subject().unwrap().to_owned(),
            text: contents(text).replace(" \r\n", " "),
            status: contents(status),
            returned: (kind(&message, *returned), contents(returned)),
        }
    }
}

fn kind(message: &Message<'_>, part: u32) -> String {
    let kind = message.parts[part as usize].content_type().unwrap();
    format!("{}/{}", kind.ctype(), kind.subtype().unwrap())
}

/// Hands a message in as a stranger does, with these parameters of MAIL and of RCPT; its
/// transaction.
fn submit(relay: &Relay, mail: &str, to: &str, rcpt: &str, message: &[u8]) -> String {
    let mut client: Client = relay.client("mx");
    client.ehlo();
    hand_in(&mut client, mail, to, rcpt, message)
}

/// The same as a user who has logged in.
fn submit_as_user(relay: &Relay, mail: &str, to: &str, rcpt: &str, message: &[u8]) -> String {
    let mut client = relay.client("submission").authenticated("user", "secret");
    hand_in(&mut client, mail, to, rcpt, message)
}

fn hand_in(client: &mut Client, mail: &str, to: &str, rcpt: &str, message: &[u8]) -> String {
    client.command(&format!("MAIL FROM:<ann@sender.example>{mail}"), 250);
    client.command(&format!("RCPT TO:<{to}>{rcpt}"), 250);
    client.command("DATA", 354);
    client.send(message).unwrap();
    client.command(".", 250).transaction()
}
