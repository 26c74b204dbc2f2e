//! Payloads of the ring's records.
//!
//! An accepted message is an octet `1`, the lengths of envelope and header section (4 octets each,
//! little-endian), the envelope as JSON, header section and body. If the body has a file, the
//! envelope holds its offset and length there, and the file's checksum, instead. A tombstone is an
//! octet `2` and the position at which the message was accepted (8 octets). A tombstone with entries
//! for the ledgers is an octet `3`, that position, the number of its first event (8 octets), and the
//! entries as JSON.

use std::{borrow::Cow, io};

use bytes::{Buf, Bytes};
use gatepost_message::Millis;
use gatepost_model::{Classification, Effect, Judgement, Scope, Transaction};
use gatepost_smtp::dsn;
use serde::{Deserialize, Serialize};

use crate::{Ledger, NewBody, NewMessage, NewRecipient, Quarantine, SenderProof, StagedBody};

const ACCEPTED: u8 = 1;
const TOMBSTONE: u8 = 2;
const TOMBSTONE_WITH_LEDGER: u8 = 3;

/// Octets of an accepted message before its envelope.
const LENGTHS: usize = 9;

/// A record as read back.
#[derive(Debug)]
pub(crate) enum JournalRecord {
    /// An accepted message.
    Accepted {
        message: Box<NewMessage>,
        first_event: u64,
    },
    /// A tombstone for the message accepted at that position.
    Tombstone {
        position: u64,
        ledger: Ledger,
        first_event: u64,
    },
}

/// Everything of a message except header section and body.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Envelope<'a> {
    transaction: Cow<'a, Transaction>,
    recipients: Cow<'a, [NewRecipient]>,
    smtputf8: bool,
    dsn: Cow<'a, dsn::MessageRequest>,
    /// Absent if an earlier version wrote the record.
    #[serde(default)]
    sender: Option<SenderProof>,
    tags: Cow<'a, [String]>,
    classification: Option<Classification>,
    judgements: Cow<'a, [Judgement]>,
    effects: Cow<'a, [(Scope, Effect)]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    metadata: Option<Cow<'a, str>>,
    /// Written by [`Ledger::write_json`].
    #[serde(default, skip_serializing)]
    ledger: Ledger,
    #[serde(default)]
    first_event: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quarantine: Option<Cow<'a, Quarantine>>,
    /// Absent if the body follows the header section.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body_file: Option<BodyFile>,
    received_at: Millis,
    expires_at: Millis,
}

/// Part of a file that is a body.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct BodyFile {
    offset: u64,
    length: u64,
    checksum: u32,
}

impl BodyFile {
    fn of(body: &NewBody) -> Option<Self> {
        match body {
            NewBody::Inline(_) => None,
            NewBody::Staged(staged) => Some(Self {
                offset: staged.offset(),
                length: staged.len(),
                checksum: staged.checksum(),
            }),
        }
    }
}

/// Returns the part of a body that the record contains.
fn inline_octets(body: &NewBody) -> &[u8] {
    match body {
        NewBody::Inline(body) => body,
        NewBody::Staged(_) => &[],
    }
}

/// Encodes a message's envelope; returns it with the length of the whole record.
///
/// # Errors
/// If it cannot be encoded.
pub(super) fn envelope(message: &NewMessage, first_event: u64) -> io::Result<(Vec<u8>, usize)> {
    let mut envelope = serde_json::to_vec(&Envelope {
        transaction: Cow::Borrowed(&message.transaction),
        recipients: Cow::Borrowed(&message.recipients),
        smtputf8: message.smtputf8,
        dsn: Cow::Borrowed(&message.dsn),
        sender: Some(message.sender),
        tags: Cow::Borrowed(&message.tags),
        classification: message.classification,
        judgements: Cow::Borrowed(&message.judgements),
        effects: Cow::Borrowed(&message.effects),
        metadata: message.metadata.as_deref().map(Cow::Borrowed),
        ledger: Ledger::default(),
        first_event,
        quarantine: message.quarantine.as_ref().map(Cow::Borrowed),
        body_file: BodyFile::of(&message.body),
        received_at: message.received_at,
        expires_at: message.expires_at,
    })?;
    if !message.ledger.is_empty() {
        // The last member of the envelope.
        envelope.pop();
        envelope.extend_from_slice(b",\"ledger\":");
        message.ledger.write_json(&mut envelope)?;
        envelope.push(b'}');
    }
    let octets = LENGTHS + envelope.len() + message.head.len() + inline_octets(&message.body).len();
    Ok((envelope, octets))
}

