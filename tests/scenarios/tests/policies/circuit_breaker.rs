//! A policy that fails for many unrelated senders is no longer called: its `on-error` holds for
//! every message, and the relay says so loudly, until a good version takes its place. What one
//! sender makes it fail on opens nothing, and what one account has set, for that account alone.

use test_support::{Sink, hostile_file};

use crate::{Guest, INNOCENT, another_attack, behind_a_proxy, send, send_from, status};

const OPEN: &str = "gatepost_policy_breaker_open{policy=\"guest\"}";
const ACCOUNTS: &str = "gatepost_policy_breaker_accounts{policy=\"guest\"}";

#[test]
fn the_circuit_breaker_opens_loudly_and_closes_with_a_good_version() {
    let sink = Sink::start();
    let relay = behind_a_proxy(Guest::new("trap").relay(&sink)).start();
    assert_eq!(relay.metric(OPEN), Some(0.0));
    let to = ["help@desk.example", "help@other.example"];
    for n in 0..8 {
        let reply = send_from(&relay, n, to[n % 2], &another_attack(n));
        assert_eq!(reply.code, 451);
    }
    let said = relay.logged("POLICY KEEPS FAILING: ");
    assert!(said.contains("ERROR") && said.contains("guest"), "{said}");
    assert!(
        said.contains("activate a mended version or roll back"),
        "{said}"
    );
    assert_eq!(relay.metric(OPEN), Some(1.0));
    assert_eq!(status(&relay, "guest")["called"], false);

    // It is not called any more, so that even what it would let pass has to wait.
    let reply = send(&relay, INNOCENT);
    assert_eq!(reply.code, 451);
    let judgement = &relay.judgements(&reply.transaction())[0];
    assert_eq!(judgement["error"]["kind"], "breaker-open");

    let good = hostile_file("version_one");
    relay.json(&[
        "policy",
        "activate",
        &good.to_string_lossy(),
        "--name",
        "guest",
    ]);
    assert_eq!(relay.metric(OPEN), Some(0.0));
    assert_eq!(status(&relay, "guest")["called"], true);
    assert_eq!(send(&relay, &another_attack(0)).code, 250);
    assert_eq!(sink.take().header("X-Version").as_deref(), Some("one"));

    // The one that failed is as it was, should anybody go back to it.
    relay.json(&["policy", "rollback", "guest"]);
    assert_eq!(relay.metric(OPEN), Some(1.0));
    assert_eq!(send(&relay, INNOCENT).code, 451);
    relay.leaves_nothing(sink);
}

#[test]
fn faults_of_one_sender_do_not_open_the_circuit_breaker() {
    let sink = Sink::start();
    let relay = behind_a_proxy(Guest::new("trap").relay(&sink)).start();
    let mut client = relay.client("mx");
    client.ehlo();
    for n in 0..40 {
        let attack = another_attack(n);
        let reply = client.deliver("ann@sender.example", &["help@desk.example"], &attack);
        assert_eq!(reply.unwrap().code, 451);
    }
    drop(client);
    assert_eq!(relay.metric(OPEN), Some(0.0));
    assert_eq!(
        send_from(&relay, 1, "help@desk.example", INNOCENT).code,
        250
    );
    sink.take();
    relay.leaves_nothing(sink);
}

#[test]
fn faulty_settings_of_an_account_open_it_for_that_account_only() {
    let sink = Sink::start();
    let relay = behind_a_proxy(Guest::new("traps_for_account").relay(&sink))
        .replace(
            "domains = [\"desk.example\"]",
            "domains = [\"desk.example\"]\nsettings.guest = { broken = true }",
        )
        .start();
    // Of one sender: that the version cannot answer its own probe with these settings says enough.
    for n in 0..3 {
        let reply = send_from(&relay, 1, "help@desk.example", &another_attack(n));
        assert_eq!(reply.code, 451);
    }
    relay.logged("POLICY KEEPS FAILING FOR AN ACCOUNT");
    assert_eq!(relay.metric(ACCOUNTS), Some(1.0));
    assert_eq!(relay.metric(OPEN), Some(1.0));
    assert_eq!(status(&relay, "guest")["called"], true);
    assert_eq!(status(&relay, "guest")["accounts-not-called"], 1);
    let reply = send_from(&relay, 2, "help@desk.example", INNOCENT);
    assert_eq!(reply.code, 451);
    let judgement = &relay.judgements(&reply.transaction())[0];
    assert_eq!(judgement["error"]["kind"], "breaker-open");
    let reply = send_from(&relay, 1, "help@other.example", INNOCENT);
    assert_eq!(reply.code, 250, "the other account's mail goes on");
    sink.take();
    relay.leaves_nothing(sink);
}
