//! Connections of the site, and the pools of addresses that mail leaves from.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gatepost_connections::{
    Connection, ConnectionDraft, ConnectionName, Profile, Profiles, Secret,
};
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use super::error::{Finding, Step};
use crate::at;

/// Longest file of a secret or of certificates.
const LONGEST_FILE: u64 = 64 << 10;

/// Secret, certificate or key of a connection: a text, or the place from which it is read.
#[derive(Clone, PartialEq)]
pub enum SecretSource {
    /// The text itself.
    Text(Secret),
    /// File whose contents it is.
    File(PathBuf),
    /// Variable of the environment whose value it is.
    Env(String),
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(secret) => secret.fmt(f),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Env(name) => write!(f, "env {name}"),
        }
    }
}

impl<'de> Deserialize<'de> for SecretSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SourceVisitor;
        impl<'de> Visitor<'de> for SourceVisitor {
            type Value = SecretSource;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, { file = \"PATH\" } or { env = \"NAME\" }")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<SecretSource, E> {
                Ok(SecretSource::Text(Secret::new(text)))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SecretSource, A::Error> {
                let Some((key, value)) = map.next_entry::<String, String>()? else {
                    return Err(de::Error::invalid_length(0, &self));
                };
                let source = match key.as_str() {
                    "file" => SecretSource::File(value.into()),
                    "env" => SecretSource::Env(value),
                    _ => return Err(de::Error::unknown_field(&key, &["file", "env"])),
                };
                match map.next_key::<String>()? {
                    None => Ok(source),
                    Some(_) => Err(de::Error::invalid_length(2, &self)),
                }
            }
        }
        deserializer.deserialize_any(SourceVisitor)
    }
}

impl SecretSource {
    /// Returns the file, if it stands in one.
    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Text(_) | Self::Env(_) => None,
        }
    }

    /// Returns true if it stands in the configuration itself.
    pub(super) fn is_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }

    /// Makes the path of a file relative to `base`.
    pub(super) fn resolve(&mut self, base: &Path) {
        if let Self::File(path) = self {
            *path = base.join(&*path);
        }
    }

    /// Reads the secret. The line break at the end of a file is not a part of it.
    ///
    /// # Errors
    /// A sentence: the file or the variable cannot be read.
    pub fn read(self) -> Result<Secret, String> {
        match self {
            Self::Text(secret) => Ok(secret),
            Self::File(path) => {
                let read = gatepost_files::read_text(&path, LONGEST_FILE);
                let text =
                    read.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
                let text = zeroize::Zeroizing::new(text);
                Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
            }
            Self::Env(name) => match std::env::var(&name) {
                Ok(value) => Ok(Secret::new(value)),
                Err(_) => Err(format!("the environment has no variable {name} in UTF-8")),
            },
        }
    }
}

/// Connections as they are written.
pub(super) type WrittenConnections = BTreeMap<ConnectionName, ConnectionDraft<SecretSource>>;

/// Connections of the site, complete, with the profiles of the relay.
#[derive(Debug, Clone, Default)]
pub struct SiteConnections {
    /// Profiles, for the site's connections and for customers'.
    pub profiles: Profiles,
    /// Connections by name.
    pub connections: BTreeMap<ConnectionName, SiteConnection>,
    /// Secrets that could not be read. A command that only asks a relay needs none.
    pub(super) unread: Vec<Finding>,
}

/// Connection of the site.
#[derive(Debug, Clone)]
pub struct SiteConnection {
    /// The connection.
    pub connection: Arc<Connection>,
    /// Its profile.
    pub profile: Arc<Profile>,
}

/// Makes relative paths of secrets relative to `base`. Gives those of certificates to `files`; the
/// contents of other files are secret, so that no digest of them is kept.
pub(super) fn resolve_paths(
    written: &mut WrittenConnections,
    base: &Path,
    files: &mut Vec<PathBuf>,
) {
    for draft in written.values_mut() {
        for (is_secret, source) in [
            (false, &mut draft.ca),
            (false, &mut draft.client_certificate),
            (true, &mut draft.client_key),
            (true, &mut draft.password),
            (true, &mut draft.client_secret),
            (true, &mut draft.refresh_token),
            (true, &mut draft.private_key),
        ] {
            let Some(source) = source else {
                continue;
            };
            source.resolve(base);
            if !is_secret {
                files.extend(source.file().map(Path::to_owned));
            }
        }
    }
}

