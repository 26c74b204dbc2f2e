//! Steps of the set-up. Each asks for what it needs, and executes operations.

use std::path::{Path, PathBuf};

use gatepost_config::SecretSource;
use gatepost_connections::{ConnectionDraft, ConnectionName, Serves};
use gatepost_directory::{Claim, Connector, ConnectorId, ConnectorKind, Name, Protocol};
use gatepost_instructions::{Form, Software};
use gatepost_message::{Address, Domain};
use gatepost_operations::Code;
use gatepost_operations::accounts::{AddAccount, ListAccounts, ShowAccount};
use gatepost_operations::addresses::AddAddress;
use gatepost_operations::connections::{AddConnection, GivenSecret, TestConnection};
use gatepost_operations::connectors::{
    AddConnector, ListConnectors, ProveConnector, VouchConnector,
};
use gatepost_operations::credentials::{IssueInbound, RemoveCredential};
use gatepost_operations::dkim::{CheckDkim, DkimKeyDetails, GenerateDkim, ShowDkim};
use gatepost_operations::handovers::HandOver;
use gatepost_operations::instructions::MakeInstructions;
use gatepost_operations::progress::{Progress, ShowProgress, Step};

use super::{Answers, Given, Session, output, verification};
use crate::commands::{connector, credential};

/// Finds the account, or adds it; returns its id.
pub(super) async fn account(
    session: &mut Session<'_>,
    answers: &mut Answers,
    given: &Given,
) -> miette::Result<String> {
    let named: String = match &given.account {
        Some(named) => named.clone(),
        None => {
            let all = session.call(ListAccounts {}).await?;
            let names = all.iter().map(|of| of.profile.native_domain.as_str());
            let names: Vec<_> = names.collect();
            output::complain(match names.as_slice() {
                [] => "there are no accounts yet: name the native domain of the first".to_owned(),
                names => format!("accounts: {}", names.join(", ")),
            });
            let question = "account, by its native domain (such as acme.desk.example):";
            answers.needed(question, "--account")?
        }
    };
    let asked = ShowAccount {
        account: named.clone(),
    };
    match session.try_call(asked).await? {
        Ok(found) => return Ok(found.id.to_string()),
        Err(error) if error.code == Code::UnknownAccount => {}
        Err(error) => return Err(super::super::operate::report(error)),
    }
    let native_domain: Domain = named.parse().map_err(super::super::report)?;
    let product: Name = match &given.product {
        Some(product) => product.parse().map_err(super::super::report)?,
        None => {
            output::complain(format!("there is no account {named} yet: it is added"));
            answers.needed("name of the product, as its users know it:", "--product")?
        }
    };
    let added = AddAccount {
        native_domain,
        product,
        kind: gatepost_directory::AccountKind::Production,
        time_zone: "UTC".parse().map_err(super::super::report)?,
        brands: Vec::new(),
        test_users: Vec::new(),
        maildir: None,
    };
    let added = session.call(added).await?;
    output::print(format!("added account {} ({})", named, added.id))?;
    Ok(added.id.to_string())
}

