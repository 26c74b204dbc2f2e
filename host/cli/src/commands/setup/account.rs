//! The account of the set-up: found, or added after a question.

use gatepost_directory::{Account, AccountKind, Name};
use gatepost_message::Domain;
use gatepost_operations::accounts::{AddAccount, ListAccounts};

use super::{Answers, Given, Session, output, spelled};

/// Most accounts that are listed.
const MOST_LISTED: usize = 20;

/// Finds the account that is named, or adds it after a question. With `--yes` one is added only if
/// its product is given.
pub(super) async fn find_or_add(
    session: &mut Session<'_>,
    answers: &mut Answers,
    given: &Given,
) -> miette::Result<Account> {
    let all = session.call(ListAccounts {}).await?;
    if session.is_without_relay() {
        output::complain(session.pasted(&format!(
            "no relay is running on the store {}: what is set up is stored, but no connection is \
             tested, no probe is sent and no link opens until `gatepost serve` runs",
            session.store().display()
        )));
    }
    loop {
        let named = match &given.account {
            Some(named) => named.clone(),
            None => ask(answers, &all)?,
        };
        let domain = spelled::parse::<Domain>(&named);
        let is_named = |of: &&Account| {
            of.id.to_string() == named
                || (domain.as_ref()).is_ok_and(|domain| *domain == of.profile.native_domain)
        };
        if let Some(found) = all.iter().find(is_named) {
            note_product(given, found);
            return Ok(found.clone());
        }
        match add(session, answers, given, &all, &named).await {
            Ok(Some(added)) => return Ok(added),
            Ok(None) if given.account.is_none() => {}
            Ok(None) => return Err(miette::miette!("no account is added")),
            Err(error) if given.account.is_none() && !answers.have_ended() => {
                output::complain(output::error(&error));
            }
            Err(error) => return Err(error),
        }
    }
}

/// Asks for the account. One that is alone is the default.
fn ask(answers: &mut Answers, all: &[Account]) -> miette::Result<String> {
    match all {
        [] => output::complain(
            "there are no accounts yet. The first one needs a native domain: a name of yours at \
             which mail for it comes in, such as acme.desk.example",
        ),
        all => output::complain(format!("accounts: {}", listed(all))),
    }
    if let [one] = all {
        let domain = &one.profile.native_domain;
        let question = format!("account, by its native domain (empty for {domain}):");
        let answer: Option<String> = answers.optional(&question)?;
        return match answer {
            Some(named) => Ok(named),
            None if answers.are_asked() => Ok(domain.to_string()),
            None => answers.needed("", "--account"),
        };
    }
    answers.needed("account, by its native domain:", "--account")
}

/// Adds an account; `None` if the operator does not want it.
async fn add(
    session: &mut Session<'_>,
    answers: &mut Answers,
    given: &Given,
    all: &[Account],
    named: &str,
) -> miette::Result<Option<Account>> {
    let native_domain: Domain = spelled::parse(named).map_err(super::super::report)?;
    if !native_domain.as_ascii().contains('.') {
        return Err(miette::miette!(
            help = match all {
                [] => "name a domain of yours, such as acme.desk.example".to_owned(),
                all => format!("the accounts are: {}", listed(all)),
            },
            "there is no account {named}, and a single label is no native domain"
        ));
    }
    let product: Name = match &given.product {
        Some(product) => product.clone(),
        None => {
            let others = match all {
                [] => String::new(),
                all => format!(" The accounts are: {}.", listed(all)),
            };
            let question = format!("there is no account {native_domain} yet.{others} Add it?");
            if answers.are_asked() && !answers.agrees(&question, false, false)? {
                return Ok(None);
            }
            answers.needed("name of the product, as its users know it:", "--product")?
        }
    };
    let added = AddAccount {
        native_domain,
        product,
        kind: AccountKind::Production,
        time_zone: "UTC".parse().map_err(super::super::report)?,
        brands: Vec::new(),
        test_users: Vec::new(),
        maildir: None,
    };
    let added = session.call(added).await?;
    output::print(format!(
        "added account {} ({})",
        added.profile.native_domain, added.id
    ))?;
    Ok(Some(added))
}

/// Says that the product of an account that there is stays as it is.
fn note_product(given: &Given, found: &Account) {
    let known = &found.profile.product;
    if given.product.as_ref().is_some_and(|given| given != known) {
        output::complain(format!(
            "the product of {} stays {known}: --product is for an account that is added",
            found.profile.native_domain
        ));
    }
}

fn listed(all: &[Account]) -> String {
    let names = all.iter().map(|of| of.profile.native_domain.to_string());
    let mut names: Vec<_> = names.take(MOST_LISTED).collect();
    if let Some(more) = all.len().checked_sub(MOST_LISTED).filter(|of| *of > 0) {
        names.push(format!("and {more} more"));
    }
    names.join(", ")
}
