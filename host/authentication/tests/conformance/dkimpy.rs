//! dkimpy's test data: its signed messages verify, and so do messages signed with its keys. Its
//! suite is a program that verifies its own signatures; the cases here are those whose messages,
//! keys and expected results are files.
//!
//! These peculiarities of dkimpy are not in RFC 6376, and are not kept here:
//! - `message.mbox` has no key among the files, so its result is unknown;
//! - dkimpy refuses `rfc6376.w1258.msg` because its signer wants text; the message has no
//!   signature, and here its bytes are as good as any;
//! - dkimpy signs with keys of 1024 bits. Ring signs with 2048 bits and more, so here those keys
//!   verify (the RFC's own examples) and do not sign.

use gatepost_authentication::{Authentication, DkimFact, Settings};
use mail_auth::common::crypto::{DkimKey, Ed25519Key, RsaKey, Sha256};
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::{Canonicalization, DkimSigner};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use test_support::Zone;
use test_support::suites::dkimpy::{BAD_KEYS, Data, RFC8032_KEY, SIGNED, TEST, UNSIGNED};

use crate::world::{World, other_body, other_key};

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

#[test]
fn messages_signed_by_dkimpy_verify() {
    use Authentication::Pass;
    let Some(data) = Data::find() else { return };
    let world = World::of(data.zone(str::to_owned));
    let forged = World::of(data.zone(other_key));
    let of = |world: &World, message: &[u8]| world.facts(message, &Settings::default()).dkim;
    for (file, passing) in SIGNED {
        let message = data.message(file);
        let facts = of(&world, &message);
        assert_eq!(results(&facts), vec![Pass; passing], "{file}: {facts:?}");
        let other = results(&of(&world, &other_body(&message)));
        assert!(!other.contains(&Pass), "{file}: body");
        let other = results(&of(&forged, &message));
        assert!(!other.contains(&Pass), "{file}: key");
    }
}

/// Reads a signature without `t=`, which does not verify, as in the suite.
#[test]
fn a_signature_without_a_time_is_read() {
    let Some(data) = Data::find() else { return };
    let record = data.record("test.txt");
    let facts = verified(&[(TEST, &record)], &data.message("rfc6376.signed.no_t.msg"));
    assert_eq!(results(&facts), [Authentication::Fail]);
}

#[test]
fn a_malformed_key_does_not_verify() {
    let Some(data) = Data::find() else { return };
    let message = data.message("rfc6376.signed.rsa.msg");
    for (file, why) in BAD_KEYS {
        let record = data.record(file);
        let facts = verified(&[(TEST, &record)], &message);
        assert_ne!(facts[0].result, Authentication::Pass, "{file}");
        assert_eq!(facts[0].reason.as_deref(), Some(why), "{file}");
    }
}

#[test]
fn the_key_of_a_malformed_domain_is_not_looked_up() {
    let Some(data) = Data::find() else { return };
    let record = data.record("test.txt");
    let message = data.message("test.message.baddomain");
    let facts = verified(&[("test._domainkey.legitimate.com", &record)], &message);
    assert_eq!(results(&facts), [Authentication::Permerror]);
    assert_eq!(facts[0].reason.as_deref(), Some("d= is malformed"));
}

#[test]
fn a_message_without_a_signature_has_no_dkim_fact() {
    let Some(data) = Data::find() else { return };
    for file in UNSIGNED {
        assert!(verified(&[], &data.message(file)).is_empty(), "{file}");
    }
    assert!(verified(&[], &data.octets("rfc6376.w1258.msg")).is_empty());
}

/// Messages are signed here, with dkimpy's keys and every pair of canonicalisations.
#[test]
fn messages_signed_with_the_keys_of_dkimpy_verify() {
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
    let forms = [Canonicalization::Simple, Canonicalization::Relaxed];
    let mut variants = 0;
    for (position, (key, record)) in keys.iter().enumerate() {
        for (fields, body) in forms
            .iter()
            .flat_map(|one| forms.map(|other| (*one, other)))
        {
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
