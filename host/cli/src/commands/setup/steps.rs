//! Steps of the set-up. Each asks for what it needs, and executes operations.

use gatepost_directory::{
    Account, Claim, Connector, ConnectorId, ConnectorKind, DkimState, Protocol,
};
use gatepost_message::{Address, Domain};
use gatepost_operations::Code;
use gatepost_operations::accounts::ShowAccount;
use gatepost_operations::addresses::AddAddress;
use gatepost_operations::connectors::{AddConnector, ListConnectors};
use gatepost_operations::credentials::{IssueInbound, RemoveCredential};
use gatepost_operations::dkim::{CheckDkim, DkimKeyDetails, GenerateDkim, ShowDkim};
use gatepost_operations::handovers::HandOver;
use gatepost_operations::progress::{Progress, Step};

use super::spelled::Spelled;
use super::{Answers, Given, GivenFiles, Session, connection, output, ownership, verification};
use crate::commands::credential;

/// Most domains that are listed.
const MOST_LISTED: usize = 20;

/// Options that the operator has given, and answers.
pub(super) struct Operator<'a> {
    pub(super) answers: &'a mut Answers,
    pub(super) given: &'a Given,
    pub(super) files: &'a GivenFiles,
    /// Steps that are put off.
    pub(super) put_off: &'a mut Vec<Step>,
}

/// Finds the connector of the domain, or adds it.
pub(super) async fn connector(
    session: &mut Session<'_>,
    answers: &mut Answers,
    given: &Given,
    account: &Account,
) -> miette::Result<Connector> {
    let all = session.call(ListConnectors { account: None }).await?;
    let (own, others): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|of| of.claim.account == account.id);
    let domain = match &given.domain {
        Some(domain) => domain.clone(),
        None => {
            if !own.is_empty() {
                let begun = own.iter().take(MOST_LISTED);
                let begun = begun.map(|of| format!("{} ({})", of.claim.domain, of.state));
                let begun: Vec<_> = begun.collect();
                output::complain(format!("domains that are begun: {}", begun.join(", ")));
            }
            let Spelled(domain) = answers.needed("domain of the customer:", "--domain")?;
            domain
        }
    };
    let domain: Domain = domain;
    if let Some(found) = own.into_iter().find(|of| of.claim.domain == domain) {
        let (id, is) = (found.id, found.claim.kind);
        if let Some(kind) = given.kind.filter(|kind| *kind != is) {
            let help = format!(
                "`gatepost connector set-kind {id} {kind}` changes it; without --kind the set-up \
                 goes on as {is}"
            );
            return Err(miette::miette!(
                help = session.pasted(&help),
                "{domain} is connected as {is} already, not as {kind}"
            ));
        }
        output::print(format!("{domain} is connected as {is} ({id})"))?;
        return Ok(found);
    }
    for other in others.iter().filter(|of| of.claim.domain == domain) {
        let shown = session.try_call(ShowAccount {
            account: other.claim.account.to_string(),
        });
        let named = match shown.await? {
            Ok(of) => of.profile.native_domain.to_string(),
            Err(_) => other.claim.account.to_string(),
        };
        output::complain(format!(
            "warning: the account {named} has connected {domain}, too ({}, {}): it belongs to the \
             one that proves it or is vouched for first",
            other.id, other.state
        ));
    }
    let kind = match given.kind {
        Some(kind) => kind,
        None => {
            output::complain(
                "forwarded: their server forwards mail to us, and ours send in their name\n\
                 outbound-only: their server forwards mail to us, and sends what we hand it\n\
                 two-way: their server logs in and hands us mail, and sends what we hand it",
            );
            let Spelled(kind) =
                answers.needed("kind (forwarded, outbound-only or two-way):", "--kind")?;
            kind
        }
    };
    let kind: ConnectorKind = kind;
    let added = AddConnector {
        account: account.id.to_string(),
        domain: domain.clone(),
        name: None,
        kind,
        protocol: Protocol::Plain,
    };
    let added = session.call(added).await?;
    output::print(format!("connected {domain} as {kind} ({})", added.id))?;
    Ok(added)
}

/// Adds the support addresses that are given and not there yet.
pub(super) async fn addresses(
    session: &mut Session<'_>,
    given: &[Address],
    connector: ConnectorId,
) -> miette::Result<()> {
    let progress = super::show(session, connector).await?;
    for address in given {
        let mut known = progress.addresses.iter();
        if !known.any(|of| of.address.is_same_mailbox(address)) {
            add_address(session, &progress.connector.claim, address.clone()).await?;
        }
    }
    Ok(())
}

async fn add_address(
    session: &mut Session<'_>,
    claim: &Claim,
    address: Address,
) -> miette::Result<()> {
    let added = AddAddress {
        account: claim.account.to_string(),
        brand: None,
        address: address.clone(),
    };
    session.call(added).await?;
    output::print(format!("added support address {address}"))
}

