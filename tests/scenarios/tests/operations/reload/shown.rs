//! What a reload changes is shown key by key, without secrets; SIGHUP logs the same.

use test_support::{RelayBuilder, Sink};

#[test]
fn a_reload_shows_each_key_with_old_and_new_value() {
    let sink = Sink::start();
    let builder = RelayBuilder::usual(sink.address());
    let relay = builder.clone().start();
    let other = builder
        .clone()
        .replace("\"secret\"", "\"another-one\"")
        .replace("retry = [\"1s\"]", "")
        .with("jitter = 0.5")
        .with(
            "[[account]]\nid = \"beta\"\nusers = [{ name = \"bob\", password = \"hidden-one\" }]",
        );
    other.write(relay.directory());
    let expected = [
        "~ account.acme.users.user.password: \"not shown\" -> \"not shown\" (a secret has changed)",
        "+ account.beta.id: \"beta\"",
        "+ account.beta.users.bob.name: \"bob\"",
        "+ account.beta.users.bob.password: \"not shown\"",
        "+ delivery.jitter: 0.5",
        "- delivery.retry: [\"1s\"]",
    ];
    let before = relay.log().len();
    for arguments in [&["reload", "--dry-run"][..], &["reload"]] {
        let output = relay.command(arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}");
        let lines: Vec<_> = text.lines().filter(|l| !l.contains(" file ")).collect();
        assert_eq!(lines[..expected.len()], expected, "{text}");
        for secret in ["another-one", "hidden-one"] {
            assert!(!text.contains(secret), "{text}");
        }
        let last = match arguments.len() {
            2 => "not activated",
            _ => "active now",
        };
        assert!(text.contains(last), "{text}");
    }
    let output = relay.command(&["reload"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("is active already"), "{text}");

    builder.write(relay.directory());
    let logged = relay.reload();
    assert!(logged.contains("configuration reloaded"), "{logged}");
    for change in [
        "- account.beta.id: ",
        "- delivery.jitter: 0.5",
        "+ delivery.retry: ",
    ] {
        relay.logged_behind(before, &[change]);
    }
    let log = relay.log();
    for secret in ["another-one", "hidden-one"] {
        assert!(!log.contains(secret), "{log}");
    }
    relay.leaves_nothing(sink);
}
