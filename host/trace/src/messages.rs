//! Messages by what people know of them: sender, recipient, Message-ID, words of the subject,
//! metadata, time. What is found is the transaction, whose events tell the rest.

use gatepost_message::{Millis, SoughtAddress, TransactionId};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter};
use serde::{Deserialize, Serialize};

use crate::correspondent::erase_from_texts;
use crate::headers::shortened;
use crate::writer::{from_millis, millis};

/// Most recipients of one message by which it is found.
const MOST_RECIPIENTS: usize = 1000;

/// Most messages of one answer.
pub const MOST_FOUND: usize = 1000;

/// Messages of an account that are dropped at once because its time for them is over.
pub(crate) const OLDER_AT_ONCE: usize = 500;

/// Rows that one search of words looks at. What is older is found by a narrower search.
const LOOKED_AT: usize = 200_000;

/// Message as it came, by which it is found again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TracedMessage {
    /// Transaction.
    pub id: TransactionId,
    /// Time at which it was answered.
    pub at: Millis,
    /// Account, if one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Direction: `inbound`, `submission` or `internal`.
    pub flow: String,
    /// Reverse-path in lower case; empty for the null one.
    pub sender: String,
    /// First address of From in lower case; empty if it has none.
    pub author: String,
    /// Recipients in lower case.
    pub recipients: Vec<String>,
    /// Message-ID without angle brackets; empty if it has none.
    pub message_id: String,
    /// Subject, decoded, in one line.
    pub subject: String,
    /// Metadata that the application gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<String>,
    /// Answer: `accept`, `reject`, `tempfail`, `quarantine`, `discard` or `record`.
    pub outcome: String,
}

impl TracedMessage {
    /// Returns the bytes that it takes while it waits.
    pub(crate) fn size(&self) -> usize {
        let recipients: usize = self.recipients.iter().map(String::len).sum();
        let metadata = self.metadata.as_ref().map_or(0, String::len);
        200 + recipients + metadata + self.subject.len() + self.message_id.len()
    }
}

/// Messages to find. A member that is `None` does not restrict.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MessageSearch {
    /// Account.
    pub account: Option<String>,
    /// Address of MAIL FROM or From, or the domain of one.
    pub sender: Option<String>,
    /// Address of a recipient, or the domain of one.
    pub recipient: Option<String>,
    /// Message-ID.
    pub message_id: Option<String>,
    /// Words that all stand in the subject, whatever their case.
    pub subject: Option<String>,
    /// Text that stands in the metadata.
    pub metadata: Option<String>,
    /// Earliest time.
    pub since: Option<Millis>,
    /// Latest time.
    pub until: Option<Millis>,
    /// Only messages older than this one.
    pub before: Option<TransactionId>,
    /// Most messages.
    pub limit: usize,
}

/// Messages that one call has found, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct FoundMessages {
    /// Messages.
    pub messages: Vec<TracedMessage>,
    /// Transaction before which the next call goes on, if there may be more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<TransactionId>,
}

/// Writes a message.
pub(crate) fn write(batch: &Connection, message: &TracedMessage) -> rusqlite::Result<()> {
    let id = message.id.to_string();
    let short = |text: &str| shortened(text.to_owned());
    batch
        .prepare_cached(
            "INSERT OR REPLACE INTO messages VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            id,
            millis(message.at),
            message.account.as_deref().unwrap_or_default(),
            message.flow,
            short(&message.sender),
            short(&message.author),
            short(&message.message_id),
            short(&message.subject),
            short(message.metadata.as_deref().unwrap_or_default()),
            message.outcome,
        ])?;
    let mut insert =
        batch.prepare_cached("INSERT OR IGNORE INTO message_recipients VALUES (?1, ?2)")?;
    for recipient in message.recipients.iter().take(MOST_RECIPIENTS) {
        insert.execute(params![short(recipient), id])?;
    }
    Ok(())
}

/// Drops some of the messages that are older than all events: nothing would be told of them.
pub(crate) fn drop_oldest(batch: &Connection) -> rusqlite::Result<()> {
    let old = "SELECT id FROM (SELECT id, at FROM messages ORDER BY id LIMIT 512)
               WHERE at < (SELECT at FROM events ORDER BY number LIMIT 1)";
    for delete in [
        format!("DELETE FROM message_recipients WHERE id IN ({old})"),
        format!("DELETE FROM messages WHERE id IN ({old})"),
    ] {
        batch.prepare_cached(&delete)?.execute([])?;
    }
    Ok(())
}

