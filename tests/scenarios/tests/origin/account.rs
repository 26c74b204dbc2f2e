//! A policy reads what the account of the transaction has set for it, and that account's
//! forwarders; it reads nothing of other accounts.

use test_support::{DnsServer, Sink, Zone};

use crate::{relay, send};

#[test]
fn a_policy_reads_what_the_account_has_set() {
    let (sink, dns) = (Sink::start(), DnsServer::start(Zone::new()));
    let relay = relay(&sink, &dns)
        .replace(
            "domains = [\"desk.example\"]",
            "domains = [\"desk.example\"]\nsettings.origin = { mode = \"enhanced\" }\n\
             forwarders = [{ domain = \"desk.example\", networks = [\"192.0.2.0/24\"], \
             dkim-domains = [\"LIST.example\"], arc-sealers = [\"bücher.example\"] }]",
        )
        .with("[[account]]\nid = \"other\"\ndomains = [\"other.example\"]\nsettings.origin = { mode = \"secret\" }")
        .start();
    let reply = send(&relay, crate::MESSAGE.as_bytes());
    let trace = relay.trace_until(&reply.transaction(), "delivered");
    insta::assert_snapshot!(trace, @r#"
    begun on mx from 127.0.0.1:PORT, plaintext
    sender <ann@sender.example>: 250 2.1.0 Ok, transaction ID1
    judged origin DIGEST recipient: pass
    recipient <help@desk.example>: 250 2.1.5 Recipient OK
    authenticated spf=none (sender.example) dkim=none dmarc=none (sender.example) arc=none
        iprev=pass
    judged origin DIGEST message: pass (spf-helo none client.example; spf-mailfrom none
        sender.example; dmarc none - - sender.example sender.example false false; arc none 0
        ; iprev pass; author "Ann" ann@sender.example; to help@desk.example desk.example
        Some(Native) Some(Verified) ["192.0.2.0/24"] ["list.example"]
        ["xn--bcher-kva.example"] true Direct; to somebody@elsewhere.example nobody's false
        Other; partner none; addresses false; product None; credential none; settings
        {"mode":"enhanced"}; relay mx.desk.example ours true false given None None)
    queued for <help@desk.example>
    replied 250 2.6.0 Queued as ID1 (81 B)
    attempt 1 for <help@desk.example> at 127.0.0.1:PORT: delivered: 250 2.0.0 taken as N
    "#);
}
