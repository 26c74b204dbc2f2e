//! Inspection for `gatepost doctor`: the certificate in the store, and what it has to have.

use std::path::Path;
use std::time::SystemTime;

use gatepost_files::{Finding, Level};

use crate::AcmeSettings;
use crate::attempts::renewal;
use crate::folder::AcmeFolder;
use crate::keeper::shown;
use crate::stored::StoredCertificate;

/// Inspects the certificate of a store. Reads only.
pub fn inspect(store: &Path, settings: &AcmeSettings) -> Finding {
    let path = AcmeFolder::of(store).certificate();
    let content = AcmeFolder::read(&path);
    let stored = content.and_then(|content| {
        content
            .map(|content| StoredCertificate::read(&content))
            .transpose()
    });
    let log = "the log of the relay tells of each attempt and its failure";
    let found = |level, found: String| Finding::new(level, &path, found, log);
    let stored = match stored {
        Ok(Some(stored)) => stored,
        Ok(None) => {
            return found(
                Level::Warning,
                "no certificate has been issued yet".to_owned(),
            );
        }
        Err(error) => return found(Level::Error, error.to_string()),
    };
    let (now, expires) = (SystemTime::now(), shown(stored.life.1));
    if stored.life.1 <= now {
        return found(Level::Error, format!("the certificate expired {expires}"));
    }
    if let Some(name) = stored.lacks(&settings.names) {
        return found(Level::Warning, format!("the certificate is not for {name}"));
    }
    match renewal(stored.life, settings.renew_before) <= now {
        true => found(
            Level::Warning,
            format!("the certificate is to be renewed, and expires {expires}"),
        ),
        false => Finding::note(&path, format!("the certificate is valid until {expires}")),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ChallengeKind;

    fn settings() -> AcmeSettings {
        AcmeSettings {
            directory: "https://ca.example/directory".to_owned(),
            contact: Vec::new(),
            names: vec!["mx.desk.example".to_owned()],
            challenge: ChallengeKind::Http01,
            renew_before: None,
            retry: Duration::from_secs(900),
            certificates_a_week: 5,
            ca_file: None,
            external_account: None,
        }
    }

    /// Keeps a certificate in the store that is valid from and until so many days from now.
    fn kept(store: &Path, name: &str, from: i64, until: i64) {
        let mut of = rcgen::CertificateParams::new([name.to_owned()]).unwrap();
        let date = |days: i64| {
            let now = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
            let day = now.to_zoned(jiff::tz::TimeZone::UTC).date();
            let (month, of_month) = (day.month().cast_unsigned(), day.day().cast_unsigned());
            rcgen::date_time_ymd(day.year().into(), month, of_month)
        };
        (of.not_before, of.not_after) = (date(from), date(until));
        let key = rcgen::KeyPair::generate().unwrap();
        let chain = of.self_signed(&key).unwrap().pem();
        let file = StoredCertificate::file("", &key.serialize_pem(), &chain);
        let folder = AcmeFolder::of(store);
        folder
            .write(&folder.certificate(), file.as_bytes())
            .unwrap();
    }

    #[test]
    fn each_state_of_the_certificate_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path();
        let look = || inspect(store, &settings());
        assert_eq!(look().level, Level::Warning);
        for (name, from, until, level, says) in [
            ("mx.desk.example", -1, 89, Level::Note, "is valid until"),
            ("mx.desk.example", -80, 10, Level::Warning, "to be renewed"),
            ("mx.desk.example", -90, -2, Level::Error, "expired"),
            (
                "desk.example",
                -1,
                89,
                Level::Warning,
                "not for mx.desk.example",
            ),
        ] {
            kept(store, name, from, until);
            let found = look();
            assert!(found.found.contains(says), "{found:?}");
            assert_eq!(found.level, level, "{found:?}");
        }
        std::fs::write(store.join("acme/certificate.pem"), "x").unwrap();
        assert_eq!(look().level, Level::Error);
    }
}
