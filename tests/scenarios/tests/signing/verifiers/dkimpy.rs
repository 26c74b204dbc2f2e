//! dkimpy, of another maker, verifies what the relay signs, with either algorithm.

use std::fs;
use std::process::Command;

use crate::{CUSTOMER, Customer, by_mx, server, zone};
use test_support::{DnsServer, python_with};

/// Verifies each signature of the message in `argv[1]` by the records in `argv[2]`, one a line, and
/// prints the results.
const PROGRAM: &str = "
import sys, dkim
message = open(sys.argv[1], 'rb').read()
records = dict(line.rstrip('\\n').split(' ', 1) for line in open(sys.argv[2]))
def txt(name, timeout=5):
    return records[name.decode().rstrip('.')].encode()
verifier = dkim.DKIM(message)
for index in range(2):
    try:
        print(verifier.verify(idx=index, dnsfunc=txt))
    except dkim.ValidationError:
        print(False)
";

#[test]
fn dkimpy_verifies_both_signatures() {
    let Some(python) = python_with("dkimpy", "import dkim, nacl") else {
        return;
    };
    let (server, dns) = (server(""), DnsServer::start(zone()));
    let customer = Customer::on(by_mx(&dns, server.address().port()).start(), &[CUSTOMER]);
    customer.sign_for(CUSTOMER, &dns);
    customer.submit("help@customer.example");
    let folder = tempfile::tempdir().unwrap();
    let (message, records) = (folder.path().join("message"), folder.path().join("records"));
    let taken = server.take();
    fs::write(
        &records,
        crate::record_lines(&customer.dkim(&["show", CUSTOMER])),
    )
    .unwrap();
    for (text, expected) in [
        (taken.text(), "True\nTrue\n"),
        (
            taken.text().replace("Hello!", "Send money!"),
            "False\nFalse\n",
        ),
    ] {
        fs::write(&message, text).unwrap();
        let mut verifier = Command::new(&python);
        let output = verifier
            .args(["-c", PROGRAM])
            .args([&message, &records])
            .output();
        let output = output.unwrap();
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            expected,
            "{output:?}"
        );
    }
    customer.relay.leaves_nothing(server);
}
