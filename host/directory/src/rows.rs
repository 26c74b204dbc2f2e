//! Rows in SQLite.

use std::{collections::BTreeMap, str::FromStr, sync::Arc};

use gatepost_connections::ConnectionName;
use gatepost_message::{Domain, Millis, SoughtAddress};
use rusqlite::{Connection, OptionalExtension as _, Params, Row as SqlRow, params, types::Type};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    Account, AccountId, Agreement, AuditEntry, AuditQuery, AuditRecord, Claim, Connector,
    ConnectorId, Credential, CredentialDetails, CredentialEnd, DirectoryChange, DirectoryError,
    DirectoryRow, DkimKey, EndedBy, Feed, KeptRequest, Name, PartnerList, PartnerSource, Profile,
    Reason, Restriction, RowKey, Rows, Scope, Sealed, SealedConnection, SealedCredential,
    SealedDkimKey, SealedEndpoint, SupportAddress, Suspension, UserName, erasure,
};

/// Reads all rows except entries, each after those that it refers to.
pub(crate) fn read(connection: &Connection) -> rusqlite::Result<Rows> {
    let accounts = accounts(connection)?.into_iter().map(Arc::new);
    let connectors = connectors(connection)?.into_iter().map(Box::new);
    let addresses = addresses(connection)?.into_iter().map(Box::new);
    let credentials = credentials(connection)?.into_iter().map(Box::new);
    let agreements = agreements(connection)?.into_iter();
    let lists = partner_lists(connection)?.into_iter().map(Box::new);
    let connections = connections(connection)?.into_iter().map(Box::new);
    let restrictions = restrictions(connection)?.into_iter().map(Box::new);
    let dkim_keys = dkim_keys(connection)?.into_iter().map(Box::new);
    let select = "SELECT body_json FROM administrators ORDER BY account, canonical";
    let administrators = bodies(connection, select)?.into_iter();
    let probes = bodies(connection, "SELECT body_json FROM probes ORDER BY id")?.into_iter();
    let handovers = bodies(connection, "SELECT body_json FROM handovers ORDER BY id")?.into_iter();
    let select = "SELECT body_json FROM api_tokens ORDER BY id";
    let api_tokens = bodies(connection, select)?.into_iter();
    let endpoints = endpoints(connection)?.into_iter().map(Box::new);
    let rows = (accounts.map(DirectoryRow::Account))
        .chain(connectors.map(DirectoryRow::Connector))
        .chain(addresses.map(DirectoryRow::Address))
        .chain(credentials.map(DirectoryRow::Credential))
        .chain(agreements.map(DirectoryRow::Agreement))
        .chain(lists.map(DirectoryRow::List))
        .chain(connections.map(DirectoryRow::Connection))
        .chain(dkim_keys.map(DirectoryRow::DkimKey))
        .chain(restrictions.map(DirectoryRow::Restriction))
        .chain(administrators.map(DirectoryRow::Administrator))
        .chain(probes.map(DirectoryRow::Probe))
        .chain(handovers.map(DirectoryRow::Handover))
        .chain(api_tokens.map(DirectoryRow::ApiToken))
        .chain(endpoints.map(DirectoryRow::Endpoint));
    let select = "SELECT seq FROM sqlite_sequence WHERE name = 'partner_lists'";
    let last_list = connection.query_row(select, [], |row| row.get(0));
    Ok(Rows {
        rows: rows.collect(),
        last_list: last_list.optional()?.unwrap_or_default(),
    })
}

/// Parses a text that was valid when it was written.
fn parsed<T: FromStr>(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<T>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text: String = row.get(column)?;
    text.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}

fn optional_parsed<T: FromStr>(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<Option<T>>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    match row.get_ref(column)? {
        rusqlite::types::ValueRef::Null => Ok(None),
        _ => parsed(row, column).map(Some),
    }
}

fn from_json<T: DeserializeOwned>(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}

