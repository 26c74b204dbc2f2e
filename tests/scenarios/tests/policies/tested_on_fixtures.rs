//! `gatepost policy test`: a policy on the fixtures of its author.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::{hostile_file, run, workspace};

const EML: &str = "From: Ann <ann@sender.example>\nTo: help@desk.example\nMessage-ID: <1@sender.example>\nX-Desk-Verdict: fine\n\nHello!\n";

const FORBIDDEN: &str = r#"# What only we may say
shows = "a field that is forbidden"
mail-from = "ann@sender.example"   # a person
rcpt-to = ["help@desk.example"]

[expect]
reasons = ["X-Desk-Verdict *"]
verdict = "reject"     # for good
reply = "550 5.7.1 *"

[settings]
rules = [{ header = "X-Desk-Verdict", action = "forbid" }]
"#;

/// A folder with one fixture, `forbidden`, of header-guard.
struct Fixtures(TempDir);

impl Fixtures {
    fn new(toml: &str) -> Self {
        let fixtures = Self(tempfile::tempdir().unwrap());
        fs::write(fixtures.0.path().join("forbidden.eml"), EML).unwrap();
        fs::write(fixtures.toml(), toml).unwrap();
        fixtures
    }

    fn toml(&self) -> PathBuf {
        self.0.path().join("forbidden.toml")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.toml()).unwrap()
    }

    fn test(&self, arguments: &[&str]) -> Output {
        test(
            self.0.path(),
            &[&["--module", "header-guard"], arguments].concat(),
        )
    }
}

