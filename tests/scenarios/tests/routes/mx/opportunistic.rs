//! Servers that MX names get mail over TLS with any certificate, and in plaintext where TLS fails.

use crate::{MESSAGE, relay, server_certified, submitted, zone};
use test_support::{Certificate, DnsServer, Taken};

fn taken_by(script: &str) -> (Taken, String) {
    let folder = tempfile::tempdir().unwrap();
    let certificate = Certificate::make_for(folder.path(), &["other.example"]);
    let server = server_certified(script, &certificate);
    let dns = DnsServer::start(zone(&[(10, 2)]));
    let relay = relay(&dns, server.address().port()).start();
    submitted(&relay, &["x@b.example"], MESSAGE);
    let taken = server.take();
    let dialogue = server.dialogue();
    relay.leaves_nothing(server);
    (taken, dialogue)
}

#[test]
fn any_certificate_will_do() {
    let (taken, _) = taken_by("[tls]\nmode = 'starttls'\n");
    assert!(taken.tls.is_some(), "{taken:?}");
}

#[test]
fn a_server_whose_tls_fails_gets_the_mail_in_plaintext() {
    let (taken, dialogue) = taken_by("[tls]\nmode = 'starttls'\nfault = 'garbage'\n");
    assert_eq!(taken.tls, None);
    let first = dialogue.lines().find(|line| line.contains("STARTTLS\""));
    assert!(first.unwrap().contains("\"connection\":1"), "{dialogue}");
    assert_eq!(taken.connection, 2, "on a connection of its own");
}