/// Returns transactions of some messages of an account that came before a time, the oldest first.
pub(crate) fn older(
    reader: &Connection,
    account: &str,
    since: Millis,
) -> rusqlite::Result<Vec<TransactionId>> {
    let mut select = reader.prepare_cached(
        "SELECT id FROM messages WHERE account = ?1 AND at < ?2 ORDER BY id LIMIT ?3",
    )?;
    let values = params![account, millis(since), OLDER_AT_ONCE as i64];
    let rows = select.query_map(values, |row| row.get::<_, String>(0))?;
    let ids = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(ids.iter().filter_map(|id| id.parse().ok()).collect())
}

/// Removes messages of these transactions.
pub(crate) fn remove(batch: &Connection, id: &str) -> rusqlite::Result<()> {
    for delete in [
        "DELETE FROM message_recipients WHERE id = ?1",
        "DELETE FROM messages WHERE id = ?1",
    ] {
        batch.prepare_cached(delete)?.execute([id])?;
    }
    Ok(())
}

/// Erases an address from the message of a transaction; returns the number of rows that were changed or
/// removed.
pub(crate) fn erase(
    batch: &Connection,
    id: &str,
    address: &SoughtAddress,
) -> rusqlite::Result<u64> {
    let mut erased = 0;
    for column in ["sender", "author", "message_id", "subject", "metadata"] {
        erased += erase_from_texts(batch, "messages", column, id, address)?;
    }
    let mut select =
        batch.prepare_cached("SELECT address FROM message_recipients WHERE id = ?1")?;
    let recipients = select.query_map([id], |row| row.get(0))?;
    let recipients = recipients.collect::<rusqlite::Result<Vec<String>>>()?;
    let delete = "DELETE FROM message_recipients WHERE address = ?1 AND id = ?2";
    let mut delete = batch.prepare_cached(delete)?;
    for recipient in recipients.iter().filter(|to| address.is(to)) {
        erased += delete.execute([recipient.as_str(), id])? as u64;
    }
    Ok(erased)
}

/// Removes all messages of an account.
pub(crate) fn remove_of(connection: &Connection, account: &str) -> rusqlite::Result<()> {
    let of = "SELECT id FROM messages WHERE account = ?1";
    let recipients = format!("DELETE FROM message_recipients WHERE id IN ({of})");
    connection.execute(&recipients, [account])?;
    connection.execute("DELETE FROM messages WHERE account = ?1", [account])?;
    Ok(())
}

/// Returns the message of a transaction, without its recipients.
pub(crate) fn by_id(
    reader: &Connection,
    id: TransactionId,
) -> rusqlite::Result<Option<TracedMessage>> {
    let mut select = reader.prepare_cached("SELECT * FROM messages WHERE id = ?1")?;
    let found = select.query_row([id.to_string()], traced).optional()?;
    Ok(found.flatten())
}

/// Returns the message of a transaction with its recipients.
pub(crate) fn with_recipients(
    reader: &Connection,
    id: TransactionId,
) -> rusqlite::Result<Option<TracedMessage>> {
    let Some(mut message) = by_id(reader, id)? else {
        return Ok(None);
    };
    let mut select =
        reader.prepare_cached("SELECT address FROM message_recipients WHERE id = ?1")?;
    let recipients = select.query_map([id.to_string()], |row| row.get(0))?;
    message.recipients = recipients.collect::<rusqlite::Result<_>>()?;
    Ok(Some(message))
}

/// Conditions of a search in SQL, with their values.
struct Conditions {
    clauses: Vec<&'static str>,
    values: Vec<Value>,
}

impl Conditions {
    fn add(&mut self, clause: &'static str, values: impl IntoIterator<Item = String>) {
        self.clauses.push(clause);
        self.values.extend(values.into_iter().map(Value::Text));
    }
}

