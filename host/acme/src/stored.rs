//! A certificate as it is kept: its key and its chain in one PEM file, so that they change together.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::client::verify_server_name;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use yasna::tags::TAG_UTCTIME;
use yasna::{ASN1Result, BERReader, BERReaderSeq, Tag};
use zeroize::Zeroizing;

use crate::AcmeError;

/// Most certificates of a chain.
const CHAIN: usize = 10;

/// Beginning of the line that names the directory, before the PEM (RFC 7468 section 2 allows text there).
const DIRECTORY: &str = "Directory: ";

/// Certificate with its key.
#[derive(Debug, Clone)]
pub(crate) struct StoredCertificate {
    /// Chain and key.
    pub(crate) key: Arc<CertifiedKey>,
    /// Begin and end of its life.
    pub(crate) life: (SystemTime, SystemTime),
    /// URL of the directory of the authority that issued it.
    directory: String,
}

impl StoredCertificate {
    /// Writes the content of a file: the directory, the key, and the chain as the authority gave it.
    pub(crate) fn file(directory: &str, key: &str, chain: &str) -> Zeroizing<String> {
        Zeroizing::new(format!("{DIRECTORY}{directory}\n{key}{chain}"))
    }

    /// Reads the content of a file.
    ///
    /// # Errors
    /// It has no chain, no key, or they do not belong together.
    pub(crate) fn read(content: &[u8]) -> Result<Self, AcmeError> {
        let unusable = |error: &dyn ToString| AcmeError::Unusable(error.to_string());
        let chain: Result<Vec<_>, _> = (CertificateDer::pem_slice_iter(content))
            .take(CHAIN + 1)
            .collect();
        let chain = chain.map_err(|error| unusable(&error))?;
        if chain.len() > CHAIN {
            return Err(AcmeError::Unusable(format!(
                "its chain has more than {CHAIN} certificates"
            )));
        }
        let Some(first) = chain.first() else {
            return Err(AcmeError::Unusable("there is none".to_owned()));
        };
        let life = life(first)?;
        let key = PrivateKeyDer::from_pem_slice(content).map_err(|error| unusable(&error))?;
        let key = CertifiedKey::from_der(chain, key, &ring::default_provider());
        let directory = content.split(|octet| *octet == b'\n').next();
        let directory = directory.and_then(|line| line.strip_prefix(DIRECTORY.as_bytes()));
        Ok(Self {
            key: Arc::new(key.map_err(|error| unusable(&error))?),
            life,
            directory: String::from_utf8_lossy(directory.unwrap_or_default()).into_owned(),
        })
    }

    /// Returns true if the authority of this directory issued it.
    pub(crate) fn is_of(&self, directory: &str) -> bool {
        self.directory == directory
    }

    /// Returns the first of these names that it does not have.
    pub(crate) fn lacks<'a>(&self, names: &'a [String]) -> Option<&'a str> {
        let certificate = self.key.end_entity_cert();
        let parsed = certificate.and_then(ParsedCertificate::try_from).ok();
        let has = |name: &&String| {
            let parsed = parsed.as_ref();
            let name = ServerName::try_from(name.as_str()).ok();
            (parsed.zip(name)).is_some_and(|(of, name)| verify_server_name(of, &name).is_ok())
        };
        names.iter().find(|name| !has(name)).map(String::as_str)
    }
}

/// Returns begin and end of a certificate's life (RFC 5280 section 4.1).
fn life(certificate: &CertificateDer<'_>) -> Result<(SystemTime, SystemTime), AcmeError> {
    let read = yasna::parse_der(certificate, |reader| {
        reader.read_sequence(|certificate| {
            let life = certificate.next().read_sequence(|signed| {
                signed.read_optional(|version| {
                    version.read_tagged(Tag::context(0), |value| value.read_der())
                })?;
                // Serial number, algorithm and issuer.
                for _ in 0..3 {
                    signed.next().read_der()?;
                }
                let life = (signed.next())
                    .read_sequence(|life| Ok((time(life.next())?, time(life.next())?)))?;
                skip(signed)?;
                Ok(life)
            });
            skip(certificate)?;
            life
        })
    });
    let (begins, ends) =
        read.map_err(|_| AcmeError::Unusable("it is no X.509 certificate".to_owned()))?;
    let since_1970 = |seconds: i64| {
        let since = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
        UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH)
    };
    let begins = since_1970(begins);
    Ok((begins, since_1970(ends).max(begins)))
}

/// Reads a time, in seconds since 1970.
fn time(reader: BERReader<'_, '_>) -> ASN1Result<i64> {
    Ok(match reader.lookahead_tag()? == TAG_UTCTIME {
        true => reader.read_utctime()?.datetime().unix_timestamp(),
        false => reader.read_generalized_time()?.datetime().unix_timestamp(),
    })
}

/// Skips what is left of a sequence.
fn skip(reader: &mut BERReaderSeq<'_, '_>) -> ASN1Result<()> {
    while reader.read_optional(|value| value.read_der())?.is_some() {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(names: &[&str]) -> rcgen::CertifiedKey<rcgen::KeyPair> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        rcgen::generate_simple_self_signed(names).unwrap()
    }

    #[test]
    fn a_file_has_directory_key_and_chain() {
        let of = made(&["mx.desk.example", "smtp.desk.example"]);
        let (key, chain) = (of.signing_key.serialize_pem(), of.cert.pem());
        let file = StoredCertificate::file("https://ca.example/directory", &key, &chain);
        let read = StoredCertificate::read(file.as_bytes()).unwrap();
        assert!(read.is_of("https://ca.example/directory"));
        assert!(!read.is_of("https://other.example/directory"));
        // The dates that rcgen has by default: one before 2050, and one after.
        let life = [read.life.0, read.life.1].map(crate::keeper::shown);
        assert_eq!(life, ["1975-01-01T00:00:00Z", "4096-01-01T00:00:00Z"]);
        let names = ["smtp.desk.example", "mx.desk.example", "desk.example"];
        let names = names.map(str::to_owned);
        assert_eq!(read.lacks(&names[..2]), None);
        assert_eq!(read.lacks(&names), Some("desk.example"));
    }

    #[test]
    fn a_certificate_for_another_key_or_none_is_refused() {
        let (one, other) = (made(&["mx.desk.example"]), made(&["mx.desk.example"]));
        let (key, chain) = (one.signing_key.serialize_pem(), other.cert.pem());
        for content in [
            StoredCertificate::file("", &key, &chain),
            StoredCertificate::file("", &key, ""),
            StoredCertificate::file("", "", &chain),
            StoredCertificate::file("", &key, &one.cert.pem().repeat(CHAIN + 1)),
        ] {
            let read = StoredCertificate::read(content.as_bytes());
            assert!(matches!(read, Err(AcmeError::Unusable(_))), "{read:?}");
        }
    }
}
