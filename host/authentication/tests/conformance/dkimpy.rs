//! dkimpy's test data: what is signed there must verify, and what is signed with its keys. Its
//! suite is a program that signs and verifies with itself; the cases here are those whose
//! messages, keys and expectations are on file.
//!
//! Peculiarities of dkimpy's, which are not RFC 6376's, and not kept here:
//! - `message.mbox` has no key on file, so nothing says what it proves;
//! - `rfc6376.w1258.msg` is refused by dkimpy because its signer wants text; it has no signature,
//!   and to us its octets are as good as any;
//! - keys of 1024 bits sign in dkimpy. Ring signs with 2048 bits and more, so those keys verify
//!   here (the RFC's own examples) and do not sign.

use gatepost_authentication::{Authentication, DkimFact, Settings};
use mail_auth::common::crypto::{DkimKey, Ed25519Key, RsaKey, Sha256};
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::{Canonicalization, DkimSigner};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use test_support::{Zone, conformance};

use crate::world::{World, crlf, other_body, other_key};

const RFC8032_KEY: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

/// Of `test2.message`, from dkimpy's test program.
const GMAIL_KEY: &str = concat!(
    "k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA1Kd87/UeJjenpabgbFwh",
    "+eBCsSTrqmwIYYvywlbhbqoo2DymndFkbjOVIPIldNs/m40KF+yzMn1skyoxcTUGCQ",
    "s8g3FgD2Ap3ZB5DekAo5wMmk4wimDO+U8QzI3SD07y2+07wlNWwIt8svnxgdxGkVbb",
    "hzY8i+RQ9DpSVpPbF7ykQxtKXkv/ahW3KjViiAH+ghvvIhkx4xYSIc9oSwVmAl5Oct",
    "MEeWUwg8Istjqz8BZeTWbf41fbNhte7Y+YqZOwq1Sd0DbvYAD9NOZK9vlfuac0598H",
    "Y+vtSBczUiKERHv1yRbcaQtZFh5wtiRrN04BLUTD21MycBX5jYchHjPY/wIDAQAB"
);

struct Data(std::path::PathBuf);

impl Data {
    fn find() -> Option<Self> {
        Some(Self(conformance("dkim-dkimpy")?.join("data")))
    }

