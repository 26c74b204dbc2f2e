use std::thread;
use std::time::{Duration, Instant};

use test_support::Client;

use crate::{Server, deliver};

#[test]
fn a_session_by_starttls_is_recorded_as_secured() {
    let server = Server::of("tls.mode = 'starttls'");
    let mut client = server.ready();
    client.starttls();
    deliver(&mut client);
    assert!(
        server.kept(1)["tls"]
            .as_str()
            .unwrap()
            .starts_with("TLSv1.3")
    );
}

#[test]
fn implicit_tls_begins_before_the_greeting() {
    let server = Server::of("tls.mode = 'implicit'");
    let mut client = Client::connect(server.address).unwrap();
    client.secure().unwrap();
    client.expect(220);
    assert!(!client.ehlo().contains(&"STARTTLS".to_owned()));
}

#[test]
fn mail_without_a_required_tls_is_refused() {
    let server = Server::of("tls = { mode = 'starttls', required = true }");
    let mut client = server.ready();
    client.command("MAIL FROM:<a@a.example>", 530);
    client.starttls();
    client.command("MAIL FROM:<a@a.example>", 250);
}

#[test]
fn a_scripted_fault_breaks_the_handshake() {
    for fault in ["drop", "garbage", "alert"] {
        let script = format!("tls = {{ mode = 'starttls', fault = '{fault}' }}");
        let server = Server::of(&script);
        let mut client = server.ready();
        client.command("STARTTLS", 220);
        let error = client.secure().unwrap_err().to_string();
        let due = match fault {
            "drop" => "end of file",
            "garbage" => "corrupt",
            _ => "HandshakeFailure",
        };
        assert!(error.contains(due), "{fault}: {error}");
        // It is written down after the client has met the fault.
        let begun = Instant::now();
        while !server.dialogue().contains("tls-failed") {
            assert!(begun.elapsed() < Duration::from_secs(10), "{fault}");
            thread::yield_now();
        }
    }
}

#[test]
fn starttls_may_be_offered_and_refused() {
    let rule = "[[on]]\ncommand = 'STARTTLS'\nreply = '454 4.7.0 TLS not available'";
    let server = Server::of(&format!("tls.mode = 'starttls'\n{rule}"));
    let mut client = server.ready();
    client.command("STARTTLS", 454);
    client.command("MAIL FROM:<a@a.example>", 250);
}

/// Plaintext behind STARTTLS may be an attacker's (CVE-2011-0411).
#[test]
fn plaintext_behind_starttls_is_dropped() {
    let server = Server::of("tls.mode = 'starttls'");
    let mut client = server.ready();
    client.send("STARTTLS\r\nNOOP\r\n").unwrap();
    client.expect(220);
    assert!(client.secure().is_ok_and(|()| !client.ehlo().is_empty()));
}
