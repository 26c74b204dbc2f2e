//! A wrong name of the password's file is asked for again, and what was typed is not shown.

use std::fs;

use crate::setup::{asked, desk, missing, set_up};

#[test]
fn a_typed_password_is_not_repeated_and_the_set_up_goes_on() {
    let desk = desk();
    let password = desk.relay.directory().join("password");
    fs::write(&password, "correct horse\n").unwrap();
    let options = [
        "--account",
        "acme.desk.test",
        "--product",
        "Acme",
        "--vouch",
    ];
    let domain = ["--domain", "customer.test", "--kind", "outbound-only"];
    let typed = "hunter2-typed-here";
    let server = ["", "", "127.0.0.1", "abc", "99999", "1", "desk"];
    let answers = [&server[..], &[typed, password.to_str().unwrap(), ""]].concat();
    let output = set_up(&desk, &[&options[..], &domain].concat(), &answers);
    let questions = asked(&output);
    assert!(questions.contains("there is no such file"), "{questions}");
    assert_eq!(
        questions
            .matches("a port is a number from 1 to 65535")
            .count(),
        2,
        "{questions}"
    );
    assert!(!questions.contains(typed), "{questions}");
    assert!(!String::from_utf8_lossy(&output.stdout).contains(typed));
    assert_eq!(missing(&desk), ["address", "working-connection"]);
    desk.relay.leaves_nothing(desk.sink);
}
