//! HTTP endpoints of the application, with the secrets that sign what they get.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gatepost_application::{HttpDraft, HttpSettings, SettingsError, Target, WebhookSecret};

use super::connection::SecretSource;
use super::error::{Finding, Step};

/// Endpoints as they are written.
pub(super) type WrittenEndpoints = BTreeMap<String, HttpDraft<SecretSource, SecretSource>>;

/// Endpoints by name, complete.
pub(super) type Endpoints = BTreeMap<String, Arc<Target>>;

/// Makes relative paths of secrets relative to `base`. Gives those of certificates to `files`.
pub(super) fn resolve_paths(written: &mut WrittenEndpoints, base: &Path, files: &mut Vec<PathBuf>) {
    for draft in written.values_mut() {
        for source in draft.secrets.iter_mut().chain(&mut draft.ca) {
            if let SecretSource::File(path) = source {
                *path = base.join(&*path);
            }
        }
        if let Some(SecretSource::File(path)) = &draft.ca {
            files.push(path.clone());
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
        let ca = draft.ca.clone().and_then(|source| {
            let unreadable = |error| finding("ca", error, "let the relay's user read it");
            source
                .read()
                .map_err(|error| unread.push(unreadable(error)))
                .ok()
        });
        // Without a secret nothing can be said of what it makes.
        if unread.len() > unread_before || secrets.len() < draft.secrets.len() {
            continue;
        }
        match HttpSettings::try_from(draft.clone().with_secrets(secrets, ca)) {
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
