//! Instructions by command: printed, as a file, in both forms, and refused where there are none.

use std::fs;

use crate::Site;

#[test]
fn instructions_are_written_without_the_secret() {
    let site = Site::start("");
    let (user, secret) = site.credential();
    let file = site.relay.directory().join("postfix.md");
    let file = file.to_str().unwrap();
    let command = ["connector", "instructions", &site.connector, "--for"];
    let written = [&command[..], &["postfix", "--output", file]].concat();
    assert!(site.relay.command(&written).status.success());
    let text = fs::read_to_string(file).unwrap();
    assert!(
        text.starts_with("# customer.test at Acme: instructions for Postfix\n"),
        "{text}"
    );
    let port = site.inbound.port();
    for part in [
        format!("help@customer.test gatepost:[mx.desk.example]:{port}"),
        format!("[mx.desk.example]:{port} {user}:THE-SECRET"),
        "`X-Gatepost-Email-Id`".to_owned(),
    ] {
        assert!(text.contains(&part), "{part}: {text}");
    }
    assert!(!text.contains(&secret));
    // Instructions are replaced, and no other file is.
    fs::write(file, format!("{text}of before\n")).unwrap();
    assert!(site.relay.command(&written).status.success());
    assert_eq!(fs::read_to_string(file).unwrap(), text);
    fs::write(file, "my own notes\n").unwrap();
    let refused = site.relay.refuses(&written);
    assert!(refused.contains("cannot write"), "{refused}");
    assert_eq!(fs::read_to_string(file).unwrap(), "my own notes\n");

    let plain = [&command[..], &["generic", "--format", "text"]].concat();
    let plain = site.relay.command(&plain);
    let plain = String::from_utf8_lossy(&plain.stdout).into_owned();
    assert!(plain.starts_with("customer.test at Acme: instructions for your mail server\n==="));
    let refused = site
        .relay
        .refuses(&[&command[..], &["exchange-online"]].concat());
    assert!(
        refused.contains("postfix, exim, exchange-server, gateway and generic"),
        "{refused}"
    );
    site.relay.leaves_nothing(site.sink);
}
