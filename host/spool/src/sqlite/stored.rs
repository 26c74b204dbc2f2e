//! Reading of messages from their rows, for claims and for queries.

use std::sync::Arc;

use bytes::Bytes;
use gatepost_message::{Address, Message, Millis, ReversePath, TransactionId};
use gatepost_model::{Classification, Route, Session, Transaction};
use gatepost_smtp::dsn::MessageRequest;
use rusqlite::{Connection, Row};
use serde::de::DeserializeOwned;

use crate::{
    Owner, Quarantine, Recipient, RecipientState, SenderProof, SpoolError, Status, Summary,
};

use super::{
    body::BodyReader,
    codec::{damaged, from_json, to_millis, to_u64},
};

/// Columns that [`MessageRow::read`] reads, in its terms.
pub(super) const COLUMNS: &str = "messages.number, id, account, reverse_path, began_at,
    received_at, expires_at, quarantine_reason, quarantine_expires, tags_json, body_offset, size,
    body_checksum";

/// A row of `messages`.
pub(super) struct MessageRow {
    pub(super) number: i64,
    /// Summary, without recipients at first.
    pub(super) summary: Summary,
    began_at: Millis,
    body_offset: Option<u64>,
    body_checksum: Option<u32>,
}

impl MessageRow {
    pub(super) fn read(row: &Row<'_>) -> Result<Self, SpoolError> {
        let id: String = row.get(1)?;
        let id: TransactionId = id.parse().map_err(damaged("transaction id"))?;
        let reverse_path: String = row.get(3)?;
        let quarantine = match (row.get(7)?, row.get::<_, Option<i64>>(8)?) {
            (Some(reason), Some(expires)) => Some(Quarantine {
                reason,
                expires: to_millis(expires),
            }),
            _ => None,
        };
        let tags: String = row.get(9)?;
        Ok(Self {
            number: row.get(0)?,
            summary: Summary {
                id,
                account: row.get(2)?,
                reverse_path: ReversePath::parse(&reverse_path)
                    .map_err(damaged(&format!("reverse path of {id}")))?,
                received_at: to_millis(row.get(5)?),
                expires_at: to_millis(row.get(6)?),
                size: to_u64(row.get(11)?),
                tags: from_json(&format!("list of tags of {id}"), &tags)?,
                quarantine,
                recipients: Vec::new(),
            },
            began_at: to_millis(row.get(4)?),
            body_offset: row.get::<_, Option<i64>>(10)?.map(to_u64),
            body_checksum: row.get(12)?,
        })
    }
}

/// Columns that [`recipient`] reads, in its terms.
pub(super) const RECIPIENT: &str = "number, address, state, due, owner, attempts, last_attempt,
    last_reply_json, last_server, reason, dsn_json, delay_told, route_json";

/// Reads the addresses of a message's recipients, in the order of the envelope.
pub(super) fn addresses(connection: &Connection, message: i64) -> Result<Vec<Address>, SpoolError> {
    let mut select = connection
        .prepare_cached("SELECT address FROM recipients WHERE message = ?1 ORDER BY number")?;
    let mut rows = select.query([message])?;
    let mut addresses = Vec::new();
    while let Some(row) = rows.next()? {
        let address: String = row.get(0)?;
        addresses.push(Address::parse(&address).map_err(damaged("recipient"))?);
    }
    Ok(addresses)
}

/// Reads all recipients of a message, in the order of the envelope.
pub(super) fn recipients(
    connection: &Connection,
    message: i64,
) -> Result<Vec<Recipient>, SpoolError> {
    let mut select = connection.prepare_cached(&format!(
        "SELECT {RECIPIENT} FROM recipients WHERE message = ?1 ORDER BY number"
    ))?;
    let mut rows = select.query([message])?;
    let mut recipients = Vec::new();
    while let Some(row) = rows.next()? {
        recipients.push(recipient(row)?);
    }
    Ok(recipients)
}

