//! The step in which the domain is shown to be the account's: by its record, or by a word.

use gatepost_operations::Code;
use gatepost_operations::connectors::{ProveConnector, VouchConnector};
use gatepost_operations::progress::Progress;

use super::{Answers, Given, Session, output};

/// Looks for the record, and asks whether the operator vouches instead. Returns false if neither is
/// so yet.
pub(super) async fn show(
    session: &mut Session<'_>,
    answers: &mut Answers,
    given: &Given,
    progress: &Progress,
) -> miette::Result<bool> {
    let domain = &progress.connector.claim.domain;
    if given.vouch {
        return vouch(session, progress).await;
    }
    loop {
        if let Some(lacks) = look(session, progress).await? {
            output::complain(lacks);
        } else {
            return Ok(true);
        }
        let question = format!(
            "do you vouch that {domain} is the account's? With y its addresses receive from now on; \
             with n they do once the record is there."
        );
        if answers.agrees(&question, false, false)? {
            return vouch(session, progress).await;
        }
        if !answers.agrees("look for the record again now?", false, false)? {
            return Ok(false);
        }
    }
}

/// Looks for the record of the domain in the DNS. Returns `None` if it is there, and else what is to
/// be published, or why the DNS says nothing.
pub(super) async fn look(
    session: &mut Session<'_>,
    progress: &Progress,
) -> miette::Result<Option<String>> {
    let connector = progress.connector.id.into();
    let domain = &progress.connector.claim.domain;
    match session.try_call(ProveConnector { connector }).await? {
        Ok(_) => {
            output::print(format!(
                "the DNS proves that {domain} is the account's: its addresses receive"
            ))?;
            Ok(None)
        }
        Err(error) if matches!(error.code, Code::NotProved | Code::NoDnsAnswer) => {
            Ok(Some(error.to_string()))
        }
        Err(error) => Err(session.report(error)),
    }
}

async fn vouch(session: &mut Session<'_>, progress: &Progress) -> miette::Result<bool> {
    let vouched = VouchConnector {
        connector: progress.connector.id.into(),
        outbound: false,
        withdraw_outbound: false,
    };
    session.call(vouched).await?;
    let domain = &progress.connector.claim.domain;
    output::print(format!("{domain} is the account's: its addresses receive"))?;
    Ok(true)
}
