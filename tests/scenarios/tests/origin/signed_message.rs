//! The author's domain has signed a message, and its client may send for that domain: policy,
//! Authentication-Results, trace, metrics and `gatepost check` have the same results.

use serde_json::{Value, json};
use test_support::{DnsServer, Sink};

use crate::{checked, events, relay, send, signed, trace};

/// The facts about the signed message.
fn facts() -> Value {
    json!({
        "spf": {
            "helo": { "result": "none", "domain": "client.example", "reason": null },
            "mailfrom": { "result": "pass", "domain": "sender.example", "reason": null },
        },
        "dkim": [{ "result": "pass", "domain": "sender.example", "selector": "s", "reason": null }],
        "dmarc": {
            "result": "pass",
            "policy": "reject",
            "applied": null,
            "domain": "sender.example",
            "organizational-domain": "sender.example",
            "alignment": { "spf": true, "dkim": true },
            "reason": null,
            "from": { "clarity": "unequivocal", "domains": ["sender.example"] },
        },
        "arc": { "result": "none", "instances": 0, "sealer": "", "reason": null },
        "iprev": { "result": "pass" },
        "sasl": null,
    })
}

#[test]
fn the_message_and_the_metrics_show_the_results() {
    let (message, zone) = signed();
    let (sink, dns) = (Sink::start(), DnsServer::start(zone));
    let relay = relay(&sink, &dns)
        .with("[http]\naddress = \"127.0.0.1:0\"")
        .start();
    let reply = send(&relay, &message);
    assert_eq!(reply.code, 250, "{reply:?}");

    let taken = sink.take();
    let arrived = String::from_utf8(taken.bytes()).unwrap();
    let (ours, rest) = arrived.split_at(arrived.len() - message.len());
    assert_eq!(rest.as_bytes(), message, "the signature still verifies");
    assert!(
        ours.starts_with("Authentication-Results: mx.desk.example;\r\n\t"),
        "{ours}"
    );
    let results = taken.header("Authentication-Results").unwrap();
    for result in [
        "spf=pass smtp.mailfrom=sender.example",
        "dkim=pass header.d=sender.example header.s=s header.a=ed25519-sha256",
        "dmarc=pass (p=reject) header.from=sender.example",
        "iprev=",
    ] {
        assert!(results.contains(result), "{results}");
    }
    assert_eq!(
        taken.header("X-Gatepost-Auth").unwrap(),
        "spf=pass dkim=pass dmarc=pass arc=none iprev=pass"
    );
    assert_eq!(
        taken.header("X-Gatepost-Original-Recipient").unwrap(),
        "help@desk.example"
    );

    // And it was counted.
    for metric in [
        "gatepost_authentication_results_total{method=\"dkim\",result=\"pass\"}",
        "gatepost_authentication_results_total{method=\"iprev\",result=\"pass\"}",
        "gatepost_authentication_seconds_count{listener=\"mx\"}",
    ] {
        assert_eq!(relay.metric(metric), Some(1.0), "{metric}");
    }
}

#[test]
fn all_policies_and_a_check_get_the_same_results() {
    let (message, zone) = signed();
    let (sink, dns) = (Sink::start(), DnsServer::start(zone));
    let builder = relay(&sink, &dns);
    let relay = builder.clone().start();
    let reply = send(&relay, &message);
    assert_eq!(reply.code, 250, "{reply:?}");

    let trace = trace(&relay, &reply);
    let authenticated = events(&trace, "authenticated");
    assert_eq!(authenticated.len(), 1, "{trace:?}");
    assert_eq!(authenticated[0]["authentication"], facts());

    // What the policy was told …
    let judged = events(&trace, "judged");
    let reasons = &judged.last().unwrap()["judgement"]["decision"]["reasons"];
    for reason in [
        "spf-mailfrom pass sender.example",
        "dkim pass sender.example s",
        "dmarc pass reject - sender.example sender.example true true",
        "arc none 0 ",
        "iprev pass",
        "author \"Ann\" ann@sender.example",
        "to help@desk.example desk.example Some(Native) Some(Verified) [] [] [] true Direct",
        "credential none",
        "settings none",
    ] {
        assert!(
            reasons.as_array().unwrap().contains(&json!(reason)),
            "{reason}: {reasons}"
        );
    }
    // … is what a check prints.
    let directory = tempfile::tempdir().unwrap();
    let config = builder.write(directory.path()).display().to_string();
    let envelope = [
        "--helo",
        "client.example",
        "--mail-from",
        "ann@sender.example",
    ];
    let arguments = [&["--config", &config], envelope.as_slice()].concat();
    let report = checked(directory.path(), &message, &arguments);
    assert_eq!(report["authentication"], facts());
    assert_eq!(
        report["policies"].as_array().unwrap().last().unwrap()["reasons"],
        *reasons
    );
}

#[test]
fn a_changed_message_does_not_pass() {
    let (message, zone) = signed();
    let (sink, dns) = (Sink::start(), DnsServer::start(zone));
    let relay = relay(&sink, &dns).start();
    let text = String::from_utf8(message).unwrap();
    send(&relay, text.replace("Hello!", "Send money!").as_bytes());
    let results = sink.take().header("Authentication-Results").unwrap();
    assert!(results.contains("dkim=fail"), "{results}");
}

#[test]
fn of_two_authors_both_have_to_be_proved() {
    let (message, zone) = signed();
    let (sink, dns) = (Sink::start(), DnsServer::start(zone));
    let relay = relay(&sink, &dns).start();
    let message = [b"From: <ceo@bank.example>\r\n", message.as_slice()].concat();
    send(&relay, &message);
    let results = sink.take().header("Authentication-Results").unwrap();
    // Nothing is published at bank.example; by sender.example alone the message is not proved.
    assert!(
        results.contains("dmarc=none header.from=bank.example"),
        "{results}"
    );
}
