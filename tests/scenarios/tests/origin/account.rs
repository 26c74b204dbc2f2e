//! What an account has set for a policy, and who forwards its mail, reaches the policy of its own
//! transactions alone.

use serde_json::json;
use test_support::{DnsServer, Sink, Zone};

use crate::{events, relay, send, trace};

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
    let trace = trace(&relay, &reply);
    let judged = events(&trace, "judged");
    let reasons = &judged.last().unwrap()["judgement"]["decision"]["reasons"];
    for reason in [
        "settings {\"mode\":\"enhanced\"}",
        "to help@desk.example desk.example Native Verified Forwarders { networks: \
         [\"192.0.2.0/24\"], dkim_domains: [\"list.example\"], arc_sealers: \
         [\"xn--bcher-kva.example\"] } true",
    ] {
        assert!(
            reasons.as_array().unwrap().contains(&json!(reason)),
            "{reason}: {reasons}"
        );
    }
}