/// Finds messages, newest first.
pub(crate) fn find(reader: &Connection, search: &MessageSearch) -> rusqlite::Result<FoundMessages> {
    let mut conditions = Conditions {
        clauses: Vec::new(),
        values: Vec::new(),
    };
    let lower = |text: &str| text.trim().to_lowercase();
    if let Some(account) = &search.account {
        conditions.add("account = ?", [account.clone()]);
    }
    if let Some(id) = &search.message_id {
        let bare = id.trim().trim_start_matches('<').trim_end_matches('>');
        conditions.add("message_id = ?", [bare.to_owned()]);
    }
    match search.sender.as_deref().map(lower) {
        Some(address) if address.contains('@') => {
            conditions.add("(sender = ? OR author = ?)", [address.clone(), address]);
        }
        Some(domain) => {
            let ends = format!("%@{}", escaped(&domain));
            let clause = r"(sender LIKE ? ESCAPE '\' OR author LIKE ? ESCAPE '\')";
            conditions.add(clause, [ends.clone(), ends]);
        }
        None => {}
    }
    match search.recipient.as_deref().map(lower) {
        Some(address) if address.contains('@') => conditions.add(
            "id IN (SELECT id FROM message_recipients WHERE address = ?)",
            [address],
        ),
        Some(domain) => conditions.add(
            r"EXISTS (SELECT 1 FROM message_recipients AS of
              WHERE of.id = messages.id AND of.address LIKE ? ESCAPE '\')",
            [format!("%@{}", escaped(&domain))],
        ),
        None => {}
    }
    for (text, at) in [(search.since, "at >= ?"), (search.until, "at <= ?")] {
        if let Some(time) = text {
            conditions.clauses.push(at);
            conditions.values.push(Value::Integer(millis(time)));
        }
    }
    if let Some(id) = search.before {
        conditions.add("id < ?", [id.to_string()]);
    }
    let conditions_met = match conditions.clauses.is_empty() {
        true => String::new(),
        false => format!(" WHERE {}", conditions.clauses.join(" AND ")),
    };
    let select =
        format!("SELECT * FROM messages{conditions_met} ORDER BY id DESC LIMIT {LOOKED_AT}");
    let words: Vec<String> = (search.subject.iter())
        .flat_map(|words| words.split_whitespace().map(str::to_lowercase))
        .collect();
    let limit = search.limit.clamp(1, MOST_FOUND);
    let mut select = reader.prepare(&select)?;
    let mut rows = select.query(params_from_iter(conditions.values))?;
    let mut found = FoundMessages {
        messages: Vec::new(),
        next: None,
    };
    let mut looked_at = 0;
    let mut last = None;
    while let Some(row) = rows.next()? {
        looked_at += 1;
        let Some(message) = traced(row)? else {
            continue;
        };
        last = Some(message.id);
        let subject = message.subject.to_lowercase();
        let has_words = words.iter().all(|word| subject.contains(word.as_str()));
        let metadata = message.metadata.as_deref().unwrap_or_default();
        let has_metadata = (search.metadata.as_deref()).is_none_or(|text| metadata.contains(text));
        if has_words && has_metadata {
            found.messages.push(message);
        }
        if found.messages.len() == limit {
            found.next = last;
            break;
        }
    }
    if looked_at == LOOKED_AT {
        found.next = last;
    }
    drop(rows);
    let mut recipients = reader
        .prepare_cached("SELECT address FROM message_recipients WHERE id = ?1 ORDER BY address")?;
    for message in &mut found.messages {
        let of = recipients.query_map([message.id.to_string()], |row| row.get(0))?;
        message.recipients = of.collect::<rusqlite::Result<_>>()?;
    }
    Ok(found)
}

fn traced(row: &Row<'_>) -> rusqlite::Result<Option<TracedMessage>> {
    let id: String = row.get(0)?;
    let Ok(id) = id.parse() else { return Ok(None) };
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    Ok(Some(TracedMessage {
        id,
        at: from_millis(row.get(1)?),
        account: some(row.get(2)?),
        flow: row.get(3)?,
        sender: row.get(4)?,
        author: row.get(5)?,
        recipients: Vec::new(),
        message_id: row.get(6)?,
        subject: row.get(7)?,
        metadata: some(row.get(8)?),
        outcome: row.get(9)?,
    }))
}

/// Returns a text in which no character has a meaning in LIKE.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}
