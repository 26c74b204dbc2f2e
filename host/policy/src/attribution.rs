//! Whom and what a fault is counted against: the sender, the account, and the message or the part
//! of it that a call was about.
//!
//! A client chooses its addresses within a network, and every octet of its messages. So senders are
//! told apart by what costs something to have several of: an IPv4 /24, an IPv6 /48 (what a site
//! gets from its provider, RFC 6177 section 2), or the account that a submission belongs to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use gatepost_message::{Address, Field, Message};
use gatepost_model::{Flow, Session, Transaction};
use sha2::{Digest as _, Sha256};

use crate::version::Hook;

/// Octets of a body that count towards the digest of a message: its beginning.
const BODY: usize = 64 << 10;

/// Who hands mail in, as far as one can be told from another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Sender {
    /// A client's network.
    Network(IpAddr),
    /// The account of a submission.
    Account(String),
}

/// Names what a call was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Digest(pub(crate) [u8; 16]);

/// What a call is about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject<'a> {
    /// A client that has said nothing yet.
    Client,
    /// A reverse-path.
    ReversePath(&'a Transaction),
    /// A recipient of a reverse-path.
    Recipient(&'a Transaction, &'a Address),
    /// A message with its envelope.
    Message(&'a Transaction, &'a Message),
    /// A recipient of a message that was taken.
    Attempt(&'a Transaction, &'a Address),
}

/// Whom and what a call is for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cause<'a> {
    pub(crate) hook: Hook,
    session: &'a Session,
    account: Option<&'a str>,
    subject: Subject<'a>,
}

impl<'a> Cause<'a> {
    pub(crate) fn client(session: &'a Session) -> Self {
        Self {
            hook: Hook::Connect,
            session,
            account: None,
            subject: Subject::Client,
        }
    }

    pub(crate) fn of(hook: Hook, transaction: &'a Transaction, subject: Subject<'a>) -> Self {
        Self {
            hook,
            session: &transaction.session,
            account: transaction.account.as_deref(),
            subject,
        }
    }

    /// The account whose settings the call ran with.
    pub(crate) fn account(&self) -> Option<&'a str> {
        self.account
    }

    /// Who has handed the mail in.
    pub(crate) fn sender(&self) -> Sender {
        match self.account {
            Some(account) if self.session.flow == Flow::Submission => {
                Sender::Account(account.to_owned())
            }
            _ => Sender::Network(network(self.session.client.ip())),
        }
    }

    /// A number that two calls about the same have in common, and costs nothing.
    pub(crate) fn size(&self) -> u64 {
        match self.subject {
            Subject::Message(_, message) => message.body().len(),
            _ => 0,
        }
    }

    /// Whether it can be recognised when it comes back: a client that only connects cannot.
    pub(crate) fn comes_back(&self) -> bool {
        !matches!(self.subject, Subject::Client)
    }

    /// What the call is about, in 16 octets. A message that a queueing server tries again has the
    /// same, whatever the servers before it put on top each time; the same message in another
    /// envelope has another, so that nobody can spoil a message for its other recipients.
    pub(crate) fn digest(&self) -> Digest {
        let mut hash = Sha256::new();
        let mut add = |octets: &[u8]| {
            hash.update((octets.len() as u64).to_be_bytes());
            hash.update(octets);
        };
        add(self.hook.word().as_bytes());
        add(self.account.unwrap_or_default().as_bytes());
        match self.subject {
            Subject::Client => add(self.session.client.ip().to_string().as_bytes()),
            Subject::ReversePath(transaction) => {
                // Anybody can name another's reverse-path: it counts for this network alone.
                add(format!("{:?}", self.sender()).as_bytes());
                add(transaction.reverse_path.as_str().as_bytes());
            }
            Subject::Recipient(transaction, recipient) => {
                add(format!("{:?}", self.sender()).as_bytes());
                add(transaction.reverse_path.as_str().as_bytes());
                add(recipient.as_str().as_bytes());
            }
            Subject::Message(transaction, message) => {
                add(transaction.reverse_path.as_str().as_bytes());
                let mut recipients: Vec<_> = transaction.recipients.iter().collect();
                recipients.sort_unstable();
                for recipient in recipients {
                    add(recipient.as_str().as_bytes());
                }
                for field in message.fields().filter(|field| !is_trace(field)) {
                    add(field.raw());
                }
                add(&message.body().len().to_be_bytes());
                add(&beginning(message));
            }
            Subject::Attempt(transaction, recipient) => {
                add(transaction.id.to_string().as_bytes());
                add(recipient.as_str().as_bytes());
            }
        }
        let whole = hash.finalize();
        let mut digest = [0; 16];
        digest.copy_from_slice(&whole[..16]);
        Digest(digest)
    }
}

