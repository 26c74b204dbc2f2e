//! Messages that are judged ahead of their turn get the decisions that they would get one after
//! another.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use gatepost_config::Config;
use gatepost_directory::View;
use gatepost_intake::dry_run::{DryRun, DryRunMessage, DryRunResult};
use gatepost_message::{Message, Millis, TransactionId};
use gatepost_model::{Flow, Session, Transaction, Transport};
use gatepost_policy::{Engine, EngineSettings};

/// Messages that are judged at once.
const AT_ONCE: usize = 8;

async fn dry_run() -> Arc<DryRun> {
    let engine = Engine::new(EngineSettings {
        instances: 16,
        cache: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("policies")),
        ..EngineSettings::default()
    });
    let directory = Arc::new(View::empty());
    Arc::new(
        DryRun::new(engine.unwrap(), Config::builtin(), directory)
            .await
            .unwrap(),
    )
}

/// A few machines that write the same again and again: from some message on, they are stopped.
fn messages() -> Vec<DryRunMessage> {
    let begin = 1_767_225_600_000;
    (0..120_u64)
        .map(|number| {
            let sender = format!("machine-{}@sender.example", number % 3);
            let text = format!(
                "From: {sender}\r\nTo: help@desk.example\r\nSubject: again\r\n\
                 Message-ID: <{}@sender.example>\r\n\r\nThe same as before.\r\n",
                number / 2
            );
            DryRunMessage {
                transaction: Transaction {
                    id: TransactionId::new(),
                    time: Millis(begin + number * 1_000),
                    session: Session {
                        listener: "mx".to_owned(),
                        flow: Flow::Inbound,
                        transport: Transport::Smtp,
                        client: Some(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 2525)),
                        helo: Some("client.example".to_owned()),
                        tls: None,
                        user: None,
                    },
                    account: None,
                    reverse_path: sender.parse().unwrap(),
                    recipients: Vec::new(),
                },
                recipients: vec!["help@desk.example".parse().unwrap()],
                message: Message::from_bytes(text.into()),
                refusals: Default::default(),
            }
        })
        .collect()
}

/// Returns all that was decided, without the times that calls took.
fn decided(result: &DryRunResult) -> String {
    let judgements = result.findings.judgements.iter().map(|judgement| {
        format!(
            "{} {} {:?} {:?} {:?}",
            judgement.policy,
            judgement.hook,
            judgement.verdict,
            judgement.decision,
            judgement.error
        )
    });
    format!(
        "{:?} {} {:?} {:?}",
        result.disposition,
        result.reply,
        result.routes,
        judgements.collect::<Vec<_>>()
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_decisions_are_those_of_one_after_another() {
    let messages = messages();
    let in_turn = dry_run().await;
    let mut expected = Vec::new();
    for message in messages.clone() {
        expected.push(decided(&in_turn.judge(message).await));
    }
    let reasons: BTreeSet<_> = expected
        .iter()
        .map(|of| of.split_whitespace().next().unwrap().to_owned() + &of.len().to_string())
        .collect();
    assert!(reasons.len() > 1, "memory changes what is decided: {expected:?}");

    let relay = dry_run().await;
    let mut found = Vec::new();
    for together in messages.chunks(AT_ONCE) {
        let ahead: Vec<_> = together
            .iter()
            .cloned()
            .map(|message| {
                let relay = Arc::clone(&relay);
                tokio::spawn(async move { relay.judge_ahead(message).await })
            })
            .collect();
        let mut judged = Vec::new();
        for message in ahead {
            judged.push(message.await.unwrap());
        }
        for message in judged {
            found.push(decided(&relay.finish(message).await));
        }
    }
    for (number, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert_eq!(found, expected, "message {number}");
    }
}