    fn text(&self, file: &str) -> String {
        std::fs::read_to_string(self.0.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
    }

    fn message(&self, file: &str) -> Vec<u8> {
        crlf(&self.text(file))
    }

    fn record(&self, file: &str) -> String {
        self.text(file).trim().to_owned()
    }
}

fn verified(records: &[(&str, &str)], message: &[u8]) -> Vec<DkimFact> {
    let mut zone = Zone::new();
    for (name, record) in records {
        zone.txt(name, record);
    }
    World::of(zone).facts(message, &Settings::default()).dkim
}

fn results(facts: &[DkimFact]) -> Vec<Authentication> {
    facts.iter().map(|one| one.result).collect()
}

const TEST: &str = "test._domainkey.football.example.com";
const BRISBANE: &str = "brisbane._domainkey.football.example.com";

#[test]
fn the_messages_signed_there_verify() {
    use Authentication::Pass;
    let Some(data) = Data::find() else { return };
    let test = data.record("test.txt");
    let exim = data.record("eximtest.dns");
    let keys = [
        ("20120113._domainkey.gmail.com", GMAIL_KEY),
        (TEST, &*test),
        (BRISBANE, RFC8032_KEY),
        ("sed._domainkey.test.ex", &*exim),
    ];
    for (file, expected) in [
        ("rfc6376.signed.msg", vec![Pass, Pass]),
        ("rfc6376.signed.rsa.msg", vec![Pass]),
        ("test2.message", vec![Pass]),
        ("ed25519test2.msg", vec![Pass]),
    ] {
        let message = data.message(file);
        let facts = verified(&keys, &message);
        assert_eq!(results(&facts), expected, "{file}: {facts:?}");

        let forged = results(&verified(&keys, &other_body(&message)));
        assert!(!forged.contains(&Pass), "{file}: body");
        let others = keys.map(|(name, record)| (name, other_key(record)));
        let others = others.each_ref().map(|(name, record)| (*name, &**record));
        let forged = results(&verified(&others, &message));
        assert!(!forged.contains(&Pass), "{file}: key");
    }
}

/// Without t= it is read all the same; it does not verify, as the suite has it.
#[test]
fn a_signature_may_lack_its_time() {
    let Some(data) = Data::find() else { return };
    let record = data.record("test.txt");
    let facts = verified(&[(TEST, &record)], &data.message("rfc6376.signed.no_t.msg"));
    assert_eq!(results(&facts), [Authentication::Fail]);
}

#[test]
fn no_bad_key_verifies() {
    let Some(data) = Data::find() else { return };
    let message = data.message("rfc6376.signed.rsa.msg");
    for (file, why) in [
        (
            "test_bad.txt",
            "the signature does not fit the signed fields and the key",
        ),
        ("badversion.txt", "the key is not of v=DKIM1"),
        ("badk.txt", "the key is for another algorithm"),
        (
            "test_tlsrpt.txt",
            "the key is for another service than mail (s=)",
        ),
    ] {
        let record = data.record(file);
        let facts = verified(&[(TEST, &record)], &message);
        assert_ne!(facts[0].result, Authentication::Pass, "{file}");
        assert_eq!(facts[0].reason.as_deref(), Some(why), "{file}");
    }
}

#[test]
fn a_domain_that_is_none_is_not_looked_up() {
    let Some(data) = Data::find() else { return };
    let record = data.record("test.txt");
    let message = data.message("test.message.baddomain");
    let facts = verified(&[("test._domainkey.legitimate.com", &record)], &message);
    assert_eq!(results(&facts), [Authentication::PermError]);
    assert_eq!(facts[0].reason.as_deref(), Some("d= is malformed"));
}

#[test]
fn what_has_no_signature_proves_nothing() {
    let Some(data) = Data::find() else { return };
    for file in [
        "rfc6376.msg",
        "test.message",
        "test_extra.message",
        "test_nofrom.message",
    ] {
        assert!(verified(&[], &data.message(file)).is_empty(), "{file}");
    }
    let octets = std::fs::read(data.0.join("rfc6376.w1258.msg")).expect("the message");
    assert!(verified(&[], &octets).is_empty());
}

/// Signed here, with its keys, in every way there is.
#[test]
fn what_its_keys_sign_verifies() {
    let Some(data) = Data::find() else { return };
    let rsa = |file: &str| {
        let der = PrivateKeyDer::from_pem_slice(data.text(file).as_bytes()).expect("a key");
        DkimKey::Rsa(RsaKey::<Sha256>::from_key_der(der).expect("an RSA key"))
    };
    let plain = data.record("2048_testkey_wo_markers.pub.txt");
    let pkcs1 = data.record("2048_testkey_wo_markers.pub.rsa.txt");
    let pkcs8 = data.record("2048_testkey_PKCS8.key.pub.txt");
    let record = |public: &str| match public.contains("p=") {
        true => public.to_owned(),
        false => format!("v=DKIM1; k=rsa; p={public}"),
    };
    let seed = |file: &str, record: &str| {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let public = record.split_once("p=").expect("a key").1;
        let seed = STANDARD.decode(data.record(file)).expect("base64");
        let public = STANDARD.decode(public).expect("base64");
        DkimKey::Ed25519(Ed25519Key::from_seed_and_public_key(&seed, &public).expect("a key"))
    };
    let ed25519 = data.record("ed25519test.dns");
    let keys: [(&dyn Fn() -> DkimKey, String); 5] = [
        (&|| rsa("2048_testkey.key"), record(&plain)),
        (&|| rsa("2048_testkey.key"), record(&pkcs1)),
        (&|| rsa("2048_testkey_PKCS8.key"), record(&pkcs8)),
        (&|| seed("ed25519test.key", &ed25519), ed25519.clone()),
        (
            &|| seed("rfc8032_7_1.key", RFC8032_KEY),
            RFC8032_KEY.to_owned(),
        ),
    ];
    let ways = [Canonicalization::Simple, Canonicalization::Relaxed];
    let mut variants = 0;
    for (position, (key, record)) in keys.iter().enumerate() {
        for (fields, body) in ways.iter().flat_map(|one| ways.map(|other| (*one, other))) {
            for file in ["test.message", "rfc6376.msg", "test_extra.message"] {
                let message = data.message(file);
                let signature = DkimSigner::from_key(key())
                    .domain("example.com")
                    .selector("test")
                    .headers(["From", "From", "Subject", "To", "Date"])
                    .header_canonicalization(fields)
                    .body_canonicalization(body)
                    .sign(&message)
                    .expect("a signature");
                let signed = [signature.to_header().as_bytes(), &message].concat();
                let name = "test._domainkey.example.com";
                let about = format!("key {position}, {fields:?}/{body:?}, {file}");
                let facts = verified(&[(name, record)], &signed);
                assert_eq!(
                    results(&facts),
                    [Authentication::Pass],
                    "{about}: {facts:?}"
                );

                let facts = verified(&[(name, record)], &other_body(&signed));
                assert_eq!(results(&facts), [Authentication::Fail], "{about}: body");
                let facts = verified(&[(name, &other_key(record))], &signed);
                assert_ne!(results(&facts), [Authentication::Pass], "{about}: key");
                variants += 1;
            }
        }
    }
    assert_eq!(variants, 60);
}
