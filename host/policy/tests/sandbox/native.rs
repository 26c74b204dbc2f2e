//! Policies decide natively as they do in the sandbox, on every message.

use gatepost_message::Message;
use gatepost_model::{Decision, Verdict};
use gatepost_sdk::native::Mail;
use std::sync::Arc;

use bytes::Bytes;
use gatepost_policy::{Chain, Definition, Findings, NoMemory, Slot};
use gatepost_sdk::{Action, Policy};
use proptest::test_runner::{Config, RngSeed};
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Value, json};
use test_support::native::NativeFacts;
use test_support::policy;

use crate::{load, transaction};

/// Returns verdict and decision of the native policy as text, to be compared with the sandbox's.
fn native_text<P: Policy>(settings: &Value, message: &Message) -> (String, String) {
    let settings = serde_json::from_value(settings.clone()).unwrap();
    let Ok(guard) = P::new(settings) else {
        panic!("settings")
    };
    let transaction = native_transaction(&transaction());
    let mut decision = gatepost_sdk::Decision::default();
    let verdict = guard.message(
        &transaction,
        &Mail(message),
        &NativeFacts::default(),
        &mut decision,
    );
    let verdict = match verdict {
        gatepost_sdk::Verdict::Pass => "pass".to_owned(),
        gatepost_sdk::Verdict::Reject(reply) => {
            format!("{} {} {}", reply.code, reply.enhanced, reply.text)
        }
        other => format!("{other:?}"),
    };
    let mut wanted: Vec<String> = decision.actions().iter().map(action_text).collect();
    wanted.sort();
    (verdict, wanted.join("\n"))
}

fn action_text(action: &Action) -> String {
    match action {
        Action::Reason(text) => format!("reason {text}"),
        Action::Classify(class, allowed) => format!("class {class:?} {allowed}"),
        Action::AddHeader(name, value) => format!("add {name}: {value}"),
        Action::SetHeader(name, value) => format!("set {name}: {value}"),
        Action::RemoveHeader(name) => format!("remove {name}"),
        Action::ProtectHeader(name) => format!("protect {name}"),
        Action::Tag(tag) => format!("tag {tag}"),
        Action::MarkSeen(key, seconds) => format!("mark {key} {seconds}"),
        Action::RememberMachine(address, evidence, seconds) => {
            format!("machine {address} {evidence} {seconds}")
        }
        other => format!("{other:?}"),
    }
}

fn native_transaction(transaction: &gatepost_model::Transaction) -> gatepost_sdk::Transaction {
    gatepost_sdk::Transaction {
        id: transaction.id.to_string(),
        session: gatepost_sdk::Session {
            listener: "mx".into(),
            flow: gatepost_sdk::Flow::Inbound,
            transport: gatepost_sdk::Transport::Smtp,
            client: Some(gatepost_sdk::ClientAddress {
                ip: "192.0.2.1".into(),
                port: 1025,
            }),
            helo: None,
            tls: None,
            user: None,
        },
        account: transaction.account.clone(),
        mail_from: transaction.reverse_path.as_str().into(),
        recipients: transaction
            .recipients
            .iter()
            .map(|r| r.as_str().to_owned())
            .collect(),
    }
}

fn sandboxed_text(verdict: &Verdict, decision: &Decision) -> (String, String) {
    let verdict = match verdict {
        Verdict::Pass => "pass".to_owned(),
        Verdict::Reject(reply) => reply.to_string(),
        other => format!("{other:?}"),
    };
    let mut wanted: Vec<String> = Vec::new();
    wanted.extend(decision.reasons.iter().map(|text| format!("reason {text}")));
    wanted.extend(decision.tags.iter().map(|tag| format!("tag {tag}")));
    wanted.extend(
        decision
            .classification
            .iter()
            .map(|c| format!("class {:?} {}", c.class, c.reply_allowed)),
    );
    wanted.extend(decision.edits.iter().map(|edit| match edit {
        gatepost_message::Edit::Add { name, body } => {
            format!("add {}: {}", name.as_str(), body.as_str())
        }
        gatepost_message::Edit::Set { name, body } => {
            format!("set {}: {}", name.as_str(), body.as_str())
        }
        gatepost_message::Edit::Remove { name } => format!("remove {}", name.as_str()),
    }));
    wanted.extend(
        decision
            .protected
            .iter()
            .map(|name| format!("protect {}", name.as_str())),
    );
    wanted.extend(decision.effects.iter().map(|effect| match effect {
        gatepost_model::Effect::MarkSeen { key, seconds } => format!("mark {key} {seconds}"),
        gatepost_model::Effect::Count { key, amount } => format!("Count({key:?}, {amount})"),
        gatepost_model::Effect::RememberMachine {
            address,
            evidence,
            seconds,
        } => format!("machine {address} {evidence} {seconds}"),
        other => format!("{other:?}"),
    }));
    wanted.sort();
    (verdict, wanted.join("\n"))
}

async fn chain(name: &str, settings: &Value) -> Chain {
    let mut definition = Definition::new(name);
    definition.settings = settings.clone();
    Chain::new([Slot::new(load(definition, policy(name)).await)])
}

/// Generates header sections of fields that the policies look at, and of noise.
fn header_sections() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        3 => Just(b"Received: from a by b; Mon, 1 Jan 2024 00:00:00 +0000\r\n".to_vec()),
        2 => "Auto-Submitted: [a-zA-Z(); -]{0,20}\r\n".prop_map(String::into_bytes),
        2 => "X-Gatepost-Email-Id: [a-z0-9]{0,6}\r\n".prop_map(String::into_bytes),
        2 => "X-(Required|Set|Strip|Bad): [ -~]{0,12}\r\n".prop_map(String::into_bytes),
        1 => "[A-Za-z-]{1,12}:[ -~]{0,30}\r\n".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ];
    prop::collection::vec(line, 0..12).prop_map(|lines| lines.concat())
}

#[test]
fn a_policy_decides_the_same_natively_and_in_the_sandbox() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let loops = json!({ "hop-limit": 3 });
    let rules = json!({ "rules": [
        { "header": "X-Required", "action": { "require": { "value": "given" } } },
        { "header": "X-Set", "action": { "set": { "value": "thus" } }, "protect": true },
        { "header": "X-Strip", "action": "strip" },
        { "header": "X-Bad", "action": "forbid", "direction": "inbound" },
    ] });
    let (loop_guard, header_guard) = runtime.block_on(async {
        (
            chain("loop-guard", &loops).await,
            chain("header-guard", &rules).await,
        )
    });
    let config = Config {
        rng_seed: RngSeed::Fixed(5321),
        cases: 300,
        ..Config::default()
    };
    eprintln!("seed 5321");
    let mut runner = TestRunner::new(config);
    runner
        .run(&header_sections(), |head| {
            let message =
                Message::from_bytes(Bytes::from([head.as_slice(), b"\r\nbody\r\n"].concat()));
            for (chain, native) in [
                (
                    &loop_guard,
                    native_text::<loop_guard::LoopGuard>(&loops, &message),
                ),
                (
                    &header_guard,
                    native_text::<header_guard::HeaderGuard>(&rules, &message),
                ),
            ] {
                let pinned = chain.begin(Arc::new(NoMemory));
                let ruling = runtime.block_on(pinned.message(
                    &transaction(),
                    message.clone(),
                    None,
                    Findings::default(),
                ));
                let judgement = &ruling.findings.judgements[0];
                prop_assert_eq!(&judgement.error, &None);
                prop_assert_eq!(
                    sandboxed_text(&judgement.verdict, &judgement.decision),
                    native
                );
            }
            Ok(())
        })
        .unwrap();
}
