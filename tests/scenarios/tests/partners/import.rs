//! A file of partner addresses is imported as a whole or not at all, by a running relay and into
//! the store of a stopped one.

use std::fs;

use test_support::{Relay, Sink, run};

use crate::{guarded, is_partner, two};

/// Exit code and standard error.
fn import(relay: &Relay, arguments: &[&str]) -> (Option<i32>, String) {
    let output = relay.command(&[&["partner", "import", "a.desk.test"], arguments].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), said)
}

#[test]
fn a_wrong_line_is_named_and_changes_nothing() {
    let sink = Sink::start();
    let relay = guarded(&sink).start();
    two(&relay);
    let file = relay.directory().join("crm.txt");
    let path = file.to_str().unwrap();

    fs::write(
        &file,
        "# of the CRM\nann@partner.example\n\nnobody\n@whole.example\n",
    )
    .unwrap();
    let (code, said) = import(&relay, &[path]);
    assert_eq!(code, Some(1));
    assert!(said.contains("line 4: \"nobody\" is no address"), "{said}");
    assert!(
        said.contains("line 5: @whole.example is a whole domain"),
        "{said}"
    );
    assert!(!is_partner(&relay, "ann@partner.example"));

    fs::write(
        &file,
        "Ann@partner.example # one\r\nben@partner.example\n@whole.example\n",
    )
    .unwrap();
    let imported = relay.json(&["partner", "import", "a.desk.test", path, "--domains"]);
    assert_eq!(imported[0]["added"], 3);
    assert!(is_partner(&relay, "ann@partner.example"));
    assert!(is_partner(&relay, "anybody@whole.example"));
    let listed = relay.json(&["partner", "list", "a.desk.test"]);
    assert_eq!(listed.len(), 3, "{listed:?}");
    assert_eq!(listed[1]["source"]["import"], "crm.txt");

    // Beside what is there, or in its place.
    fs::write(&file, "cleo@partner.example\n").unwrap();
    assert_eq!(import(&relay, &[path]).0, Some(0));
    assert!(is_partner(&relay, "ann@partner.example"));
    let replaced = relay.json(&["partner", "import", "a.desk.test", path, "--replace"]);
    assert_eq!(
        (&replaced[0]["removed"], &replaced[0]["entries"]),
        (&3.into(), &1.into())
    );
    assert!(!is_partner(&relay, "ann@partner.example"));
    relay.json(&["partner", "remove", "a.desk.test", "--import", "crm.txt"]);
    assert!(!is_partner(&relay, "cleo@partner.example"));

    // A long one says how far it is.
    let many: String = (0..50_000)
        .map(|n| format!("u{n}@partner.example\n"))
        .collect();
    fs::write(&file, many).unwrap();
    let (code, said) = import(&relay, &[path]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("20000 of 50000 addresses"), "{said}");
    assert!(said.contains("50000 of 50000 addresses"), "{said}");
    assert!(is_partner(&relay, "u49999@partner.example"));
    let said = relay.refuses(&["account", "remove", "a.desk.test"]);
    assert!(said.contains("still has support addresses"), "{said}");
    relay.leaves_nothing(sink);
}

#[test]
fn an_import_without_a_relay_goes_to_the_store() {
    let sink = Sink::start();
    let mut relay = guarded(&sink).start();
    two(&relay);
    relay.terminate();
    let file = relay.directory().join("crm.txt");
    fs::write(&file, "ann@partner.example\n").unwrap();
    let config = relay.directory().join("gatepost.toml");
    let with = ["--config", config.to_str().unwrap()];
    let import = ["partner", "import", "a.desk.test", file.to_str().unwrap()];
    let output = run(&[&import[..], &with].concat());
    assert!(output.status.success(), "{output:?}");
    let look_up = ["partner", "lookup", "a.desk.test", "Ann@partner.example"];
    assert!(run(&[&look_up[..], &with].concat()).status.success());
}
