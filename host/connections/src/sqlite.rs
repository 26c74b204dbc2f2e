//! States of connections in an SQLite file.

use std::path::Path;

use gatepost_files::sqlite::{self, Schema, Synced};
use rusqlite::{Connection, params};

use crate::states::{StandingError, StandingStore};
use crate::{ConnectionKey, ConnectionName, ConnectionStanding};

const SCHEMA: Schema = Schema {
    migrations: &[include_str!("schema-1.sql")],
    tables: &[("standings", 1)],
};

/// Store in an SQLite file, `connections.db`. A crash of the machine may cost the last changes.
#[derive(Debug)]
pub struct SqliteStandings {
    database: Connection,
}

impl SqliteStandings {
    /// Opens the file, and creates it if it does not exist.
    ///
    /// # Errors
    /// It cannot be opened, or a later version wrote it.
    pub fn open(path: &Path) -> Result<Self, StandingError> {
        sqlite::create_private(path);
        let mut database = sqlite::connect(path)?;
        sqlite::write_ahead(&database, Synced::AtCheckpoints)?;
        database.pragma_update(None, "secure_delete", true)?;
        let migrated = SCHEMA.migrate(&mut database)?;
        migrated.map_err(|newer| StandingError::Newer {
            found: newer.found,
            known: SCHEMA.current(),
        })?;
        Ok(Self { database })
    }
}

impl StandingStore for SqliteStandings {
    fn load(&self) -> Result<Vec<(ConnectionKey, ConnectionStanding)>, StandingError> {
        let select = "SELECT account, name, standing_json FROM standings";
        let mut select = self.database.prepare(select)?;
        let mut rows = select.query([])?;
        let mut standings = Vec::new();
        while let Some(row) = rows.next()? {
            let (account, name): (String, String) = (row.get(0)?, row.get(1)?);
            let json: String = row.get(2)?;
            let Ok(name) = name.parse::<ConnectionName>() else {
                continue;
            };
            let key = match account.is_empty() {
                true => ConnectionKey::of_site(name),
                false => ConnectionKey::of_account(account, name),
            };
            standings.push((key, serde_json::from_str(&json)?));
        }
        Ok(standings)
    }

    fn save(
        &mut self,
        changed: &[(ConnectionKey, ConnectionStanding)],
        gone: &[ConnectionKey],
    ) -> Result<(), StandingError> {
        let transaction = self.database.transaction()?;
        for (key, standing) in changed {
            let account = key.account.as_deref().unwrap_or_default();
            transaction.execute(
                "INSERT INTO standings (account, name, standing_json) VALUES (?1, ?2, ?3)
                 ON CONFLICT (account, name) DO UPDATE SET standing_json = excluded.standing_json",
                params![account, key.name.as_str(), serde_json::to_string(standing)?],
            )?;
        }
        for key in gone {
            let account = key.account.as_deref().unwrap_or_default();
            let delete = "DELETE FROM standings WHERE account = ?1 AND name = ?2";
            transaction.execute(delete, params![account, key.name.as_str()])?;
        }
        Ok(transaction.commit()?)
    }

    fn overwrite_erased(&mut self) -> Result<(), StandingError> {
        Ok(sqlite::overwrite_erased(&self.database)?)
    }
}

/// States that end with the process, for tests and dry runs.
#[derive(Debug, Default)]
pub struct NoStandings;

impl StandingStore for NoStandings {
    fn load(&self) -> Result<Vec<(ConnectionKey, ConnectionStanding)>, StandingError> {
        Ok(Vec::new())
    }

    fn save(
        &mut self,
        _changed: &[(ConnectionKey, ConnectionStanding)],
        _gone: &[ConnectionKey],
    ) -> Result<(), StandingError> {
        Ok(())
    }
}
