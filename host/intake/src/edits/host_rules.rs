//! Rules of the relay that hold for every message, whatever a policy decides.

use gatepost_authentication::{bodies_shown_as, from_bodies};
use gatepost_directory::SandboxReach;
use gatepost_mailboxes::{AddrSpec, Doubt, read};
use gatepost_message::{Address, Message, domain_to_ascii};
use gatepost_model::{Flow, Transaction};
use gatepost_smtp::Reply;

use crate::ownership::Ownership;

/// Most Received fields that a message may come with; RFC 5321 section 6.3 asks for a limit of at
/// least 100.
pub const HOP_LIMIT: usize = 100;

/// Refuses a message that no policy may let through.
///
/// `message` is as it came: a policy that removed Received fields would hide a loop.
pub fn refusal(message: &Message) -> Option<Reply> {
    let hops = message.count("Received");
    (hops > HOP_LIMIT).then(|| {
        let text = format!("Mail loop: {hops} Received fields, at most {HOP_LIMIT} are taken");
        Reply::new(554, "5.4.6", text)
    })
}

/// Refuses the submission of an account that is suspended. The reason is the operator's, and is not
/// told.
pub fn suspended(ownership: Ownership<'_>, transaction: &Transaction) -> Option<Reply> {
    if transaction.session.flow != Flow::Submission {
        return None;
    }
    let account = transaction.account.as_deref()?;
    ownership.directory.suspension(account)?;
    metrics::counter!("gatepost_suspended_refusals_total").increment(1);
    // RFC 5248: X.7.13, user account disabled.
    let text = "The account is suspended: it may not submit mail until its operator resumes it";
    Some(Reply::new(550, "5.7.13", text))
}

/// Refuses a message of an account that is being erased, or was meanwhile.
pub fn erased(ownership: Ownership<'_>, transaction: &Transaction) -> Option<Reply> {
    let account = transaction.account.as_deref()?;
    if ownership.config.account(account).is_some() {
        return None;
    }
    let id = account.parse().ok()?;
    let stays =
        ownership.directory.account(id).is_some() && !ownership.directory.is_being_erased(id);
    // RFC 3463: X.2.1, mailbox disabled.
    (!stays).then(|| Reply::new(550, "5.2.1", "The account is no more"))
}

/// Refuses a recipient to whom a sandbox sends nothing: it is no test user, and no Maildir takes its
/// mail.
pub fn outside_sandbox(
    ownership: Ownership<'_>,
    account: &str,
    address: &Address,
) -> Option<Reply> {
    let sandbox = ownership.directory.sandbox(account)?;
    (sandbox.reach(address) == SandboxReach::Nowhere).then(|| not_in_sandbox(address))
}

/// Returns the reply about a recipient to whom a sandbox sends nothing.
pub fn not_in_sandbox(address: &Address) -> Reply {
    // RFC 3463: X.7.1, delivery not authorized.
    let text = format!("The account is a sandbox, and <{address}> is none of its test users");
    Reply::new(550, "5.7.1", text)
}

/// Refuses a submission in a foreign name: its author in any From field, its Sender (RFC 5322
/// section 3.6.2), its Resent-From and its Resent-Sender (section 3.6.6) must be addresses that the
/// account [may submit as](Ownership::may_submit_as), since mail readers show them beside the author or
/// in the author's place.
///
/// Reply-To names where answers go, and may be any address.
///
/// `message` is as it would be sent, so that policies' edits of From are held to the rule too.
pub fn foreign_author(
    ownership: Ownership<'_>,
    transaction: &Transaction,
    message: &Message,
) -> Option<Reply> {
    if transaction.session.flow != Flow::Submission {
        return None;
    }
    let account = transaction.account.as_deref()?;
    let authors = match authors(message) {
        Ok(authors) => authors,
        Err(why) => {
            let text = format!("The author in From cannot be read: {why}");
            return Some(Reply::new(550, "5.6.0", text));
        }
    };
    authors
        .iter()
        .find(|author| !ownership.may_submit_as(account, author))
        .map(|author| foreign(author.domain()))
}