fn time(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<Millis> {
    row.get(column)
        .map(|millis: i64| Millis(millis.unsigned_abs()))
}

fn optional_time(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<Option<Millis>> {
    let millis: Option<i64> = row.get(column)?;
    Ok(millis.map(|millis| Millis(millis.unsigned_abs())))
}

/// Converts a time to the form in which SQLite stores it.
fn stored(time: Millis) -> i64 {
    i64::try_from(time.0).unwrap_or(i64::MAX)
}

fn accounts(connection: &Connection) -> rusqlite::Result<Vec<Account>> {
    let mut select = connection.prepare_cached(
        "SELECT id, kind, product, time_zone, native_domain, created, details_json
         FROM accounts ORDER BY created, id",
    )?;
    let rows = select.query_map([], |row| {
        Ok(Account {
            id: parsed(row, 0)?,
            created: time(row, 5)?,
            profile: Profile {
                kind: parsed(row, 1)?,
                product: parsed(row, 2)?,
                time_zone: parsed(row, 3)?,
                native_domain: parsed(row, 4)?,
                brands: Vec::new(),
            },
            policies: BTreeMap::new(),
            details: from_json(row, 6)?,
        })
    })?;
    let mut accounts = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut select = connection.prepare_cached("SELECT name FROM brands WHERE account = ?1")?;
    for account in &mut accounts {
        let brands = select.query_map([account.id.to_string()], |row| parsed::<Name>(row, 0))?;
        account.profile.brands = brands.collect::<rusqlite::Result<_>>()?;
    }
    let mut select = connection
        .prepare_cached("SELECT policy, settings_json FROM policy_settings WHERE account = ?1")?;
    for account in &mut accounts {
        let settings = select.query_map([account.id.to_string()], |row| {
            Ok((row.get(0)?, from_json(row, 1)?))
        })?;
        account.policies = settings.collect::<rusqlite::Result<_>>()?;
    }
    Ok(accounts)
}

fn connectors(connection: &Connection) -> rusqlite::Result<Vec<Connector>> {
    let mut select = connection.prepare_cached(
        "SELECT id, account, name, domain, kind, protocol, state, created, forwarders_json,
                details_json
         FROM connectors ORDER BY created, id",
    )?;
    let rows = select.query_map([], |row| {
        Ok(Connector {
            id: parsed(row, 0)?,
            created: time(row, 7)?,
            state: parsed(row, 6)?,
            forwarders: from_json(row, 8)?,
            claim: Claim {
                account: parsed(row, 1)?,
                name: parsed(row, 2)?,
                domain: parsed(row, 3)?,
                kind: parsed(row, 4)?,
                protocol: parsed(row, 5)?,
            },
            details: from_json(row, 9)?,
        })
    })?;
    rows.collect()
}

fn addresses(connection: &Connection) -> rusqlite::Result<Vec<SupportAddress>> {
    let mut select = connection.prepare_cached(
        "SELECT address, account, connector, created, brand, details_json FROM addresses
         ORDER BY canonical, account",
    )?;
    let rows = select.query_map([], |row| {
        Ok(SupportAddress {
            address: parsed(row, 0)?,
            account: parsed(row, 1)?,
            connector: optional_parsed(row, 2)?,
            brand: optional_parsed(row, 4)?,
            created: time(row, 3)?,
            details: from_json(row, 5)?,
        })
    })?;
    rows.collect()
}

fn credentials(connection: &Connection) -> rusqlite::Result<Vec<SealedCredential>> {
    let mut select = connection.prepare_cached(
        "SELECT user_name, c.account, c.connector, alias, c.created, last_used, revoked, domain,
                native_domain, key_id, verifier, last_network, c.details_json
         FROM credentials c JOIN accounts a ON a.id = c.account
         LEFT JOIN connectors o ON o.id = c.connector ORDER BY c.created, user_name",
    )?;
    let rows = select.query_map([], |row| {
        let connector: Option<ConnectorId> = optional_parsed(row, 2)?;
        let native: Domain = parsed(row, 8)?;
        let has_alias: bool = row.get(3)?;
        let stored: StoredDetails = from_json(row, 12)?;
        let end = |at| CredentialEnd {
            at,
            how: stored.ended_by.unwrap_or(EndedBy::Cancelled),
        };
        let credential = Credential {
            user_name: UserName::new(&row.get::<_, String>(0)?),
            account: parsed::<AccountId>(row, 1)?,
            scope: match connector {
                Some(connector) => Scope::Inbound {
                    connector,
                    domain: parsed(row, 7)?,
                },
                None => Scope::Submission,
            },
            alias: if has_alias {
                Credential::alias_in(&native)
            } else {
                None
            },
            created: time(row, 4)?,
            last_used: optional_time(row, 5)?,
            last_network: optional_parsed(row, 11)?,
            ended: optional_time(row, 6)?.map(end),
            details: stored.details,
        };
        Ok(SealedCredential {
            credential,
            verifier: Sealed {
                key_id: row.get(9)?,
                bytes: row.get(10)?,
            },
        })
    })?;
    rows.collect()
}

/// Data of a credential in its JSON column. The end of one that a former version revoked has no way:
/// it was cancelled.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct StoredDetails {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended_by: Option<EndedBy>,
    #[serde(flatten)]
    details: CredentialDetails,
}

fn agreements(connection: &Connection) -> rusqlite::Result<Vec<Agreement>> {
    let mut select = connection.prepare_cached(
        "SELECT one, other, created FROM agreements ORDER BY created, one, other",
    )?;
    let rows = select.query_map([], |row| {
        Ok(Agreement {
            one: parsed(row, 0)?,
            other: parsed(row, 1)?,
            created: time(row, 2)?,
        })
    })?;
    rows.collect()
}

fn partner_lists(connection: &Connection) -> rusqlite::Result<Vec<PartnerList>> {
    let mut select = connection.prepare_cached(
        "SELECT id, account, kind, name, created, every_seconds, domains, validator, tried,
                fetched, problem
         FROM partner_lists ORDER BY id",
    )?;
    let rows = select.query_map([], |row| {
        let (kind, name): (String, String) = (row.get(2)?, row.get(3)?);
        let every_seconds: Option<u32> = row.get(5)?;
        let source = match kind.as_str() {
            "feed" => PartnerSource::Feed(name),
            "import" => PartnerSource::Import(name),
            _ => PartnerSource::ByHand,
        };
        let feed = every_seconds.map(|every_seconds| {
            Ok::<_, rusqlite::Error>(Feed {
                every_seconds,
                domains: row.get(6)?,
                validator: row.get(7)?,
                tried: optional_time(row, 8)?,
                fetched: optional_time(row, 9)?,
                problem: row.get(10)?,
            })
        });
        Ok(PartnerList {
            id: row.get(0)?,
            account: parsed(row, 1)?,
            source,
            created: time(row, 4)?,
            feed: feed.transpose()?,
        })
    })?;
    rows.collect()
}

fn connections(connection: &Connection) -> rusqlite::Result<Vec<SealedConnection>> {
    let mut select = connection.prepare_cached(
        "SELECT account, name, created, changed, generation, key_id, sealed FROM connections
         ORDER BY account, name",
    )?;
    let rows = select.query_map([], |row| {
        let generation: i64 = row.get(4)?;
        Ok(SealedConnection {
            account: parsed(row, 0)?,
            name: parsed::<ConnectionName>(row, 1)?,
            created: time(row, 2)?,
            changed: time(row, 3)?,
            generation: generation.unsigned_abs(),
            sealed: Sealed {
                key_id: row.get(5)?,
                bytes: row.get(6)?,
            },
        })
    })?;
    rows.collect()
}

fn endpoints(connection: &Connection) -> rusqlite::Result<Vec<SealedEndpoint>> {
    let mut select = connection.prepare_cached(
        "SELECT account, name, created, changed, generation, key_id, sealed FROM endpoints
         ORDER BY account, name",
    )?;
    let rows = select.query_map([], |row| {
        let generation: i64 = row.get(4)?;
        Ok(SealedEndpoint {
            account: parsed(row, 0)?,
            name: parsed(row, 1)?,
            created: time(row, 2)?,
            changed: time(row, 3)?,
            generation: generation.unsigned_abs(),
            sealed: Sealed {
                key_id: row.get(5)?,
                bytes: row.get(6)?,
            },
        })
    })?;
    rows.collect()
}

fn restrictions(connection: &Connection) -> rusqlite::Result<Vec<Restriction>> {
    let mut select = connection.prepare_cached(
        "SELECT account, caps_json, suspended, reason FROM restrictions ORDER BY account",
    )?;
    let rows = select.query_map([], |row| {
        let reason: Option<Reason> = optional_parsed(row, 3)?;
        Ok(Restriction {
            account: row.get(0)?,
            caps: from_json(row, 1)?,
            suspended: optional_time(row, 2)?.map(|since| Suspension { since, reason }),
        })
    })?;
    rows.collect()
}

fn dkim_keys(connection: &Connection) -> rusqlite::Result<Vec<SealedDkimKey>> {
    let mut select = connection.prepare_cached(
        "SELECT account, domain, selector, algorithm, state, created, since, finding, public,
                key_id, sealed
         FROM dkim_keys ORDER BY ifnull(account, ''), domain, selector",
    )?;
    let rows = select.query_map([], |row| {
        let key_id: Option<String> = row.get(9)?;
        let bytes: Option<Vec<u8>> = row.get(10)?;
        let sealed = key_id.zip(bytes);
        Ok(SealedDkimKey {
            key: DkimKey {
                owner: optional_parsed::<AccountId>(row, 0)?.into(),
                domain: parsed(row, 1)?,
                selector: parsed(row, 2)?,
                algorithm: parsed(row, 3)?,
                state: parsed(row, 4)?,
                created: time(row, 5)?,
                since: time(row, 6)?,
                finding: row.get(7)?,
                public: row.get(8)?,
            },
            sealed: sealed.map(|(key_id, bytes)| Sealed { key_id, bytes }),
        })
    })?;
    rows.collect()
}

/// Reads rows that are kept as JSON.
fn bodies<T: DeserializeOwned>(connection: &Connection, select: &str) -> rusqlite::Result<Vec<T>> {
    let mut select = connection.prepare_cached(select)?;
    let rows = select.query_map([], |row| from_json(row, 0))?;
    rows.collect()
}

/// Reads entries of the audit log, newest first.
pub(crate) fn audit(
    connection: &Connection,
    query: &AuditQuery,
) -> rusqlite::Result<Vec<AuditRecord>> {
    let of_account = match query.account {
        Some(_) => "account = ?3 AND ",
        None => "?3 IS NULL AND ",
    };
    let mut select = connection.prepare_cached(&format!(
        "SELECT seq, body_json FROM audit WHERE {of_account}seq < ?1 ORDER BY seq DESC LIMIT ?2"
    ))?;
    let before = query.before.and_then(|before| i64::try_from(before).ok());
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
    let given = (before.unwrap_or(i64::MAX), limit, &query.account);
    let rows = select.query_map(given, |row| {
        Ok(AuditRecord {
            seq: row.get::<_, i64>(0)?.unsigned_abs(),
            entry: from_json(row, 1)?,
        })
    })?;
    rows.collect()
}

/// Reads a request of the HTTP API that is kept under a key.
pub(crate) fn kept_request(
    connection: &Connection,
    token: &str,
    key: &str,
) -> rusqlite::Result<Option<KeptRequest>> {
    let select =
        "SELECT at, digest, key_id, answer FROM kept_requests WHERE token = ?1 AND key = ?2";
    let mut select = connection.prepare_cached(select)?;
    let read = |row: &SqlRow<'_>| {
        let sealed: (Option<String>, Option<Vec<u8>>) = (row.get(2)?, row.get(3)?);
        let answer = match sealed {
            (Some(key_id), Some(bytes)) => Some(Sealed { key_id, bytes }),
            _ => None,
        };
        Ok(KeptRequest {
            token: token.to_owned(),
            key: key.to_owned(),
            at: Millis(row.get::<_, i64>(0)?.cast_unsigned()),
            digest: row.get(1)?,
            answer,
        })
    };
    select.query_row((token, key), read).optional()
}

