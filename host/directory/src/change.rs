//! Changes to accounts, connectors, support addresses and credentials, with their rules.

use std::collections::BTreeMap;

use gatepost_message::{Address, Domain, Millis};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{
    Account, AccountId, AccountKind, Canonical, Claim, Connector, ConnectorId, ConnectorKind,
    ConnectorState, Credential, Directory, DirectoryError, Forwarders, Grant, Issued,
    PolicySettings, Profile, Refusal, Scope, Secret, SupportAddress, UserName,
    rows::{self, stored},
};

type Result<T> = std::result::Result<T, DirectoryError>;

impl Directory {
    /// Adds an account.
    ///
    /// # Errors
    /// The native domain already belongs to an account, in the directory or in the configuration,
    /// or the store failed.
    pub fn add_account(&self, profile: Profile) -> Result<Account> {
        let mut account = Account {
            id: AccountId::random()?,
            created: Millis::now(),
            profile,
            policies: BTreeMap::new(),
        };
        account.profile.brands.sort();
        account.profile.brands.dedup();
        self.change(|change, context| {
            let Profile {
                kind,
                product,
                time_zone,
                native_domain,
                brands,
            } = &account.profile;
            if let Some(owner) = domain_owner(change, native_domain)? {
                return refuse(Refusal::DomainTaken {
                    domain: native_domain.clone(),
                    owner,
                });
            }
            if let Some(owner) = context.reserved.get(native_domain) {
                return refuse(Refusal::DomainReserved {
                    domain: native_domain.clone(),
                    owner: owner.clone(),
                });
            }
            let id = account.id.to_string();
            change.execute(
                "INSERT INTO accounts (id, kind, product, time_zone, native_domain, created)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    id,
                    kind.word(),
                    product.as_str(),
                    time_zone.as_str(),
                    native_domain.as_ascii(),
                    stored(account.created),
                ],
            )?;
            for brand in brands {
                let insert = "INSERT INTO brands (account, name) VALUES (?1, ?2)";
                change.execute(insert, (&id, brand.as_str()))?;
            }
            Ok(())
        })?;
        Ok(account)
    }

    /// Removes an account that owns nothing any more.
    ///
    /// # Errors
    /// There is no such account, it still owns something, or the store failed.
    pub fn remove_account(&self, id: AccountId) -> Result<()> {
        self.change(|change, _| {
            let text = id.to_string();
            for (table, contents) in [
                ("credentials", "credentials"),
                ("addresses", "support addresses"),
                ("connectors", "connectors"),
                ("partner_lists", "partner addresses or feeds"),
            ] {
                if count(change, table, "account = ?1", [&text])? > 0 {
                    let what = format!("account {id}");
                    return refuse(Refusal::NotEmpty { what, contents });
                }
            }
            if count(change, "agreements", "?1 IN (one, other)", [&text])? > 0 {
                let what = format!("account {id}");
                let contents = "sharing agreements";
                return refuse(Refusal::NotEmpty { what, contents });
            }
            let removed = change.execute("DELETE FROM accounts WHERE id = ?1", [text])?;
            require_row(removed, "account", id)
        })
    }

    /// Connects a domain to an account, at first as a claim.
    ///
    /// # Errors
    /// There is no such account, it has the domain already or as many as it may have, the domain is
    /// a native one, or the store failed.
    pub fn add_connector(&self, claim: Claim) -> Result<Connector> {
        let connector = Connector {
            id: ConnectorId::random()?,
            created: Millis::now(),
            state: ConnectorState::Claimed,
            forwarders: Forwarders::default(),
            claim,
        };
        self.change(|change, context| {
            let Claim {
                account,
                name,
                domain,
                kind,
                protocol,
            } = &connector.claim;
            account_kind(change, *account)?;
            let id = account.to_string();
            let native = "SELECT id FROM accounts WHERE native_domain = ?1";
            if let Some(owner) = find_id(change, native, domain.as_ascii())? {
                let domain = domain.clone();
                return refuse(Refusal::DomainTaken { domain, owner });
            }
            let same = "account = ?1 AND domain = ?2";
            if count(change, "connectors", same, [&id, domain.as_ascii()])? > 0 {
                return refuse(Refusal::Connected {
                    account: *account,
                    domain: domain.clone(),
                });
            }
            let limit = context.limits.domains_per_account;
            if count(change, "connectors", "account = ?1", [&id])? >= limit {
                return refuse(Refusal::TooManyDomains {
                    account: *account,
                    limit,
                });
            }
            change.execute(
                "INSERT INTO connectors (id, account, name, domain, kind, protocol, state, created)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    connector.id.to_string(),
                    id,
                    name.as_str(),
                    domain.as_ascii(),
                    kind.word(),
                    protocol.word(),
                    connector.state.word(),
                    stored(connector.created),
                ],
            )?;
            Ok(())
        })?;
        Ok(connector)
    }

    /// Marks a domain as the account's own, because the account has proved it or an operator
    /// vouches for it. From now on its support addresses receive. Also reconnects a disconnected
    /// domain.
    ///
    /// # Errors
    /// There is no such connector, another account owns the domain, or the store failed.
    pub fn verify_connector(&self, id: ConnectorId) -> Result<Connector> {
        self.change(|change, _| {
            let connector = connector(change, id)?;
            match domain_owner(change, &connector.claim.domain)? {
                Some(owner) if owner != connector.claim.account => refuse(Refusal::DomainTaken {
                    domain: connector.claim.domain,
                    owner,
                }),
                _ => set_state(change, connector, ConnectorState::Verified),
            }
        })
    }

    /// Disconnects a domain: its credentials stop working, its support addresses still receive.
    ///
    /// # Errors
    /// There is no such connector, it was never verified, or the store failed.
    pub fn disconnect_connector(&self, id: ConnectorId) -> Result<Connector> {
        self.change(|change, _| match connector(change, id)? {
            connector if connector.state.receives() => {
                set_state(change, connector, ConnectorState::Disconnected)
            }
            _ => refuse(Refusal::NotVerified(id)),
        })
    }

    /// Sets the known forwarders of a connector's domain, in place of the former ones.
    ///
    /// # Errors
    /// There is no such connector, or the store failed.
    pub fn set_forwarders(&self, id: ConnectorId, forwarders: Forwarders) -> Result<Connector> {
        let json = to_json(&forwarders)?;
        self.change(|change, _| {
            let mut connector = connector(change, id)?;
            let update = "UPDATE connectors SET forwarders_json = ?2 WHERE id = ?1";
            change.execute(update, (id.to_string(), json))?;
            connector.forwarders = forwarders;
            Ok(connector)
        })
    }

    /// Sets an account's settings for a policy, in place of its former ones. With `None`, the
    /// policy's own settings apply again.
    ///
    /// # Errors
    /// There is no such account, or the store failed.
    pub fn set_policy(
        &self,
        account: AccountId,
        policy: &str,
        settings: Option<PolicySettings>,
    ) -> Result<()> {
        let json = settings.as_ref().map(to_json).transpose()?;
        self.change(|change, _| {
            account_kind(change, account)?;
            let id = account.to_string();
            match json {
                Some(json) => change.execute(
                    "INSERT OR REPLACE INTO policy_settings (account, policy, settings_json)
                     VALUES (?1, ?2, ?3)",
                    (id, policy, json),
                )?,
                None => change.execute(
                    "DELETE FROM policy_settings WHERE account = ?1 AND policy = ?2",
                    (id, policy),
                )?,
            };
            Ok(())
        })
    }

    /// Removes a connector that has no addresses and no credentials.
    ///
    /// # Errors
    /// There is no such connector, it still has some, or the store failed.
    pub fn remove_connector(&self, id: ConnectorId) -> Result<()> {
        self.change(|change, _| {
            let text = id.to_string();
            for (table, contents) in [
                ("credentials", "credentials"),
                ("addresses", "support addresses"),
            ] {
                if count(change, table, "connector = ?1", [&text])? > 0 {
                    let what = format!("connector {id}");
                    return refuse(Refusal::NotEmpty { what, contents });
                }
            }
            let removed = change.execute("DELETE FROM connectors WHERE id = ?1", [text])?;
            require_row(removed, "connector", id)
        })
    }

    /// Adds a support address in the account's native domain or in a domain that it has connected.
    ///
    /// # Errors
    /// There is no such account, the address is in none of its domains or is taken, the domain has
    /// too many, or the store failed.
    pub fn add_address(&self, account: AccountId, address: Address) -> Result<SupportAddress> {
        self.change(|change, context| {
            let kind = account_kind(change, account)?;
            let foreign = || Refusal::ForeignAddress {
                address: address.clone(),
                account,
            };
            let canonical = Canonical::of(&address).ok_or_else(foreign)?;
            let domain: Domain = address.domain().parse().map_err(|_| foreign())?;
            let native = "SELECT id FROM accounts WHERE native_domain = ?1";
            let connector = match find_id::<AccountId>(change, native, domain.as_ascii())? {
                Some(owner) if owner == account => None,
                Some(_) => return refuse(foreign()),
                None => Some(connector_of(change, account, &domain)?.ok_or_else(foreign)?),
            };
            if let Some((owner, other)) = address_owner(change, &canonical, account)? {
                let address = address.clone();
                return refuse(match other == kind {
                    true => Refusal::AddressTaken { address, owner },
                    false => Refusal::AddressInOther {
                        address,
                        owner,
                        kind: other,
                    },
                });
            }
            let id = account.to_string();
            let of_connector = connector.map(|connector| connector.to_string());
            let same_domain = "account = ?1 AND connector IS ?2";
            let limit = context.limits.addresses_per_domain;
            if count(change, "addresses", same_domain, (&id, &of_connector))? >= limit {
                return refuse(Refusal::TooManyAddresses { domain, limit });
            }
            let created = Millis::now();
            change.execute(
                "INSERT INTO addresses (canonical, account, connector, address, created)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    canonical.as_str(),
                    id,
                    of_connector,
                    address.as_str(),
                    stored(created)
                ],
            )?;
            Ok(SupportAddress {
                address: address.clone(),
                account,
                connector,
                created,
            })
        })
    }

    /// Removes a support address of an account.
    ///
    /// # Errors
    /// The account has no such address, or the store failed.
    pub fn remove_address(&self, account: AccountId, address: &Address) -> Result<()> {
        self.change(|change, _| {
            let canonical = Canonical::of(address);
            let canonical = canonical.as_ref().map_or("", Canonical::as_str);
            let delete = "DELETE FROM addresses WHERE account = ?1 AND canonical = ?2";
            let removed = change.execute(delete, (account.to_string(), canonical))?;
            require_row(removed, "address", address)
        })
    }

    /// Issues a credential with a new secret, which is shown this once. With `with_alias`, it also
    /// gets the alias of the account.
    ///
    /// # Errors
    /// There is no such account or connector, the connector is outbound-only, too many credentials
    /// are live, a live credential has the alias, or the store failed.
    pub fn issue(&self, grant: Grant, with_alias: bool) -> Result<Issued> {
        let secret = Secret::generate()?;
        let verifier = secret.verifier()?;
        let user_name = UserName::generate(&grant)?;
        let credential = self.change(|change, context| {
            let (account, connector, scope) = match grant {
                Grant::Submission { account } => {
                    account_kind(change, account)?;
                    (account, None, Scope::Submission)
                }
                Grant::Inbound { connector: id } => {
                    let Claim {
                        account,
                        kind,
                        domain,
                        ..
                    } = connector(change, id)?.claim;
                    if kind != ConnectorKind::TwoWay {
                        return refuse(Refusal::NotTwoWay(id));
                    }
                    let connector = id;
                    (account, Some(id), Scope::Inbound { connector, domain })
                }
            };
            let (id, of_connector) = (account.to_string(), connector.map(|id| id.to_string()));
            let live = "account = ?1 AND connector IS ?2 AND revoked IS NULL";
            let limit = context.limits.live_sets;
            if count(change, "credentials", live, (&id, &of_connector))? >= limit {
                return refuse(Refusal::TooManyCredentials { limit });
            }
            let alias = match with_alias {
                true => Some(free_alias(change, account)?),
                false => None,
            };
            let created = Millis::now();
            let sealed =
                (context.ring).seal(&rows::verifier_binding(&user_name), &verifier.encode())?;
            change.execute(
                "INSERT INTO credentials
                 (user_name, account, connector, alias, created, key_id, verifier)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    user_name.as_str(),
                    id,
                    of_connector,
                    with_alias,
                    stored(created),
                    sealed.key_id,
                    sealed.bytes,
                ],
            )?;
            Ok(Credential {
                user_name: user_name.clone(),
                account,
                scope,
                alias,
                created,
                last_used: None,
                revoked: None,
            })
        })?;
        Ok(Issued { credential, secret })
    }

    /// Revokes a credential: it no longer logs in, and open sessions see that at their next
    /// command. Its alias receives until the credential is removed.
    ///
    /// # Errors
    /// There is no such credential, or the store failed.
    pub fn revoke(&self, user: &UserName) -> Result<()> {
        self.change(|change, _| {
            let revoked = change.execute(
                "UPDATE credentials SET revoked = coalesce(revoked, ?2) WHERE user_name = ?1",
                (user.as_str(), stored(Millis::now())),
            )?;
            require_row(revoked, "credential", user)
        })
    }

    /// Deletes a credential, live or revoked.
    ///
    /// # Errors
    /// There is no such credential, or the store failed.
    pub fn remove_credential(&self, user: &UserName) -> Result<()> {
        self.change(|change, _| {
            let delete = "DELETE FROM credentials WHERE user_name = ?1";
            require_row(change.execute(delete, [user.as_str()])?, "credential", user)
        })
    }
}

