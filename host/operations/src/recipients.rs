//! One look-up of an address before an application writes to it.

use clap::Args;
use gatepost_counters::Memory;
use gatepost_directory::Partner;
use gatepost_intake::pipeline::suppressed;
use gatepost_message::{Address, Millis, canonical_form};
use gatepost_model::{Machine, Suppression, SuppressionCause};
use gatepost_spool::SuppressionFilter;
use serde::{Deserialize, Serialize};

use crate::directory::account_id;
use crate::error::OperationError;
use crate::runtime::Runtime;

/// Request for what is known of an address to which an account is about to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LookUpRecipient {
    /// Id or native domain of the account.
    pub account: String,
    /// Address of the recipient.
    pub address: Address,
}

/// Facts about an address to which an account is about to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RecipientFacts {
    /// Id of the account.
    pub account: String,
    /// Address that was looked up.
    pub address: Address,
    /// Agreement or list by which it is a partner's, if it is one: it gets tickets, and no mail.
    pub partner: Option<Partner>,
    /// Evidence that a machine writes from it, such as another help desk, if there is some.
    pub machine: Option<Machine>,
    /// Entry of the suppression list, if it is on it: mail to it is refused.
    pub suppressed: Option<Suppression>,
    /// Failures that were counted, and the last of them, while it is not suppressed.
    pub last_failure: Option<Suppression>,
    /// Sentence to show to whoever is about to write.
    pub sentence: String,
}

/// Looks an address up.
///
/// # Errors
/// There is no such account, or the store cannot be read.
pub async fn look_up(
    on: &Runtime,
    asked: LookUpRecipient,
) -> Result<RecipientFacts, OperationError> {
    let LookUpRecipient { account, address } = asked;
    let view = on.directory.view();
    let id = account_id(&view, &account)?;
    let account = id.to_string();
    let memory = &*on.counters as &dyn Memory;
    let machine = memory.machine(&account, &canonical_form(address.as_str()), Millis::now());
    let suppressed = (on.suppressions)
        .find(&account, &Suppression::key(&address))
        .await?;
    let last_failure = match suppressed {
        Some(_) => None,
        None => counted(on, &account, &address).await?,
    };
    let partner = view.partner(id, &address);
    let mut facts = RecipientFacts {
        account,
        address,
        partner,
        machine,
        suppressed,
        last_failure,
        sentence: String::new(),
    };
    facts.sentence = facts.sentence();
    Ok(facts)
}

/// Returns the failures of an address that are counted and have not suppressed it.
async fn counted(
    on: &Runtime,
    account: &str,
    address: &Address,
) -> Result<Option<Suppression>, OperationError> {
    let key = Suppression::key(address);
    let filter = SuppressionFilter {
        account: Some(account.to_owned()),
        cause: Some(SuppressionCause::Counting),
        after: Some((account.to_owned(), just_before(&key))),
        limit: 1,
    };
    let found = on.suppressions.page(filter).await?;
    Ok(found.into_iter().find(|found| found.address == key))
}

/// Returns a text behind which no other address comes before this one.
fn just_before(key: &str) -> String {
    let mut text = key.to_owned();
    let last = text.pop().map(u32::from);
    let before = last.and_then(|last| char::from_u32(last.checked_sub(1)?));
    if let Some(before) = before {
        text.push(before);
        text.push(char::MAX);
    }
    text
}

impl RecipientFacts {
    /// Returns the sentence for what weighs most.
    fn sentence(&self) -> String {
        let Self {
            address,
            partner,
            machine,
            suppressed,
            last_failure,
            ..
        } = self;
        if let Some(entry) = suppressed {
            let reply = suppressed::reply(address, entry);
            return format!(
                "Mail to it is refused: {}.",
                reply.text().trim_end_matches('.')
            );
        }
        if partner.is_some() {
            return format!(
                "<{address}> is a partner's, with whom this account shares tickets: it gets the \
                 ticket, and no mail."
            );
        }
        if let Some(machine) = machine {
            return format!(
                "A machine writes from <{address}>: {}. Automatic mail is not sent to it; what a \
                 person writes is.",
                machine.evidence.trim_end_matches('.')
            );
        }
        match last_failure {
            Some(failure) => format!(
                "Mail to <{address}> has failed {} times, the last time at {}: {}.",
                failure.count,
                failure.at,
                failure.evidence.trim_end_matches('.')
            ),
            None => format!("Nothing speaks against writing to <{address}>."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_address_itself_comes_behind() {
        let before = just_before("ann@customer.example");
        assert!(before.as_str() < "ann@customer.example");
        for other in [
            "ann@customer.exampld",
            "ann@customer.exampl",
            "ann@customer.exampldz",
        ] {
            assert!(other < before.as_str(), "{other}");
        }
    }
}
