//! A backup is private. With the keys it opens all that the relay opens; without them it opens
//! nothing, and is restored with the key ring alone.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use test_support::Sink;

use crate::{backed_up, files, refused, restored, usual, without_next_hop};

#[test]
fn keys_are_in_a_backup_or_left_out() {
    let home = tempfile::tempdir().unwrap();
    let relay = without_next_hop().start();
    let native = ["--native-domain", "acme.desk.test", "--product", "Acme"];
    relay.json(&[&["account", "add"], &native[..]].concat());
    let issued = relay.json(&["credential", "add", "--submission", "acme.desk.test"]);
    let user = issued[0]["user-name"].as_str().unwrap();
    let secret = issued[0]["secret"].as_str().unwrap();
    let (with, without) = (home.path().join("with"), home.path().join("without"));
    let complete = backed_up(&relay, &with, &[]);
    assert_eq!(complete["keys"], true, "{complete}");
    let complete = backed_up(&relay, &without, &["--without-keys"]);
    assert_eq!(complete["keys"], false, "{complete}");

    let ring = fs::read_to_string(relay.directory().join("store/key-ring")).unwrap();
    let key = ring.split_whitespace().nth(1).unwrap();
    let private = fs::read_to_string(relay.directory().join("key.pem")).unwrap();
    let holding = |folder, words: &str| {
        let mut holding = files(folder).into_iter().filter(|file| {
            let octets = fs::read(file).unwrap();
            octets
                .windows(words.len())
                .any(|part| part == words.as_bytes())
        });
        holding.next()
    };
    for folder in [&with, &without] {
        assert_eq!(holding(folder, secret), None, "the secret of a credential");
        let folders = files(folder)
            .into_iter()
            .map(|file| file.parent().unwrap().to_owned());
        for folder in folders.collect::<Vec<_>>() {
            let mode = fs::metadata(&folder).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "{}", folder.display());
        }
        for file in files(folder) {
            let mode = fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{}", file.display());
        }
    }
    let password = "password = \"secret\"";
    for (words, file) in [
        (key, "key-ring"),
        (&private, "key.pem"),
        (password, "gatepost.toml"),
    ] {
        let found = holding(&with, words).unwrap();
        assert!(found.ends_with(file), "{}", found.display());
        assert_eq!(holding(&without, words), None, "{file}");
    }

    let store = home.path().join("second/store");
    fs::create_dir(home.path().join("second")).unwrap();
    let said = refused(&without, &store, &[]);
    assert!(said.contains("made without keys"), "{said}");
    let wrong = home.path().join("wrong");
    let id = ring.split_whitespace().next().unwrap();
    fs::write(&wrong, format!("{id} {}=\n", "A".repeat(43))).unwrap();
    let said = refused(&without, &store, &["--key-ring", &wrong.to_string_lossy()]);
    assert!(!store.exists(), "{said}");
    let ring = relay.directory().join("store/key-ring");
    restored(&without, &store, &["--key-ring", &ring.to_string_lossy()]);

    let sink = Sink::start();
    let second = usual(sink.address())
        .directory(home.path().join("second"))
        .start();
    let mut client = second.client("submission");
    client.ehlo();
    client.starttls();
    client.ehlo();
    let reply = client.plain(user, secret);
    assert_eq!(reply.code, 235, "{}", reply.text());
    drop(client);
    second.leaves_nothing(sink);
}
