//! Wrong settings of ACME are refused, with what to do.

use test_support::{RelayBuilder, run};

use crate::CHAIN;

#[test]
fn each_wrong_setting_is_named() {
    let nowhere = "127.0.0.1:1".parse().unwrap();
    let right = "directory = \"https://ca.example/directory\"\naccept-terms = true\n\
        names = [\"mx.desk.example\"]\nchallenge = \"http-01\"\nlisten = \"127.0.0.1:0\"\n";
    for (from, to, says) in [
        ("", "", ""),
        ("https", "ftp", "is not the URL of a directory"),
        ("https", "http", "is not the URL of a directory"),
        (
            "accept-terms = true",
            "",
            "the terms of the certificate authority are not accepted",
        ),
        ("[\"mx.desk.example\"]", "[]", "there are 0 names"),
        (
            "mx.desk.example",
            "192.0.2.1",
            "no authority issues a certificate for 192.0.2.1",
        ),
        ("mx.desk.example", "*.desk.example", "is not a domain name"),
        (
            "\"mx.desk.example\"]",
            "\"a.example\", \"A.example\"]",
            "stands there twice",
        ),
        ("http-01", "dns-01", "unknown variant `dns-01`"),
        (
            "listen = \"127.0.0.1:0\"",
            "",
            "nothing answers the certificate authority over HTTP",
        ),
        (
            "\"http-01\"\nlisten = \"127.0.0.1:0\"",
            "\"tls-alpn-01\"",
            "nothing answers the certificate authority over TLS",
        ),
        ("accept-terms", "retry = \"0s\"\naccept-terms", "retry is 0"),
        (
            "accept-terms",
            "renew-before = \"0s\"\naccept-terms",
            "renew-before is 0",
        ),
        (
            "accept-terms",
            "certificates-a-week = 0\naccept-terms",
            "certificates-a-week = 0",
        ),
        (
            "accept-terms",
            "contact = [\"ann\"]\naccept-terms",
            "`ann` is not a mail address",
        ),
        (
            "accept-terms",
            "external-account-id = \"1\"\naccept-terms",
            "an identifier and a key",
        ),
        (
            "accept-terms",
            "external-account-id = \"1\"\nexternal-account-key = \"c2hvcnQ\"\naccept-terms",
            "it is not a key in base64url",
        ),
        (
            "accept-terms",
            "ca-file = \"absent.pem\"\naccept-terms",
            "absent.pem",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let settings = right.replace(from, to);
        let builder = RelayBuilder::usual(nowhere)
            .replace(CHAIN, "chain = []")
            .with(&format!("[acme]\n{settings}"));
        let file = builder.write(folder.path());
        let output = run(&["config", "check", "--config", &file.to_string_lossy()]);
        let said = [output.stdout, output.stderr].concat();
        // Reports are folded at the width of a terminal.
        let said = String::from_utf8_lossy(&said).replace('│', " ");
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(
            output.status.success(),
            says.is_empty(),
            "{settings}: {said}"
        );
        assert!(said.contains(says), "{settings}: {said}");
        assert!(!said.contains("c2hvcnQ") || says.is_empty(), "{said}");
    }
}
