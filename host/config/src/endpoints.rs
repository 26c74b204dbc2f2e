//! HTTP endpoints of the application, with the secrets that sign what they get.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use gatepost_application::{HttpDraft, HttpSettings, SettingsError, Target, WebhookSecret};

use super::connection::SecretSource;
use super::error::{Finding, Step};

/// Endpoints as they are written.
pub(super) type WrittenEndpoints = BTreeMap<String, HttpDraft<SecretSource>>;

/// Endpoints by name, complete.
pub(super) type Endpoints = BTreeMap<String, Arc<Target>>;

/// Makes relative paths of secrets relative to `base`.
pub(super) fn resolve_paths(written: &mut WrittenEndpoints, base: &Path) {
    let secrets = written.values_mut().flat_map(|draft| &mut draft.secrets);
    for source in secrets {
        if let SecretSource::File(path) = source {
            *path = base.join(&*path);
        }
    }
}

/// Returns the files that hold secrets of these endpoints.
pub(super) fn secret_files(written: &WrittenEndpoints) -> impl Iterator<Item = &Path> {
    let secrets = written.values().flat_map(|draft| &draft.secrets);
    secrets.filter_map(|source| match source {
        SecretSource::File(path) => Some(path.as_path()),
        SecretSource::Text(_) | SecretSource::Env(_) => None,
    })
}

/// Returns true if a secret of these endpoints stands in the configuration.
pub(super) fn hold_secrets(written: &WrittenEndpoints) -> bool {
    let mut secrets = written.values().flat_map(|draft| &draft.secrets);
    secrets.any(|source| matches!(source, SecretSource::Text(_)))
}

/// Completes the endpoints. Those with a secret that cannot be read are left out, and the reasons
/// added to `unread`: a command that only asks a relay needs no secret.
///
/// # Errors
/// Every other problem, at its key.
pub(super) fn complete(
    written: &WrittenEndpoints,
    unread: &mut Vec<Finding>,
) -> Result<Endpoints, Vec<Finding>> {
    let (mut endpoints, mut findings) = (Endpoints::new(), Vec::new());
    for (name, draft) in written {
        let finding = |key: &'static str, message: String, help: &str| Finding {
            at: vec![Step::from("endpoint"), Step::from(name), Step::from(key)],
            message: format!("endpoint {name}: {message}"),
            help: help.to_owned(),
        };
        let invalid = |error: &SettingsError| {
            finding(
                error.key(),
                error.to_string(),
                "docs/application.md has an example",
            )
        };
        let (mut secrets, unread_before) = (Vec::new(), unread.len());
        for source in &draft.secrets {
            match source.clone().read() {
                Ok(secret) => match secret.reveal().parse::<WebhookSecret>() {
                    Ok(secret) => secrets.push(secret),
                    Err(error) => findings.push(invalid(&error)),
                },
                Err(error) => {
                    unread.push(finding("secrets", error, "let the relay's user read it"));
                }
            }
        }
        // Without a secret nothing can be said of what it makes.
        if unread.len() > unread_before || secrets.len() < draft.secrets.len() {
            continue;
        }
        match HttpSettings::try_from(draft.clone().with_secrets(secrets)) {
            Ok(settings) => {
                endpoints.insert(name.clone(), Arc::new(Target::Http(settings)));
            }
            Err(error) => findings.push(invalid(&error)),
        }
    }
    match findings.is_empty() {
        true => Ok(endpoints),
        false => Err(findings),
    }
}