/// Finds the connector of the domain, or adds it.
pub(super) async fn connector(
    session: &mut Session<'_>,
    answers: &mut Answers,
    given: &Given,
    account: &str,
) -> miette::Result<ConnectorId> {
    let domain: Domain = match &given.domain {
        Some(domain) => domain.clone(),
        None => answers.needed("domain of the customer:", "--domain")?,
    };
    let all = session.call(ListConnectors {
        account: Some(account.to_owned()),
    });
    let found = all.await?.into_iter().find(|of| of.claim.domain == domain);
    if let Some(Connector { id, claim, .. }) = found {
        if let Some(kind) = given.kind.filter(|kind| *kind != claim.kind) {
            return Err(miette::miette!(
                help = "leave out --kind, or remove the connector first",
                "{domain} is connected as {} already, not as {kind}",
                claim.kind
            ));
        }
        output::print(format!("{domain} is connected as {} ({id})", claim.kind))?;
        return Ok(id);
    }
    let kind: ConnectorKind = match given.kind {
        Some(kind) => kind,
        None => {
            output::complain(
                "forwarded: their server forwards mail to us, and ours send in their name\n\
                 outbound-only: their server forwards mail to us, and sends what we hand it\n\
                 two-way: their server logs in and hands us mail, and sends what we hand it",
            );
            answers.needed("kind (forwarded, outbound-only or two-way):", "--kind")?
        }
    };
    let added = AddConnector {
        account: account.to_owned(),
        domain: domain.clone(),
        name: None,
        kind,
        protocol: Protocol::Plain,
    };
    let id = session.call(added).await?.id;
    output::print(format!("connected {domain} as {kind} ({id})"))?;
    Ok(id)
}

/// Adds the support addresses that are given and not there yet.
pub(super) async fn addresses(
    session: &mut Session<'_>,
    given: &[Address],
    connector: ConnectorId,
) -> miette::Result<()> {
    let progress = session.call(ShowProgress { connector }).await?;
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
    answers: &mut Answers,
    given: &Given,
    progress: &Progress,
) -> miette::Result<bool> {
    match step {
        Step::Ownership => ownership(session, answers, given, progress).await,
        Step::Address => first_addresses(session, answers, progress).await,
        Step::Credential => issue(session, answers, given, progress).await,
        Step::Connection => connection(session, answers, given, progress).await,
        Step::Signature => signature(session, answers, progress).await,
        Step::InboundVerification | Step::OutboundVerification => {
            verification::take(step, session, answers, progress).await
        }
        // Others have to do something first.
        Step::LogIn | Step::WorkingConnection => Ok(false),
    }
}

async fn ownership(
    session: &mut Session<'_>,
    answers: &mut Answers,
    given: &Given,
    progress: &Progress,
) -> miette::Result<bool> {
    let (id, domain) = (progress.connector.id, &progress.connector.claim.domain);
    if !given.vouch {
        match session.try_call(ProveConnector { connector: id }).await? {
            Ok(_) => {
                output::print(format!(
                    "the DNS proves that {domain} is the account's: its addresses receive"
                ))?;
                return Ok(true);
            }
            // The record to publish, or why the DNS says nothing.
            Err(error) if matches!(error.code, Code::NotProved | Code::NoDnsAnswer) => {
                output::complain(error.to_string());
            }
            Err(error) => return Err(super::super::operate::report(error)),
        }
    }
    let question = format!("do you vouch that {domain} is the account's?");
    if !(given.vouch || answers.agrees(&question, false, false)?) {
        return Ok(false);
    }
    let vouched = VouchConnector {
        connector: id,
        outbound: false,
        withdraw_outbound: false,
    };
    session.call(vouched).await?;
    output::print(format!("{domain} is the account's: its addresses receive"))?;
    Ok(true)
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
        connector: progress.connector.id,
        alias: false,
    });
    let issued = issued.await?;
    let user_name = issued.credential.user_name.clone();
    let handed_over = session.try_call(HandOver {
        user_name: user_name.clone(),
        expires: given.link_expires,
    });
    match handed_over.await? {
        Ok(link) => output::print(credential::link_in_words(&link))?,
        Err(error) if error.code == Code::NoHandoverPage => {
            output::print(credential::in_words(&issued))?;
        }
        Err(error) => {
            session.call(RemoveCredential { user_name }).await?;
            return Err(super::super::operate::report(error));
        }
    }
    Ok(true)
}

