//! The secret of a customer's connection is in no output: of commands about connections, of the
//! queue, of the trace, of the log at debug, whether the log-in succeeds or not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::{LOGIN, LOOPBACK_ALLOWED, PASSWORD, Service, settings, waits, with_customer};

#[test]
fn the_secret_is_in_no_output() {
    let rule = "[[on]]\ncommand = 'LOGIN'\ntimes = 2\nreply = '535 5.7.8 wrong password'\n";
    let service = Service::start(&format!("{LOGIN}{rule}"));
    let customer = with_customer(LOOPBACK_ALLOWED);
    let relay = &customer.relay;
    let keys = settings(&service) + "mechanisms = ['plain']\n";
    let mut outputs = vec![customer.connection("add", &keys).to_string()];
    let id = customer.submit(&["x@elsewhere.example"]);
    waits(relay, &id, "wrong password");
    let account = ["--account", "acme.desk.test"];
    let mut all = |relay: &test_support::Relay| {
        for command in [
            [&["connection", "show", "outlook"], &account[..]].concat(),
            [&["connection", "test", "outlook"], &account[..]].concat(),
            vec!["connection", "list"],
            vec!["queue", "list"],
            vec!["queue", "list", "--messages"],
            vec!["queue", "show", &id],
            vec!["trace", &id],
            vec!["config", "check"],
            vec!["account", "show", "acme.desk.test"],
        ] {
            for json in [&[][..], &["--json"]] {
                let output = relay.command(&[&command[..], json].concat());
                let text = [output.stdout, output.stderr].concat();
                outputs.push(String::from_utf8_lossy(&text).into_owned());
            }
        }
    };
    // The first test of the connection is refused, the second makes the mail flow.
    all(relay);
    assert_eq!(service.sink.take().user.as_deref(), Some("desk"));
    all(relay);
    let tested = outputs.iter().find(|text| text.contains("AUTH PLAIN"));
    assert!(
        tested.is_some_and(|text| text.contains("***") || text.contains('…')),
        "{tested:?}"
    );
    outputs.push(relay.log());
    let of_plain = STANDARD.encode(format!("\0desk\0{PASSWORD}"));
    for secret in [PASSWORD, &of_plain, &STANDARD.encode(PASSWORD)] {
        let shown = outputs.iter().find(|text| text.contains(secret));
        assert!(shown.is_none(), "{secret}: {shown:?}");
    }
    customer.relay.leaves_nothing(service.sink);
}
