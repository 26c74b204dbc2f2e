//! Secrets that sign the requests to an application (Standard Webhooks): of endpoints and of
//! webhooks.

use gatepost_application::{SettingsError, WebhookSecret};

use super::connection::SecretSource;
use super::error::Finding;

/// Reads the secrets of one application; `None` if one cannot be used, because then nothing can be
/// said of what it makes. Those that cannot be read are added to `unread`, those that are none to
/// `findings`.
pub(super) fn read(
    sources: &[SecretSource],
    unreadable: impl Fn(String) -> Finding,
    invalid: impl Fn(&SettingsError) -> Finding,
    findings: &mut Vec<Finding>,
    unread: &mut Vec<Finding>,
) -> Option<Vec<WebhookSecret>> {
    let mut secrets = Vec::new();
    for source in sources {
        match source.clone().read() {
            Ok(secret) => match secret.reveal().parse::<WebhookSecret>() {
                Ok(secret) => secrets.push(secret),
                Err(error) => findings.push(invalid(&error)),
            },
            Err(error) => unread.push(unreadable(error)),
        }
    }
    (secrets.len() == sources.len()).then_some(secrets)
}
