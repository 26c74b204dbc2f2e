//! A connection whose test is refused stays on the list of what is missing, with the advice, until
//! what is wrong is mended by options that are given again.

use test_support::{Certificate, Sink};

use crate::setup::{Desk, asked, desk, missing, printed, progress, set_up};

const DOMAIN: [&str; 9] = [
    "--account",
    "acme.desk.test",
    "--product",
    "Acme",
    "--domain",
    "customer.test",
    "--kind",
    "outbound-only",
    "--vouch",
];

/// Smart host with a certificate that only its own authority vouches for.
fn smart_host(desk: &Desk) -> (Sink, Certificate) {
    let certificate = Certificate::make(desk.relay.directory());
    let files = [&certificate.certificate, &certificate.key];
    let [pem, key] = files.map(|path| path.to_str().unwrap());
    let script = "tls = { mode = \"starttls\" }\n";
    let sink = Sink::scripted(script, &["--certificate", pem, "--key", key]);
    (sink, certificate)
}

#[test]
fn a_refused_test_is_told_until_the_authority_is_given() {
    let desk = desk();
    let (smart_host, certificate) = smart_host(&desk);
    let port = smart_host.address().port().to_string();
    let server = ["--smart-host", "127.0.0.1", "--smart-host-port", &port];
    let options = [&["--yes"][..], &DOMAIN, &server].concat();
    let output = set_up(&desk, &options, &[]);
    let said = asked(&output);
    for part in [
        "was tested, and refused: ",
        "UnknownIssuer",
        "advice: ",
        "--smart-host-ca",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let left = printed(&output);
    assert!(left.contains("mend the connection customer.test"), "{left}");
    assert_eq!(missing(&desk), ["address", "working-connection"]);
    let what_to_do = progress(&desk)["missing"][1]["what-to-do"].take();
    let what_to_do = what_to_do.as_str().unwrap();
    for part in [
        "UnknownIssuer",
        "`gatepost connection set customer.test --account",
        "--ca FILE",
    ] {
        assert!(what_to_do.contains(part), "{part}: {what_to_do}");
    }
    let account = ["--account", "acme.desk.test"];
    let shown = [&["connection", "show", "customer.test"][..], &account].concat();
    for command in [&["connection", "list"][..], &shown] {
        let listed = printed(&desk.relay.command(command));
        assert!(listed.contains("refused at its test of "), "{listed}");
        assert!(!listed.contains("working"), "{listed}");
    }

    // The same options again change nothing, and say what is wrong again.
    let again = asked(&set_up(&desk, &options, &[]));
    assert!(again.contains("was tested, and refused: "), "{again}");

    let pem = certificate.certificate.to_str().unwrap();
    let output = set_up(
        &desk,
        &[&options[..], &["--smart-host-ca", pem]].concat(),
        &[],
    );
    let said = printed(&output);
    let changed = "changed connection customer.test: authorities of its certificate";
    for part in [changed, "connection customer.test was tested: it works"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(missing(&desk), ["address"]);
    let listed = printed(&desk.relay.command(&["connection", "list"]));
    assert!(listed.contains("working"), "{listed}");
    drop(smart_host);
    desk.relay.leaves_nothing(desk.sink);
}

#[test]
fn the_authority_is_asked_for_where_nobody_known_signed() {
    let desk = desk();
    let (smart_host, certificate) = smart_host(&desk);
    let port = smart_host.address().port().to_string();
    let pem = certificate.certificate.to_str().unwrap();
    let answers = ["", "", "127.0.0.1", &port, "", "absent.pem", pem, "", ""];
    let output = set_up(&desk, &DOMAIN, &answers);
    let (said, questions) = (printed(&output), asked(&output));
    assert!(questions.contains("file of the authority"), "{questions}");
    assert!(questions.contains("absent.pem"), "{questions}");
    assert!(said.contains("was tested: it works"), "{said}{questions}");
    assert_eq!(missing(&desk), ["address"]);
    drop(smart_host);
    desk.relay.leaves_nothing(desk.sink);
}

#[test]
fn an_authority_is_set_by_command_and_a_path_in_its_place_is_explained() {
    let desk = desk();
    let (smart_host, certificate) = smart_host(&desk);
    set_up(&desk, &[&["--yes"][..], &DOMAIN].concat(), &[]);
    let port = smart_host.address().port().to_string();
    let (account, server) = (["--account", "acme.desk.test"], ["--host", "127.0.0.1"]);
    let command = |verb: &'static str, more: &[&str]| {
        let of = ["connection", verb, "desk", "--port", &port];
        let all = [&of[..], &account, &server, more].concat();
        all.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let run = |command: &[String]| {
        let command: Vec<_> = command.iter().map(String::as_str).collect();
        desk.relay.command(&command)
    };
    assert!(
        run(&command("add", &["--serves", "@customer.test"]))
            .status
            .success()
    );
    let test = [&["connection", "test", "desk"][..], &account].concat();
    assert_eq!(desk.relay.command(&test).status.code(), Some(1));
    let pem = certificate.certificate.to_str().unwrap();
    assert!(run(&command("set", &["--ca", pem])).status.success());
    assert_eq!(desk.relay.command(&test).status.code(), Some(0));

    let settings = desk.relay.directory().join("settings.toml");
    std::fs::write(&settings, "ca = \"certificate.pem\"\n").unwrap();
    let settings = settings.to_str().unwrap();
    let refused = asked(&run(&command("set", &["--settings", settings])));
    let form = "ca = { file = \"certificate.pem\" }";
    assert!(refused.contains(form), "{refused}");

    // Without its account the name is looked for among the site's.
    let refused = desk.relay.refuses(&["connection", "test", "desk"]);
    let advice = "name its account with --account (acme.desk.test)";
    assert!(refused.contains(advice), "{refused}");
    drop(smart_host);
    desk.relay.leaves_nothing(desk.sink);
}
