//! The site sets the separators of sub-addresses; the last setting holds also for entries that
//! were made before.

use test_support::{Relay, Sink, run};

use crate::{account, guarded, is_partner};

#[test]
fn a_reload_changes_which_addresses_are_equal() {
    let sink = Sink::start();
    let usual = guarded(&sink);
    let relay = usual.clone().start();
    let a = account(&relay, "a.desk.test");
    for partner in ["help@partner.example", "sales-north@partner.example"] {
        relay.json(&["partner", "add", &a, partner]);
    }
    let (by_plus, by_dash) = ("help+7@partner.example", "help-7@partner.example");
    let other_team = "sales-south@partner.example";
    let said = |relay: &Relay| [by_plus, by_dash, other_team].map(|one| is_partner(relay, one));
    assert_eq!(said(&relay), [true, false, false]);

    let separators = |text: &str| format!("[directory]\nsub-address-separators = \"{text}\"");
    relay.reloads(&usual.clone().with(&separators("+-")));
    assert_eq!(said(&relay), [true, true, true]);

    relay.reloads(&usual.with(&separators("")));
    assert_eq!(said(&relay), [false, false, false]);
    assert!(is_partner(&relay, "help@partner.example"));
    relay.leaves_nothing(sink);
}

#[test]
fn an_invalid_separator_is_refused_with_its_place() {
    let sink = Sink::start();
    for (line, why) in [
        (
            "sub-address-separators = \"+@\"",
            "'@' cannot set a sub-address apart",
        ),
        ("feed-size = \"many\"", "feed-size"),
        ("feed-timeout = \"soon\"", "feed-timeout"),
    ] {
        let wrong = guarded(&sink).with(&format!("[directory]\n{line}"));
        let dir = tempfile::tempdir().unwrap();
        let file = wrong.write(dir.path());
        let output = run(&["config", "check", "--config", file.to_str().unwrap()]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(why) && said.contains(line), "{said}");
    }
}
