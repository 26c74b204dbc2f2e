//! Restrictions on what accounts submit: caps, what counts towards them, and suspensions.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use clap::Args;
use gatepost_config::Config;
use gatepost_counters::Memory;
use gatepost_directory::{Directory, Reason, Restriction, Scope, Suspension, UserName, View};
use gatepost_intake::suspension;
use gatepost_message::{Domain, Millis, domain_to_ascii};
use gatepost_model::{Event, NoticeSubject};
use gatepost_trace::Kind;
use gatepost_volume::{Cap, CapError, Caps, SiteCaps, Subject, Used, used};
use serde::{Deserialize, Serialize};

use crate::directory::{account_name, change, unknown};
use crate::error::OperationError;
use crate::runtime::Runtime;

/// Part of the configuration that restrictions build on.
#[derive(Debug, Clone, Default)]
pub struct SiteVolume {
    /// Caps of the site.
    pub(crate) caps: SiteCaps,
    /// Domains and users of each account of the configuration; `None` if that is not known.
    accounts: Option<BTreeMap<String, BTreeSet<Subject>>>,
}

impl SiteVolume {
    /// Returns false if the configuration has no account of this id.
    pub(crate) fn may_have(&self, account: &str) -> bool {
        let accounts = self.accounts.as_ref();
        accounts.is_none_or(|accounts| accounts.contains_key(account))
    }

    /// Returns true if an event of the trace shows that its transaction is of this account of the
    /// configuration: by its user, or by the domain of a recipient.
    pub(crate) fn shows(&self, account: &str, kind: &Kind) -> bool {
        let subject = match kind {
            Kind::Begun { session } => session.user.clone().map(Subject::Credential),
            Kind::Recipient { address, .. } => {
                domain_to_ascii(address.domain()).map(Subject::Domain)
            }
            _ => None,
        };
        let owned = self.accounts.as_ref().and_then(|all| all.get(account));
        subject.is_some_and(|subject| owned.is_some_and(|owned| owned.contains(&subject)))
    }
}

impl From<&Config> for SiteVolume {
    fn from(config: &Config) -> Self {
        let accounts = config.accounts.iter().map(|account| {
            let domains = account.domains.iter().chain(&account.sending_domains);
            let domains = domains.map(|domain| Subject::Domain(domain.as_ascii().to_owned()));
            let users = account.users.iter();
            let users = users.map(|user| Subject::Credential(user.name.clone()));
            (account.id.clone(), domains.chain(users).collect())
        });
        Self {
            caps: config.caps,
            accounts: Some(accounts.collect()),
        }
    }
}

/// Request to suspend an account: it submits nothing, and its queued mail is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuspendAccount {
    /// Id or native domain of the account.
    pub account: String,
    /// Reason, for operators.
    #[arg(long, value_name = "TEXT")]
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Request to end the suspension of an account, and to release its mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResumeAccount {
    /// Id or native domain of the account.
    pub account: String,
}

/// Account that was resumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ResumedAccount {
    /// Id of the account.
    pub account: String,
    /// Number of messages that were held, and are due now.
    pub released: u64,
}

/// Cap that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub enum WantedCap {
    /// This one.
    Own(Cap),
    /// The site's.
    Default,
}

impl WantedCap {
    const DEFAULT: &str = "default";

    fn own(self) -> Option<Cap> {
        match self {
            Self::Own(cap) => Some(cap),
            Self::Default => None,
        }
    }
}

impl FromStr for WantedCap {
    type Err = CapError;

    fn from_str(text: &str) -> Result<Self, CapError> {
        match text {
            Self::DEFAULT => Ok(Self::Default),
            cap => cap.parse().map(Self::Own),
        }
    }
}

impl TryFrom<String> for WantedCap {
    type Error = CapError;

    fn try_from(text: String) -> Result<Self, CapError> {
        text.parse()
    }
}

impl fmt::Display for WantedCap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(cap) => cap.fmt(f),
            Self::Default => f.write_str(Self::DEFAULT),
        }
    }
}

impl From<WantedCap> for String {
    fn from(cap: WantedCap) -> Self {
        cap.to_string()
    }
}

