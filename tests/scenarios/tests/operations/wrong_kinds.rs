//! Whatever a configuration names may be something else than a file: a FIFO that nobody writes to, a
//! directory, a socket, a device, or a file of so many octets that reading it never ends. Each is
//! told of at once, by name.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use test_support::{Certificate, RelayBuilder, binary};

const KINDS: [&str; 5] = ["fifo", "directory", "socket", "device", "sparse"];

fn put(kind: &str, path: &Path) {
    match kind {
        "fifo" => {
            let made = Command::new("mkfifo").arg(path).status();
            assert!(made.is_ok_and(|made| made.success()), "mkfifo");
        }
        "directory" => fs::create_dir(path).unwrap(),
        "socket" => drop(UnixListener::bind(path).unwrap()),
        "device" => symlink("/dev/zero", path).unwrap(),
        _ => File::create(path).unwrap().set_len(8 << 30).unwrap(),
    }
}

fn remove(path: &Path) {
    let _ = fs::remove_dir(path);
    let _ = fs::remove_file(path);
}

/// Returns exit code and output of a command, which must end by itself.
fn said(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new("timeout")
        .arg("60")
        .arg(binary())
        .args(arguments)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let code = output.status.code();
    (code, String::from_utf8_lossy(&said).into_owned())
}

/// Each thing that a configuration can name, and the text that names it.
fn named(directory: &Path) -> Vec<(PathBuf, String)> {
    let wrong = directory.join("wrong");
    let tls = Certificate::make(directory);
    let (certificate, key) = (tls.certificate, tls.key);
    fs::create_dir_all(directory.join("templates/en")).unwrap();
    let templates = directory.join("templates");
    let message = directory.join("message.eml");
    fs::write(&message, "From: <a@sender.example>\r\n\r\nHi\r\n").unwrap();
    vec![
        (
            wrong.clone(),
            format!("[tls]\ncertificate = {wrong:?}\nkey = {key:?}"),
        ),
        (
            wrong.clone(),
            format!("[tls]\ncertificate = {certificate:?}\nkey = {wrong:?}"),
        ),
        (
            wrong.clone(),
            format!("[directory]\nfeed-ca-file = {wrong:?}"),
        ),
        (
            wrong.clone(),
            format!("[[policy]]\nname = \"own\"\nfile = {wrong:?}"),
        ),
        (
            wrong.clone(),
            format!(
                "[[policy]]\nname = \"header-guard\"\nbuiltin = \"header-guard\"\n\
                 self-test = [{{ file = {wrong:?}, rcpt-to = [\"b@desk.example\"], expect = \"pass\" }}]"
            ),
        ),
        (
            templates.join("en/bounce.txt"),
            format!("[notifications]\ntemplates = {templates:?}"),
        ),
    ]
}

#[test]
fn configured_files_of_the_wrong_kind_are_reported_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let nowhere = "127.0.0.1:9".parse().unwrap();
    for (path, text) in named(directory.path()) {
        let builder = RelayBuilder::usual(nowhere)
            .replace(crate::CHAIN, "chain = []")
            .with(&text);
        let config = builder.write(directory.path()).display().to_string();
        for kind in KINDS {
            put(kind, &path);
            let (code, said) = said(&["config", "check", "--config", &config]);
            assert_eq!(code, Some(1), "{kind} for {text}: {said}");
            let name = path.file_name().unwrap().to_str().unwrap();
            assert!(said.contains(name), "{kind} for {text}: {said}");
            remove(&path);
        }
    }
    // The root certificates of next hops are a key of a table that the usual relay has.
    let path = directory.path().join("wrong");
    let builder = RelayBuilder::usual(nowhere)
        .replace(crate::CHAIN, "chain = []")
        .replace("retry = ", &format!("ca-file = {path:?}\nretry = "));
    let config = builder.write(directory.path()).display().to_string();
    for kind in KINDS {
        put(kind, &path);
        let (code, said) = said(&["config", "check", "--config", &config]);
        assert_eq!(code, Some(1), "{kind}: {said}");
        assert!(said.contains("wrong"), "{kind}: {said}");
        remove(&path);
    }
}

#[test]
fn a_configuration_of_the_wrong_kind_is_reported_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("wrong.toml");
    let config = path.display().to_string();
    for kind in KINDS {
        put(kind, &path);
        for command in [
            &["config", "check"][..],
            &["serve"],
            &["doctor"],
            &["reload"],
        ] {
            let (code, said) = said(&[command, &["--config", &config]].concat());
            assert!(matches!(code, Some(1 | 2)), "{kind}: {code:?} {said}");
            assert!(said.contains("wrong.toml"), "{kind}: {said}");
        }
        remove(&path);
    }
}
