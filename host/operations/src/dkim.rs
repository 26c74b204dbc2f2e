//! DKIM keys: made, shown with the records to publish, looked for in the DNS, changed and retired.

use std::sync::Arc;

use clap::Args;
use gatepost_config::{self as config, Config};
use gatepost_directory::{
    AccountId, Directory, DkimKey, DkimKeyName, DkimState, KeyOwner, Refusal, View,
};
use gatepost_dkim::{Algorithm, Selector, SelectorPrefix, alias_target};
use gatepost_dkim_watch::{Intervals, LookError, look_at};
use gatepost_dns::{NoResolver, Resolver, ResolverSettings};
use gatepost_message::{Domain, Millis};
use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::directory::{account_id, change};
use crate::error::OperationError;
use crate::runtime::Runtime;

/// Parts of the configuration with which records of customers are made and looked for: those of
/// keys of DKIM, and of return paths.
#[derive(Clone)]
pub struct DkimTools {
    /// Zone of the site that customers' names may be aliases into.
    pub zone: Option<Domain>,
    /// Domain of the site's own return paths, which customers' are aliases of.
    pub return_path: Option<Domain>,
    /// Beginning of new selectors.
    pub prefix: SelectorPrefix,
    /// Resolver without a cache: what was published a moment ago is found.
    pub resolver: Resolver,
    /// Intervals between looks.
    pub intervals: Intervals,
}

impl DkimTools {
    /// Makes the tools of a configuration.
    ///
    /// # Errors
    /// No resolver can be made.
    pub fn new(config: &Config) -> Result<Self, NoResolver> {
        Ok(Self {
            zone: config.dkim.zone(&config.relay.hostname),
            return_path: config.return_path.domain.clone(),
            ..Self::with(&config.dkim, &config.dns)?
        })
    }

    /// Makes the tools of a store whose configuration is not known.
    ///
    /// # Errors
    /// No resolver can be made.
    pub fn without_config() -> Result<Self, NoResolver> {
        Self::with(&config::Dkim::default(), &config::Dns::default())
    }

    fn with(dkim: &config::Dkim, dns: &config::Dns) -> Result<Self, NoResolver> {
        Ok(Self {
            zone: None,
            return_path: None,
            prefix: dkim.selector.clone(),
            resolver: Resolver::new(&ResolverSettings {
                cache: 0,
                ..dns.settings()
            })?,
            intervals: Intervals {
                pending: dkim.look_pending,
                active: dkim.look_active,
            },
        })
    }
}

/// Request to make keys of a domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GenerateDkim {
    /// Id or native domain of the account that has connected the domain; without it, the keys are
    /// the site's own.
    #[arg(long)]
    pub account: Option<String>,
    /// Algorithm, rsa or ed25519; a key of each when not given.
    #[arg(long)]
    pub algorithm: Option<Algorithm>,
    /// Domain to sign for.
    pub domain: Domain,
}

/// Request for keys, with the records to publish.
#[derive(
    Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, Args, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct ShowDkim {
    /// Only those of this account, by its id or native domain.
    #[arg(long)]
    pub account: Option<String>,
    /// Only those of this domain.
    pub domain: Option<Domain>,
}

/// Request to look in the DNS for the records of keys, now.
#[derive(
    Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, Args, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct CheckDkim {
    /// Only those of this account, by its id or native domain.
    #[arg(long)]
    pub account: Option<String>,
    /// Only those of this domain.
    pub domain: Option<Domain>,
}

/// Request to make the keys that come after those that sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateDkim {
    /// Id or native domain of the account; without it, the keys are the site's own.
    #[arg(long)]
    pub account: Option<String>,
    /// Algorithm, rsa or ed25519; both when not given.
    #[arg(long)]
    pub algorithm: Option<Algorithm>,
    /// Domain of the keys.
    pub domain: Domain,
}

/// Request to retire a key: it signs no more, and its private half is erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetireDkim {
    /// Id or native domain of the account; without it, the key is the site's own.
    #[arg(long)]
    pub account: Option<String>,
    /// Domain of the key.
    pub domain: Domain,
    /// Selector of the key.
    pub selector: Selector,
}

