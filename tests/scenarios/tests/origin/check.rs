//! `gatepost check --dns` looks up facts about origin, also if no policy wants them; without
//! `--dns`, nothing is looked up for the built-in policies.

use serde_json::Value;
use test_support::DnsServer;

use crate::{checked, signed};

#[test]
fn a_check_says_where_a_message_came_from() {
    let (message, zone) = signed();
    let dns = DnsServer::start(zone);
    let server = dns.address().to_string();
    let directory = tempfile::tempdir().unwrap();
    let session = [
        "--client-ip",
        "192.0.2.7",
        "--helo",
        "elsewhere.example",
        "--mail-from",
        "ann@sender.example",
        "--auth-user",
        "relay",
    ];
    let with_dns = [&["--dns", &server], session.as_slice()].concat();
    let report = checked(directory.path(), &message, &with_dns);
    let authentication = &report["authentication"];
    assert_eq!(authentication["spf"]["mailfrom"]["result"], "fail");
    assert_eq!(authentication["spf"]["helo"]["domain"], "elsewhere.example");
    assert_eq!(authentication["dkim"][0]["result"], "pass");
    assert_eq!(authentication["dmarc"]["result"], "pass");
    assert_eq!(authentication["dmarc"]["alignment"]["spf"], false);
    assert_eq!(authentication["sasl"]["user"], "relay");

    let asked = dns.asked().len();
    let report = checked(directory.path(), &message, &session);
    assert_eq!(report["authentication"], Value::Null);
    assert_eq!(dns.asked().len(), asked);
}
