//! Handovers: links that show the secret of a credential once.

use std::time::Duration;

use clap::Args;
use gatepost_directory::UserName;
use gatepost_handover::PATH;
use gatepost_message::{Millis, Period, parse_duration};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::code::Code;
use crate::credentials::parse_user_name;
use crate::directory::change;
use crate::error::OperationError;
use crate::runtime::Runtime;
use crate::shown_once::ShownOnce;

/// Shortest and longest life of a link.
const SHORTEST: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_hours(30 * 24);

/// Request for a link that shows the secret of a credential once. The credential gets a new secret,
/// so it must never have logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HandOver {
    /// User name of the credential.
    #[arg(value_parser = parse_user_name)]
    pub user_name: UserName,
    /// Time after which the link shows nothing, from a minute to 30 days.
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = parse_period)]
    #[serde(default = "default_life")]
    pub expires: Period,
}

/// Parses the life of a link.
///
/// # Errors
/// A sentence that says what is wrong and shows the form.
pub fn parse_period(text: &str) -> Result<Period, String> {
    parse_duration(text).map(Period)
}

/// Returns the life of a link where none is asked for: a day.
pub fn default_life() -> Period {
    Period(Duration::from_hours(24))
}

/// Link that shows a secret, which is shown this once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct HandoverLink {
    /// User name of the credential.
    pub user_name: UserName,
    /// Link. Whoever has it gets the secret.
    pub link: ShownOnce,
    /// Time after which it shows nothing.
    pub expires: Millis,
}

/// Makes a link that shows the secret of a credential once.
///
/// # Errors
/// There is no such credential, it is revoked or in use, the page is not served, the life of the
/// link is out of bounds, or the store cannot be changed.
pub async fn hand_over(on: &Runtime, asked: HandOver) -> Result<HandoverLink, OperationError> {
    let HandOver { user_name, expires } = asked;
    if !(SHORTEST..=LONGEST).contains(&expires.0) {
        let text = format!("a link that expires after {expires} is not made");
        return Err(OperationError::new(Code::LinkLife, text));
    }
    let url = on.site_facts()?.handover.clone().ok_or_else(|| {
        let text = "no page is served that could show the secret: add [handover] to the \
                    configuration and reload it";
        OperationError::new(Code::NoHandoverPage, text)
    })?;
    let now = Millis::now();
    let expires = now + expires.0;
    let work = move |directory: &gatepost_directory::Directory| {
        directory.hand_over(&user_name, now, expires)
    };
    let handed_over = change(&on.directory, work).await?;
    let path = Zeroizing::new(format!("{PATH}{}", *handed_over.token.reveal()));
    Ok(HandoverLink {
        user_name: handed_over.credential.user_name,
        link: Zeroizing::new(url.of(&path)).into(),
        expires,
    })
}
