//! The connection to the customer's server: it is added, tested, and changed by options that are
//! given again.

use std::path::PathBuf;

use gatepost_connections::{
    ConnectionDraft, ConnectionName, Profiles, ServerCredential, ServerTrust, Serves,
};
use gatepost_directory::ConnectorId;
use gatepost_message::Domain;
use gatepost_operations::Code;
use gatepost_operations::connections::{
    AddConnection, ConnectionDetails, ConnectionTest, GivenSecret, ListConnections, SetConnection,
    ShowConnection, TestConnection,
};
use gatepost_operations::progress::{Progress, Step};

use super::given_files::{as_given, read_authorities, read_password};
use super::steps::Operator;
use super::{Answers, Given, GivenFiles, Session, authorization, output};
use crate::commands::connection::read_settings;
use crate::commands::port::ServerPort;

/// Port of submission, which is asked for where no other is named.
const SUBMISSION: u16 = 587;

/// Adds a connection to the customer's server, and opens a session by it. Returns false if it is put
/// off.
pub(super) async fn add(
    session: &mut Session<'_>,
    operator: &mut Operator<'_>,
    progress: &Progress,
) -> miette::Result<bool> {
    let claim = &progress.connector.claim;
    let Some(settings) = settings(operator, &claim.domain)? else {
        return Ok(false);
    };
    let needs_consent = authorization::is_needed(&settings);
    let name = name(operator.given, &claim.domain)?;
    let account = claim.account.to_string();
    let added = session.try_call(AddConnection {
        account: account.clone(),
        name: name.clone(),
        settings,
    });
    if let Err(error) = added.await? {
        output::complain(session.pasted(&format!("{error}; {}", error.code.what_to_do())));
        return Ok(false);
    }
    output::print(format!(
        "added connection {name}, which serves @{}",
        claim.domain
    ))?;
    let may_log_in =
        !needs_consent || authorization::take(session, operator.answers, &account, &name).await?;
    if !may_log_in || !test(session, operator.answers, &account, &name).await? {
        operator.put_off.push(Step::WorkingConnection);
    }
    Ok(true)
}

/// Tests a connection that did not work, once more. Returns false if it still does not.
pub(super) async fn mend(
    session: &mut Session<'_>,
    operator: &mut Operator<'_>,
    progress: &Progress,
) -> miette::Result<bool> {
    let claim = &progress.connector.claim;
    let account = claim.account.to_string();
    let Some(found) = find(session, operator.given, progress).await? else {
        return Ok(false);
    };
    test(session, operator.answers, &account, &found.settings.name).await
}

/// Applies options about the customer's server to a connection that is there, and tests it.
pub(super) async fn apply_given(
    session: &mut Session<'_>,
    given: &Given,
    files: &GivenFiles,
    connector: ConnectorId,
    put_off: &mut Vec<Step>,
) -> miette::Result<()> {
    let progress = super::show(session, connector).await?;
    let Some(found) = find(session, given, &progress).await? else {
        return Ok(());
    };
    let (settings, changes) = changed(given, files, &found);
    if changes.is_empty() {
        return Ok(());
    }
    let (account, name) = (
        progress.connector.claim.account.to_string(),
        found.settings.name.clone(),
    );
    let set = SetConnection {
        account: account.clone(),
        name: name.clone(),
        settings,
    };
    session.call(set).await?;
    output::print(format!("changed connection {name}: {}", changes.join(", ")))?;
    let mut nobody = Answers::nobody();
    if !test(session, &mut nobody, &account, &name).await? {
        put_off.push(Step::WorkingConnection);
    }
    Ok(())
}

