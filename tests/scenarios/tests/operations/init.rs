//! `gatepost init` makes a configuration that is good as it stands, and a store with keys; and it
//! overwrites nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;

use serde_json::Value;
use test_support::{Certificate, RelayBuilder, run, share_compiled_policies};

fn init(home: &Path, arguments: &[&str]) -> Output {
    let (dir, store) = (home.join("etc"), home.join("store"));
    let folders = [
        "--dir",
        &dir.to_string_lossy(),
        "--store",
        &store.to_string_lossy(),
    ]
    .map(str::to_owned);
    let folders: Vec<_> = folders.iter().map(String::as_str).collect();
    run(&[
        &["init", "--hostname", "mx.desk.example"],
        &folders[..],
        arguments,
    ]
    .concat())
}

fn made(home: &Path, arguments: &[&str]) -> Value {
    let output = init(home, &[arguments, &["--json"]].concat());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Checks the configuration as it was written; returns the summary.
fn checked(home: &Path) -> Value {
    let file = home.join("etc/gatepost.toml");
    let output = run(&[
        "config",
        "check",
        "--json",
        "--config",
        &file.to_string_lossy(),
    ]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    serde_json::from_str(&said).unwrap()
}

#[test]
fn a_first_configuration_is_good_as_it_stands() {
    let home = tempfile::tempdir().unwrap();
    let told = made(home.path(), &[]);
    assert_eq!(told["tls"], false);
    let token = told["token"].as_str().unwrap();
    assert!(token.starts_with("gatepost_"), "{token}");
    let summary = checked(home.path());
    assert_eq!(summary["listeners"], serde_json::json!(["mx"]));
    assert_eq!(summary["warnings"], Value::Null, "{summary}");
    let ring = home.path().join("store/key-ring");
    assert_eq!(told["key-ring"], ring.to_string_lossy().as_ref());
    for (path, mode) in [
        ("etc/gatepost.toml", 0o600),
        ("store", 0o700),
        ("store/key-ring", 0o600),
    ] {
        let found = fs::metadata(home.path().join(path))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(found & 0o777, mode, "{path}");
    }
    // Taken out of its comments, what is marked is good as well.
    let certificate = Certificate::make(&home.path().join("etc"));
    assert!(certificate.key.exists());
    let file = home.path().join("etc/gatepost.toml");
    let text = fs::read_to_string(&file).unwrap();
    let tables = [
        "[tls]",
        "certificate =",
        "key =",
        "[[listener]]",
        "name =",
        "address =",
        "direction =",
        "tls =",
        "chain =",
        "[[policy]]",
        "builtin =",
        "settings =",
    ];
    let lines = text.lines().map(|line| match line.strip_prefix("# ") {
        Some(rest) if tables.iter().any(|begins| rest.starts_with(begins)) => rest,
        _ => line,
    });
    fs::write(&file, lines.collect::<Vec<_>>().join("\n")).unwrap();
    assert_eq!(
        checked(home.path())["listeners"],
        serde_json::json!(["mx", "submission"])
    );
}

#[test]
fn nothing_that_exists_is_overwritten() {
    let home = tempfile::tempdir().unwrap();
    made(home.path(), &["--self-signed"]);
    let paths = [
        "etc/gatepost.toml",
        "etc/key.pem",
        "store/key-ring",
        "store/directory.db",
    ];
    let read = || paths.map(|path| fs::read(home.path().join(path)).unwrap());
    let before = read();
    let again = init(home.path(), &["--self-signed"]);
    assert_eq!(again.status.code(), Some(1));
    let said = String::from_utf8_lossy(&again.stderr);
    for name in [
        "gatepost.toml exists",
        "key.pem exists",
        "store is not empty",
        "nothing was made",
    ] {
        let said = said.split_whitespace().filter(|word| *word != "│");
        let said = said.collect::<Vec<_>>().join(" ");
        assert!(said.contains(name), "{name}: {said}");
    }
    assert!(read() == before);
    // A store alone, and a configuration alone.
    fs::remove_dir_all(home.path().join("etc")).unwrap();
    assert_eq!(init(home.path(), &[]).status.code(), Some(1));
    assert!(!home.path().join("etc").exists());
}

#[test]
fn a_relay_starts_on_it_and_speaks_tls() {
    let home = tempfile::tempdir().unwrap();
    let told = made(home.path(), &["--self-signed"]);
    assert_eq!(told["tls"], true);
    assert_eq!(
        checked(home.path())["listeners"],
        serde_json::json!(["mx", "submission"])
    );
    let text = fs::read_to_string(home.path().join("etc/gatepost.toml")).unwrap();
    // Ports that a test may have.
    let text = text
        .replace("\"0.0.0.0:25\"", "\"127.0.0.1:0\"")
        .replace("\"127.0.0.1:587\"", "\"127.0.0.1:0\"")
        .replace("\"127.0.0.1:9090\"", "\"127.0.0.1:0\"");
    share_compiled_policies(&home.path().join("store"));
    let relay = RelayBuilder::new(text).directory(home.path()).start();
    let mut client = relay.client("mx");
    client.ehlo();
    let offered = client.starttls();
    assert!(!offered.is_empty());
    client.command("MAIL FROM:<ann@sender.example>", 250);
    client.command("RCPT TO:<help@desk.example>", 550);
}
