//! Header changes to messages that we sent.
//!
//! For each submitted message, [`Sent`] keeps its headers for a while. When the message comes back,
//! whole or in a bounce, the two are compared, and each [`Finding`] is counted for the domain of
//! From: so it shows what a customer's servers do to headers.

use std::hash::Hasher as _;

use fnv::FnvHasher;
use gatepost_message::{Message, Millis, TransactionId};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::{Deserialize, Serialize};

use crate::messages::{self, TracedMessage};
use crate::writer::{from_millis, millis};

/// Most messages whose sent headers are kept: about 100 MiB.
pub const SENT_KEPT: i64 = 100_000;

/// Time after which findings that were not seen again are dropped: 90 days, in milliseconds.
const FORGOTTEN_AFTER: i64 = 90 * 24 * 3600 * 1000;

/// Signature field of a message (RFC 6376).
pub const SIGNATURE: &str = "DKIM-Signature";

/// Most signatures that are kept, and bytes of one value.
const SIGNATURES: usize = 4;
const LONGEST: usize = 2048;

/// Headers of a message as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Transaction in which it was submitted.
    pub id: TransactionId,
    /// Time of the submission.
    pub at: Millis,
    /// Account that submitted it.
    pub account: String,
    /// Domain of From, in A-labels.
    pub domain: String,
    /// Message-ID; empty if it has none.
    pub message_id: String,
    /// Watched headers, name and value. A repeated name occurs several times.
    pub headers: Vec<(String, String)>,
}

impl Sent {
    /// Returns the fields of a message that are kept: the first of each name, and its signatures.
    pub fn headers_of<'a>(
        message: &Message,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Vec<(String, String)> {
        let value = |name: &'a str| Some((name.to_owned(), shortened(message.header(name)?)));
        let mut headers: Vec<_> = names.into_iter().filter_map(value).collect();
        let signatures = message.headers_named(SIGNATURE).into_iter();
        let signatures = signatures.take(SIGNATURES);
        headers.extend(signatures.map(|value| (SIGNATURE.to_owned(), shortened(value))));
        headers
    }
}

/// Returns a value within the length that is kept.
pub fn shortened(mut value: String) -> String {
    value.truncate(value.floor_char_boundary(LONGEST));
    value
}

/// Message in the form in which an attempt sent it: in another name, converted, signed.
#[derive(Debug)]
pub struct Travelled {
    /// Transaction in which it was submitted.
    pub id: TransactionId,
    /// Domain of From, in A-labels.
    pub domain: String,
    /// The message; its body is not read.
    pub message: Message,
}

/// Change to a header on the way.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It came back as it was sent.
    Intact,
    /// It did not come back.
    Lost,
    /// It came back with more or less than was sent.
    Altered,
    /// It came back with another value.
    Replaced,
    /// It came back and was not sent.
    Added,
    /// Somebody answered the message by its Message-ID, so that field has arrived.
    Answered,
}

impl Change {
    const ALL: [Self; 6] = [
        Self::Intact,
        Self::Lost,
        Self::Altered,
        Self::Replaced,
        Self::Added,
        Self::Answered,
    ];

    /// Returns the word for it in the store and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Intact => "intact",
            Self::Lost => "lost",
            Self::Altered => "altered",
            Self::Replaced => "replaced",
            Self::Added => "added",
            Self::Answered => "answered",
        }
    }
}

/// Change to one header of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Name of the header.
    pub header: String,
    /// Change that was found.
    pub change: Change,
    /// Value as sent.
    pub sent: String,
    /// Value that came back.
    pub came: String,
}

/// Findings about one message that came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameBack {
    /// Time of its return.
    pub at: Millis,
    /// Transaction in which it was sent.
    pub id: TransactionId,
    /// Account that sent it.
    pub account: String,
    /// Domain of From.
    pub domain: String,
    /// True if an email id of ours proves it; without one, it is known only by its Message-ID,
    /// which others can write.
    pub proved: bool,
    /// Findings, header by header.
    pub findings: Vec<Finding>,
}