fn to_json(value: &impl serde::Serialize) -> Result<String> {
    let damaged = |error| DirectoryError::Damaged(format!("value to be stored: {error}"));
    serde_json::to_string(value).map_err(damaged)
}

pub(crate) fn refuse<T>(refusal: Refusal) -> Result<T> {
    Err(refusal.into())
}

pub(crate) fn require_row(rows: usize, what: &'static str, name: impl ToString) -> Result<()> {
    match rows {
        0 => refuse(unknown(what, name)),
        _ => Ok(()),
    }
}

pub(crate) fn unknown(what: &'static str, name: impl ToString) -> Refusal {
    let name = name.to_string();
    Refusal::Unknown { what, name }
}

/// Counts the rows of a table that meet a condition. `table` and `condition` are constants of this
/// crate, never input.
fn count(
    connection: &Connection,
    table: &str,
    condition: &str,
    values: impl rusqlite::Params,
) -> rusqlite::Result<usize> {
    let select = format!("SELECT count(*) FROM {table} WHERE {condition}");
    let rows: u32 = connection.query_row(&select, values, |row| row.get(0))?;
    Ok(rows as usize)
}

fn find_id<T: TryFrom<String>>(
    connection: &Connection,
    select: &str,
    value: &str,
) -> rusqlite::Result<Option<T>> {
    let text: Option<String> =
        (connection.query_row(select, [value], |row| row.get(0))).optional()?;
    Ok(text.and_then(|text| T::try_from(text).ok()))
}

