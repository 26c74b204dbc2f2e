//! `gatepost policy test --watch`, and its results for a CI server.

use std::fs;

use test_support::{Process, gatepost, hostile, run};

const EML: &str = "From: Ann <ann@sender.example>\nTo: help@desk.example\n\nHello!\n";

const TOML: &str = "mail-from = \"ann@sender.example\"\nrcpt-to = [\"help@desk.example\"]\n[expect]\nverdict = \"pass\"\n";

/// Returns the result of the next run.
fn result(process: &Process) -> String {
    loop {
        let line = process.line();
        if line.starts_with("test result: ") {
            return line;
        }
    }
}

#[test]
fn each_change_runs_the_fixtures_again() {
    let folder = tempfile::tempdir().unwrap();
    let (module, fixture) = (
        folder.path().join("guest.wasm"),
        folder.path().join("one.toml"),
    );
    fs::write(&module, hostile("version_one")).unwrap();
    fs::write(folder.path().join("one.eml"), EML).unwrap();
    fs::write(&fixture, TOML).unwrap();
    let mut command = gatepost();
    command.args(["policy", "test", "--watch", "--module"]);
    command.arg(&module).arg(folder.path());
    let mut process = Process::start("policy test", &mut command);
    assert!(result(&process).starts_with("test result: ok. 1 passed"));
    let mut seen = 0;
    let mut waits = || {
        let log = process.logged_behind(seen, &["waiting for a change"]);
        seen += log.len();
        log
    };
    waits();

    fs::write(&fixture, TOML.replace("pass", "reject")).unwrap();
    assert!(result(&process).starts_with("test result: FAILED. 0 passed; 1 failed"));
    assert!(waits().contains("changed: one.toml"));

    // Two files at once are one run: the next result is that of both.
    fs::write(folder.path().join("two.eml"), EML).unwrap();
    fs::write(folder.path().join("two.toml"), TOML).unwrap();
    fs::write(&fixture, TOML).unwrap();
    assert!(result(&process).starts_with("test result: ok. 2 passed"));
    waits();

    fs::write(&module, "no module").unwrap();
    assert!(result(&process).starts_with("test result: FAILED. 0 passed; 2 failed"));
    waits();
    // A build puts a new file in the place of the old one.
    let built = folder.path().join("guest.tmp");
    fs::write(&built, hostile("version_two")).unwrap();
    fs::rename(&built, &module).unwrap();
    assert!(result(&process).starts_with("test result: ok. 2 passed"));
    waits();
    fs::remove_file(&module).unwrap();
    assert!(waits().contains("cannot read "));

    process.signal("INT");
    assert!(process.wait().success());
}

#[test]
fn a_ci_server_reads_the_results() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("good", TOML.to_owned()),
        ("bad", TOML.replace("pass", "reject")),
        ("ugly", TOML.replace("[expect]", "[expect")),
    ] {
        fs::write(folder.path().join(name).with_extension("eml"), EML).unwrap();
        fs::write(folder.path().join(name).with_extension("toml"), text).unwrap();
    }
    let (fixtures, file) = (
        folder.path().to_string_lossy(),
        folder.path().join("results.xml"),
    );
    let junit = file.to_string_lossy();
    let arguments = [
        "policy",
        "test",
        &fixtures,
        "--module",
        "header-guard",
        "--junit",
    ];
    let output = run(&[&arguments[..], &[&junit]].concat());
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("test good ... ok"));
    let xml = fs::read_to_string(&file).unwrap();
    assert!(
        xml.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites "),
        "{xml}"
    );
    let suite = "<testsuite name=\"header-guard\" tests=\"3\" failures=\"1\" errors=\"1\" time=\"";
    assert!(xml.contains(suite), "{xml}");
    assert!(
        xml.contains("<testcase name=\"good\" classname=\"header-guard\" file=\""),
        "{xml}"
    );
    assert!(
        xml.contains("<failure message=\"other than expected: verdict\">"),
        "{xml}"
    );
    assert!(
        xml.contains("-verdict = &quot;reject&quot;"),
        "escaped: {xml}"
    );
    assert!(xml.contains("<error message=\""), "{xml}");
    assert_eq!(xml.matches("<testcase ").count(), 3, "{xml}");

    let nowhere = folder.path().join("nowhere/results.xml");
    let nowhere = nowhere.to_string_lossy();
    let output = run(&[&arguments[..], &[&nowhere]].concat());
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write "));
}
