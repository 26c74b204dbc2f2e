//! Webhooks of events, with the secrets that sign what they get.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gatepost_webhooks::{WebhookDraft, WebhookSettings};

use super::connection::SecretSource;
use super::error::{Finding, Step};
use super::signing_secrets;

/// Webhooks as they are written.
pub(super) type WrittenWebhooks = BTreeMap<String, WebhookDraft<SecretSource, SecretSource>>;

/// Webhooks by name, complete.
pub(super) type Webhooks = BTreeMap<String, Arc<WebhookSettings>>;

/// Makes relative paths of secrets relative to `base`. Gives those of certificates to `files`.
pub(super) fn resolve_paths(written: &mut WrittenWebhooks, base: &Path, files: &mut Vec<PathBuf>) {
    for draft in written.values_mut() {
        for source in draft.secrets.iter_mut().chain(&mut draft.ca) {
            source.resolve(base);
        }
        let ca = draft.ca.as_ref().and_then(SecretSource::file);
        files.extend(ca.map(Path::to_owned));
    }
}

/// Returns the files that hold secrets of these webhooks.
pub(super) fn secret_files(written: &WrittenWebhooks) -> impl Iterator<Item = &Path> {
    let secrets = written.values().flat_map(|draft| &draft.secrets);
    secrets.filter_map(SecretSource::file)
}

/// Returns true if a secret of these webhooks stands in the configuration.
pub(super) fn hold_secrets(written: &WrittenWebhooks) -> bool {
    let mut secrets = written.values().flat_map(|draft| &draft.secrets);
    secrets.any(SecretSource::is_text)
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
        let example = "docs/webhooks.md has an example";
        let unreadable = |key| {
            let finding = &finding;
            move |error| finding(key, error, "let the relay's user read it")
        };
        let secrets = signing_secrets::read(
            &draft.secrets,
            unreadable("secrets"),
            |error| finding("secrets", error.to_string(), example),
            &mut findings,
            unread,
        );
        let ca = draft.ca.clone().map(SecretSource::read).transpose();
        let (secrets, ca) = match (secrets, ca.map_err(unreadable("ca"))) {
            (Some(secrets), Ok(ca)) => (secrets, ca),
            (_, ca) => {
                unread.extend(ca.err());
                continue;
            }
        };
        match draft.clone().complete(secrets, ca) {
            Ok(settings) => {
                webhooks.insert(name.clone(), Arc::new(settings));
            }
            Err(error) => {
                findings.push(finding(error.key(), error.to_string(), example));
            }
        }
    }
    match findings.is_empty() {
        true => Ok(webhooks),
        false => Err(findings),
    }
}