/// Returns the account that owns a domain, as its native domain or by a verified connector.
fn domain_owner(connection: &Connection, domain: &Domain) -> rusqlite::Result<Option<AccountId>> {
    let select = "SELECT id FROM accounts WHERE native_domain = ?1
         UNION ALL SELECT account FROM connectors WHERE domain = ?1 AND state <> 'claimed'";
    find_id(connection, select, domain.as_ascii())
}

/// Returns the kind of an account, or an error if there is no such account.
pub(crate) fn account_kind(connection: &Connection, id: AccountId) -> Result<AccountKind> {
    let select = "SELECT kind FROM accounts WHERE id = ?1";
    let kind: Option<String> =
        (connection.query_row(select, [id.to_string()], |row| row.get(0))).optional()?;
    let kind = kind.ok_or_else(|| unknown("account", id))?;
    let damaged = |_| DirectoryError::Damaged(format!("kind of account {id}"));
    kind.parse().map_err(damaged)
}

fn connector(connection: &Connection, id: ConnectorId) -> Result<Connector> {
    let mut connectors = rows::connectors(connection)?.into_iter();
    let connector = connectors.find(|connector| connector.id == id);
    Ok(connector.ok_or_else(|| unknown("connector", id))?)
}

fn connector_of(
    connection: &Connection,
    account: AccountId,
    domain: &Domain,
) -> Result<Option<ConnectorId>> {
    let connectors = rows::connectors(connection)?.into_iter();
    let mut of_account = connectors.filter(|connector| connector.claim.account == account);
    let connector = of_account.find(|connector| connector.claim.domain == *domain);
    Ok(connector.map(|connector| connector.id))
}

