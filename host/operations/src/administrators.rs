//! Administrators of accounts: the people whom security notices go to. They prove their addresses by
//! codes that are sent there.

use std::sync::Arc;

use clap::Args;
use gatepost_administrators::LetterSettings;
use gatepost_config::Config;
use gatepost_delivery::{Language, Notifications};
use gatepost_directory::{AccountId, Administrator, CodeOutcome, Name};
use gatepost_message::{Address, Millis};
use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::directory::{account_id, change};
use crate::error::OperationError;
use crate::runtime::Runtime;

/// Request to add an administrator, to whose address a code is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddAdministrator {
    /// Id or native domain of the account.
    pub account: String,
    /// Address of the person.
    pub address: Address,
    /// Name of the person.
    #[arg(long)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// Language of notices by its tag: en or pt, or one of these with a region.
    #[arg(long, value_name = "TAG", default_value = "en")]
    #[serde(default = "english")]
    pub language: String,
}

/// Request for the administrators of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAdministrators {
    /// Id or native domain of the account.
    pub account: String,
}

/// Request to prove an administrator's address by the code that was sent there; without a code, to
/// send another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyAdministrator {
    /// Id or native domain of the account.
    pub account: String,
    /// Address of the administrator.
    pub address: Address,
    /// Code that was sent to the address; without it, another one is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// Request to set the language of an administrator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetAdministratorLanguage {
    /// Id or native domain of the account.
    pub account: String,
    /// Address of the administrator.
    pub address: Address,
    /// Language by its tag: en or pt, or one of these with a region.
    #[arg(value_name = "TAG")]
    pub language: String,
}

/// Request to remove an administrator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveAdministrator {
    /// Id or native domain of the account.
    pub account: String,
    /// Address of the administrator.
    pub address: Address,
}

/// Administrator of an account, without what is kept of a code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ShownAdministrator {
    /// Id of the account.
    pub account: AccountId,
    /// Address of the person.
    pub address: Address,
    /// Name of the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// Language of notices.
    pub language: String,
    /// Time of addition.
    pub added: Millis,
    /// Time at which the address was proved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<Millis>,
    /// Time until which the code that was sent last is good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_until: Option<Millis>,
}

impl From<Administrator> for ShownAdministrator {
    fn from(of: Administrator) -> Self {
        Self {
            account: of.account,
            address: of.address,
            name: of.name,
            language: of.language,
            added: of.added,
            verified: of.verified,
            code_until: of.code.map(|code| code.expires()),
        }
    }
}

fn english() -> String {
    "en".to_owned()
}

/// Adds an administrator, and sends a code to the address.
///
/// # Errors
/// There is no such account, it has the address or as many administrators as it may have, notices are
/// not written in the language, or a store cannot be changed.
pub async fn add(
    on: &Runtime,
    asked: AddAdministrator,
) -> Result<ShownAdministrator, OperationError> {
    let id = account_id(&on.directory.view(), &asked.account)?;
    check_language(&asked.language)?;
    let AddAdministrator {
        address,
        name,
        language,
        ..
    } = asked;
    let to = address.clone();
    change(&on.directory, move |directory| {
        directory.add_administrator(id, address, name, language)
    })
    .await?;
    send_code(on, id, to).await
}

/// Lists the administrators of an account.
///
/// # Errors
/// There is no such account.
pub fn list(
    on: &Runtime,
    asked: ListAdministrators,
) -> Result<Vec<ShownAdministrator>, OperationError> {
    let view = on.directory.view();
    let id = account_id(&view, &asked.account)?;
    let all = view.administrators(id).iter().cloned();
    Ok(all.map(ShownAdministrator::from).collect())
}

/// Proves an administrator's address by a code, or sends one.
///
/// # Errors
/// There is no such administrator, the code is not the one that was sent or none is good any more, one
/// was sent a moment ago, or a store cannot be changed.
pub async fn verify(
    on: &Runtime,
    asked: VerifyAdministrator,
) -> Result<ShownAdministrator, OperationError> {
    let id = account_id(&on.directory.view(), &asked.account)?;
    let VerifyAdministrator { address, code, .. } = asked;
    let Some(code) = code else {
        return send_code(on, id, address).await;
    };
    let taken = change(&on.directory, move |directory| {
        directory.take_code(id, &address, &code, Millis::now())
    });
    match taken.await? {
        CodeOutcome::Verified(administrator) => Ok((*administrator).into()),
        CodeOutcome::Wrong(left) => {
            let text = format!("that is not the code; {left} more may be given");
            Err(OperationError::new(Code::WrongCode, text))
        }
        CodeOutcome::NoCode => {
            let text = "no code is good for the address: it is too old, was used, or too many wrong \
                        ones were given";
            Err(OperationError::new(Code::NoCode, text))
        }
    }
}

/// Sets the language of an administrator.
///
/// # Errors
/// There is no such administrator, notices are not written in the language, or the store cannot be
/// changed.
pub async fn set_language(
    on: &Runtime,
    asked: SetAdministratorLanguage,
) -> Result<ShownAdministrator, OperationError> {
    let id = account_id(&on.directory.view(), &asked.account)?;
    check_language(&asked.language)?;
    let SetAdministratorLanguage {
        address, language, ..
    } = asked;
    let changed = change(&on.directory, move |directory| {
        directory.set_administrator_language(id, &address, language)
    });
    Ok(changed.await?.into())
}

/// Removes an administrator.
///
/// # Errors
/// There is no such administrator, or the store cannot be changed.
pub async fn remove(on: &Runtime, asked: RemoveAdministrator) -> Result<(), OperationError> {
    let id = account_id(&on.directory.view(), &asked.account)?;
    change(&on.directory, move |directory| {
        directory.remove_administrator(id, &asked.address)
    })
    .await
}

/// Returns the settings of letters of a configuration, with its notices.
pub fn letter_settings(config: &Config, notifications: Arc<Notifications>) -> LetterSettings {
    LetterSettings {
        notifications,
        expiry: config.delivery.expiry,
    }
}

/// Makes a code, and queues the letter with it.
async fn send_code(
    on: &Runtime,
    id: AccountId,
    address: Address,
) -> Result<ShownAdministrator, OperationError> {
    let made = change(&on.directory, move |directory| {
        directory.make_code(id, &address, Millis::now())
    });
    let (code, administrator) = made.await?;
    let until = administrator.code.as_ref().map(|code| code.expires());
    on.administrators
        .send_code(&administrator, &code, until.unwrap_or_else(Millis::now))
        .await?;
    Ok(administrator.into())
}

/// Refuses a language that notices are not written in, or that is no tag.
fn check_language(tag: &str) -> Result<(), OperationError> {
    /// Longest tag that is kept (RFC 5646 section 4.4.1).
    const LONGEST: usize = 35;
    let parts = || tag.split('-');
    let is_tag = tag.len() <= LONGEST
        && parts().all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
        });
    match is_tag && Language::of_tag(tag).is_some() {
        true => Ok(()),
        false => {
            let tags = Language::ALL.map(Language::tag).join(" and ");
            let shown: String = tag.chars().take(LONGEST).collect();
            let text = format!("notices are not written in `{shown}`: there are {tags}");
            Err(OperationError::new(Code::UnknownLanguage, text))
        }
    }
}