/// The network that an address belongs to.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            IpAddr::V4(Ipv4Addr::new(a, b, c, 0))
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    }
}

/// Whether servers on the way write this field anew at each attempt (RFC 5321 section 4.4,
/// RFC 6376 section 3.5 `t=`, RFC 8601, RFC 8617).
fn is_trace(field: &Field<'_>) -> bool {
    const TRACE: [&str; 8] = [
        "Received",
        "X-Received",
        "Return-Path",
        "DKIM-Signature",
        "Authentication-Results",
        "ARC-Authentication-Results",
        "ARC-Message-Signature",
        "ARC-Seal",
    ];
    TRACE.iter().any(|name| field.is(name))
}

/// The first octets of a body. What cannot be read is left out: the length counts as well.
fn beginning(message: &Message) -> Vec<u8> {
    let wanted = usize::try_from(message.body().len()).map_or(BODY, |length| length.min(BODY));
    let mut octets = vec![0; wanted];
    let mut filled = 0;
    while filled < wanted {
        match message.body().read_at(filled as u64, &mut octets[filled..]) {
            Ok(0) | Err(_) => break,
            Ok(count) => filled += count,
        }
    }
    octets.truncate(filled);
    octets
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use gatepost_message::{Millis, ReversePath, TransactionId};

    use super::*;

    fn transaction(client: &str, recipients: &[&str]) -> Transaction {
        Transaction {
            id: TransactionId::new(),
            time: Millis(0),
            session: Session {
                listener: "mx".into(),
                flow: Flow::Inbound,
                client: client.parse().unwrap(),
                helo: None,
                tls: None,
                user: None,
            },
            account: Some("acme".into()),
            reverse_path: ReversePath::Null,
            recipients: recipients.iter().map(|to| to.parse().unwrap()).collect(),
        }
    }

    fn digest(transaction: &Transaction, message: &str) -> Digest {
        let message = Message::from_bytes(Bytes::from(message.to_owned()));
        let subject = Subject::Message(transaction, &message);
        Cause::of(Hook::Message, transaction, subject).digest()
    }

    #[test]
    fn a_message_is_known_again_from_another_address_and_under_other_trace_fields() {
        let one = transaction("192.0.2.1:25", &["a@x.example", "b@x.example"]);
        let other = transaction("198.51.100.1:25", &["b@x.example", "a@x.example"]);
        let first = digest(&one, "Received: 1\r\nSubject: s\r\n\r\nbody\r\n");
        let again = "DKIM-Signature: t=2\r\nReceived: 2\r\nSubject: s\r\n\r\nbody\r\n";
        assert_eq!(digest(&other, again), first);
    }

    #[test]
    fn another_message_or_envelope_is_another() {
        let one = transaction("192.0.2.1:25", &["a@x.example"]);
        let first = digest(&one, "Subject: s\r\n\r\nbody\r\n");
        assert_ne!(digest(&one, "Subject: t\r\n\r\nbody\r\n"), first);
        assert_ne!(digest(&one, "Subject: s\r\n\r\nbodz\r\n"), first);
        let more = transaction("192.0.2.1:25", &["a@x.example", "b@x.example"]);
        assert_ne!(digest(&more, "Subject: s\r\n\r\nbody\r\n"), first);
        let mut elsewhere = one.clone();
        elsewhere.account = None;
        assert_ne!(digest(&elsewhere, "Subject: s\r\n\r\nbody\r\n"), first);
    }

    #[test]
    fn senders_are_networks_and_submitting_accounts() {
        let sender = |client: &str| {
            let transaction = transaction(client, &[]);
            Cause::of(
                Hook::Sender,
                &transaction,
                Subject::ReversePath(&transaction),
            )
            .sender()
        };
        assert_eq!(sender("192.0.2.1:25"), sender("192.0.2.254:1025"));
        assert_eq!(sender("192.0.2.1:25"), sender("[::ffff:192.0.2.9]:25"));
        assert_ne!(sender("192.0.2.1:25"), sender("192.0.3.1:25"));
        assert_eq!(
            sender("[2001:db8:1:2::3]:25"),
            sender("[2001:db8:1:ff::]:25")
        );
        assert_ne!(sender("[2001:db8:1::3]:25"), sender("[2001:db8:2::3]:25"));
        let mut submitted = transaction("192.0.2.1:25", &[]);
        submitted.session.flow = Flow::Submission;
        let cause = Cause::of(Hook::Sender, &submitted, Subject::ReversePath(&submitted));
        assert_eq!(cause.sender(), Sender::Account("acme".into()));
    }
}