fn set_state(
    connection: &Connection,
    mut connector: Connector,
    state: ConnectorState,
) -> Result<Connector> {
    connector.state = state;
    let update = "UPDATE connectors SET state = ?2 WHERE id = ?1";
    connection.execute(update, (connector.id.to_string(), state.word()))?;
    Ok(connector)
}

/// Returns the account that an address already belongs to: this account, or another one that owns
/// the domain. An address under another account's mere claim belongs to nobody.
fn address_owner(
    connection: &Connection,
    canonical: &Canonical,
    account: AccountId,
) -> Result<Option<(AccountId, AccountKind)>> {
    let select = "SELECT a.account FROM addresses a
         LEFT JOIN connectors c ON c.id = a.connector
         WHERE a.canonical = ?1 AND (a.account = ?2 OR c.id IS NULL OR c.state <> 'claimed')
         ORDER BY a.account = ?2";
    let owner: Option<String> = (connection)
        .query_row(select, (canonical.as_str(), account.to_string()), |row| {
            row.get(0)
        })
        .optional()?;
    let Some(owner) = owner.and_then(|owner| owner.parse().ok()) else {
        return Ok(None);
    };
    Ok(Some((owner, account_kind(connection, owner)?)))
}

/// Returns the alias of an account, if no live credential has it.
fn free_alias(connection: &Connection, account: AccountId) -> Result<Address> {
    let accounts = rows::accounts(connection)?.into_iter();
    let native = accounts
        .filter(|found| found.id == account)
        .map(|account| account.profile.native_domain)
        .next();
    let native = native.ok_or_else(|| unknown("account", account))?;
    let alias = rows::alias(&native).ok_or(Refusal::NoAlias(native))?;
    let select = "SELECT user_name FROM credentials
         WHERE account = ?1 AND alias = 1 AND revoked IS NULL";
    let holder: Option<String> =
        (connection.query_row(select, [account.to_string()], |row| row.get(0))).optional()?;
    match holder {
        Some(holder) => refuse(Refusal::AliasTaken {
            alias,
            holder: UserName::new(&holder),
        }),
        None => Ok(alias),
    }
}