/// Adds a connection to the customer's server, and opens a session by it.
async fn connection(
    session: &mut Session<'_>,
    answers: &mut Answers,
    given: &Given,
    progress: &Progress,
) -> miette::Result<bool> {
    let claim = &progress.connector.claim;
    let host = match &given.smart_host {
        Some(host) => Some(host.clone()),
        None => {
            let question = "the customer's server, which takes mail from us (empty for later):";
            answers.optional::<String>(question)?
        }
    };
    let Some(host) = host else {
        return Ok(false);
    };
    let port = match given.smart_host_port {
        Some(port) => Some(port),
        None => answers.optional("its port (empty for 587):")?,
    };
    let user: Option<String> = match &given.smart_host_user {
        Some(user) => Some(user.clone()),
        None => answers.optional("user there (empty for none):")?,
    };
    let file = match (&given.smart_host_password_file, &user) {
        (Some(file), _) => Some(file.clone()),
        (None, None) => None,
        (None, Some(_)) => {
            let question = "file with the password (a password that is typed would be shown):";
            Some(answers.needed::<PathBuf>(question, "--smart-host-password-file")?)
        }
    };
    let settings = ConnectionDraft {
        host: Some(host),
        port: port.or(Some(587)),
        user,
        password: file.as_deref().map(read_secret).transpose()?,
        ca: given
            .smart_host_ca
            .as_deref()
            .map(read_secret)
            .transpose()?,
        serves: Some(vec![Serves::Domain(claim.domain.clone())]),
        ..ConnectionDraft::default()
    };
    let name = match &given.connection {
        Some(name) => name.clone(),
        None => connection_name(&claim.domain)?,
    };
    let account = claim.account.to_string();
    let added = session.try_call(AddConnection {
        account: account.clone(),
        name: name.clone(),
        settings,
    });
    if let Err(error) = added.await? {
        output::complain(format!("{error}; {}", error.code.what_to_do()));
        return Ok(false);
    }
    output::print(format!(
        "added connection {name}, which serves @{}",
        claim.domain
    ))?;
    let tested = session.try_call(TestConnection {
        account: Some(account),
        name: name.clone(),
    });
    match tested.await? {
        Ok(test) if test.refused_at.is_none() => {
            output::print(format!("connection {name} was tested: it works"))?;
        }
        Ok(test) => {
            let words = test.words.unwrap_or_default();
            output::complain(format!(
                "connection {name} was tested, and refused: {words}"
            ));
        }
        Err(error) => output::complain(format!("connection {name} was not tested: {error}")),
    }
    Ok(true)
}

/// Returns the name of a connection of a domain: it has the characters of one.
fn connection_name(domain: &Domain) -> miette::Result<ConnectionName> {
    let name: String = domain.as_ascii().chars().take(64).collect();
    name.parse().map_err(super::super::report)
}

fn read_secret(file: &Path) -> miette::Result<GivenSecret> {
    let secret = SecretSource::File(file.to_owned()).read();
    let secret = secret.map_err(|error| miette::miette!("{}: {error}", file.display()))?;
    Ok(GivenSecret::new(&secret))
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
        let is_active = |key: &DkimKeyDetails| key.state == gatepost_directory::DkimState::Active;
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

/// Makes the instructions for the customer's administrator.
pub(super) async fn instructions(
    session: &mut Session<'_>,
    answers: &mut Answers,
    given: &Given,
    connector: ConnectorId,
) -> miette::Result<()> {
    let software = match given.software {
        Some(software) => Some(software),
        None => {
            let question = "instructions for which software (such as postfix, exchange-online or \
                generic; empty for none):";
            answers.optional::<Software>(question)?
        }
    };
    let Some(software) = software else {
        return Ok(());
    };
    let made = session.try_call(MakeInstructions {
        connector,
        software,
        format: Form::Markdown,
    });
    match (made.await?, &given.output) {
        (Ok(made), Some(file)) => {
            connector::write_new(file, &made.text)?;
            output::print(format!("wrote the instructions to {}", file.display()))
        }
        (Ok(made), None) => output::print(made.text.trim_end()),
        (Err(error), _) => {
            output::complain(format!("no instructions: {error}"));
            Ok(())
        }
    }
}
