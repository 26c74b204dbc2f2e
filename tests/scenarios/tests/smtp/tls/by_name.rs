//! A client that asks for a name is shown the certificate that has it (RFC 6066 section 3); one that
//! asks for none, or for a name that nobody has, is shown the first.

use std::fs;

use test_support::{Certificate, Client, Relay, RelayBuilder, Sink};

/// Returns the certificate that a client is shown which asks for this name.
fn shown(relay: &Relay, name: &str) -> Vec<u8> {
    let mut client = Client::greeted(relay.address("mx"));
    client.ehlo();
    client.command("STARTTLS", 220);
    client.secure_as(name).unwrap();
    client.ehlo();
    client.certificate().unwrap()
}

#[test]
fn the_certificate_of_the_name_is_shown() {
    let (sink, folders) = (
        Sink::start(),
        [(); 3].map(|()| tempfile::tempdir().unwrap()),
    );
    let names = [
        &["mx.desk.example"][..],
        &["smtp.acme.example", "smtp.shop.example"],
        &["*.globex.example"],
    ];
    let made: Vec<_> = (folders.iter().zip(names))
        .map(|(folder, names)| Certificate::make_for(folder.path(), names))
        .collect();
    let [first, acme, globex] = made.as_slice() else {
        panic!("three certificates");
    };
    let files =
        |of: &Certificate| format!("certificate = {:?}\nkey = {:?}\n", of.certificate, of.key);
    let further = [acme, globex].map(|of| format!("[[tls.further]]\n{}", files(of)));
    let relay = RelayBuilder::usual(sink.address())
        .with(&format!("[tls]\n{}{}", files(first), further.concat()))
        .start();
    let of_first = shown(&relay, "mx.desk.example");
    let of_acme = shown(&relay, "smtp.acme.example");
    let of_globex = shown(&relay, "mail.globex.example");
    assert!(of_first != of_acme && of_acme != of_globex && of_globex != of_first);
    assert_eq!(shown(&relay, "SMTP.shop.example"), of_acme);
    for other in [
        "elsewhere.example",
        "a.b.globex.example",
        "globex.example",
        "127.0.0.1",
    ] {
        assert_eq!(shown(&relay, other), of_first, "{other}");
    }

    // A renewed one is shown after a reload; a key that belongs to another changes nothing.
    Certificate::make_for(folders[1].path(), names[1]);
    relay.json(&["reload"]);
    let renewed = shown(&relay, "smtp.acme.example");
    assert_ne!(renewed, of_acme);
    fs::copy(&globex.key, &acme.key).unwrap();
    let said = relay.refuses(&["reload"]);
    assert!(said.contains("cannot use the certificate"), "{said}");
    assert_eq!(shown(&relay, "smtp.acme.example"), renewed);
    relay.leaves_nothing(sink);
}
