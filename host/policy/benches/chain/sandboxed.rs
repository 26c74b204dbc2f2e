//! The policies as the relay runs them.

use std::sync::Arc;

use gatepost_message::{Address, Message, Millis, ReversePath, TransactionId};
use gatepost_model::{Flow, Queued, Session, Transaction};
use gatepost_policy::{Chain, Definition, Engine, EngineSettings, Findings, NoMemory, Slot};
use tokio::runtime::{Builder, Runtime};

/// Chain of policies, each in its sandbox.
pub struct Sandboxed {
    runtime: Runtime,
    chain: Chain,
    transaction: Transaction,
    // Kept because the versions run on it.
    _engine: Arc<Engine>,
}

impl Sandboxed {
    /// Makes a chain of these policies.
    pub fn new(names: &[&str]) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let engine = Engine::new(EngineSettings::default()).unwrap();
        let slot = |name: &&str| {
            let mut definition = Definition::new(*name);
            definition.settings = super::settings(name);
            definition.grants.next_hop = true;
            let load = engine.load(definition, test_support::policy(name).into());
            Slot::new(runtime.block_on(load).unwrap())
        };
        let chain = Chain::new(names.iter().map(slot).collect::<Vec<_>>());
        let address = |text: &str| text.parse::<Address>().unwrap();
        let transaction = Transaction {
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
            recipients: vec![address("help@customer.example")],
        };
        Self {
            runtime,
            chain,
            transaction,
            _engine: engine,
        }
    }

    /// Judges a message and routes its recipient. Returns the message after the edits.
    pub fn judge(&self, message: &Message) -> Message {
        let pinned = self.chain.begin(Arc::new(NoMemory));
        let transaction = &self.transaction;
        self.runtime.block_on(async {
            let ruling = pinned
                .message(transaction, message.clone(), None, Findings::default())
                .await;
            let queued = Arc::new(Queued {
                attempt_time: transaction.time,
                accepted: transaction.time,
                expires: transaction.time,
                message: ruling.message.clone(),
                tags: Vec::new(),
                class: None,
                metadata: Vec::new(),
                last_reply: None,
                steps_tried: Vec::new(),
            });
            let route = pinned
                .route(transaction, &transaction.recipients[0], 0, &queued)
                .await;
            std::hint::black_box(route);
            ruling.message
        })
    }
}