/// Counts the requests of a token that were kept since a time.
pub(crate) fn kept_requests_since(
    connection: &Connection,
    token: &str,
    since: Millis,
) -> rusqlite::Result<u64> {
    let select = "SELECT count(*) FROM kept_requests WHERE token = ?1 AND at > ?2";
    let mut select = connection.prepare_cached(select)?;
    let number: i64 = select.query_row((token, stored(since)), |row| row.get(0))?;
    Ok(number.cast_unsigned())
}

/// Removes the entries of the audit log that tell of an account.
/// Forgets the answers to requests of the HTTP API, which may tell of what is erased; that a request was
/// made under a key stays known.
fn forget_answers(connection: &Connection) -> Result<(), DirectoryError> {
    let update = "UPDATE kept_requests SET key_id = NULL, answer = NULL";
    Ok(execute(connection, update, [])?)
}

/// Erases an address from the entries of the audit log, of one account or of all.
fn erase_from_audit(
    connection: &Connection,
    account: Option<&str>,
    address: &SoughtAddress,
) -> Result<(), DirectoryError> {
    let mut select = connection.prepare_cached("SELECT seq, body_json FROM audit")?;
    let entries = select.query_map([], |row| Ok((row.get(0)?, from_json(row, 1)?)))?;
    let mut changed = Vec::<(i64, AuditEntry)>::new();
    for entry in entries {
        let (seq, entry) = entry?;
        let erased = erasure::without(&entry, account, address);
        changed.extend(erased.map(|entry| (seq, entry)));
    }
    let mut update = connection.prepare_cached("UPDATE audit SET body_json = ?1 WHERE seq = ?2")?;
    for (seq, entry) in changed {
        update.execute((to_json(&entry)?, seq))?;
    }
    Ok(())
}

