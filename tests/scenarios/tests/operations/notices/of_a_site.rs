//! A site can tell its senders in words of its own: templates in a folder, tried at start, by
//! `config check` and at each reload, so that a bad one is never met by a message.

use std::fs;
use std::path::Path;

use test_support::{RelayBuilder, Sink, run};

use super::{CHAIN, Notice, submit_as_user};
use crate::MESSAGE;

const OWN: &str = "From: The post room\nSubject: Sorry about {{ subject }}\n\n\
    {% for recipient in recipients %}{{ recipient.address }}: {{ recipient.why }}{% endfor %}\n";

fn builder(sink: &Sink, directory: &Path) -> RelayBuilder {
    RelayBuilder::usual(sink.address())
        .replace(CHAIN, "chain = []")
        .with("[notifications]\ntemplates = \"texts\"\n[suppression]\nrecord = false")
        .directory(directory)
}

fn write(directory: &Path, text: &str) {
    fs::create_dir_all(directory.join("texts/en")).unwrap();
    fs::write(directory.join("texts/en/failed.txt"), text).unwrap();
}

#[test]
fn a_sites_own_notices_are_used_and_change_with_a_reload() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), OWN);
    let sink = Sink::with(&["--fail-rcpt", "gone@"]);
    let relay = builder(&sink, directory.path()).start();
    submit_as_user(&relay, "", "gone@desk.example", "", MESSAGE);
    let notice = Notice::read(&sink.take().bytes());
    assert_eq!(notice.subject, "Sorry about hello");
    assert!(
        notice
            .text
            .starts_with("gone@desk.example: There is no mailbox of this name."),
        "{}",
        notice.text
    );

    write(directory.path(), &OWN.replace("Sorry", "Very sorry"));
    relay.json(&["reload"]);
    submit_as_user(&relay, "", "gone@desk.example", "", MESSAGE);
    let notice = Notice::read(&sink.take().bytes());
    assert_eq!(notice.subject, "Very sorry about hello");

    // A bad one is refused, and what is in use stays.
    write(directory.path(), &OWN.replace("subject", "subjekt"));
    let refused = relay.command(&["reload"]);
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stderr).replace(['\n', '│'], " ");
    assert!(
        said.contains("failed.txt:2") && said.contains("`subjekt`"),
        "{said}"
    );
    submit_as_user(&relay, "", "gone@desk.example", "", MESSAGE);
    let notice = Notice::read(&sink.take().bytes());
    assert_eq!(notice.subject, "Very sorry about hello");
    relay.leaves_nothing(sink);
}

#[test]
fn a_bad_template_is_refused_at_start_with_file_and_placeholder() {
    let directory = tempfile::tempdir().unwrap();
    write(
        directory.path(),
        &OWN.replace("recipient.why", "recipient.because"),
    );
    let sink = Sink::start();
    let builder = builder(&sink, directory.path());
    let file = builder.write(directory.path());
    let checked = run(&[
        "config",
        "check",
        "--json",
        "--config",
        &file.to_string_lossy(),
    ]);
    assert!(!checked.status.success());
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(said.contains("texts/en/failed.txt:4"), "{said}");
    assert!(said.contains("recipient.because"), "{said}");

    let log = builder.try_start().expect_err("it does not start");
    assert!(log.contains("templates of notifications"), "{log}");
    assert!(log.contains("failed.txt:4"), "{log}");
}