/// Returns the reply to a user who sends in the name of a domain that is not the account's. It does
/// not reveal whether the domain is another account's, or nobody's here.
pub fn foreign(domain: &str) -> Reply {
    let text = format!("You may not send in the name of {domain}: it is no domain of your account");
    Reply::new(550, "5.7.1", text)
}

/// Returns the domain of all authors that a mail reader could show for From, in lower-case A-labels;
/// `None` if they are of several domains, or cannot be known.
pub fn author_domain(message: &Message) -> Option<String> {
    let reading = read(from_bodies(message));
    if reading.doubt() == Some(Doubt::TooLong) {
        return None;
    }
    let ascii = |shown: &AddrSpec| domain_to_ascii(&shown.domain.to_string());
    let mut domains = reading.shown().iter().map(ascii);
    let first = domains.next()??;
    let same = domains.all(|other| other.is_some_and(|other| other.eq_ignore_ascii_case(&first)));
    same.then(|| first.to_ascii_lowercase())
}

/// Optional fields beside From that name a sender.
const SENDERS: [&str; 3] = ["Sender", "Resent-From", "Resent-Sender"];

/// Returns every address that any mail reader could show for From and the fields beside it that
/// name a sender, whatever the spelling of the field or of its name, so that no foreign name is
/// shown. A local part that only some reader could show may be made up.
///
/// # Errors
/// The reason why the addresses cannot be known.
pub fn authors(message: &Message) -> Result<Vec<Address>, &'static str> {
    let reading = read(from_bodies(message));
    if reading.doubt() == Some(Doubt::TooLong) {
        return Err("it is too long");
    }
    let address = |shown: &AddrSpec| {
        let made_up = || Address::parse(&format!("postmaster@{}", shown.domain));
        let address = Address::parse(&shown.to_string()).or_else(|_| made_up());
        address.map_err(|_| "it names what is no domain")
    };
    let senders = read(bodies_shown_as(message, &SENDERS));
    if senders.doubt() == Some(Doubt::TooLong) {
        return Err("a field that says who sends is too long");
    }
    let shown = reading.shown().iter().chain(senders.shown());
    shown.map(address).collect()
}