/// Reads a recipient from its columns.
pub(super) fn recipient(row: &Row<'_>) -> Result<Recipient, SpoolError> {
    let address: String = row.get(1)?;
    let address = Address::parse(&address).map_err(damaged("recipient"))?;
    let due = row.get::<_, Option<i64>>(3)?.map_or(Millis(0), to_millis);
    let word: String = row.get(2)?;
    let state = match Status::from_word(&word) {
        Some(Status::Queued) => RecipientState::Queued { next_attempt: due },
        Some(Status::Leased) => {
            let owner: String = row.get(4)?;
            let owner = Owner::parse(&owner).map_err(damaged("owner of a lease"))?;
            RecipientState::Leased { owner, until: due }
        }
        Some(Status::Held) => RecipientState::Held,
        Some(Status::Quarantined) => RecipientState::Quarantined,
        Some(Status::Delivered) => RecipientState::Delivered,
        Some(Status::Failed) => RecipientState::Failed,
        Some(Status::Cancelled) => RecipientState::Cancelled,
        Some(Status::Suppressed) => RecipientState::Suppressed {
            reason: row.get::<_, Option<_>>(9)?.unwrap_or_default(),
        },
        None => return Err(damaged("state of a recipient")(format!("`{word}`"))),
    };
    let reply: Option<String> = row.get(7)?;
    Ok(Recipient {
        number: row.get(0)?,
        address,
        state,
        attempts: row.get(5)?,
        last_attempt: row.get::<_, Option<i64>>(6)?.map(to_millis),
        last_reply: reply
            .map(|json| from_json("last reply", &json))
            .transpose()?,
        last_server: row.get(8)?,
        dsn: decoded_request("notifications of a recipient", row.get(10)?)?,
        delay_told: row.get(11)?,
        route: (row.get::<_, Option<String>>(12)?).and_then(|json| route(&json)),
    })
}

/// Decodes a route. One that this version cannot read is asked for again, as if there were none.
fn route(json: &str) -> Option<Route> {
    let route = serde_json::from_str(json);
    route
        .inspect_err(|error| tracing::warn!(%error, "a stored route cannot be read"))
        .ok()
}

/// Decodes a request for delivery status notifications; the default if none is stored.
fn decoded_request<T: Default + DeserializeOwned>(
    what: &str,
    json: Option<String>,
) -> Result<T, SpoolError> {
    json.map_or_else(|| Ok(T::default()), |json| from_json(what, &json))
}

/// A row of `contents`, and the values that need it.
pub(super) struct Contents {
    pub(super) transaction: Transaction,
    pub(super) classification: Option<Classification>,
    pub(super) judgements_json: String,
    pub(super) smtputf8: bool,
    pub(super) dsn: MessageRequest,
    pub(super) sender: SenderProof,
    pub(super) metadata: Option<String>,
    pub(super) message: Message,
}

/// Reads the contents of a message with this envelope.
pub(super) fn contents(
    connection: &Connection,
    body_reader: &Arc<BodyReader>,
    row: &MessageRow,
    recipients: Vec<Address>,
) -> Result<Contents, SpoolError> {
    let mut select = connection.prepare_cached(
        "SELECT session_json, classification_json, judgements_json, head, smtputf8, dsn_json,
            sender_json, head_checksum, metadata
         FROM contents WHERE message = ?1",
    )?;
    let mut rows = select.query([row.number])?;
    let summary = &row.summary;
    let id = summary.id;
    let Some(found) = rows.next()? else {
        return Err(damaged("message")(format!("{id} has no contents")));
    };
    let session: String = found.get(0)?;
    let classification: Option<String> = found.get(1)?;
    let head = Bytes::from(found.get::<_, Vec<u8>>(3)?);
    let checksum: Option<u32> = found.get(7)?;
    if checksum.is_some_and(|checksum| checksum != crc32fast::hash(&head)) {
        let what = format!("header section of {id}");
        return Err(damaged(&what)("it is not what was stored"));
    }
    let length = summary.size.saturating_sub(head.len() as u64);
    let body = body_reader.body(id, length, row.body_offset, row.body_checksum);
    let session: Session = from_json(&format!("session of {id}"), &session)?;
    let sender = match found.get::<_, Option<String>>(6)? {
        Some(json) => from_json(&format!("sender of {id}"), &json)?,
        None => SenderProof::of_earlier(&session),
    };
    Ok(Contents {
        transaction: Transaction {
            id,
            time: row.began_at,
            session,
            account: summary.account.clone(),
            reverse_path: summary.reverse_path.clone(),
            recipients,
        },
        classification: classification
            .map(|json| from_json(&format!("classification of {id}"), &json))
            .transpose()?,
        judgements_json: found.get(2)?,
        smtputf8: found.get(4)?,
        dsn: decoded_request(&format!("notifications of {id}"), found.get(5)?)?,
        sender,
        metadata: found.get(8)?,
        message: Message::from_parts(head, body),
    })
}