fn erase_audit(
    connection: &Connection,
    account: &str,
    names: &[String],
) -> Result<(), DirectoryError> {
    let mut select = connection.prepare_cached("SELECT seq, body_json FROM audit")?;
    let entries = select.query_map([], |row| Ok((row.get(0)?, from_json(row, 1)?)))?;
    let mut gone = Vec::<i64>::new();
    for entry in entries {
        let (seq, entry) = entry?;
        if erasure::goes(&entry, account, names) {
            gone.push(seq);
        }
    }
    let mut delete = connection.prepare_cached("DELETE FROM audit WHERE seq = ?1")?;
    for seq in gone {
        delete.execute([seq])?;
    }
    Ok(())
}

/// Writes a change.
pub(crate) fn write(
    connection: &Connection,
    change: &DirectoryChange,
) -> Result<(), DirectoryError> {
    match change {
        DirectoryChange::Put(row) => put(connection, row),
        DirectoryChange::Remove(key) => Ok(remove(connection, key)?),
        DirectoryChange::AddEntries {
            list,
            entries,
            added,
        } => {
            let insert = "INSERT OR IGNORE INTO partners (list, entry, added) VALUES (?1, ?2, ?3)";
            let mut insert = connection.prepare_cached(insert)?;
            for entry in entries {
                insert.execute((list, entry.to_string(), stored(*added)))?;
            }
            Ok(())
        }
        DirectoryChange::KeepRequest(kept) => {
            let answer = kept.answer.as_ref();
            Ok(execute(
                connection,
                "INSERT OR REPLACE INTO kept_requests (token, key, at, digest, key_id, answer)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                (
                    &kept.token,
                    &kept.key,
                    stored(kept.at),
                    &kept.digest,
                    answer.map(|sealed| &sealed.key_id),
                    answer.map(|sealed| &sealed.bytes),
                ),
            )?)
        }
        DirectoryChange::ForgetRequest { token, key } => {
            let delete = "DELETE FROM kept_requests WHERE token = ?1 AND key = ?2";
            Ok(execute(connection, delete, (token, key))?)
        }
        DirectoryChange::ForgetRequests(before) => {
            let delete = "DELETE FROM kept_requests WHERE at < ?1";
            Ok(execute(connection, delete, [stored(*before)])?)
        }
        DirectoryChange::Audit(entry) => Ok(execute(
            connection,
            "INSERT INTO audit (at, account, body_json) VALUES (?1, ?2, ?3)",
            (stored(entry.at), &entry.account, to_json(entry)?),
        )?),
        DirectoryChange::ForgetAudit(before) => {
            let delete = "DELETE FROM audit WHERE at < ?1";
            Ok(execute(connection, delete, [stored(*before)])?)
        }
        DirectoryChange::EraseAudit { account, names } => {
            forget_answers(connection)?;
            erase_audit(connection, account, names)
        }
        DirectoryChange::EraseFromAudit { account, address } => {
            forget_answers(connection)?;
            erase_from_audit(connection, account.as_deref(), address)
        }
        DirectoryChange::RemoveEntries { list, entries } => {
            let delete = "DELETE FROM partners WHERE list = ?1 AND entry = ?2";
            let mut delete = connection.prepare_cached(delete)?;
            for entry in entries {
                delete.execute((list, entry.to_string()))?;
            }
            Ok(())
        }
    }
}

