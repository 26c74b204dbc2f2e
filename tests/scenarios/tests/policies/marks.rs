//! What leaves is marked with five headers that stay as they are to the end of the way: through a
//! later policy that means harm, and through another relay.

use test_support::{RelayBuilder, Sink, hostile_file};

use crate::CHAIN;

/// Of the trigger header only the first policy of the chain reads anything.
const NOTIFICATION: &[u8] = b"From: Support <help@desk.example>\r\n\
    To: Ann <ann@desk.example>\r\n\
    Subject: your question\r\n\
    Date: Mon, 2 Mar 2026 11:12:30 +0000\r\n\
    Message-ID: <1@desk.example>\r\n\
    Auto-Submitted: no\r\n\
    X-Gatepost-Email-Id: forged\r\n\
    X-Gatepost-Trigger: agent\r\n\
    X-Attack: now\r\n\
    \r\n\
    X-Mailer: is not a header here\r\n";

/// The lines of a message's header section that have one of the five names.
fn marks(message: &str) -> Vec<&str> {
    let (head, _) = message.split_once("\r\n\r\n").unwrap();
    let names = [
        "auto-submitted:",
        "x-auto-response-suppress:",
        "x-mailer:",
        "x-gatepost-from-account-id:",
        "x-gatepost-email-id:",
    ];
    let is_mark = |line: &&str| {
        let lower = line.to_lowercase();
        names.iter().any(|name| lower.starts_with(name))
    };
    let mut marks: Vec<_> = head.split("\r\n").filter(is_mark).collect();
    marks.sort_unstable();
    marks
}

#[test]
fn five_headers_survive_a_hostile_policy_and_a_second_relay() {
    let sink = Sink::start();
    let second = RelayBuilder::usual(sink.address()).start();
    let hostile = hostile_file("rewrites_marks");
    let first = RelayBuilder::usual(second.address("mx"))
        .replace(
            CHAIN,
            r#"chain = ["loop-guard", "header-guard", "hostile"]"#,
        )
        .with(&format!(
            "[[policy]]\nname = \"hostile\"\nfile = {hostile:?}"
        ))
        .start();
    let mut client = first.client("submission").authenticated("user", "secret");
    let reply = client.deliver("help@desk.example", &["ann@desk.example"], NOTIFICATION);
    let reply = reply.unwrap();
    assert_eq!(reply.code, 250, "{}", reply.text());
    let id = reply.transaction();

    let taken = sink.take();
    let text = taken.text();
    let found = marks(&text);
    let [auto_submitted, suppress, email_id, account, mailer] = found.as_slice() else {
        panic!("{text}")
    };
    assert_eq!(*auto_submitted, "Auto-Submitted: auto-generated");
    assert_eq!(*suppress, "X-Auto-Response-Suppress: All");
    assert_eq!(*mailer, "X-Mailer: Gatepost Mailer");
    assert_eq!(*account, "X-Gatepost-From-Account-Id: acme");
    let code = email_id.strip_prefix(&format!("X-Gatepost-Email-Id: {id}."));
    assert_eq!(code.map(str::len), Some(20), "{email_id}");
    assert_eq!(taken.header("X-Allowed").as_deref(), Some("this one"));
    assert_eq!(taken.header("X-Gatepost-Trigger"), None);
    assert!(
        text.ends_with("\r\n\r\nX-Mailer: is not a header here\r\n"),
        "{text}"
    );

    // The trigger was there for the policy before, and what was tried is on record.
    let judgements = first.judgements(&id);
    assert_eq!(
        judgements[0]["decision"]["classification"]["class"],
        "human"
    );
    let decision = &judgements[2]["decision"];
    assert_eq!(
        decision["dropped"].as_array().unwrap().len(),
        15,
        "{decision}"
    );
    assert_eq!(decision["edits"].as_array().unwrap().len(), 1, "{decision}");
    drop(client);
    drop(first);
    second.leaves_nothing(sink);
}

#[test]
fn without_protection_the_hostile_policy_would_win() {
    let sink = Sink::start();
    let hostile = hostile_file("rewrites_marks");
    let relay = RelayBuilder::usual(sink.address())
        .replace(CHAIN, r#"chain = ["hostile"]"#)
        .with(&format!(
            "[[policy]]\nname = \"hostile\"\nfile = {hostile:?}"
        ))
        .start();
    let mut client = relay.client("submission").authenticated("user", "secret");
    let reply = client.deliver("help@desk.example", &["ann@desk.example"], NOTIFICATION);
    assert_eq!(reply.unwrap().code, 250);
    let mailer = sink.take().header("X-Mailer");
    assert_eq!(mailer.as_deref(), Some("and one more"));
    drop(client);
    relay.leaves_nothing(sink);
}

#[test]
fn a_site_keeps_the_names_that_its_customers_know() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .with(
            r#"
            [[policy]]
            name = "header-guard"
            builtin = "header-guard"
            [policy.settings]
            product = "Desk"
            private = ["X-Attack"]
            [policy.settings.marks]
            auto-response-suppress = { off = true }
            account-id = { header = "X-Desk-Account", value = "desk/{account}" }
            email-id = { header = "X-Desk-Id" }
            "#,
        )
        .start();
    let mut client = relay.client("submission").authenticated("user", "secret");
    let reply = client.deliver("help@desk.example", &["ann@desk.example"], NOTIFICATION);
    let id = reply.unwrap().transaction();
    let taken = sink.take();
    let said = |name| taken.header(name).unwrap_or_default();
    assert_eq!(said("X-Mailer"), "Desk Mailer");
    assert_eq!(said("X-Desk-Account"), "desk/acme");
    assert!(said("X-Desk-Id").starts_with(&format!("{id}.")));
    assert_eq!(said("X-Auto-Response-Suppress"), "");
    assert_eq!(said("X-Attack"), "");
    // No longer ours.
    assert_eq!(said("X-Gatepost-Email-Id"), "forged");
    drop(client);
    relay.leaves_nothing(sink);
}
