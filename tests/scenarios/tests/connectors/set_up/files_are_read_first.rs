//! Files that are named are read and checked before anything is changed.

use std::fs;

use crate::setup::{asked, desk, set_up};

#[test]
fn a_wrong_file_changes_nothing() {
    let desk = desk();
    let folder = desk.relay.directory();
    let wrong = folder.join("wrong.pem");
    fs::write(&wrong, "no certificate\n").unwrap();
    let absent = folder.join("absent");
    let below = absent.join("customer.md");
    let [wrong, absent, below] = [&wrong, &absent, &below].map(|path| path.to_str().unwrap());
    for (options, words) in [
        (
            ["--smart-host-password-file", absent].to_vec(),
            "no such file",
        ),
        (["--smart-host-ca", absent].to_vec(), "absent"),
        (
            ["--smart-host-ca", wrong].to_vec(),
            "holds no certificates in PEM",
        ),
        (
            ["--for", "generic", "--output", below].to_vec(),
            "there is no folder",
        ),
    ] {
        let account = ["--yes", "--account", "acme.desk.test", "--product", "Acme"];
        let domain = ["--domain", "customer.test", "--kind", "two-way"];
        let output = set_up(&desk, &[&account[..], &domain, &options].concat(), &[]);
        assert_eq!(output.status.code(), Some(1), "{options:?}: {output:?}");
        assert!(asked(&output).contains(words), "{options:?}: {output:?}");
        assert!(
            desk.relay.json(&["account", "list"]).is_empty(),
            "{options:?}"
        );
    }
    desk.relay.leaves_nothing(desk.sink);
}
