//! The consent of a person to a connection that logs in by tokens of OAuth.

use gatepost_connections::{ConnectionDraft, ConnectionName, GrantKind};
use gatepost_operations::Code;
use gatepost_operations::authorizations::{
    AuthorizationProgress, AuthorizeConnection, AwaitAuthorization,
};
use gatepost_operations::connections::GivenSecret;

use super::{Answers, Session, output};
use crate::commands::connection::progress_text;

/// Returns true if a connection needs the consent of a person before it can log in.
pub(super) fn is_needed(settings: &ConnectionDraft<GivenSecret>) -> bool {
    settings.grant == Some(GrantKind::RefreshToken) && settings.refresh_token.is_none()
}

/// Has the relay ask for the consent, shows the page and the code, and waits. Returns true if it was
/// given.
pub(super) async fn take(
    session: &mut Session<'_>,
    answers: &mut Answers,
    account: &str,
    name: &ConnectionName,
) -> miette::Result<bool> {
    let command = format!("`gatepost connection authorize {name} --account {account}`");
    let question = "somebody has to consent at the service before it can log in. Now?";
    if !answers.agrees(question, true, false)? {
        let text = format!("connection {name} waits for the consent of a person: {command}");
        output::complain(session.pasted(&text));
        return Ok(false);
    }
    let begun = session.try_call(AuthorizeConnection {
        account: Some(account.to_owned()),
        name: name.clone(),
    });
    let mut progress = begun.await?;
    let mut shown = None;
    loop {
        let now = match progress {
            Ok(now) => now,
            Err(error) if error.code == Code::RelayNotRunning => {
                output::complain(session.pasted(&format!("{error}; then {command}")));
                return Ok(false);
            }
            Err(error) => {
                let advice = error.code.what_to_do();
                output::complain(session.pasted(&format!("{error}; {advice}; then {command}")));
                return Ok(false);
            }
        };
        output::print(progress_text(&now, shown.as_ref() != Some(&now)))?;
        let AuthorizationProgress::Waiting { id, .. } = &now else {
            return Ok(true);
        };
        let wait = AwaitAuthorization { id: *id };
        shown = Some(now);
        progress = session.try_call(wait).await?;
    }
}