fn put(connection: &Connection, row: &DirectoryRow) -> Result<(), DirectoryError> {
    match row {
        DirectoryRow::Account(account) => put_account(connection, account),
        DirectoryRow::Connector(connector) => put_connector(connection, connector),
        DirectoryRow::Address(address) => put_address(connection, address),
        DirectoryRow::Credential(sealed) => put_credential(connection, sealed),
        DirectoryRow::Agreement(Agreement {
            one,
            other,
            created,
        }) => Ok(execute(
            connection,
            "INSERT INTO agreements (one, other, created) VALUES (?1, ?2, ?3)
             ON CONFLICT (one, other) DO UPDATE SET created = excluded.created",
            (one.to_string(), other.to_string(), stored(*created)),
        )?),
        DirectoryRow::List(list) => put_list(connection, list),
        DirectoryRow::Connection(sealed) => Ok(put_connection(connection, sealed)?),
        DirectoryRow::Restriction(restriction) => put_restriction(connection, restriction),
        DirectoryRow::DkimKey(sealed) => Ok(put_dkim_key(connection, sealed)?),
        DirectoryRow::Administrator(row) => Ok(execute(
            connection,
            "INSERT OR REPLACE INTO administrators (account, canonical, body_json)
             VALUES (?1, ?2, ?3)",
            (
                row.account.to_string(),
                row.canonical().as_str(),
                to_json(row)?,
            ),
        )?),
        DirectoryRow::Probe(row) => Ok(execute(
            connection,
            "INSERT OR REPLACE INTO probes (id, account, body_json) VALUES (?1, ?2, ?3)",
            (row.id.as_str(), row.account.to_string(), to_json(row)?),
        )?),
        DirectoryRow::Handover(row) => Ok(execute(
            connection,
            "INSERT OR REPLACE INTO handovers (id, account, body_json) VALUES (?1, ?2, ?3)",
            (&row.id, row.account.to_string(), to_json(row)?),
        )?),
        DirectoryRow::ApiToken(row) => Ok(execute(
            connection,
            "INSERT OR REPLACE INTO api_tokens (id, account, body_json) VALUES (?1, ?2, ?3)",
            (
                &row.token.id,
                row.token.account.map(|id| id.to_string()),
                to_json(row)?,
            ),
        )?),
        DirectoryRow::Endpoint(sealed) => Ok(put_endpoint(connection, sealed)?),
    }
}