/// Returns the files that hold secrets of these connections.
pub(super) fn secret_files(written: &WrittenConnections) -> Vec<&Path> {
    let drafts = written.values();
    let sources = drafts.flat_map(|draft| {
        [
            &draft.client_key,
            &draft.password,
            &draft.client_secret,
            &draft.refresh_token,
            &draft.private_key,
        ]
    });
    let files = sources.filter_map(|source| source.as_ref()?.file());
    files.collect()
}

/// Returns true if a secret of these connections stands in the configuration.
pub(super) fn hold_secrets(written: &WrittenConnections) -> bool {
    written.values().any(|draft| {
        [
            &draft.client_key,
            &draft.password,
            &draft.client_secret,
            &draft.refresh_token,
            &draft.private_key,
        ]
        .into_iter()
        .flatten()
        .any(SecretSource::is_text)
    })
}

/// Completes the connections of the site.
///
/// # Errors
/// Every problem, at its key.
pub(super) fn complete(
    written: &WrittenConnections,
    folder: Option<&Path>,
) -> Result<SiteConnections, Vec<Finding>> {
    let profiles = match folder.map_or_else(|| Ok(Profiles::built_in()), Profiles::with_folder) {
        Ok(profiles) => profiles,
        Err(error) => {
            return Err(vec![Finding {
                at: at!["relay", "profiles"].to_vec(),
                message: error.to_string(),
                help: "see docs/connections.md for the form of a profile".to_owned(),
            }]);
        }
    };
    let (mut findings, mut unread) = (Vec::new(), Vec::new());
    let mut connections = BTreeMap::new();
    for (name, draft) in written {
        let finding = |key: &'static str, message: String, help: String| Finding {
            at: vec![
                Step::from("connection"),
                Step::from(&name.to_string()),
                Step::from(key),
            ],
            message: format!("connection {name}: {message}"),
            help,
        };
        let wanted = draft.profile.as_deref().unwrap_or(Profiles::GENERIC);
        let Some(profile) = profiles.get(wanted) else {
            let help = format!("the profiles are {}", profiles.names());
            let message = format!("there is no profile \"{wanted}\"");
            findings.push(finding("profile", message, help));
            continue;
        };
        let read_before = unread.len();
        let read = draft.clone().with_secrets(|key, source| {
            Ok::<_, Infallible>(source.read().unwrap_or_else(|error| {
                let help = "let the relay's user read it".to_owned();
                unread.push(finding(key, error, help));
                Secret::new(Secret::MASK)
            }))
        });
        let draft = match read {
            Ok(draft) => draft,
            Err(never) => match never {},
        };
        match draft.complete(name.clone(), profile) {
            Ok(connection) => {
                let made = SiteConnection {
                    connection: connection.into(),
                    profile: Arc::clone(profile),
                };
                connections.insert(name.clone(), made);
            }
            // Without a secret nothing can be said of what it makes.
            Err(_) if unread.len() > read_before => {}
            Err(problems) => {
                let problems = problems.into_iter();
                findings.extend(
                    problems.map(|problem| finding(problem.key, problem.message, problem.help)),
                );
            }
        }
    }
    match findings.is_empty() {
        true => Ok(SiteConnections {
            profiles,
            connections,
            unread,
        }),
        false => Err(findings),
    }
}

/// Pool of addresses that mail leaves from.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EgressPool {
    /// Addresses of this machine.
    pub addresses: Vec<IpAddr>,
}

/// Address of a pool that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the address {address} of the pool {pool} cannot be used: {source}")]
pub struct EgressError {
    /// Name of the pool.
    pub pool: String,
    /// The address.
    pub address: IpAddr,
    /// Error of the system.
    pub source: std::io::Error,
}

/// Returns true if the machine can connect from an address.
///
/// # Errors
/// It has no such address.
pub fn check_egress(address: IpAddr) -> std::io::Result<()> {
    TcpListener::bind(SocketAddr::new(address, 0)).map(drop)
}
