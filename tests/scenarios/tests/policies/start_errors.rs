//! A relay whose policies cannot be used does not start, and says why: it would take mail that
//! nobody judges.

use test_support::{RelayBuilder, Sink};

/// The policy as configured, and what is said of it.
const REFUSED: &[(&str, &[&str])] = &[
    (
        "name = \"loop-guard\"\nbuiltin = \"loop-guard\"\nsettings = { hop-limit = \"many\" }",
        &["the settings are not valid", "/hop-limit", "\"many\""],
    ),
    (
        "name = \"header-guard\"\nbuiltin = \"header-guard\"\n\
         settings = { rules = [{ header = \"X\", action = \"forbid\" }, { header = \"A:B\", action = \"strip\" }] }",
        &["/rules/1/header", "not a header's name"],
    ),
    (
        "name = \"outbound-route\"\nfile = \"absent.wasm\"",
        &["cannot read", "absent.wasm"],
    ),
    (
        // It suppresses: passed by, it would let a loop run.
        "name = \"loop-guard\"\nbuiltin = \"loop-guard\"\non-error = \"skip\"",
        &["on-error = \"skip\" is refused", "use \"tempfail\""],
    ),
];

#[test]
fn the_relay_does_not_start_and_says_why() {
    for (policy, says) in REFUSED {
        let sink = Sink::start();
        let builder = RelayBuilder::usual(sink.address()).with(&format!("[[policy]]\n{policy}"));
        let log = match builder.try_start() {
            Ok(_) => panic!("it starts with\n{policy}"),
            Err(log) => log,
        };
        for words in *says {
            assert!(log.contains(words), "{words:?} is not in\n{log}");
        }
    }
}
