//! A list goes to a file and comes from one: all of it, or nothing where a line is wrong.

use std::fs;

use crate::{list, relay, submit};

#[test]
fn a_list_is_exported_and_imported() {
    let (builder, sink) = relay("");
    let relay = builder
        .with("[[account]]\nid = \"elsewhere\"\ndomains = [\"other.desk.example\"]")
        .start();
    let file = relay.directory().join("list.csv");
    let path = file.to_str().unwrap();
    let import = ["suppression", "import", "acme", path];

    fs::write(
        &file,
        "email,reason\nbob@b.example,\"said \"\"no\"\"\"\nno address,x\n",
    )
    .unwrap();
    let refused = relay.refuses(&import);
    assert!(refused.contains("line 3"), "{refused}");
    assert!(list(&relay).is_empty());

    let mut text = "email,reason\nbob@b.example,\"said \"\"no\"\"\"\n".to_owned();
    for number in 0..12_000 {
        text += &format!("r{number:05}@b.example,\n");
    }
    fs::write(&file, &text).unwrap();
    let output = relay.command(&[&import[..], &["--json"]].concat());
    assert!(output.status.success(), "{output:?}");
    let stored = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(stored.contains("12001"), "{stored}");
    let progress = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(progress.contains("10000 of 12001"), "{progress}");
    let reply = submit(&relay, "bob@b.example");
    assert_eq!(reply.code, 550);
    assert!(reply.text().contains("said \"no\""), "{}", reply.text());
    assert_eq!(submit(&relay, "r11999@b.example").code, 550);

    let copy = relay.directory().join("copy.csv");
    let exported = relay.command(&["suppression", "export", "acme", copy.to_str().unwrap()]);
    assert!(exported.status.success(), "{exported:?}");
    let copied = fs::read_to_string(&copy).unwrap();
    assert_eq!(copied.lines().count(), 12_002);
    assert!(
        copied.contains("bob@b.example,import,\"said \"\"no\"\"\","),
        "{}",
        &copied[..300]
    );
    let printed = relay.command(&["suppression", "export", "acme"]);
    let printed = String::from_utf8_lossy(&printed.stdout).into_owned();
    assert_eq!(printed.lines().count(), 12_002);

    let unknown = ["suppression", "import", "nobody", copy.to_str().unwrap()];
    assert!(relay.refuses(&unknown).contains("nobody"));
    relay.json(&["suppression", "import", "elsewhere", copy.to_str().unwrap()]);
    let there = relay.json(&["suppression", "list", "elsewhere", "--limit", "2"]);
    let here = relay.json(&["suppression", "list", "acme", "--limit", "2"]);
    for key in ["address", "cause", "evidence", "at", "count"] {
        assert_eq!(there[0][key], here[0][key], "{key}");
    }
    relay.leaves_nothing(sink);
}