/// Writes the record of an accepted message.
pub(super) fn accepted(
    next: &mut Vec<u8>,
    envelope: &[u8],
    message: &NewMessage,
) -> io::Result<()> {
    let length = |octets: &[u8]| u32::try_from(octets.len()).map_err(io::Error::other);
    next.push(ACCEPTED);
    next.extend_from_slice(&length(envelope)?.to_le_bytes());
    next.extend_from_slice(&length(&message.head)?.to_le_bytes());
    next.extend_from_slice(envelope);
    next.extend_from_slice(&message.head);
    next.extend_from_slice(inline_octets(&message.body));
    Ok(())
}

/// Encodes a tombstone for the message accepted at that position.
///
/// # Errors
/// If it cannot be encoded.
pub(super) fn tombstone(position: u64, ledger: &Ledger, first_event: u64) -> io::Result<Vec<u8>> {
    let mut record = vec![TOMBSTONE];
    record.extend_from_slice(&position.to_le_bytes());
    if !ledger.is_empty() {
        record[0] = TOMBSTONE_WITH_LEDGER;
        record.extend_from_slice(&first_event.to_le_bytes());
        ledger.write_json(&mut record)?;
    }
    Ok(record)
}

impl Ledger {
    /// Writes the entries as JSON, of which the events have their part already.
    fn write_json(&self, record: &mut Vec<u8>) -> io::Result<()> {
        record.extend_from_slice(b"{\"events\":[");
        for (at, event) in self.events.iter().enumerate() {
            if at > 0 {
                record.push(b',');
            }
            record.extend_from_slice(event.json().as_bytes());
        }
        record.push(b']');
        if !self.suppressions.is_empty() {
            record.extend_from_slice(b",\"suppressions\":");
            serde_json::to_writer(&mut *record, &self.suppressions)?;
        }
        if !self.learnt.is_empty() {
            record.extend_from_slice(b",\"learnt\":");
            serde_json::to_writer(&mut *record, &self.learnt)?;
        }
        if !self.answers.is_empty() {
            record.extend_from_slice(b",\"answers\":");
            serde_json::to_writer(&mut *record, &self.answers)?;
        }
        record.push(b'}');
        Ok(())
    }
}

impl JournalRecord {
    /// Decodes a record whose checksum was right.
    pub(super) fn read(mut octets: Bytes) -> io::Result<Self> {
        let cut = |_| io::Error::new(io::ErrorKind::InvalidData, "a record of the journal is cut");
        match octets.try_get_u8().map_err(cut)? {
            ACCEPTED => {
                let envelope = octets.try_get_u32_le().map_err(cut)? as usize;
                let head = octets.try_get_u32_le().map_err(cut)? as usize;
                if octets.len() < envelope.saturating_add(head) {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "a record of the journal is cut",
                    ));
                }
                let envelope: Envelope<'_> = serde_json::from_slice(&octets.split_to(envelope))?;
                let head = octets.split_to(head);
                let session = &envelope.transaction.session;
                let sender = envelope.sender;
                let sender = sender.unwrap_or_else(|| SenderProof::of_earlier(session));
                let body = match envelope.body_file {
                    None => NewBody::Inline(octets),
                    Some(BodyFile {
                        offset,
                        length,
                        checksum,
                    }) => {
                        let id = envelope.transaction.id;
                        NewBody::Staged(StagedBody::already_stored(id, offset, length, checksum))
                    }
                };
                let message = Box::new(NewMessage {
                    transaction: envelope.transaction.into_owned(),
                    recipients: envelope.recipients.into_owned(),
                    smtputf8: envelope.smtputf8,
                    dsn: envelope.dsn.into_owned(),
                    sender,
                    head,
                    body,
                    tags: envelope.tags.into_owned(),
                    classification: envelope.classification,
                    judgements: envelope.judgements.into_owned(),
                    effects: envelope.effects.into_owned(),
                    metadata: envelope.metadata.map(Cow::into_owned),
                    ledger: envelope.ledger,
                    quarantine: envelope.quarantine.map(Cow::into_owned),
                    received_at: envelope.received_at,
                    expires_at: envelope.expires_at,
                });
                Ok(Self::Accepted {
                    message,
                    first_event: envelope.first_event,
                })
            }
            TOMBSTONE => Ok(Self::Tombstone {
                position: octets.try_get_u64_le().map_err(cut)?,
                ledger: Ledger::default(),
                first_event: 0,
            }),
            TOMBSTONE_WITH_LEDGER => Ok(Self::Tombstone {
                position: octets.try_get_u64_le().map_err(cut)?,
                first_event: octets.try_get_u64_le().map_err(cut)?,
                ledger: serde_json::from_slice(&octets)?,
            }),
            other => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("the journal holds a record of the unknown kind {other}"),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use gatepost_message::TransactionId;
    use gatepost_model::{Event, KeyedAnswer, LearntId, NoticeSubject, SuppressionChange};

