//! Programs for Python's smtplib, most programs' way to send mail.

use std::process::Command;

use test_support::{Relay, debian};

/// Beginning of every program: `connect` gives a connection to the listener, `message` is the
/// message, `context` trusts the relay's certificate, and `tell` prints a reply.
const BEGINNING: &str = r#"
import smtplib, ssl, sys

host, port, directory = sys.argv[1], int(sys.argv[2]), sys.argv[3]
context = ssl.create_default_context(cafile=directory + "/certificate.pem")
with open(directory + "/message.eml", "rb") as file:
    message = file.read()

def connect(kind=smtplib.SMTP, **options):
    return kind(host, port, local_hostname="client.example", timeout=60, **options)

def tell(*reply):
    print(*(part.decode() if isinstance(part, bytes) else part for part in reply))
"#;

/// Runs a program, which must succeed; what it printed. `None` where there is no Python.
pub fn run(program: &str, relay: &Relay, listener: &str, message: &[u8]) -> Option<String> {
    let python = debian("python3", "python3")?;
    let server = relay.address(listener);
    std::fs::write(relay.directory().join("message.eml"), message).unwrap();
    let mut python = Command::new(python);
    python
        .args(["-c", &format!("{BEGINNING}{program}")])
        .args([server.ip().to_string(), server.port().to_string()])
        .arg(relay.directory());
    let output = python.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    Some(String::from_utf8(output.stdout).unwrap())
}
