//! Conversion between rows and the types of this crate.

use std::{collections::BTreeMap, str::FromStr};

use gatepost_message::{Address, Domain, Millis};
use rusqlite::{Connection, Row, types::Type};
use serde::de::DeserializeOwned;

use crate::{
    Account, AccountId, Agreement, Claim, Connector, ConnectorId, Credential, Feed, Name,
    PartnerList, PartnerSource, Profile, Scope, SupportAddress, UserName, Verifier,
    error::DirectoryError,
    key_ring::{KeyRing, SealBinding, Sealed},
};

/// Parses a text that was valid when it was written.
fn parsed<T: FromStr>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text: String = row.get(column)?;
    text.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}

fn optional_parsed<T: FromStr>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    match row.get_ref(column)? {
        rusqlite::types::ValueRef::Null => Ok(None),
        _ => parsed(row, column).map(Some),
    }
}

fn from_json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}

fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Millis> {
    row.get(column)
        .map(|millis: i64| Millis(millis.unsigned_abs()))
}

fn optional_time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Millis>> {
    let millis: Option<i64> = row.get(column)?;
    Ok(millis.map(|millis| Millis(millis.unsigned_abs())))
}

/// Converts a time to the form in which SQLite stores it.
pub(crate) fn stored(time: Millis) -> i64 {
    i64::try_from(time.0).unwrap_or(i64::MAX)
}

pub(crate) fn accounts(connection: &Connection) -> rusqlite::Result<Vec<Account>> {
    let mut select = connection.prepare_cached(
        "SELECT id, kind, product, time_zone, native_domain, created FROM accounts
         ORDER BY created, id",
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

pub(crate) fn connectors(connection: &Connection) -> rusqlite::Result<Vec<Connector>> {
    let mut select = connection.prepare_cached(
        "SELECT id, account, name, domain, kind, protocol, state, created, forwarders_json
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
        })
    })?;
    rows.collect()
}

pub(crate) fn addresses(connection: &Connection) -> rusqlite::Result<Vec<SupportAddress>> {
    let mut select = connection.prepare_cached(
        "SELECT address, account, connector, created FROM addresses ORDER BY canonical, account",
    )?;
    let rows = select.query_map([], |row| {
        Ok(SupportAddress {
            address: parsed(row, 0)?,
            account: parsed(row, 1)?,
            connector: optional_parsed(row, 2)?,
            created: time(row, 3)?,
        })
    })?;
    rows.collect()
}

/// Returns the address that can be the alias of one credential of an account: `<subdomain>@<native
/// domain>`.
pub(crate) fn alias(native: &Domain) -> Option<Address> {
    let native = native.as_ascii();
    let subdomain = native.split('.').next()?;
    Address::parse(&format!("{subdomain}@{native}")).ok()
}

/// Reads all credentials, without their verifiers.
pub(crate) fn credentials(connection: &Connection) -> rusqlite::Result<Vec<Credential>> {
    let mut select = connection.prepare_cached(
        "SELECT user_name, c.account, c.connector, alias, c.created, last_used, revoked, domain,
                native_domain
         FROM credentials c JOIN accounts a ON a.id = c.account
         LEFT JOIN connectors o ON o.id = c.connector ORDER BY c.created, user_name",
    )?;
    let rows = select.query_map([], |row| {
        let connector: Option<ConnectorId> = optional_parsed(row, 2)?;
        let native: Domain = parsed(row, 8)?;
        let has_alias: bool = row.get(3)?;
        Ok(Credential {
            user_name: UserName::new(&row.get::<_, String>(0)?),
            account: parsed::<AccountId>(row, 1)?,
            scope: match connector {
                Some(connector) => Scope::Inbound {
                    connector,
                    domain: parsed(row, 7)?,
                },
                None => Scope::Submission,
            },
            alias: if has_alias { alias(&native) } else { None },
            created: time(row, 4)?,
            last_used: optional_time(row, 5)?,
            revoked: optional_time(row, 6)?,
        })
    })?;
    rows.collect()
}

/// Reads and decrypts the verifier of a credential.
pub(crate) fn verifier(
    connection: &Connection,
    ring: &KeyRing,
    user: &UserName,
) -> Result<Verifier, DirectoryError> {
    let mut select = connection
        .prepare_cached("SELECT key_id, verifier FROM credentials WHERE user_name = ?1")?;
    let sealed = select.query_row([user.as_str()], |row| {
        Ok(Sealed {
            key_id: row.get(0)?,
            bytes: row.get(1)?,
        })
    });
    let bytes = ring.open_sealed(&verifier_binding(user), &sealed?)?;
    let damaged = || DirectoryError::Damaged(format!("verifier of {user}"));
    Verifier::decode(&bytes).ok_or_else(damaged)
}

/// Returns the binding of a credential's verifier.
pub(crate) fn verifier_binding(user: &UserName) -> SealBinding<'_> {
    SealBinding {
        table: "credentials",
        column: "verifier",
        row: user.as_str(),
    }
}

pub(crate) fn agreements(connection: &Connection) -> rusqlite::Result<Vec<Agreement>> {
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

/// Reads all lists of partners, without their entries.
pub(crate) fn partner_lists(connection: &Connection) -> rusqlite::Result<Vec<PartnerList>> {
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