/// Request to set caps of an account, or of a domain or a credential of it. A cap is a number,
/// `unlimited`, or `default` for the site's; what is left out stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SetCaps {
    /// Id or native domain of the account.
    pub account: String,
    /// For this domain of it, by the reverse-path.
    #[arg(long, conflicts_with = "credential")]
    #[serde(default)]
    pub domain: Option<Domain>,
    /// For this credential or user of it.
    #[arg(long, value_name = "USER NAME")]
    #[serde(default)]
    pub credential: Option<String>,
    /// Messages of an hour.
    #[arg(long, value_name = "CAP")]
    #[serde(default)]
    pub messages_an_hour: Option<WantedCap>,
    /// Messages of a day.
    #[arg(long, value_name = "CAP")]
    #[serde(default)]
    pub messages_a_day: Option<WantedCap>,
    /// Recipients of an hour.
    #[arg(long, value_name = "CAP")]
    #[serde(default)]
    pub recipients_an_hour: Option<WantedCap>,
    /// Recipients of a day.
    #[arg(long, value_name = "CAP")]
    #[serde(default)]
    pub recipients_a_day: Option<WantedCap>,
}

impl SetCaps {
    fn subject(&self) -> Subject {
        match (&self.domain, &self.credential) {
            (Some(domain), _) => Subject::Domain(domain.as_ascii().to_ascii_lowercase()),
            (None, Some(name)) => Subject::Credential(name.clone()),
            (None, None) => Subject::Account,
        }
    }

    /// Returns the caps with what is asked for in the place of what was.
    fn over(&self, former: Caps) -> Caps {
        let set = |wanted: Option<WantedCap>, former| wanted.map_or(former, WantedCap::own);
        Caps {
            messages_an_hour: set(self.messages_an_hour, former.messages_an_hour),
            messages_a_day: set(self.messages_a_day, former.messages_a_day),
            recipients_an_hour: set(self.recipients_an_hour, former.recipients_an_hour),
            recipients_a_day: set(self.recipients_a_day, former.recipients_a_day),
        }
    }
}

/// Request for the caps of an account, and for what counts towards them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowVolume {
    /// Id or native domain of the account.
    pub account: String,
}

/// Volume of an account: of itself, of its domains and of its credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct AccountVolume {
    /// Id of the account.
    pub account: String,
    /// Suspension, while there is one.
    pub suspended: Option<Suspension>,
    /// Volume of each part.
    pub volume: Vec<SubjectVolume>,
}

/// Caps of one part of an account, and what counts towards them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct SubjectVolume {
    /// Account, domain or credential.
    #[serde(flatten)]
    pub subject: Subject,
    /// Caps in force; one that is left out is no bound.
    pub caps: Caps,
    /// Messages and recipients that were accepted.
    pub accepted: Used,
}

/// Suspends an account. It holds at once, and after a restart.
///
/// # Errors
/// There is no such account, or the store cannot be changed.
pub async fn suspend(on: &Runtime, asked: SuspendAccount) -> Result<Restriction, OperationError> {
    let account = account_name(&on.directory, &asked.account);
    let reason = asked.reason;
    let suspended = change(&on.directory, move |directory| {
        directory.suspend(&account, reason)
    });
    let suspended = suspended.await?;
    let reason = suspended
        .suspended
        .as_ref()
        .and_then(|of| of.reason.as_ref());
    let reason = reason.map(Reason::as_str).unwrap_or_default();
    tracing::warn!(account = suspended.account, reason, "account suspended");
    notice(on, &suspended.account, "the account is suspended").await;
    Ok(suspended)
}

/// Ends the suspension of an account, and releases the mail that it held.
///
/// # Errors
/// There is no such account, or a store cannot be changed.
pub async fn resume(on: &Runtime, asked: ResumeAccount) -> Result<ResumedAccount, OperationError> {
    let account = account_name(&on.directory, &asked.account);
    let resumed = change(&on.directory, move |directory| directory.resume(&account));
    let account = resumed.await?.account;
    tracing::warn!(account, "account resumed");
    notice(on, &account, "the account is resumed").await;
    let view = on.directory.view();
    let released = suspension::release(&*on.queue, &on.trace, &view, Some(&account)).await?;
    Ok(ResumedAccount { account, released })
}

