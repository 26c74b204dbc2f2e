//! A token by a signed assertion (RFC 7523), which speaks for the mailbox that a message leaves
//! from.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde_json::Value;

use super::{Provider, service};
use crate::{Service, submit};

#[test]
fn a_token_is_got_by_an_assertion_for_the_mailbox() {
    let provider = Provider::start();
    let users = "{ name = 'ann@sender.example', token = 'token-1' }";
    let service = Service::start(&service(users));
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("key.pem");
    let mut openssl = std::process::Command::new("openssl");
    let openssl = openssl.args(["genpkey", "-quiet", "-algorithm", "RSA", "-out"]);
    assert!(openssl.arg(&file).output().unwrap().status.success());
    let keys = format!(
        "{}private-key = {{ file = {file:?} }}\nscopes = ['mail.send']\n",
        provider.keys("jwt-bearer")
    );
    let relay = provider.trusted_by(service.relay(&keys)).start();
    submit(&relay, &["x@elsewhere.example"]);
    assert_eq!(
        service.sink.take().user.as_deref(),
        Some("ann@sender.example")
    );

    let asked = provider.server.requests().remove(0);
    assert_eq!(
        asked.fields["grant_type"],
        "urn:ietf:params:oauth:grant-type:jwt-bearer"
    );
    let assertion = &asked.fields["assertion"];
    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    let parts = signed.split('.').map(|part| {
        let json = URL_SAFE_NO_PAD.decode(part).unwrap();
        serde_json::from_slice::<Value>(&json).unwrap()
    });
    let [header, claims] = parts.collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(header["alg"], "RS256");
    assert_eq!(claims["iss"], "the relay");
    assert_eq!(claims["sub"], "ann@sender.example");
    assert_eq!(claims["aud"], provider.front.url("/token"));
    assert_eq!(claims["scope"], "mail.send");

    let pem = std::fs::read_to_string(&file).unwrap();
    let lines = pem.lines().filter(|line| !line.starts_with('-'));
    let pair = RsaKeyPair::from_pkcs8(&STANDARD.decode(lines.collect::<String>()).unwrap());
    let pair = pair.unwrap();
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref());
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    public.verify(signed.as_bytes(), &signature).unwrap();
    relay.leaves_nothing(service.sink);
}
