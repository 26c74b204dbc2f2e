//! Certificate by ACME (RFC 8555), which the relay orders itself.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatepost_acme::{AcmeSettings, ChallengeKind, ExternalAccount};
use gatepost_message::Address;
use http::Uri;
use http::uri::Scheme;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::connection::SecretSource;
use super::error::Finding;
use super::{Domain, units};
use crate::at;

/// Shortest key of an external account, in octets; authorities give out 32.
const EXTERNAL_KEY: usize = 16;

/// Certificate that the relay orders itself, as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Acme {
    /// URL of the authority's directory.
    pub directory: String,
    /// True if the site agrees to the authority's terms of service.
    #[serde(default)]
    pub accept_terms: bool,
    /// Names of the certificate.
    pub names: Vec<Domain>,
    /// Way of proving that they lead to the relay.
    pub challenge: ChallengeKind,
    /// Address at which the authority looks.
    pub listen: Option<SocketAddr>,
    /// Mail addresses that the authority may write to.
    #[serde(default)]
    pub contact: Vec<String>,
    /// Time before the end of the certificate at which it is renewed.
    #[serde(default, deserialize_with = "optional_duration")]
    pub renew_before: Option<Duration>,
    /// Least time from a failed attempt to the next one.
    #[serde(default = "retry", deserialize_with = "units::duration")]
    pub retry: Duration,
    /// Most certificates that are asked for in seven days.
    #[serde(default = "certificates_a_week")]
    pub certificates_a_week: NonZeroU32,
    /// PEM file of roots that are trusted for the directory besides the public ones.
    pub ca_file: Option<PathBuf>,
    /// Identifier of the key of an account elsewhere.
    pub external_account_id: Option<String>,
    /// Key of that account, in base64url.
    external_account_key: Option<SecretSource>,
}

/// Five orders in an hour and the same in a week are what public authorities allow.
fn retry() -> Duration {
    Duration::from_secs(15 * 60)
}

fn certificates_a_week() -> NonZeroU32 {
    const { NonZeroU32::new(5).unwrap() }
}

fn optional_duration<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    units::duration(deserializer).map(Some)
}

impl Acme {
    /// Makes relative paths relative to `base`. Returns the file of certificates.
    pub(super) fn resolve_paths(&mut self, base: &Path) -> Option<PathBuf> {
        if let Some(key) = &mut self.external_account_key {
            key.resolve(base);
        }
        if let Some(file) = &mut self.ca_file {
            *file = base.join(&*file);
        }
        self.ca_file.clone()
    }

    /// Returns the file that holds a secret.
    pub(super) fn secret_file(&self) -> Option<&Path> {
        self.external_account_key.as_ref()?.file()
    }

    /// Returns true if a secret stands in the configuration.
    pub(super) fn holds_secret(&self) -> bool {
        let key = self.external_account_key.as_ref();
        key.is_some_and(SecretSource::is_text)
    }

    /// Returns the problems of the section by itself.
    pub(super) fn problems(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut add = |key: &'static str, message: String, help: &str| {
            findings.push(Finding {
                at: at!["acme", key].to_vec(),
                message,
                help: help.to_owned(),
            });
        };
        if !is_directory(&self.directory) {
            add(
                "directory",
                format!("`{}` is not the URL of a directory", self.directory),
                "write such as \"https://acme-v02.api.letsencrypt.org/directory\" (http only at \
                 127.0.0.1 or [::1])",
            );
        }
        if !self.accept_terms {
            add(
                "accept-terms",
                "the terms of the certificate authority are not accepted".to_owned(),
                "read them at the authority; it issues certificates only with accept-terms = true",
            );
        }
        if self.names.is_empty() || self.names.len() > AcmeSettings::MOST_NAMES {
            let most = AcmeSettings::MOST_NAMES;
            add(
                "names",
                format!("there are {} names", self.names.len()),
                &format!("write the names of the certificate, 1 to {most}"),
            );
        }
        let mut seen = HashSet::new();
        for name in &self.names {
            let last = name.as_ascii().rsplit('.').next().unwrap_or_default();
            if last.bytes().all(|octet| octet.is_ascii_digit()) || !name.as_ascii().contains('.') {
                add(
                    "names",
                    format!("no authority issues a certificate for {name}"),
                    "write names in the public DNS, such as \"mx.desk.example\"",
                );
            } else if !seen.insert(name) {
                add(
                    "names",
                    format!("{name} stands there twice"),
                    "write each name once",
                );
            }
        }
        let is_address =
            |text: &String| Address::parse(text).is_ok_and(|address| address.is_ascii());
        if let Some(wrong) = self.contact.iter().find(|text| !is_address(text)) {
            add(
                "contact",
                format!("`{wrong}` is not a mail address"),
                "write such as [\"postmaster@desk.example\"]",
            );
        }
        for (key, period) in [
            ("retry", Some(self.retry)),
            ("renew-before", self.renew_before),
        ] {
            if period.is_some_and(|period| period.is_zero()) {
                add(key, format!("{key} is 0"), "leave it out for the default");
            }
        }
        if self.external_account_id.is_some() != self.external_account_key.is_some() {
            add(
                match self.external_account_id {
                    Some(_) => "external-account-id",
                    None => "external-account-key",
                },
                "an external account has an identifier and a key".to_owned(),
                "write external-account-id and external-account-key as the authority gave them",
            );
        }
        findings
    }
}

/// Completes the section. Without its secret there are no settings, and the reason is added to
/// `unread`.
///
/// # Errors
/// The secret is no key.
pub(super) fn complete(
    written: &Acme,
    unread: &mut Vec<Finding>,
) -> Result<Option<AcmeSettings>, Vec<Finding>> {
    let finding = |message: String, help: &str| Finding {
        at: at!["acme", "external-account-key"].to_vec(),
        message,
        help: help.to_owned(),
    };
    let id = written.external_account_id.clone();
    let external_account = match id.zip(written.external_account_key.clone()) {
        None => None,
        Some((id, source)) => match source.read() {
            Err(error) => {
                unread.push(finding(error, "let the relay's user read it"));
                return Ok(None);
            }
            Ok(secret) => {
                let text = secret.reveal().trim_end_matches('=');
                let key = URL_SAFE_NO_PAD.decode(text).map(Zeroizing::new);
                let key = key.ok().filter(|key| key.len() >= EXTERNAL_KEY);
                let key = key.ok_or_else(|| {
                    vec![finding(
                        "it is not a key in base64url".to_owned(),
                        "write it as the authority gave it",
                    )]
                });
                Some(ExternalAccount { id, key: key? })
            }
        },
    };
    let names = written.names.iter();
    Ok(Some(AcmeSettings {
        directory: written.directory.clone(),
        contact: written.contact.clone(),
        names: names.map(|name| name.as_ascii().to_owned()).collect(),
        challenge: written.challenge,
        renew_before: written.renew_before,
        retry: written.retry,
        certificates_a_week: written.certificates_a_week.get(),
        ca_file: written.ca_file.clone(),
        external_account,
    }))
}

fn is_directory(text: &str) -> bool {
    text.parse::<Uri>().is_ok_and(|uri| {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let is_here = host.parse().is_ok_and(|host: IpAddr| host.is_loopback());
        let has_scheme = uri.scheme() == Some(&Scheme::HTTPS)
            || (uri.scheme() == Some(&Scheme::HTTP) && is_here);
        let has_user = uri.authority().is_some_and(|of| of.as_str().contains('@'));
        has_scheme && !host.is_empty() && !has_user
    })
}