/// Returns the settings that options change, and what they are in words. A password that is given
/// always counts as a change: nobody can read the former one.
fn changed(
    given: &Given,
    files: &GivenFiles,
    found: &ConnectionDetails,
) -> (ConnectionDraft<GivenSecret>, Vec<String>) {
    let is = &found.settings;
    let mut settings = ConnectionDraft::default();
    let mut changes = Vec::new();
    if let Some(file) = &files.settings {
        changes.push("the settings of the file".to_owned());
        settings = with_options(given, file.clone());
    }
    let profile = given.smart_host_profile.as_ref();
    if let Some(profile) = profile.filter(|of| **of != is.profile) {
        changes.push(format!("profile {profile}"));
        settings.profile = Some(profile.clone());
    }
    if let Some(host) = given.smart_host.as_ref().filter(|of| **of != is.host) {
        changes.push(format!("server {host}"));
        settings.host = Some(host.clone());
    }
    if let Some(port) = given.smart_host_port.filter(|of| *of != is.port) {
        changes.push(format!("port {port}"));
        settings.port = Some(port);
    }
    let known = match &is.credential {
        ServerCredential::Password { user, .. } => Some(user),
        _ => None,
    };
    if let Some(user) = given
        .smart_host_user
        .as_ref()
        .filter(|of| known != Some(*of))
    {
        changes.push(format!("user {user}"));
        settings.user = Some(user.clone());
    }
    if let Some(password) = &files.password {
        changes.push("password".to_owned());
        settings.password = Some(password.clone());
    }
    if let Some(pem) = &files.authorities {
        let is_same =
            matches!(&is.trust, ServerTrust::Authority(known) if known.trim() == pem.trim());
        if !is_same {
            changes.push("authorities of its certificate".to_owned());
            settings.ca = Some(as_given(pem));
        }
    }
    (settings, changes)
}

/// Finds the connection of the domain: by its name, or as the one that serves the domain.
async fn find(
    session: &mut Session<'_>,
    given: &Given,
    progress: &Progress,
) -> miette::Result<Option<ConnectionDetails>> {
    let claim = &progress.connector.claim;
    let account = Some(claim.account.to_string());
    let named = name(given, &claim.domain)?;
    let all = session.call(ListConnections {
        account: account.clone(),
    });
    let all = all.await?;
    let serves = |sender: &Serves| match sender {
        Serves::Domain(domain) => *domain == claim.domain,
        Serves::Address(address) => claim.domain.matches(address.domain()),
        Serves::Brand(_) => false,
    };
    let by_name = all.iter().find(|of| of.name == named);
    let found = by_name.or_else(|| all.iter().find(|of| of.serves.iter().any(serves)));
    let Some(found) = found else {
        return Ok(None);
    };
    let show = ShowConnection {
        account,
        name: found.name.clone(),
    };
    session.call(show).await.map(Some)
}

/// Returns settings of a file, in which options take the place of what the file says.
fn with_options(given: &Given, file: ConnectionDraft<GivenSecret>) -> ConnectionDraft<GivenSecret> {
    ConnectionDraft {
        profile: given.smart_host_profile.clone().or(file.profile),
        host: given.smart_host.clone().or(file.host),
        port: given.smart_host_port.or(file.port),
        user: given.smart_host_user.clone().or(file.user),
        ..file
    }
}

/// Asks for the settings of a new connection; `None` if they are put off.
fn settings(
    operator: &mut Operator<'_>,
    domain: &Domain,
) -> miette::Result<Option<ConnectionDraft<GivenSecret>>> {
    let (answers, given) = (&mut *operator.answers, operator.given);
    let mut settings = with_options(given, operator.files.settings.clone().unwrap_or_default());
    if settings.profile.is_none() && settings.host.is_none() {
        let question = format!(
            "service of the customer that takes mail from us ({}; empty for a server of their own):",
            Profiles::built_in().names()
        );
        settings.profile = answers.optional::<String>(&question)?;
    }
    let is_service = settings.profile.is_some();
    if settings.host.is_none() {
        let question = match is_service {
            true => "its server (empty for the usual one of the service):",
            false => "the customer's server, which takes mail from us (empty for later):",
        };
        settings.host = answers.optional::<String>(question)?;
    }
    if settings.host.is_none() && !is_service {
        return Ok(None);
    }
    if settings.port.is_none() && !is_service {
        let port: Option<ServerPort> = answers.optional("its port (empty for 587):")?;
        settings.port = Some(port.map_or(SUBMISSION, |ServerPort(port)| port));
    }
    if is_service && operator.files.settings.is_none() && settings.user.is_none() {
        let question = "file with settings of OAuth, with the keys of [connection.NAME] \
                        (empty for a password):";
        if let Some(file) = answers.optional_file(question, read_settings)? {
            settings = ConnectionDraft {
                profile: settings.profile.or(file.profile),
                host: settings.host.or(file.host),
                port: settings.port.or(file.port),
                ..file
            };
        }
    }
    settings.serves = Some(vec![Serves::Domain(domain.clone())]);
    if let Some(authorities) = &operator.files.authorities {
        settings.ca = Some(as_given(authorities));
    }
    if let Some(password) = &operator.files.password {
        settings.password = Some(password.clone());
    }
    let is_asked = settings.grant.is_none();
    if is_asked && settings.user.is_none() {
        settings.user = answers.optional("user there (empty for none):")?;
    }
    if is_asked && settings.user.is_some() && settings.password.is_none() {
        settings.password = Some(answers.read_file(
            "file with the password (a password that is typed would be shown):",
            "--smart-host-password-file",
            read_password,
        )?);
    }
    Ok(Some(settings))
}

