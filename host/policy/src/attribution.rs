//! Attribution of faults to a sender, an account, and a message or the part of it that a call was
//! about.
//!
//! A client can choose its addresses within a network and every byte of its messages at no cost. So
//! senders are told apart by what is costly to have several of: an IPv4 /24, an IPv6 /48 (the size
//! that a provider assigns to a site, RFC 6177 section 2), or the account of a submission.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use gatepost_message::{Address, Field, Message};
use gatepost_model::{Flow, Session, Transaction};
use sha2::{Digest as _, Sha256};

use crate::version::Hook;

/// Length of the beginning of a body that counts towards the digest of a message, in bytes.
const HASHED_BODY: usize = 64 << 10;

/// Sender, as far as one can be told from another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Sender {
    /// Network of the client.
    Network(IpAddr),
    /// Account of the submission.
    Account(String),
}

/// Digest of the subject of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Digest(pub(crate) [u8; 16]);

/// Subject of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject<'a> {
    /// Client that has connected and sent no command yet.
    Client,
    /// Reverse-path.
    ReversePath(&'a Transaction),
    /// Recipient, with the reverse-path.
    Recipient(&'a Transaction, &'a Address),
    /// Message with its envelope.
    Message(&'a Transaction, &'a Message),
    /// Recipient of an accepted message.
    Attempt(&'a Transaction, &'a Address),
}

/// Hook, session, account and subject of a call, by which its fault is attributed.
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

    /// Returns the account with whose settings the call ran.
    pub(crate) fn account(&self) -> Option<&'a str> {
        self.account
    }

    /// Returns the sender.
    pub(crate) fn sender(&self) -> Sender {
        match self.account {
            Some(account) if self.session.flow != Flow::Inbound => {
                Sender::Account(account.to_owned())
            }
            _ => Sender::Network(network(self.client_ip())),
        }
    }

    /// Returns the client's address; the unspecified one stands for the relay itself.
    fn client_ip(&self) -> IpAddr {
        let client = self.session.client.map(|client| client.ip());
        client.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    }

    /// Returns a number that is equal for calls with the same subject and costs nothing to get.
    pub(crate) fn size(&self) -> u64 {
        match self.subject {
            Subject::Message(_, message) => message.body().len(),
            _ => 0,
        }
    }

    /// Returns true if the subject can be recognised when it recurs: a mere connection cannot.
    pub(crate) fn can_recur(&self) -> bool {
        !matches!(self.subject, Subject::Client)
    }

    /// Returns the digest of the subject. A message that a queueing server sends again has the same
    /// digest, whatever trace fields the servers on its way add each time. In another envelope it
    /// has another digest, so that nobody can spoil a message for its other recipients.
    pub(crate) fn digest(&self) -> Digest {
        let mut hash = Sha256::new();
        let mut add = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        add(self.hook.word().as_bytes());
        add(self.account.unwrap_or_default().as_bytes());
        match self.subject {
            Subject::Client => add(self.client_ip().to_string().as_bytes()),
            Subject::ReversePath(transaction) => {
                // Anybody can use another's reverse-path, so it counts for this network alone.
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
                add(&body_beginning(message));
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

/// Returns the network that an address belongs to.
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

/// Returns true if servers on the way write this field anew at each attempt (RFC 5321 section 4.4,
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

/// Returns the first bytes of a body, up to a read error: the digest covers the length, too.
fn body_beginning(message: &Message) -> Vec<u8> {
    let wanted =
        usize::try_from(message.body().len()).map_or(HASHED_BODY, |length| length.min(HASHED_BODY));
    let mut bytes = vec![0; wanted];
    let mut filled = 0;
    while filled < wanted {
        match message.body().read_at(filled as u64, &mut bytes[filled..]) {
            Ok(0) | Err(_) => break,
            Ok(count) => filled += count,
        }
    }
    bytes.truncate(filled);
    bytes
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
                transport: gatepost_model::Transport::Smtp,
                client: client.parse().ok(),
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
    fn a_message_from_another_address_with_other_trace_fields_has_the_same_digest() {
        let one = transaction("192.0.2.1:25", &["a@x.example", "b@x.example"]);
        let other = transaction("198.51.100.1:25", &["b@x.example", "a@x.example"]);
        let first = digest(&one, "Received: 1\r\nSubject: s\r\n\r\nbody\r\n");
        let again = "DKIM-Signature: t=2\r\nReceived: 2\r\nSubject: s\r\n\r\nbody\r\n";
        assert_eq!(digest(&other, again), first);
    }

    #[test]
    fn another_message_envelope_or_account_has_another_digest() {
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
    fn senders_are_told_apart_by_network_or_submitting_account() {
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