fn put_account(connection: &Connection, account: &Account) -> Result<(), DirectoryError> {
    let Profile {
        kind,
        product,
        time_zone,
        native_domain,
        brands,
    } = &account.profile;
    let id = account.id.to_string();
    execute(
        connection,
        "INSERT INTO accounts (id, kind, product, time_zone, native_domain, created, details_json)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, product = excluded.product,
             time_zone = excluded.time_zone, native_domain = excluded.native_domain,
             created = excluded.created, details_json = excluded.details_json",
        params![
            id,
            kind.word(),
            product.as_str(),
            time_zone.as_str(),
            native_domain.as_ascii(),
            stored(account.created),
            to_json(&account.details)?,
        ],
    )?;
    execute(connection, "DELETE FROM brands WHERE account = ?1", [&id])?;
    for brand in brands {
        let insert = "INSERT INTO brands (account, name) VALUES (?1, ?2)";
        execute(connection, insert, (&id, brand.as_str()))?;
    }
    let delete = "DELETE FROM policy_settings WHERE account = ?1";
    execute(connection, delete, [&id])?;
    for (policy, settings) in &account.policies {
        let insert = "INSERT INTO policy_settings (account, policy, settings_json)
             VALUES (?1, ?2, ?3)";
        execute(connection, insert, (&id, policy, to_json(settings)?))?;
    }
    Ok(())
}

fn put_connector(connection: &Connection, connector: &Connector) -> Result<(), DirectoryError> {
    let Claim {
        account,
        name,
        domain,
        kind,
        protocol,
    } = &connector.claim;
    Ok(execute(
        connection,
        "INSERT INTO connectors
             (id, account, name, domain, kind, protocol, state, created, forwarders_json,
              details_json)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (id) DO UPDATE SET account = excluded.account, name = excluded.name,
             domain = excluded.domain, kind = excluded.kind, protocol = excluded.protocol,
             state = excluded.state, created = excluded.created,
             forwarders_json = excluded.forwarders_json,
             details_json = excluded.details_json",
        params![
            connector.id.to_string(),
            account.to_string(),
            name.as_str(),
            domain.as_ascii(),
            kind.word(),
            protocol.word(),
            connector.state.word(),
            stored(connector.created),
            to_json(&connector.forwarders)?,
            to_json(&connector.details)?,
        ],
    )?)
}

fn put_address(connection: &Connection, address: &SupportAddress) -> Result<(), DirectoryError> {
    Ok(execute(
        connection,
        "INSERT INTO addresses
             (canonical, account, connector, address, created, brand, details_json)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (canonical, account) DO UPDATE SET connector = excluded.connector,
             address = excluded.address, created = excluded.created, brand = excluded.brand,
             details_json = excluded.details_json",
        params![
            address.canonical().as_str(),
            address.account.to_string(),
            address.connector.map(|id| id.to_string()),
            address.address.as_str(),
            stored(address.created),
            address.brand.as_ref().map(Name::as_str),
            to_json(&address.details)?,
        ],
    )?)
}

