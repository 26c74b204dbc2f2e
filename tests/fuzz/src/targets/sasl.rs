//! SASL exchanges.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatepost_sasl::{Exchange, Mechanism, Step, Verifier};

use crate::Target;

/// Exchanges of all mechanisms: each line of the input is a response, in base64 or not yet.
pub const TARGET: Target = Target {
    name: "sasl",
    rule: "no exchange goes on for ever, and none proves a password that nobody has",
    seeds: || {
        [
            "\0user\0secret",
            "user\nsecret",
            "n,,n=user,r=nonce\nc=biws,r=nonce,p=AAAA",
            "y,a=other,n=us=2Cer,r=x\nc=eSws,r=x,p=",
            "=AHVzZXIAc2VjcmV0",
        ]
        .map(|text| text.as_bytes().to_vec())
        .to_vec()
    },
    words: &[
        b"\0",
        b"\n",
        b"n,,",
        b"p=tls-exporter,,",
        b"r=",
        b"c=",
        b"=2C",
        b"=3D",
        b"=",
        b",",
        b"*",
        b"m=x",
        b"\xc2\xad",
        b"\xcc\x81",
    ],
    suite: 4_000,
    check,
};

fn check(input: &[u8]) {
    let verifier = Verifier::new("a password that stands in no seed", [7; 16], 1);
    for mechanism in [Mechanism::Plain, Mechanism::Login, Mechanism::ScramSha256] {
        let (_, mut exchange) = Exchange::begin(mechanism, None);
        let mut steps = 0;
        for line in input.split(|&octet| octet == b'\n') {
            // A line that begins with `=` comes as it is.
            let response = match line.strip_prefix(b"=") {
                Some(raw) => raw.to_vec(),
                None => STANDARD.encode(line).into_bytes(),
            };
            steps += 1;
            assert!(steps <= 3, "{mechanism:?} wants more than three responses");
            exchange = match exchange.respond(&response) {
                Err(_) => break,
                Ok(Step::Challenge(_, next)) => next,
                Ok(Step::Salt(salting)) => {
                    assert!(!salting.user().is_empty());
                    match salting.with(verifier.clone()) {
                        Ok((_, next)) => next,
                        Err(_) => break,
                    }
                }
                Ok(Step::Claim(claim)) => {
                    assert!(!claim.user().is_empty());
                    assert!(!claim.holds(&verifier), "{mechanism:?} is proved");
                    break;
                }
            };
        }
    }
}
