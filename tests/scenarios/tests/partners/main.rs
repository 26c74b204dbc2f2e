//! Partners, with whom an account shares tickets: they get no mail, and their mail is refused, as
//! soon as the agreement is made.
#![allow(clippy::unwrap_used)]

mod addressed;
mod feed;
mod feed_inside;
mod import;
mod refused;
mod replayed;
mod separators;
mod sharing;
mod suppressed;

use test_support::{Client, Relay, RelayBuilder, Reply, Sink};

/// The chain of the usual relay's listeners.
const CHAIN: &str = r#"chain = ["loop-guard", "header-guard", "outbound-route"]"#;

/// The usual relay with partner-guard in front, and nobody in the directory yet.
fn guarded(sink: &Sink) -> RelayBuilder {
    RelayBuilder::usual(sink.address()).replace(
        CHAIN,
        r#"chain = ["partner-guard", "loop-guard", "header-guard", "outbound-route"]"#,
    )
}

/// The same with what partner-guard is told.
fn guarded_with(sink: &Sink, settings: &str) -> RelayBuilder {
    guarded(sink).with(&format!(
        "[[policy]]\nname = \"partner-guard\"\nbuiltin = \"partner-guard\"\nsettings = {settings}"
    ))
}

/// Makes an account with a native domain and `help@` in it; its id.
fn account(relay: &Relay, domain: &str) -> String {
    let add = [
        "account",
        "add",
        "--native-domain",
        domain,
        "--product",
        "Desk",
    ];
    let account = relay.json(&add)[0]["id"].as_str().unwrap().to_owned();
    let help = format!("help@{domain}");
    relay.json(&["address", "add", "--account", &account, &help]);
    account
}

/// The two accounts of most scenarios, without an agreement: `a.desk.test` and `b.desk.test`.
fn two(relay: &Relay) -> (String, String) {
    (account(relay, "a.desk.test"), account(relay, "b.desk.test"))
}

/// Returns true if `gatepost partner lookup` calls an address a partner of `a.desk.test`.
fn is_partner(relay: &Relay, address: &str) -> bool {
    let output = relay.command(&["partner", "lookup", "a.desk.test", address]);
    output.status.success()
}

/// Mail from outside; the last reply.
fn send(relay: &Relay, from: &str, to: &str, header: &str) -> Reply {
    let message = format!("{header}\r\nSubject: hello\r\n\r\nHello!\r\n");
    let mut client = relay.client("mx");
    client.ehlo();
    client.deliver(from, &[to], message.as_bytes()).unwrap()
}

/// A session in which an account of the directory has logged in to submit.
fn submitting(relay: &Relay, account: &str) -> Client {
    let issued = relay.json(&["credential", "add", "--submission", account]);
    let text = |key: &str| issued[0][key].as_str().unwrap().to_owned();
    relay
        .client("submission")
        .authenticated(&text("user-name"), &text("secret"))
}

/// Returns a letter of an agent in the name of `help@a.desk.test`.
fn notification(to: &str) -> Vec<u8> {
    format!(
        "From: Help <help@a.desk.test>\r\nTo: {to}\r\nSubject: [4711]\r\n\
         X-Gatepost-Trigger: agent\r\n\r\nIt is on its way.\r\n"
    )
    .into_bytes()
}