/// Opens a session by a connection, and says what came of it. Where nobody known vouches for the
/// certificate, asks for the authority and tries again. Returns true if it works.
async fn test(
    session: &mut Session<'_>,
    answers: &mut Answers,
    account: &str,
    name: &ConnectionName,
) -> miette::Result<bool> {
    loop {
        let tested = session.try_call(TestConnection {
            account: Some(account.to_owned()),
            name: name.clone(),
        });
        let test = match tested.await? {
            Ok(test) => test,
            // It was said at the beginning that no relay runs.
            Err(error) if error.code == Code::RelayNotRunning => {
                output::complain(format!("connection {name} was not tested: {error}"));
                return Ok(false);
            }
            Err(error) => {
                output::complain(session.pasted(&format!(
                    "connection {name} was not tested: {error}; {}",
                    error.code.what_to_do()
                )));
                return Ok(false);
            }
        };
        if test.refused_at.is_none() {
            output::print(format!("connection {name} was tested: it works"))?;
            return Ok(true);
        }
        output::complain(session.pasted(&refusal(name, &test)));
        if !is_of_unknown_issuer(&test) {
            return Ok(false);
        }
        let question =
            "file of the authority that signed its certificate, as PEM (empty for later):";
        let Some(pem) = answers.optional_file(question, read_authorities)? else {
            return Ok(false);
        };
        let set = SetConnection {
            account: account.to_owned(),
            name: name.clone(),
            settings: ConnectionDraft {
                ca: Some(as_given(&pem)),
                ..ConnectionDraft::default()
            },
        };
        session.call(set).await?;
    }
}

fn refusal(name: &ConnectionName, test: &ConnectionTest) -> String {
    let words = test.words.as_deref().unwrap_or_default();
    let advice = test.meaning.as_ref().map(|of| of.advice.as_str());
    let mut text = format!("connection {name} was tested, and refused: {words}");
    if let Some(advice) = advice {
        text += &format!("\nadvice: {advice}");
    }
    if is_of_unknown_issuer(test) {
        text +=
            "\nif an authority of its own signed the certificate, name that: --smart-host-ca FILE";
    }
    text
}

/// Returns true if the certificate is signed by nobody who is known, as the TLS library says it.
fn is_of_unknown_issuer(test: &ConnectionTest) -> bool {
    let words = test.words.as_deref().unwrap_or_default().to_lowercase();
    words.contains("unknownissuer") || words.contains("unknown issuer")
}

/// Returns the name of the connection: the one that is given, or that of the domain, which has the
/// characters of one.
fn name(given: &Given, domain: &Domain) -> miette::Result<ConnectionName> {
    if let Some(name) = &given.connection {
        return Ok(name.clone());
    }
    let name: String = domain.as_ascii().chars().take(64).collect();
    name.parse().map_err(super::super::report)
}

/// File that an answer names.
impl Answers {
    /// Asks for a file until it can be read. The answer is not shown again: somebody may have typed
    /// a secret.
    fn read_file<T>(
        &mut self,
        question: &str,
        option: &str,
        read: impl Fn(&std::path::Path) -> miette::Result<T>,
    ) -> miette::Result<T> {
        loop {
            let file: PathBuf = self.needed(question, option)?;
            match read(&file) {
                Ok(content) => return Ok(content),
                Err(error) => output::complain(output::error(&error)),
            }
        }
    }

    /// Asks for a file until it can be read; `None` for an empty answer.
    fn optional_file<T>(
        &mut self,
        question: &str,
        read: impl Fn(&std::path::Path) -> miette::Result<T>,
    ) -> miette::Result<Option<T>> {
        loop {
            let Some(file) = self.optional::<PathBuf>(question)? else {
                return Ok(None);
            };
            match read(&file) {
                Ok(content) => return Ok(Some(content)),
                Err(error) => output::complain(output::error(&error)),
            }
        }
    }
}