fn put_credential(
    connection: &Connection,
    sealed: &SealedCredential,
) -> Result<(), DirectoryError> {
    let SealedCredential {
        credential,
        verifier,
    } = sealed;
    let details = StoredDetails {
        ended_by: credential.ended.map(|end| end.how),
        details: credential.details.clone(),
    };
    Ok(execute(
        connection,
        "INSERT INTO credentials
             (user_name, account, connector, alias, created, last_used, revoked, key_id, verifier,
              last_network, details_json)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT (user_name) DO UPDATE SET account = excluded.account,
             connector = excluded.connector, alias = excluded.alias, created = excluded.created,
             last_used = excluded.last_used, revoked = excluded.revoked,
             key_id = excluded.key_id, verifier = excluded.verifier,
             last_network = excluded.last_network, details_json = excluded.details_json",
        params![
            credential.user_name.as_str(),
            credential.account.to_string(),
            credential.scope.connector().map(|id| id.to_string()),
            credential.alias.is_some(),
            stored(credential.created),
            credential.last_used.map(stored),
            credential.ended.map(|end| stored(end.at)),
            verifier.key_id,
            verifier.bytes,
            credential.last_network.map(|network| network.to_string()),
            to_json(&details)?,
        ],
    )?)
}

fn put_connection(connection: &Connection, row: &SealedConnection) -> rusqlite::Result<()> {
    let times = [row.created, row.changed];
    let (name, generation) = (row.name.as_str(), row.generation);
    put_sealed(
        connection,
        "connections",
        row.account,
        name,
        times,
        generation,
        &row.sealed,
    )
}

fn put_endpoint(connection: &Connection, row: &SealedEndpoint) -> rusqlite::Result<()> {
    let times = [row.created, row.changed];
    let (name, generation) = (row.name.as_str(), row.generation);
    put_sealed(
        connection,
        "endpoints",
        row.account,
        name,
        times,
        generation,
        &row.sealed,
    )
}

/// Writes what an account owns under a name and has encrypted as a whole, with the times of its creation
/// and its last change.
fn put_sealed(
    connection: &Connection,
    table: &str,
    account: AccountId,
    name: &str,
    [created, changed]: [Millis; 2],
    generation: u64,
    sealed: &Sealed,
) -> rusqlite::Result<()> {
    execute(
        connection,
        &format!(
            "INSERT INTO {table} (account, name, created, changed, generation, key_id, sealed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (account, name) DO UPDATE SET created = excluded.created,
                 changed = excluded.changed, generation = excluded.generation,
                 key_id = excluded.key_id, sealed = excluded.sealed"
        ),
        params![
            account.to_string(),
            name,
            stored(created),
            stored(changed),
            i64::try_from(generation).unwrap_or(i64::MAX),
            sealed.key_id,
            sealed.bytes,
        ],
    )
}

fn put_restriction(connection: &Connection, row: &Restriction) -> Result<(), DirectoryError> {
    let suspended = row.suspended.as_ref();
    Ok(execute(
        connection,
        "INSERT INTO restrictions (account, caps_json, suspended, reason) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (account) DO UPDATE SET caps_json = excluded.caps_json,
             suspended = excluded.suspended, reason = excluded.reason",
        params![
            row.account,
            to_json(&row.caps)?,
            suspended.map(|suspended| stored(suspended.since)),
            suspended.and_then(|suspended| suspended.reason.as_ref().map(Reason::as_str)),
        ],
    )?)
}