/// Tells of a suspension or its end by an event. The change itself has been made.
async fn notice(on: &Runtime, account: &str, text: &str) {
    let account = Some(account.to_owned());
    let text = text.to_owned();
    on.notice(Event::notice(
        account,
        NoticeSubject::Suspend,
        text,
        Millis::now(),
    ))
    .await;
}

/// Sets caps, and returns the volume of the account.
///
/// # Errors
/// There is no such account or credential, or the store cannot be changed.
pub async fn set_caps(on: &Runtime, asked: SetCaps) -> Result<AccountVolume, OperationError> {
    let account = account_name(&on.directory, &asked.account);
    let subject = asked.subject();
    let known = of_account(on, &account)?;
    if !known.contains(&subject) && asked.credential.is_some() {
        return Err(unknown("credential", asked.credential.unwrap_or_default()).into());
    }
    let named = account.clone();
    let set = change(&on.directory, move |directory: &Directory| {
        let view = directory.view();
        let former = view.restriction(&named);
        let former = former.map_or_else(Caps::default, |of| of.caps.of(&subject));
        directory.set_caps(&named, &subject, asked.over(former))
    });
    set.await?;
    volume(on, &account)
}

/// Shows the volume of an account.
///
/// # Errors
/// There is no such account.
pub fn show(on: &Runtime, asked: ShowVolume) -> Result<AccountVolume, OperationError> {
    volume(on, &account_name(&on.directory, &asked.account))
}

fn volume(on: &Runtime, account: &str) -> Result<AccountVolume, OperationError> {
    let (site, view, now) = (on.site.load_full(), on.directory.view(), Millis::now());
    let restriction = view.restriction(account);
    let own = restriction.map(|restriction| &restriction.caps);
    let volume = of_account(on, account)?.into_iter().map(|subject| {
        let accepted = used(&*on.counters as &dyn Memory, account, &subject, now);
        SubjectVolume {
            caps: site.caps.in_force(own, &subject),
            accepted,
            subject,
        }
    });
    Ok(AccountVolume {
        volume: volume.collect(),
        suspended: view.suspension(account).cloned(),
        account: account.to_owned(),
    })
}

/// Returns what counts apart in an account, the account itself first.
fn of_account(on: &Runtime, account: &str) -> Result<BTreeSet<Subject>, OperationError> {
    let (site, view) = (on.site.load_full(), on.directory.view());
    let of_directory = of_directory(&view, account);
    let configured = site.accounts.as_ref();
    let configured = configured.and_then(|accounts| accounts.get(account).cloned());
    let mut all = match (of_directory, configured, view.restriction(account)) {
        (None, None, None) => return Err(unknown("account", account).into()),
        (of_directory, configured, _) => of_directory.or(configured).unwrap_or_default(),
    };
    all.insert(Subject::Account);
    if let Some(restriction) = view.restriction(account) {
        let (domains, names) = (&restriction.caps.domains, &restriction.caps.credentials);
        all.extend(domains.keys().cloned().map(Subject::Domain));
        all.extend(names.keys().cloned().map(Subject::Credential));
    }
    Ok(all)
}

fn of_directory(view: &View, account: &str) -> Option<BTreeSet<Subject>> {
    let id = account.parse().ok()?;
    let native = &view.account(id)?.profile.native_domain;
    let connected = view.connectors(id).iter().map(|of| &of.claim.domain);
    let domains = std::iter::once(native).chain(connected);
    let domains = domains.map(|domain| Subject::Domain(domain.as_ascii().to_ascii_lowercase()));
    let credentials = view.credentials_of(id).into_iter();
    let submit = credentials.filter(|of| of.scope == Scope::Submission && of.ended.is_none());
    let names = submit.map(|of| Subject::Credential(of.user_name.to_string()));
    Some(domains.chain(names).collect())
}

/// Returns what was accepted with a credential.
pub(crate) fn accepted_with(on: &Runtime, account: &str, user: &UserName) -> Used {
    let subject = Subject::Credential(user.to_string());
    used(
        &*on.counters as &dyn Memory,
        account,
        &subject,
        Millis::now(),
    )
}
