//! Profiles: what is known of a service, as data.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use gatepost_files::FileError;
use gatepost_model::TlsMode;
use serde::Deserialize;

use crate::{ConnectionLimits, Ehlo, MessageIdRule, ReplyRule, SaslMechanism};

/// Profile of a service: its defaults, its limits and the meaning of its replies.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Profile {
    /// Name: that of its file.
    #[serde(skip)]
    pub name: String,
    /// Name of the service, for people.
    pub title: String,
    /// Way in which it was tested, for people.
    pub tested: String,
    /// Host, where all customers have the same.
    pub host: Option<String>,
    /// Port.
    pub port: u16,
    /// Ports that the service takes mail on, for people.
    #[serde(default)]
    pub ports: Vec<u16>,
    /// Use of TLS.
    pub tls: TlsMode,
    /// Mechanisms in order of preference.
    #[serde(default)]
    pub mechanisms: Vec<SaslMechanism>,
    /// URL of the token endpoint, where all customers have the same.
    pub token_url: Option<String>,
    /// URL of the device authorization endpoint, where all customers have the same.
    pub device_url: Option<String>,
    /// Scopes that a token needs.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Argument of EHLO.
    #[serde(default)]
    pub ehlo: Ehlo,
    /// Limits of the service.
    #[serde(default)]
    pub limits: ConnectionLimits,
    /// Parts of a message that the service rewrites, for people.
    #[serde(default)]
    pub rewrites: Vec<String>,
    /// Rule by which it names messages, if it replaces Message-ID.
    pub message_id: Option<MessageIdRule>,
    /// Rules by which replies are classified; the first that fits holds.
    #[serde(default, rename = "reply")]
    pub replies: Vec<ReplyRule>,
}

/// Reason why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The folder or a file in it cannot be read.
    #[error("cannot read the profiles in {folder}: {source}; name a folder of .toml files")]
    Unreadable {
        /// Folder or file.
        folder: String,
        /// Error of reading.
        source: std::io::Error,
    },
    /// The text is no profile.
    #[error("the profile {name} cannot be used: {why}")]
    Malformed {
        /// Name of the profile.
        name: String,
        /// Reason.
        why: String,
    },
}

impl Profile {
    /// Most rules of one profile.
    const MOST_RULES: usize = 200;

    /// Parses the text of a profile.
    ///
    /// # Errors
    /// It is no profile, or a rule of it has no bounds.
    pub fn parse(name: &str, text: &str) -> Result<Self, ProfileError> {
        let malformed = |why: String| ProfileError::Malformed {
            name: name.to_owned(),
            why,
        };
        let mut profile: Self =
            toml::from_str(text).map_err(|error| malformed(error.to_string()))?;
        name.clone_into(&mut profile.name);
        if profile.replies.len() > Self::MOST_RULES {
            return Err(malformed(format!(
                "it has over {} replies",
                Self::MOST_RULES
            )));
        }
        if let Some(rule) = &mut profile.message_id {
            rule.prepare().map_err(malformed)?;
        }
        for rule in &mut profile.replies {
            rule.prepare().map_err(malformed)?;
        }
        Ok(profile)
    }
}

/// All profiles, by name.
#[derive(Debug, Clone)]
pub struct Profiles {
    by_name: BTreeMap<String, Arc<Profile>>,
    generic: Arc<Profile>,
}

/// Text of each profile that comes with the relay.
const BUILT_IN: [(&str, &str); 11] = [
    (
        "microsoft-365",
        include_str!("../../../profiles/microsoft-365.toml"),
    ),
    (
        "microsoft-hve",
        include_str!("../../../profiles/microsoft-hve.toml"),
    ),
    (
        "google-relay",
        include_str!("../../../profiles/google-relay.toml"),
    ),
    ("gmail", include_str!("../../../profiles/gmail.toml")),
    (
        "amazon-ses",
        include_str!("../../../profiles/amazon-ses.toml"),
    ),
    ("postmark", include_str!("../../../profiles/postmark.toml")),
    ("sendgrid", include_str!("../../../profiles/sendgrid.toml")),
    ("mailgun", include_str!("../../../profiles/mailgun.toml")),
    ("exchange", include_str!("../../../profiles/exchange.toml")),
    ("postfix", include_str!("../../../profiles/postfix.toml")),
    (
        Profiles::GENERIC,
        include_str!("../../../profiles/generic.toml"),
    ),
];

impl Default for Profiles {
    fn default() -> Self {
        Self::built_in()
    }
}

impl Profiles {
    /// Name of the profile of a server of which nothing is known.
    pub const GENERIC: &str = "generic";

    /// Longest file of a profile.
    const LONGEST: u64 = 256 << 10;

    /// Most files of a folder.
    const MOST_FILES: usize = 500;

    /// Returns the profiles that come with the relay.
    pub fn built_in() -> Self {
        let parsed: BTreeMap<_, _> = BUILT_IN
            .iter()
            .map(|(name, text)| {
                let profile = Profile::parse(name, text);
                let profile = profile.unwrap_or_else(|error| unreachable!("tested: {error}"));
                ((*name).to_owned(), Arc::new(profile))
            })
            .collect();
        let generic = Arc::clone(&parsed[Self::GENERIC]);
        Self {
            by_name: parsed,
            generic,
        }
    }

    /// Returns the profiles that come with the relay and those of a folder, which go before them.
    ///
    /// # Errors
    /// The folder cannot be read, or a file in it is no profile.
    pub fn with_folder(folder: &Path) -> Result<Self, ProfileError> {
        let mut profiles = Self::built_in();
        for file in Self::files(folder)? {
            let name = file.file_stem().unwrap_or_default().to_string_lossy();
            let text = gatepost_files::read_text(&file, Self::LONGEST);
            let text = text.map_err(|error: FileError| ProfileError::Unreadable {
                folder: file.display().to_string(),
                source: error.into(),
            })?;
            let profile = Profile::parse(&name, &text)?;
            profiles
                .by_name
                .insert(name.into_owned(), Arc::new(profile));
        }
        Ok(profiles)
    }

    /// Returns the files of profiles in a folder, ordered by name.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn files(folder: &Path) -> Result<Vec<std::path::PathBuf>, ProfileError> {
        let unreadable = |source| ProfileError::Unreadable {
            folder: folder.display().to_string(),
            source,
        };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                files.push(path);
            }
        }
        if files.len() > Self::MOST_FILES {
            let source = std::io::Error::other("there are over 500 files");
            return Err(unreadable(source));
        }
        files.sort();
        Ok(files)
    }

    /// Returns the profile of this name.
    pub fn get(&self, name: &str) -> Option<&Arc<Profile>> {
        self.by_name.get(name)
    }

    /// Returns the profile of this name, or the generic one if there is none any more.
    pub fn get_or_generic(&self, name: &str) -> &Arc<Profile> {
        self.get(name).unwrap_or(&self.generic)
    }

    /// Returns all profiles, ordered by name.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Profile>> {
        self.by_name.values()
    }

    /// Returns the names of all profiles, for a sentence.
    pub fn names(&self) -> String {
        let names: Vec<_> = self.by_name.keys().map(String::as_str).collect();
        names.join(", ")
    }
}