fn put_dkim_key(connection: &Connection, row: &SealedDkimKey) -> rusqlite::Result<()> {
    let SealedDkimKey { key, sealed } = row;
    execute(
        connection,
        "INSERT INTO dkim_keys
             (account, domain, selector, algorithm, state, created, since, finding, public, key_id,
              sealed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT (domain, selector, ifnull(account, '')) DO UPDATE SET
             algorithm = excluded.algorithm, state = excluded.state, created = excluded.created,
             since = excluded.since, finding = excluded.finding, public = excluded.public,
             key_id = excluded.key_id, sealed = excluded.sealed",
        params![
            key.owner.account().map(|id| id.to_string()),
            key.domain.as_ascii(),
            key.selector.as_str(),
            key.algorithm.word(),
            key.state.word(),
            stored(key.created),
            stored(key.since),
            key.finding,
            key.public,
            sealed.as_ref().map(|sealed| &sealed.key_id),
            sealed.as_ref().map(|sealed| &sealed.bytes),
        ],
    )
}

fn put_list(connection: &Connection, list: &PartnerList) -> Result<(), DirectoryError> {
    let (kind, name) = list.source.list_of(list.id)?;
    let feed = list.feed.as_ref();
    Ok(execute(
        connection,
        "INSERT INTO partner_lists
             (id, account, kind, name, created, every_seconds, domains, validator, tried, fetched,
              problem)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT (id) DO UPDATE SET account = excluded.account, kind = excluded.kind,
             name = excluded.name, created = excluded.created,
             every_seconds = excluded.every_seconds, domains = excluded.domains,
             validator = excluded.validator, tried = excluded.tried,
             fetched = excluded.fetched, problem = excluded.problem",
        params![
            list.id,
            list.account.to_string(),
            kind,
            name,
            stored(list.created),
            feed.map(|feed| feed.every_seconds),
            feed.is_some_and(|feed| feed.domains),
            feed.and_then(|feed| feed.validator.as_deref()),
            feed.and_then(|feed| feed.tried).map(stored),
            feed.and_then(|feed| feed.fetched).map(stored),
            feed.and_then(|feed| feed.problem.as_deref()),
        ],
    )?)
}

fn remove(connection: &Connection, key: &RowKey) -> rusqlite::Result<()> {
    match key {
        RowKey::Account(id) => {
            let id = id.to_string();
            for delete in [
                "DELETE FROM brands WHERE account = ?1",
                "DELETE FROM policy_settings WHERE account = ?1",
                "DELETE FROM accounts WHERE id = ?1",
            ] {
                execute(connection, delete, [&id])?;
            }
            Ok(())
        }
        RowKey::Connector(id) => {
            let delete = "DELETE FROM connectors WHERE id = ?1";
            execute(connection, delete, [id.to_string()])
        }
        RowKey::Address { canonical, account } => {
            let delete = "DELETE FROM addresses WHERE canonical = ?1 AND account = ?2";
            execute(
                connection,
                delete,
                (canonical.as_str(), account.to_string()),
            )
        }
        RowKey::Credential(user) => {
            let delete = "DELETE FROM credentials WHERE user_name = ?1";
            execute(connection, delete, [user.as_str()])
        }
        RowKey::Agreement { one, other } => {
            let delete = "DELETE FROM agreements WHERE one = ?1 AND other = ?2";
            execute(connection, delete, (one.to_string(), other.to_string()))
        }
        RowKey::Connection { account, name } => {
            let delete = "DELETE FROM connections WHERE account = ?1 AND name = ?2";
            execute(connection, delete, (account.to_string(), name.as_str()))
        }
        RowKey::Endpoint { account, name } => {
            let delete = "DELETE FROM endpoints WHERE account = ?1 AND name = ?2";
            execute(connection, delete, (account.to_string(), name.as_str()))
        }
        RowKey::Restriction(account) => {
            let delete = "DELETE FROM restrictions WHERE account = ?1";
            execute(connection, delete, [account])
        }
        RowKey::DkimKey(name) => {
            let delete = "DELETE FROM dkim_keys
                 WHERE domain = ?1 AND selector = ?2 AND ifnull(account, '') = ?3";
            let account = name.owner.account().map(|id| id.to_string());
            let account = account.unwrap_or_default();
            let name = (&name.domain, name.selector.as_str(), account);
            execute(connection, delete, name)
        }
        RowKey::Administrator { account, canonical } => {
            let delete = "DELETE FROM administrators WHERE account = ?1 AND canonical = ?2";
            execute(
                connection,
                delete,
                (account.to_string(), canonical.as_str()),
            )
        }
        RowKey::Probe(id) => {
            let delete = "DELETE FROM probes WHERE id = ?1";
            execute(connection, delete, [id.as_str()])
        }
        RowKey::Handover(id) => {
            let delete = "DELETE FROM handovers WHERE id = ?1";
            execute(connection, delete, [id])
        }
        RowKey::ApiToken(id) => {
            let delete = "DELETE FROM api_tokens WHERE id = ?1";
            execute(connection, delete, [id])
        }
        RowKey::List(list) => {
            let delete = "DELETE FROM partners WHERE list = ?1";
            execute(connection, delete, [list])?;
            let delete = "DELETE FROM partner_lists WHERE id = ?1";
            execute(connection, delete, [list])
        }
    }
}

fn execute(connection: &Connection, statement: &str, values: impl Params) -> rusqlite::Result<()> {
    connection
        .prepare_cached(statement)?
        .execute(values)
        .map(drop)
}

fn to_json(value: &impl Serialize) -> Result<String, DirectoryError> {
    let damaged = |error| DirectoryError::Damaged(format!("value to be stored: {error}"));
    serde_json::to_string(value).map_err(damaged)
}