    use super::*;

    /// Envelope as the version before events wrote it.
    const EARLIER: &str = r#"{"transaction":{"id":"018bcfe5-6800-7000-8000-000000000001",
        "time":1700000000000,"session":{"listener":"mx","flow":"inbound","transport":"smtp",
        "client":"192.0.2.1:4711","helo":null,"tls":null,"user":null},"account":"acme",
        "reverse-path":"alice@sender.example","recipients":[]},
        "recipients":[{"address":"bob@a.example","dsn":{"notify":null,"original":null},
        "state":{"queued":{"next-attempt":1700000000000}}}],"smtputf8":false,
        "dsn":{"ret":null,"envid":null},"sender":"proved","tags":[],"classification":null,
        "judgements":[],"effects":[],"received-at":1700000000000,"expires-at":1700432000000}"#;

    fn read_back(record: Vec<u8>) -> JournalRecord {
        JournalRecord::read(record.into()).expect("a record that was written")
    }

    fn earlier() -> Box<NewMessage> {
        let (head, body) = (b"Subject: s\r\n\r\n", b"x\r\n");
        let mut record = vec![ACCEPTED];
        record.extend_from_slice(&(EARLIER.len() as u32).to_le_bytes());
        record.extend_from_slice(&(head.len() as u32).to_le_bytes());
        record.extend_from_slice(EARLIER.as_bytes());
        record.extend_from_slice(head);
        record.extend_from_slice(body);
        match read_back(record) {
            JournalRecord::Accepted { message, .. } => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn records_of_the_version_before_events_are_read() {
        let message = earlier();
        assert_eq!(message.transaction.account.as_deref(), Some("acme"));
        assert_eq!(
            (message.metadata, message.ledger),
            (None, Ledger::default())
        );
        let mut tombstone = vec![TOMBSTONE];
        tombstone.extend_from_slice(&4711_u64.to_le_bytes());
        match read_back(tombstone) {
            JournalRecord::Tombstone {
                position: 4711,
                ledger,
                ..
            } => assert!(ledger.is_empty()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn entries_of_the_version_before_keyed_answers_are_read() {
        let mut tombstone = vec![TOMBSTONE_WITH_LEDGER];
        tombstone.extend_from_slice(&4711_u64.to_le_bytes());
        tombstone.extend_from_slice(&8_u64.to_le_bytes());
        tombstone.extend_from_slice(
            br#"{"events":[],"learnt":[{"account":"acme","ours":"ours@desk.example",
                "theirs":"theirs@service.example","at":1}]}"#,
        );
        match read_back(tombstone) {
            JournalRecord::Tombstone { ledger, .. } => {
                assert_eq!((ledger.learnt.len(), ledger.answers.len()), (1, 0));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn events_are_read_back_with_their_numbers() {
        let subject = NoticeSubject::Cap;
        let event = Event::notice(Some("acme".into()), subject, "text".into(), Millis(1));
        let mut told = Ledger::of([event.clone(), event]);
        told.learnt = vec![LearntId {
            account: "acme".into(),
            ours: "ours@desk.example".into(),
            theirs: "theirs@service.example".into(),
            at: Millis(1),
        }];
        told.answers = vec![KeyedAnswer {
            account: "acme".into(),
            program: "token".into(),
            key: "order 4711".into(),
            request: [7; 32],
            id: TransactionId::new(),
            answer: r#"{"recipients":[]}"#.into(),
            at: Millis(1),
        }];
        told.suppressions = vec![SuppressionChange::Delivered {
            account: "acme".into(),
            address: "bob@b.example".into(),
        }];
        let mut message = *earlier();
        message.metadata = Some("ticket 4711".into());
        message.ledger = told.clone();
        let (envelope, octets) = envelope(&message, 7).expect("encoded");
        let mut record = Vec::new();
        accepted(&mut record, &envelope, &message).expect("written");
        assert_eq!(record.len(), octets);
        match read_back(record) {
            JournalRecord::Accepted {
                message,
                first_event: 7,
            } => {
                assert_eq!(message.metadata.as_deref(), Some("ticket 4711"));
                assert_eq!(message.ledger, told);
            }
            other => panic!("{other:?}"),
        }
        match read_back(tombstone(4711, &told, 8).expect("encoded")) {
            JournalRecord::Tombstone {
                position: 4711,
                ledger,
                first_event: 8,
            } => assert_eq!(ledger, told),
            other => panic!("{other:?}"),
        }
    }
}