/// Key with its record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct DkimKeyDetails {
    /// Account of the key; `None` for the site's own.
    pub account: Option<AccountId>,
    /// Domain that it signs for.
    pub domain: Domain,
    /// Selector.
    pub selector: Selector,
    /// Algorithm.
    pub algorithm: Algorithm,
    /// State.
    pub state: DkimState,
    /// Time at which it was made.
    pub created: Millis,
    /// Time at which its state began.
    pub since: Millis,
    /// Words about the last look in the DNS, if it did not show the record.
    pub finding: Option<String>,
    /// Time at which the record may be taken out of the DNS; `None` while it is needed.
    pub removable: Option<Millis>,
    /// Record.
    pub record: RecordDetails,
}

/// Record of a key, in both forms in which it can be published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RecordDetails {
    /// Name.
    pub name: String,
    /// Strings of the TXT record, of at most 255 octets each.
    pub strings: Vec<String>,
    /// Line of a zone file with the record itself.
    pub line: String,
    /// Alias into the site's own zone; `None` if it has none.
    pub alias: Option<AliasDetails>,
}

/// Alias into the site's own zone, with which later keys need no change at the domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct AliasDetails {
    /// Name in the site's zone.
    pub target: String,
    /// Line of a zone file of the domain.
    pub line: String,
    /// Line of the site's own zone file.
    pub site_line: String,
}

impl DkimKeyDetails {
    fn of(key: &DkimKey, zone: Option<&Domain>) -> Self {
        let record = key.record();
        let owner = key.owner.to_string();
        let target = zone.and_then(|zone| alias_target(zone, &owner, &key.domain, &key.selector));
        let alias = target.map(|target| AliasDetails {
            line: record.alias_line(&target),
            site_line: record.zone_line(&target),
            target,
        });
        let is_retired = key.state == DkimState::Retired;
        Self {
            account: key.owner.account(),
            domain: key.domain.clone(),
            selector: key.selector.clone(),
            algorithm: key.algorithm,
            state: key.state,
            created: key.created,
            since: key.since,
            finding: key.finding.clone(),
            removable: is_retired.then(|| key.since + DkimKey::REST),
            record: RecordDetails {
                name: record.name().to_owned(),
                strings: record.strings().into_iter().map(str::to_owned).collect(),
                line: record.zone_line(record.name()),
                alias,
            },
        }
    }
}

/// Makes keys of a domain, which wait for their records.
///
/// # Errors
/// There is no such account, the domain is not its, its selectors are taken, or the store cannot
/// be changed.
pub async fn generate(
    directory: &Arc<Directory>,
    tools: &DkimTools,
    asked: GenerateDkim,
) -> Result<Vec<DkimKeyDetails>, OperationError> {
    let owner = owner(&directory.view(), asked.account.as_deref())?;
    let algorithms = chosen(asked.algorithm);
    make(directory, tools, owner, asked.domain, algorithms).await
}

/// Lists keys with their records.
///
/// # Errors
/// There is no such account.
pub fn show(
    directory: &Directory,
    tools: &DkimTools,
    asked: ShowDkim,
) -> Result<Vec<DkimKeyDetails>, OperationError> {
    let view = directory.view();
    let keys = selected(&view, asked.account.as_deref(), asked.domain.as_ref())?;
    let details = keys.map(|key| DkimKeyDetails::of(key, tools.zone.as_ref()));
    Ok(details.collect())
}

/// Looks in the DNS for the records of keys, and returns the keys in the states that follow.
///
/// # Errors
/// There is no such account, or the store cannot be changed.
pub async fn check(on: &Runtime, asked: CheckDkim) -> Result<Vec<DkimKeyDetails>, OperationError> {
    let (directory, tools) = (&on.directory, on.dkim.load_full());
    let keys: Vec<DkimKey> = {
        let view = directory.view();
        let keys = selected(&view, asked.account.as_deref(), asked.domain.as_ref())?;
        keys.cloned().collect()
    };
    for key in &keys {
        look_at(directory, &*on.events, &tools.resolver, key).await?;
    }
    // A key that was seen may have retired another.
    let view = directory.view();
    let now = keys.iter().filter_map(|key| {
        let name = key.name();
        view.dkim_keys(key.owner).find(|now| now.name() == name)
    });
    let details = now.map(|key| DkimKeyDetails::of(key, tools.zone.as_ref()));
    Ok(details.collect())
}

