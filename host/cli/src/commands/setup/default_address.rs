//! The default address of the account, in whose name mail leaves where its own is not proved.

use gatepost_directory::Account;
use gatepost_message::Address;
use gatepost_operations::Code;
use gatepost_operations::accounts::SetDefaultAddress;
use gatepost_operations::addresses::AddAddress;

use super::{Answers, Given, Session, output};

/// Sets the default address that is given, or asks for one where the account has none. A support
/// address is made of it first.
pub(super) async fn choose(
    session: &mut Session<'_>,
    answers: &mut Answers,
    given: &Given,
    account: &Account,
) -> miette::Result<()> {
    let known = account.details.default_address.as_ref();
    if let Some(address) = &given.default_address {
        return match known.is_some_and(|known| known.is_same_mailbox(address)) {
            true => Ok(()),
            false => set(session, account, address.clone()).await,
        };
    }
    if known.is_some() {
        return Ok(());
    }
    let native = &account.profile.native_domain;
    let question = format!(
        "default address, in whose name mail leaves where its own is not proved, such as \
         help@{native} (empty for later):"
    );
    while let Some(address) = answers.optional::<Address>(&question)? {
        match set(session, account, address).await {
            Ok(()) => break,
            Err(error) => output::complain(output::error(&error)),
        }
    }
    Ok(())
}

async fn set(session: &mut Session<'_>, account: &Account, address: Address) -> miette::Result<()> {
    let id = account.id.to_string();
    let set = || SetDefaultAddress {
        account: id.clone(),
        brand: None,
        address: Some(address.clone()),
    };
    match session.try_call(set()).await? {
        Ok(_) => {}
        Err(error) if error.code == Code::UnknownAddress => {
            let added = AddAddress {
                account: id.clone(),
                brand: None,
                address: address.clone(),
            };
            session.call(added).await?;
            session.call(set()).await?;
        }
        Err(error) => return Err(session.report(error)),
    }
    output::print(format!("{address} is the default address"))
}
