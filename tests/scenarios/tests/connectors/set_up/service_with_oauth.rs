//! A service that logs in by OAuth is connected: its profile is named, its settings come from a file,
//! and a person consents during the set-up.

use std::fs;
use std::path::PathBuf;

use test_support::{Certificate, Sink, TokenServer};

use crate::setup::{Desk, asked, desk, missing, printed, set_up};

const SCRIPT: &str = "tls = { mode = \"starttls\" }
[auth]
required = true
mechanisms = [\"XOAUTH2\"]
users = [{ name = \"desk@customer.test\", token = \"access-of-the-desk\" }]
";

const DEVICE: &str = r#"{"device_code":"device-code-of-the-relay","user_code":"WDJB-MJHT",
    "interval":0,"expires_in":900,"verification_uri":"https://login.example/device"}"#;

const TOKENS: &str = r#"{"access_token":"access-of-the-desk","token_type":"Bearer",
    "expires_in":3600,"refresh_token":"refresh-one"}"#;

/// Writes the settings of a connection that logs in by a refresh token, which it does not have yet.
fn settings_file(desk: &Desk, tokens: &TokenServer) -> PathBuf {
    let settings = desk.relay.directory().join("settings.toml");
    let text = format!(
        "user = \"desk@customer.test\"\ngrant = \"refresh-token\"\nclient-id = \"relay\"\n\
         token-url = \"{}\"\ndevice-url = \"{}\"\nscopes = [\"mail.send\"]\n",
        tokens.url("/token"),
        tokens.url("/device")
    );
    fs::write(&settings, text).unwrap();
    settings
}

#[test]
fn a_person_consents_during_the_set_up() {
    let (desk, tokens) = (desk(), TokenServer::start());
    let certificate = Certificate::make(desk.relay.directory());
    let files = [&certificate.certificate, &certificate.key];
    let [pem, key] = files.map(|path| path.to_str().unwrap());
    let service = Sink::scripted(SCRIPT, &["--certificate", pem, "--key", key]);
    let settings = settings_file(&desk, &tokens);
    let (settings, port) = (
        settings.to_str().unwrap(),
        service.address().port().to_string(),
    );
    let options = [
        "--account",
        "acme.desk.test",
        "--product",
        "Acme",
        "--domain",
        "customer.test",
        "--kind",
        "outbound-only",
        "--vouch",
        "--smart-host-profile",
        "microsoft-365",
        "--smart-host",
        "127.0.0.1",
        "--smart-host-port",
        &port,
        "--smart-host-ca",
        pem,
    ];
    tokens.answer("200 OK", DEVICE);
    tokens.answer("200 OK", TOKENS);
    // No address yet; the file with the settings; the consent; nothing else.
    let answers = ["", settings, "y", "", ""];
    let output = set_up(&desk, &options, &answers);
    let (said, questions) = (printed(&output), asked(&output));
    for part in [
        "https://login.example/device",
        "WDJB-MJHT",
        "authorized",
        "connection customer.test was tested: it works",
    ] {
        assert!(said.contains(part), "{part}: {said}{questions}");
    }
    assert_eq!(missing(&desk), ["address"]);
    let show = [
        "connection",
        "show",
        "customer.test",
        "--account",
        "acme.desk.test",
    ];
    let shown = desk.relay.json(&show).remove(0);
    assert_eq!(shown["settings"]["profile"], "microsoft-365", "{shown}");
    drop(service);
    desk.relay.leaves_nothing(desk.sink);
}

#[test]
fn without_questions_the_command_for_the_consent_is_printed() {
    let (desk, tokens) = (desk(), TokenServer::start());
    let settings = settings_file(&desk, &tokens);
    let options = [
        "--yes",
        "--account",
        "acme.desk.test",
        "--product",
        "Acme",
        "--domain",
        "customer.test",
        "--kind",
        "outbound-only",
        "--vouch",
        "--default-address",
        "help@acme.desk.test",
        "--smart-host-profile",
        "microsoft-365",
        "--smart-host-settings",
        settings.to_str().unwrap(),
    ];
    let output = set_up(&desk, &options, &[]);
    let (said, left) = (asked(&output), printed(&output));
    assert!(
        said.contains("`gatepost connection authorize customer.test --account"),
        "{said}"
    );
    assert!(
        left.contains("help@acme.desk.test is the default address"),
        "{left}"
    );
    let show = [
        "connection",
        "show",
        "customer.test",
        "--account",
        "acme.desk.test",
    ];
    let shown = desk.relay.json(&show).remove(0);
    assert_eq!(shown["settings"]["host"], "smtp.office365.com", "{shown}");
    desk.relay.leaves_nothing(desk.sink);
}