fn test(folder: &Path, arguments: &[&str]) -> Output {
    let folder = folder.to_str().unwrap();
    run(&[&["policy", "test", folder], arguments].concat())
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_decision_as_expected_is_ok() {
    let output = Fixtures::new(FORBIDDEN).test(&[]);
    let text = stdout(&output);
    assert!(output.status.success(), "{text}");
    assert!(
        text.contains("running 1 fixture with header-guard"),
        "{text}"
    );
    assert!(text.contains("test forbidden ... ok"), "{text}");
    assert!(
        text.contains("test result: ok. 1 passed; 0 failed;"),
        "{text}"
    );
}

#[test]
fn another_decision_fails_and_can_be_accepted() {
    let wrong = FORBIDDEN.replace("\"reject\" ", "\"pass\" ");
    let fixtures = Fixtures::new(&wrong);
    let output = fixtures.test(&[]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("test forbidden ... FAILED"), "{text}");
    assert!(text.contains("a field that is forbidden"), "{text}");
    let diff = "\n-verdict = \"pass\"\n+verdict = \"reject\"\n reply = \"550 5.7.1 *\"\n";
    assert!(text.contains(diff), "{text}");
    assert!(
        text.contains("test result: FAILED. 0 passed; 1 failed;"),
        "{text}"
    );
    assert_eq!(
        fixtures.text(),
        wrong,
        "nothing is accepted unless asked for"
    );

    let output = fixtures.test(&["--bless"]);
    assert!(output.status.success(), "{}", stdout(&output));
    assert!(stdout(&output).contains("test forbidden ... blessed"));
    assert_eq!(
        fixtures.text(),
        FORBIDDEN,
        "comments, order and patterns stay"
    );
    assert!(fixtures.test(&[]).status.success());
}

#[test]
fn a_script_reads_an_object_a_fixture() {
    let fixtures = Fixtures::new(&FORBIDDEN.replace("\"550 5.7.1 *\"", "\"554 *\""));
    let output = fixtures.test(&["--json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_str(stdout(&output).trim()).unwrap();
    assert_eq!(report["fixture"], "forbidden");
    assert_eq!(report["file"], json!(fixtures.toml()));
    assert_eq!(report["result"], "differs");
    assert_eq!(report["differs"], json!(["reply"]));
    assert_eq!(report["error"], Value::Null);
}

#[test]
fn a_fixture_that_is_wrong_is_shown_where() {
    for (right, wrong, problem) in [
        ("mail-from", "mailfrom", "unknown field `mailfrom`"),
        ("verdict =", "verdcit =", "unknown field `verdcit`"),
        ("\"ann@sender.example\" ", "\"ann\" ", "forbidden.toml:3:"),
        (
            "[settings]",
            "[facts]\nspf = \"failed\"\n[settings]",
            "a result such as",
        ),
        ("[settings]", "[settings", "forbidden.toml:11:"),
    ] {
        let output = Fixtures::new(&FORBIDDEN.replace(right, wrong)).test(&[]);
        let text = stdout(&output);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains(problem), "{problem}: {text}");
        assert!(text.contains("forbidden.toml:"), "{text}");
    }
    let output = Fixtures::new(&FORBIDDEN.replace("mail-from", "# mail-from")).test(&[]);
    assert!(stdout(&output).contains("forbidden.toml: mail-from is missing"));
}

#[test]
fn a_fixture_that_cannot_run_says_why() {
    let fixtures = Fixtures::new(&FORBIDDEN.replace("action", "acton"));
    let text = stdout(&fixtures.test(&[]));
    assert!(text.contains("the settings are not valid"), "{text}");
    let fixtures = Fixtures::new(&format!("hook = \"route\"\n{FORBIDDEN}"));
    let text = stdout(&fixtures.test(&[]));
    assert!(
        text.contains("the policy has no route hook; it has message"),
        "{text}"
    );
    fs::remove_file(fixtures.toml()).unwrap();
    let text = stdout(&fixtures.test(&[]));
    assert!(
        text.contains("cannot read ") && text.contains("forbidden.toml"),
        "{text}"
    );

    let empty = tempfile::tempdir().unwrap();
    for (arguments, problem) in [
        (&["--module", "header-guard"][..], "has no fixtures"),
        (&["--module", "no-such.wasm"], "cannot read no-such.wasm"),
        (&[], "is in no crate"),
    ] {
        let output = test(empty.path(), arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(text.contains(problem), "{text}");
    }
}

/// All that a policy could look up comes from the fixture.
#[test]
fn a_policy_sees_what_the_fixture_says() {
    let marks = r#"mail-from = "ann@sender.example"
rcpt-to = ["help@desk.example"]
exact = true
memory.seen = ["<1@sender.example>"]
settings.version = "7"
[expect]
verdict = "pass"
reasons = ["call 1 of this instance"]
tags = ["seen-before"]
edits = ["add X-Marked-By: 7"]
effects = ["mark <1@sender.example> for 3600 s", "count 1 messages"]
"#;
    let origin = r#"mail-from = "bounces@sender.example"
rcpt-to = ["help@desk.example"]
user = "relay"
account-settings.mode = "enhanced"
[facts]
spf = "softfail"
dkim = { result = "pass", domain = "sender.example", selector = "s1" }
dmarc = { result = "fail", policy = "quarantine" }
arc = { result = "pass", sets = [{ sealer = "list.example", dmarc = "pass" }] }
[directory]
credential = { inbound = "desk.example" }
destinations = { "help@desk.example" = { kind = "two-way" } }
product = "Acme Desk"
[expect]
reasons = [
    "spf-helo none ",
    "spf-mailfrom softfail sender.example",
    "dkim pass sender.example s1",
    "dmarc fail quarantine quarantine sender.example sender.example false false",
    "arc pass 1 list.example",
    "arc-set 1 list.example pass",
    "iprev none",
    'author "Ann" ann@sender.example',
    "to help@desk.example desk.example Some(TwoWay) Some(Verified) [] [] [] true Relayed",
    "to somebody@elsewhere.example nobody's false Other",
    "partner none",
    "addresses true",
    'product Some("Acme Desk")',
    'credential relay Inbound("desk.example")',
    'settings {"mode":"enhanced"}',
    "relay relay.example ours true false given None None",
]
"#;
    for (example, toml) in [("marks", marks), ("origin", origin)] {
        let module = hostile_file(example);
        let fixtures = Fixtures::new(toml);
        let output = test(fixtures.0.path(), &["--module", module.to_str().unwrap()]);
        assert!(output.status.success(), "{}", stdout(&output));
    }
}

/// A panic says in which line, on the log.
#[test]
fn a_fault_is_a_decision_too() {
    let fixtures = Fixtures::new(
        r#"hook = "route"
listener = "route"
mail-from = "ann@sender.example"
rcpt-to = ["help@desk.example"]
settings.hook = "route"
expect = { verdict = "fault", fault = "trap: *" }
"#,
    );
    let module = hostile_file("traps_in");
    let output = test(fixtures.0.path(), &["--module", module.to_str().unwrap()]);
    assert!(output.status.success(), "{}", stdout(&output));
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("ERROR"), "{log}");
    assert!(
        log.contains("panicked at tests/guests/examples/traps_in.rs:"),
        "{log}"
    );
    assert!(log.contains("on purpose"), "{log}");
}

#[test]
fn fixtures_of_the_built_in_policies_come_as_expected() {
    for policy in [
        "header-guard",
        "inbound-auth",
        "outbound-route",
        "partner-guard",
    ] {
        let output = test(&workspace().join("guest").join(policy), &[]);
        assert!(output.status.success(), "{}", stdout(&output));
    }
}

#[test]
fn a_folder_that_is_not_there_and_a_fixture_that_expects_nothing_are_told_of() {
    let nowhere = tempfile::tempdir().unwrap().path().join("nowhere");
    let output = test(&nowhere, &[]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(errors.contains("nowhere does not exist"), "{errors}");

    let begin = FORBIDDEN.find("[expect]").unwrap();
    for toml in [
        &FORBIDDEN[..begin],
        &format!("{}[expect]\n", &FORBIDDEN[..begin]),
    ] {
        let output = Fixtures::new(toml).test(&[]);
        assert_eq!(output.status.code(), Some(1));
        let text = stdout(&output);
        assert!(
            text.contains("it has no [expect]") && text.contains("--bless"),
            "{text}"
        );
    }
}
