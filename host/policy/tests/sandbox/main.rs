//! Tests of the engine with real modules: loading, limits, faults, chains, swaps.

// In a test, an unwrap is an assertion.
#![allow(clippy::unwrap_used)]

mod budget;
mod chains;
mod faults;
mod loading;
mod look_ups;
mod native;
mod plans;
mod swapping;

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use gatepost_message::{Address, Message, Millis, ReversePath, TransactionId};
use gatepost_model::{Flow, Session, Transaction};
use gatepost_policy::{
    Chain, Definition, Engine, EngineSettings, Findings, MessageRuling, NoMemory, Slot, Version,
};

/// Returns the one engine of all tests: each pool reserves much address space.
fn engine() -> Arc<Engine> {
    static ENGINE: OnceLock<Arc<Engine>> = OnceLock::new();
    ENGINE
        .get_or_init(|| Engine::new(EngineSettings::default()).unwrap())
        .clone()
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn transaction() -> Transaction {
    Transaction {
        id: TransactionId::new(),
        time: Millis(1_700_000_000_000),
        session: Session {
            listener: "mx".into(),
            flow: Flow::Inbound,
            transport: gatepost_model::Transport::Smtp,
            client: "192.0.2.1:1025".parse().ok(),
            helo: Some("client.example".into()),
            tls: None,
            user: None,
        },
        account: Some("acme".into()),
        reverse_path: ReversePath::Address(address("ann@sender.example")),
        recipients: vec![address("help@desk.example"), address("sales@desk.example")],
    }
}

fn message(head: &str) -> Message {
    Message::from_bytes(Bytes::from(format!("{head}\r\nbody\r\n")))
}

fn attack() -> Message {
    message("From: <ann@sender.example>\r\nX-Attack: now\r\n")
}

async fn load(definition: Definition, module: Vec<u8>) -> Version {
    engine().load(definition, module.into()).await.unwrap()
}

/// Runs the message hook of a chain of this one policy.
async fn judge(definition: Definition, module: Vec<u8>, message: Message) -> MessageRuling {
    let slot = Slot::new(load(definition, module).await);
    Chain::new([slot])
        .begin(Arc::new(NoMemory))
        .message(&transaction(), message, None, Findings::default())
        .await
}
