//! Name servers and field names change with a reload.

use test_support::{DnsServer, Sink, Zone};

use crate::{relay, send, signed};

#[test]
fn another_name_server_is_asked_after_a_reload() {
    let (message, zone) = signed();
    let sink = Sink::start();
    let (empty, full) = (DnsServer::start(Zone::new()), DnsServer::start(zone));
    let builder = relay(&sink, &empty);
    let relay = builder.clone().start();
    send(&relay, &message);
    let auth = sink.take().header("X-Gatepost-Auth").unwrap();
    assert!(auth.contains("dkim=permerror dmarc=none"), "{auth}");

    let file = relay.directory().join("gatepost.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let [before, after] = [&empty, &full].map(|server| server.address().to_string());
    let text = text.replace(&before, &after) + "\n[headers]\nauth = \"X-Desk-Auth\"\n";
    std::fs::write(&file, text).unwrap();
    relay.json(&["reload"]);
    send(&relay, &message);
    let auth = sink.take().header("X-Desk-Auth").unwrap();
    assert!(auth.starts_with("spf=pass dkim=pass dmarc=pass"), "{auth}");
}

#[test]
fn an_invalid_name_server_is_refused_with_its_line() {
    for (wrong, said) in [
        ("[dns]\nservers = [\"ns.example\"]", "is no name server"),
        ("[dns]\nattempts = 0", "attempts is 0"),
        ("[authentication]\ntime = \"0s\"", "time is 0"),
        ("[headers]\ntags = \"From\"", "From is not a field of ours"),
        (
            "[headers]\nauth = \"X-Gatepost-Email-Id\"",
            "is not a field of ours",
        ),
        (
            "[headers]\nauth = \"x-gatepost-tags\"",
            "is already the field of `tags`",
        ),
        (
            "[headers]\ntags = \"a b\"",
            "a field name is printable ASCII",
        ),
        (
            "[[account]]\nid = \"other\"\nsettings.nobody = {}",
            "for a policy \"nobody\", and there is none",
        ),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let nowhere = "127.0.0.1:1".parse().unwrap();
        let builder = test_support::RelayBuilder::usual(nowhere).with(wrong);
        let config = builder.write(directory.path()).display().to_string();
        let output = test_support::run(&["config", "check", "--config", &config]);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{wrong}");
        let errors = errors.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(errors.contains(said), "{wrong}: {errors}");
    }
}
