//! The private half of a key is in no output, no log, and not in the clear in the store.

use std::fs;

use crate::{CUSTOMER, Customer, by_mx, server, zone};
use test_support::DnsServer;

#[test]
fn the_private_half_is_nowhere_to_be_seen() {
    let (server, dns) = (server(""), DnsServer::start(zone()));
    let relay = by_mx(&dns, server.address().port()).environment("RUST_LOG", "trace");
    let customer = Customer::on(relay.start(), &[CUSTOMER]);
    customer.sign_for(CUSTOMER, &dns);
    let id = customer.submit("help@customer.example");
    server.take();
    let mut outputs = vec![customer.relay.log()];
    for command in [
        &["dkim", "show"][..],
        &["dkim", "check"],
        &["dkim", "rotate", CUSTOMER, "--account", "acme.desk.test"],
        &["trace", &id],
        &["account", "list"],
    ] {
        for json in [&[][..], &["--json"]] {
            let output = customer.relay.command(&[command, json].concat());
            let text = [output.stdout, output.stderr].concat();
            outputs.push(String::from_utf8_lossy(&text).into_owned());
        }
    }
    // PKCS #8 of either algorithm begins so (RFC 5208): version, algorithm, and an octet string.
    let starts: [&[u8]; 2] = [
        b"\x02\x01\x00\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\x04\x82",
        b"\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20",
    ];
    let store = fs::read_dir(customer.relay.directory().join("store")).unwrap();
    for file in store
        .map(|file| file.unwrap().path())
        .filter(|path| path.is_file())
    {
        let bytes = fs::read(&file).unwrap();
        for start in starts {
            let found = bytes.windows(start.len()).any(|part| part == start);
            assert!(!found, "{}", file.display());
        }
    }
    for output in &outputs {
        assert!(!output.contains("PRIVATE KEY"), "{output}");
        // PKCS #8 in Base64: of RSA the algorithm before an octet string, of Ed25519 the beginning.
        for encoded in ["9w0BAQEFAAS", "MFECAQEw", "MFMCAQEw", "MC4CAQAw"] {
            assert!(!output.contains(encoded), "{encoded}: {output}");
        }
    }
    customer.relay.leaves_nothing(server);
}