/// Returns true if policies may choose the next hop. Mail with the null reverse-path belongs to no
/// customer and never uses a customer's smart host: it takes the default route. A probe has its own
/// way, which it is to prove.
pub fn may_be_routed(transaction: &Transaction) -> bool {
    !transaction.reverse_path.is_null() && gatepost_probes::is_probe(transaction).is_none()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use bytes::Bytes;
    use gatepost_directory::View;
    use gatepost_message::{Millis, ReversePath, TransactionId};
    use gatepost_model::Session;

    use super::*;
    use gatepost_config::Config;

    fn with_hops(hops: usize) -> Message {
        let head = "reCeived : from a by b; date\r\n".repeat(hops);
        Message::from_bytes(Bytes::from(format!("{head}Subject: s\r\n\r\nbody\r\n")))
    }

    #[test]
    fn a_hundred_received_fields_are_accepted() {
        assert_eq!(refusal(&with_hops(HOP_LIMIT)), None);
    }

    #[test]
    fn a_hundred_and_one_received_fields_are_a_loop() {
        let reply = refusal(&with_hops(HOP_LIMIT + 1)).unwrap();
        assert!(reply.to_string().starts_with("554 5.4.6 "), "{reply}");
    }

    fn two_accounts() -> Config {
        let text = r#"
            [relay]
            hostname = "mx.example"
            store = "/tmp/store"
            [[account]]
            id = "one"
            domains = ["one.example"]
            sending-domains = ["bounces.one.example"]
            [[account]]
            id = "two"
            domains = ["two.example"]
            [[listener]]
            name = "mx"
            address = "127.0.0.1:0"
            direction = "inbound"
            tls = "none"
            chain = []
            "#;
        Config::parse(text, Path::new("gatepost.toml"), Path::new("/")).unwrap()
    }

    fn of_account_one(flow: Flow) -> Transaction {
        Transaction {
            id: TransactionId::new(),
            time: Millis::now(),
            session: Session {
                listener: "l".to_owned(),
                flow,
                transport: gatepost_model::Transport::Smtp,
                client: Some(([127, 0, 0, 1], 9).into()),
                helo: None,
                tls: None,
                user: None,
            },
            account: Some("one".to_owned()),
            reverse_path: ReversePath::Null,
            recipients: Vec::new(),
        }
    }

    #[test]
    fn a_submission_in_a_foreign_name_is_refused() {
        let config = two_accounts();
        let directory = View::empty();
        let ownership = Ownership {
            config: &config,
            directory: &directory,
        };
        let submitted = of_account_one(Flow::Submission);
        let many: String = (0..600).map(|n| format!("a{n}@one.example, ")).collect();
        for (head, refused) in [
            ("From: a@one.example", false),
            ("From: a@bounces.one.example", false),
            ("From: a@nobodys.example", true),
            ("From: a@deeper.one.example", true),
            ("From: \"x@two.example\" <a@one.example>", false),
            ("From: A (x@two.example) <a@one.example>", false),
            ("Sender: x@two.example", true),
            ("Sender: a@one.example", false),
            ("From: a@one.example\r\nsender : X <x@ two.example>", true),
            ("From: X <x@TWO.example>", true),
            ("fRom : a@one.example,\r\n x@two.example", true),
            ("From: Team: a@one.example, x@two.example;", true),
            ("From: x@two.example\r\nFrom: a@one.example", true),
            ("From: a@one.example\r\nFrom: x@two.example", true),
            ("From: x@ two.example", true),
            ("From: x @two.example", true),
            ("From: x@\r\n two.example", true),
            ("From: x@(c)two.example", true),
            ("From: x@two.example.", true),
            ("From: x@two\u{3002}example", true),
            ("From: <@one.example:x@two.example>", true),
            ("From: <x@two.example> <a@one.example>", true),
            ("From: a@one.example; x@two.example", true),
            ("From: <x@two.example", true),
            ("From: \"x@two.example", true),
            ("From: x@\"two.example\"", true),
            ("From: =?utf-8?q?x=40two.example?=", true),
            ("From: x@two.example\u{b}<a@one.example>", true),
            ("From\u{c}: x@two.example\r\nFrom: a@one.example", true),
            (" From: x@two.example\r\nFrom: a@one.example", true),
            (
                "From: a@one.example\r\nno field\r\nFrom: x@two.example",
                true,
            ),
            ("From: x@two.example <a@one.example>", true),
            ("From: b@one.example <a@one.example>", false),
            ("From: a@one.example (x@two.example)", false),
            ("From: a@ one.example", false),
            ("Resent-From: x@two.example", true),
            ("Resent-Sender: x@two.example", true),
            ("Resent-From: a@one.example", false),
            ("resent-from : X <x@ two.example>", true),
            (
                "Resent-From: a@one.example\r\nResent-From: x@two.example",
                true,
            ),
            (" Sender: x@two.example\r\nFrom: a@one.example", true),
            (
                "From: a@one.example\r\nno field\r\nResent-From: x@\r\n\ttwo.example",
                true,
            ),
            (&format!("Sender: {many} x@two.example"), true),
            (&format!("Resent-From: {many}"), true),
            ("Reply-To: x@two.example", false),
            ("Resent-Reply-To: x@two.example", false),
        ] {
            let message = Message::from_bytes(Bytes::from(format!("{head}\r\n\r\nbody\r\n")));
            let reply = foreign_author(ownership, &submitted, &message);
            assert_eq!(reply.is_some(), refused, "{head} -> {reply:?}");
            // Inbound mail may name anyone.
            let inbound = of_account_one(Flow::Inbound);
            assert_eq!(foreign_author(ownership, &inbound, &message), None);
        }
    }
}