/// Makes the keys that come after those that sign. Each takes over when its own record is seen.
///
/// # Errors
/// There is no such account, no key signs, a next key waits already, the other selector is in use,
/// or the store cannot be changed.
pub async fn rotate(
    directory: &Arc<Directory>,
    tools: &DkimTools,
    asked: RotateDkim,
) -> Result<Vec<DkimKeyDetails>, OperationError> {
    let view = directory.view();
    let owner = owner(&view, asked.account.as_deref())?;
    let is_used = |algorithm: &Algorithm| {
        view.dkim_keys(owner).any(|key| {
            key.domain == asked.domain
                && key.algorithm == *algorithm
                && matches!(key.state, DkimState::Active | DkimState::Lost)
        })
    };
    let algorithms = chosen(asked.algorithm).into_iter().filter(is_used);
    let algorithms: Vec<_> = algorithms.collect();
    if algorithms.is_empty() {
        let text = format!(
            "no key of {} signs, so there is none to rotate; `gatepost dkim generate` makes one",
            asked.domain
        );
        return Err(OperationError::new(Code::NothingToRotate, text));
    }
    make(directory, tools, owner, asked.domain, algorithms).await
}

/// Retires a key.
///
/// # Errors
/// There is no such account or key, or the store cannot be changed.
pub async fn retire(
    directory: &Arc<Directory>,
    tools: &DkimTools,
    asked: RetireDkim,
) -> Result<DkimKeyDetails, OperationError> {
    let name = DkimKeyName {
        owner: owner(&directory.view(), asked.account.as_deref())?,
        domain: asked.domain.as_ascii().into(),
        selector: asked.selector,
    };
    let retired = move |directory: &Directory| directory.retire_dkim_key(&name, Millis::now());
    let key = change(directory, retired).await?;
    Ok(DkimKeyDetails::of(&key, tools.zone.as_ref()))
}

async fn make(
    directory: &Arc<Directory>,
    tools: &DkimTools,
    owner: KeyOwner,
    domain: Domain,
    algorithms: Vec<Algorithm>,
) -> Result<Vec<DkimKeyDetails>, OperationError> {
    let (prefix, zone) = (tools.prefix.clone(), tools.zone.clone());
    change(directory, move |directory| {
        let make = |algorithm| {
            let turns = Selector::turns(&prefix, algorithm);
            let made =
                directory.add_dkim_key((owner, &domain), algorithm, &turns, Millis::now())?;
            Ok(DkimKeyDetails::of(&made, zone.as_ref()))
        };
        algorithms.into_iter().map(make).collect()
    })
    .await
}

fn chosen(algorithm: Option<Algorithm>) -> Vec<Algorithm> {
    algorithm.map_or_else(|| Algorithm::ALL.to_vec(), |one| vec![one])
}

fn owner(view: &View, account: Option<&str>) -> Result<KeyOwner, Refusal> {
    let id = account.map(|named| account_id(view, named)).transpose()?;
    Ok(id.into())
}

/// Returns the keys of an account, or of all and the site, and of a domain.
fn selected<'v>(
    view: &'v View,
    account: Option<&str>,
    domain: Option<&'v Domain>,
) -> Result<impl Iterator<Item = &'v DkimKey>, Refusal> {
    let account = account.map(|named| account_id(view, named)).transpose()?;
    let keys = view.all_dkim_keys().filter(move |key| {
        account.is_none_or(|id| key.owner == KeyOwner::Account(id))
            && domain.is_none_or(|domain| key.domain == *domain)
    });
    Ok(keys)
}

impl From<LookError> for OperationError {
    fn from(error: LookError) -> Self {
        match error {
            LookError::Directory(error) => error.into(),
            LookError::Task(error) => error.into(),
        }
    }
}
