//! Webhooks of events, with the secrets that sign what they get.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use gatepost_application::WebhookSecret;
use gatepost_webhooks::{WebhookDraft, WebhookSettings};

use super::connection::SecretSource;
use super::error::{Finding, Step};

/// Webhooks as they are written.
pub(super) type WrittenWebhooks = BTreeMap<String, WebhookDraft<SecretSource>>;

/// Webhooks by name, complete.
pub(super) type Webhooks = BTreeMap<String, Arc<WebhookSettings>>;

/// Makes relative paths of secrets relative to `base`.
pub(super) fn resolve_paths(written: &mut WrittenWebhooks, base: &Path) {
    let secrets = written.values_mut().flat_map(|draft| &mut draft.secrets);
    for source in secrets {
        if let SecretSource::File(path) = source {
            *path = base.join(&*path);
        }
    }
}

/// Returns the files that hold secrets of these webhooks.
pub(super) fn secret_files(written: &WrittenWebhooks) -> impl Iterator<Item = &Path> {
    let secrets = written.values().flat_map(|draft| &draft.secrets);
    secrets.filter_map(|source| match source {
        SecretSource::File(path) => Some(path.as_path()),
        SecretSource::Text(_) | SecretSource::Env(_) => None,
    })
}

/// Returns true if a secret of these webhooks stands in the configuration.
pub(super) fn hold_secrets(written: &WrittenWebhooks) -> bool {
    let mut secrets = written.values().flat_map(|draft| &draft.secrets);
    secrets.any(|source| matches!(source, SecretSource::Text(_)))
}

/// Reads the secrets of a webhook; `None` if one cannot be read, because then nothing can be said
/// of what it makes.
fn read_secrets(
    sources: &[SecretSource],
    finding: &dyn Fn(&'static str, String, &str) -> Finding,
    findings: &mut Vec<Finding>,
    unread: &mut Vec<Finding>,
) -> Option<Vec<WebhookSecret>> {
    let mut secrets = Vec::new();
    for source in sources {
        match source.clone().read() {
            Ok(secret) => match secret.reveal().parse::<WebhookSecret>() {
                Ok(secret) => secrets.push(secret),
                Err(error) => {
                    let help = "docs/webhooks.md has an example";
                    findings.push(finding("secrets", error.to_string(), help));
                }
            },
            Err(error) => unread.push(finding("secrets", error, "let the relay's user read it")),
        }
    }
    (secrets.len() == sources.len()).then_some(secrets)
}

/// Completes the webhooks. Those with a secret that cannot be read are left out, and the reasons
/// added to `unread`.
///
/// # Errors
/// Every other problem, at its key.
pub(super) fn complete(
    written: &WrittenWebhooks,
    unread: &mut Vec<Finding>,
) -> Result<Webhooks, Vec<Finding>> {
    let (mut webhooks, mut findings) = (Webhooks::new(), Vec::new());
    for (name, draft) in written {
        let finding = |key: &'static str, message: String, help: &str| Finding {
            at: vec![
                Step::from("events"),
                Step::from("webhook"),
                Step::from(name),
                Step::from(key),
            ],
            message: format!("webhook {name}: {message}"),
            help: help.to_owned(),
        };
        let Some(secrets) = read_secrets(&draft.secrets, &finding, &mut findings, unread) else {
            continue;
        };
        match draft.clone().complete(secrets) {
            Ok(settings) => {
                webhooks.insert(name.clone(), Arc::new(settings));
            }
            Err(error) => {
                let help = "docs/webhooks.md has an example";
                findings.push(finding(error.key(), error.to_string(), help));
            }
        }
    }
    match findings.is_empty() {
        true => Ok(webhooks),
        false => Err(findings),
    }
}