/// Count of one change to one header of a domain's messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Counted {
    /// Domain of From.
    pub domain: String,
    /// Account that sent them.
    pub account: String,
    /// Name of the header.
    pub header: String,
    /// Change that was found.
    pub change: Change,
    /// Number of returned messages with this change.
    pub count: u64,
    /// Number of these that were known by their Message-ID alone.
    pub by_message_id: u64,
    /// Time of the first.
    pub first_at: Millis,
    /// Time of the last.
    pub last_at: Millis,
    /// Transaction of the last one.
    pub example: TransactionId,
    /// Value that it was sent with.
    pub sent: String,
    /// Value that came back.
    pub came: String,
}

/// Record that the writer gets besides events.
#[derive(Debug)]
pub(crate) enum Note {
    Sent(Sent),
    Travelled(Travelled),
    CameBack(CameBack),
    Message(Box<TracedMessage>),
}

impl Note {
    /// Returns the bytes that it takes while it waits.
    pub(crate) fn size(&self) -> usize {
        let texts = |texts: &mut dyn Iterator<Item = usize>| texts.sum::<usize>() + 200;
        match self {
            Self::Sent(sent) => texts(
                &mut sent
                    .headers
                    .iter()
                    .map(|(name, value)| name.len() + value.len()),
            ),
            Self::Travelled(travelled) => travelled.message.head().len() + 200,
            Self::CameBack(came) => {
                texts(&mut came.findings.iter().map(|of| of.sent.len() + of.came.len()))
            }
            Self::Message(message) => message.size(),
        }
    }
}

/// Returns the hash by which a Message-ID is looked up: its row is small, and what is found is
/// compared.
fn hash(message_id: &str) -> i64 {
    // FNV-1a: the same in every version.
    let mut hasher = FnvHasher::default();
    hasher.write(message_id.as_bytes());
    i64::from_ne_bytes(hasher.finish().to_ne_bytes())
}

/// Writes notes in the writer's commit.
pub(crate) fn write(batch: &Connection, notes: &[Note]) -> rusqlite::Result<()> {
    for note in notes {
        match note {
            Note::Sent(sent) => {
                let headers = serde_json::to_string(&sent.headers).unwrap_or_default();
                batch
                    .prepare_cached(
                        "INSERT OR REPLACE INTO sent
                         (id, at, account, domain, message_id, headers_json)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    )?
                    .execute(params![
                        sent.id.to_string(),
                        millis(sent.at),
                        sent.account,
                        sent.domain,
                        hash(&sent.message_id),
                        headers
                    ])?;
            }
            Note::Travelled(travelled) => travels(batch, travelled)?,
            Note::CameBack(came) => came_back(batch, came)?,
            Note::Message(message) => messages::write(batch, message)?,
        }
    }
    Ok(())
}

/// Puts the fields that an attempt sent in the place of those that were submitted.
fn travels(batch: &Connection, travelled: &Travelled) -> rusqlite::Result<()> {
    let Some(sent) = by_id(batch, travelled.id)? else {
        return Ok(());
    };
    let names = sent.headers.iter().map(|(name, _)| name.as_str());
    let names = names.filter(|name| *name != SIGNATURE);
    let headers = Sent::headers_of(&travelled.message, names);
    let headers = serde_json::to_string(&headers).unwrap_or_default();
    batch
        .prepare_cached("UPDATE sent SET domain = ?2, headers_json = ?3 WHERE id = ?1")?
        .execute(params![sent.id.to_string(), travelled.domain, headers])?;
    Ok(())
}

fn came_back(batch: &Connection, came: &CameBack) -> rusqlite::Result<()> {
    let at = millis(came.at);
    let mut count = batch.prepare_cached(
        "INSERT INTO header_findings VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6, ?6, ?7, ?8, ?9)
         ON CONFLICT DO UPDATE SET count = count + 1, by_message_id = by_message_id + ?5,
         last_at = ?6, example = ?7, sent = ?8, came = ?9",
    )?;
    for finding in &came.findings {
        count.execute(params![
            came.domain,
            came.account,
            finding.header,
            finding.change.word(),
            i64::from(!came.proved),
            at,
            came.id.to_string(),
            finding.sent,
            finding.came
        ])?;
    }
    batch
        .prepare_cached("DELETE FROM header_findings WHERE last_at < ?1")?
        .execute([at - FORGOTTEN_AFTER])?;
    Ok(())
}

