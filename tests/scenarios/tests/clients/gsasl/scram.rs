//! GNU SASL's client logs in with what it has, each mechanism in turn.

use std::process::{Command, Stdio};

use test_support::{RelayBuilder, Sink, debian};

#[test]
fn gsasl_logs_in_by_each_mechanism() {
    let Some(gsasl) = debian("gsasl", "gsasl") else {
        return;
    };
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    relay.json(&[
        "account",
        "add",
        "--native-domain",
        "acme.desk.test",
        "--product",
        "Acme",
    ]);
    let made = relay.json(&["credential", "add", "--submission", "acme.desk.test"]);
    let of = |key: &str| made[0][key].as_str().unwrap().to_owned();
    let server = relay.address("submission");
    for mechanism in ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN"] {
        for (user, password, lets_in) in [
            (of("user-name"), of("secret"), true),
            ("user".to_owned(), "secret".to_owned(), true),
            ("user".to_owned(), "wrong".to_owned(), false),
        ] {
            let mut gsasl = Command::new(&gsasl);
            gsasl
                .args(["--client", "--smtp", "--mechanism", mechanism])
                .args(["--authentication-id", &user, "--password", &password])
                // Any certificate will do.
                .args(["--starttls", "--x509-ca-file", ""])
                .arg(format!("--connect={}:{}", server.ip(), server.port()))
                .stdin(Stdio::null());
            if !mechanism.ends_with("-PLUS") {
                // It gives up by itself where it could bind and is not to.
                gsasl.arg("--no-cb");
            }
            let output = gsasl.output().unwrap();
            let said =
                String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            assert_eq!(said.contains("235 2.7.0"), lets_in, "{mechanism}: {said}");
        }
    }
    relay.leaves_nothing(sink);
}
