//! HTTP endpoints of the application, with the secrets that sign what they get.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gatepost_application::{HttpDraft, HttpSettings, SettingsError, Target};

use super::connection::SecretSource;
use super::error::{Finding, Step};
use super::signing_secrets;

/// Endpoints as they are written.
pub(super) type WrittenEndpoints = BTreeMap<String, HttpDraft<SecretSource, SecretSource>>;

/// Endpoints by name, complete.
pub(super) type Endpoints = BTreeMap<String, Arc<Target>>;

/// Makes relative paths of secrets relative to `base`. Gives those of certificates to `files`.
pub(super) fn resolve_paths(written: &mut WrittenEndpoints, base: &Path, files: &mut Vec<PathBuf>) {
    for draft in written.values_mut() {
        let others = draft.ca.iter_mut().chain(&mut draft.key);
        for source in draft.secrets.iter_mut().chain(others) {
            source.resolve(base);
        }
        let ca = draft.ca.as_ref().and_then(SecretSource::file);
        files.extend(ca.map(Path::to_owned));
    }
}

/// Returns the files that hold secrets of these endpoints.
pub(super) fn secret_files(written: &WrittenEndpoints) -> impl Iterator<Item = &Path> {
    secrets(written).filter_map(SecretSource::file)
}

/// Returns true if a secret of these endpoints stands in the configuration.
pub(super) fn hold_secrets(written: &WrittenEndpoints) -> bool {
    secrets(written).any(SecretSource::is_text)
}

/// Returns what is secret of these endpoints: their secrets and keys.
fn secrets(written: &WrittenEndpoints) -> impl Iterator<Item = &SecretSource> {
    written
        .values()
        .flat_map(|draft| draft.secrets.iter().chain(&draft.key))
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
        let unreadable = |key| {
            let finding = &finding;
            move |error| finding(key, error, "let the relay's user read it")
        };
        let secrets = signing_secrets::read(
            &draft.secrets,
            unreadable("secrets"),
            invalid,
            &mut findings,
            unread,
        );
        let ca = draft.ca.clone().map(SecretSource::read).transpose();
        let ca = ca.map_err(unreadable("ca"));
        let key = draft.key.clone().map(SecretSource::read).transpose();
        let key = key.map_err(unreadable("api-key"));
        let (secrets, ca, key) = match (secrets, ca, key) {
            (Some(secrets), Ok(ca), Ok(key)) => (secrets, ca, key),
            (_, ca, key) => {
                unread.extend(ca.err().into_iter().chain(key.err()));
                continue;
            }
        };
        match HttpSettings::try_from(draft.clone().with_secrets(secrets, ca, key)) {
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
