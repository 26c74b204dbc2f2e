//! Postfix that relays for clients with a certificate alone gets the connection's.

use test_support::{Certificate, Postfix, RelayBuilder, Sink};

use crate::{submit, waits};

#[test]
fn the_relay_shows_the_certificate_of_the_connection() {
    let home = tempfile::tempdir().unwrap();
    let client = Certificate::make_for(home.path(), &["mx.desk.example"]);
    let sink = Sink::start();
    let main = format!(
        "smtpd_tls_security_level = encrypt\nsmtpd_tls_req_ccert = yes\n\
         smtpd_tls_CAfile = {}\nsmtpd_tls_received_header = yes\n\
         smtpd_relay_restrictions = permit_tls_all_clientcerts, reject\n",
        client.certificate.display()
    );
    let Some(postfix) = Postfix::with(sink.address(), &main) else {
        return;
    };
    let relay = |keys: &str| {
        RelayBuilder::usual(postfix.address()).with(&format!(
            "[routes]\nsubmission = 'connection desk'\n\
             [connection.desk]\nhost = '127.0.0.1'\nport = {}\n\
             ca = {{ file = {:?} }}\n{keys}",
            postfix.address().port(),
            postfix.certificate()
        ))
    };
    let without = relay("").start();
    let id = submit(&without, &["x@elsewhere.example"]);
    waits(&without, &id, "");
    without.json(&["queue", "cancel", &id]);

    let with = relay(&format!(
        "client-certificate = {{ file = {:?} }}\nclient-key = {{ file = {:?} }}\n",
        client.certificate, client.key
    ));
    let with = with.start();
    submit(&with, &["y@elsewhere.example"]);
    let taken = sink.take();
    assert_eq!(taken.to, ["y@elsewhere.example"]);
    let received = taken.text();
    assert!(
        received.contains("Client CN") || received.contains("verified OK"),
        "{received}"
    );
    with.leaves_nothing(sink);
}