/// Does a step that is missing; returns false if the operator puts it off, or can do nothing now.
pub(super) async fn take(
    step: Step,
    session: &mut Session<'_>,
    operator: &mut Operator<'_>,
    progress: &Progress,
) -> miette::Result<bool> {
    let (answers, given) = (&mut *operator.answers, operator.given);
    match step {
        Step::Ownership => ownership::show(session, answers, given, progress).await,
        Step::Address => first_addresses(session, answers, progress).await,
        Step::Credential => issue(session, answers, given, progress).await,
        Step::Connection => connection::add(session, operator, progress).await,
        Step::WorkingConnection => connection::mend(session, operator, progress).await,
        Step::Signature => signature(session, answers, progress).await,
        Step::InboundVerification | Step::OutboundVerification => {
            verification::take(step, session, answers, progress).await
        }
        // The customer's server has to do something first.
        Step::LogIn => Ok(false),
    }
}

async fn first_addresses(
    session: &mut Session<'_>,
    answers: &mut Answers,
    progress: &Progress,
) -> miette::Result<bool> {
    let claim = &progress.connector.claim;
    let domain = &claim.domain;
    let mut added = false;
    loop {
        let question = match added {
            false => format!("support address, such as help@{domain} (empty for later):"),
            true => "another support address (empty if there is none):".to_owned(),
        };
        let Some(address) = answers.optional::<Address>(&question)? else {
            if !added {
                output::complain("add at least one support address to finish");
            }
            return Ok(added);
        };
        match add_address(session, claim, address).await {
            Ok(()) => added = true,
            Err(error) => output::complain(output::error(&error)),
        }
    }
}

/// Issues a credential, and hands it over by a link where the site can.
async fn issue(
    session: &mut Session<'_>,
    answers: &mut Answers,
    given: &Given,
    progress: &Progress,
) -> miette::Result<bool> {
    let question = "issue a credential for the customer's server now?";
    if !answers.agrees(question, true, true)? {
        return Ok(false);
    }
    let issued = session.call(IssueInbound {
        connector: progress.connector.id.into(),
        alias: false,
    });
    let issued = issued.await?;
    let user_name = issued.credential.user_name.clone();
    let handed_over = session.try_call(HandOver {
        user_name: user_name.clone(),
        expires: given.link_expires,
    });
    match handed_over.await? {
        Ok(link) => {
            if session.is_without_relay() {
                output::complain(session.pasted(credential::NO_PAGE));
            }
            output::print(credential::link_in_words(&link))?;
        }
        Err(error) if error.code == Code::NoHandoverPage => {
            output::print(credential::in_words(&issued))?;
        }
        Err(error) => {
            session.call(RemoveCredential { user_name }).await?;
            return Err(session.report(error));
        }
    }
    Ok(true)
}

/// Makes DKIM keys, and looks for their records.
async fn signature(
    session: &mut Session<'_>,
    answers: &mut Answers,
    progress: &Progress,
) -> miette::Result<bool> {
    let claim = &progress.connector.claim;
    let account = Some(claim.account.to_string());
    let shown = session.call(ShowDkim {
        account: account.clone(),
        domain: Some(claim.domain.clone()),
    });
    let mut keys = shown.await?;
    if keys.is_empty() {
        let question = format!("make DKIM keys, to send in the name of {}?", claim.domain);
        if !answers.agrees(&question, true, true)? {
            return Ok(false);
        }
        let generated = session.call(GenerateDkim {
            account,
            algorithm: None,
            domain: claim.domain.clone(),
        });
        keys = generated.await?;
    }
    output::print("records to publish:")?;
    for key in &keys {
        output::print(line(key))?;
    }
    while answers.agrees("look for the records in the DNS now?", true, false)? {
        let checked = look_for_records(session, claim).await?;
        let is_active = |key: &DkimKeyDetails| key.state == DkimState::Active;
        if checked.iter().any(is_active) {
            output::print(format!("mail is signed for {}", claim.domain))?;
            return Ok(true);
        }
        for key in &checked {
            let found = key.finding.as_deref().unwrap_or("it was not seen");
            output::complain(format!("{}: {found}", key.record.name));
        }
    }
    Ok(false)
}

/// Looks for the records of the DKIM keys of a domain in the DNS.
pub(super) async fn look_for_records(
    session: &mut Session<'_>,
    claim: &Claim,
) -> miette::Result<Vec<DkimKeyDetails>> {
    let check = CheckDkim {
        account: Some(claim.account.to_string()),
        domain: Some(claim.domain.clone()),
    };
    session.call(check).await
}

fn line(key: &DkimKeyDetails) -> &str {
    let alias = key.record.alias.as_ref();
    alias.map_or(&key.record.line, |alias| &alias.line)
}