/// Returns the number of messages that are kept.
pub(crate) fn number_kept(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT count(*) FROM sent", [], |row| row.get(0))
}

/// Drops the oldest messages beyond [`SENT_KEPT`], and those sent before `oldest`; returns the
/// number dropped.
pub(crate) fn drop_oldest(batch: &Connection, kept: i64, oldest: i64) -> rusqlite::Result<i64> {
    let beyond = (kept - SENT_KEPT).max(0);
    let forgotten = batch
        .prepare_cached("DELETE FROM sent WHERE id IN (SELECT id FROM sent ORDER BY id LIMIT ?1)")?
        .execute([beyond])?;
    let aged = batch
        .prepare_cached(
            "DELETE FROM sent WHERE id IN
             (SELECT id FROM (SELECT id, at FROM sent ORDER BY id LIMIT 256) WHERE at < ?1)",
        )?
        .execute([oldest])?;
    Ok((forgotten + aged) as i64)
}

fn sent(row: &Row<'_>) -> rusqlite::Result<Option<Sent>> {
    let id: String = row.get(0)?;
    let headers: String = row.get(4)?;
    let Ok(id) = id.parse() else { return Ok(None) };
    let headers: Vec<(String, String)> = serde_json::from_str(&headers).unwrap_or_default();
    let message_id = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("Message-ID"));
    Ok(Some(Sent {
        id,
        at: from_millis(row.get(1)?),
        account: row.get(2)?,
        domain: row.get(3)?,
        message_id: message_id
            .map(|(_, value)| value.clone())
            .unwrap_or_default(),
        headers,
    }))
}

/// Returns the sent headers of a transaction.
pub(crate) fn by_id(reader: &Connection, id: TransactionId) -> rusqlite::Result<Option<Sent>> {
    let mut select = reader
        .prepare_cached("SELECT id, at, account, domain, headers_json FROM sent WHERE id = ?1")?;
    let found = select.query_row([id.to_string()], sent).optional()?;
    Ok(found.flatten())
}

/// Returns the last message that was sent with this Message-ID.
pub(crate) fn with_message_id(
    reader: &Connection,
    message_id: &str,
) -> rusqlite::Result<Option<Sent>> {
    let mut select = reader.prepare_cached(
        "SELECT id, at, account, domain, headers_json FROM sent WHERE message_id = ?1
         ORDER BY id DESC LIMIT 4",
    )?;
    let found = select.query_map([hash(message_id)], sent)?;
    let found: Vec<_> = found.collect::<rusqlite::Result<_>>()?;
    let mut found = found.into_iter().flatten();
    Ok(found.find(|sent| sent.message_id == message_id))
}

/// Returns the findings about a domain, by header.
pub(crate) fn counted(reader: &Connection, domain: &str) -> rusqlite::Result<Vec<Counted>> {
    let mut select = reader.prepare_cached(
        "SELECT domain, account, header, finding, count, by_message_id, first_at, last_at,
         example, sent, came FROM header_findings WHERE domain = ?1
         ORDER BY account, header, finding",
    )?;
    let rows = select.query_map([domain], |row| {
        let change: String = row.get(3)?;
        let example: String = row.get(8)?;
        let change = Change::ALL.into_iter().find(|known| known.word() == change);
        let (Some(change), Ok(example)) = (change, example.parse()) else {
            return Ok(None);
        };
        let number = |number: i64| u64::try_from(number).unwrap_or_default();
        Ok(Some(Counted {
            domain: row.get(0)?,
            account: row.get(1)?,
            header: row.get(2)?,
            change,
            count: number(row.get(4)?),
            by_message_id: number(row.get(5)?),
            first_at: from_millis(row.get(6)?),
            last_at: from_millis(row.get(7)?),
            example,
            sent: row.get(9)?,
            came: row.get(10)?,
        }))
    })?;
    let rows: Vec<_> = rows.collect::<rusqlite::Result<_>>()?;
    Ok(rows.into_iter().flatten().collect())
}
