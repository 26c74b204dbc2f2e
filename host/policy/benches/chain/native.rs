//! The same policies as plain Rust, without a sandbox, called in the same order.

use gatepost_message::{Edit, FieldBody, FieldName, Message};
use gatepost_sdk::native::Mail;
use gatepost_sdk::{Action, Attempt, Decision, Flow, Policy, Session, Transaction};
use header_guard::HeaderGuard;
use loop_guard::LoopGuard;
use outbound_route::OutboundRoute;
use test_support::native::NativeFacts;

/// Three policies in plain Rust.
pub struct Native {
    loop_guard: LoopGuard,
    header_guard: HeaderGuard,
    outbound_route: OutboundRoute,
    transaction: Transaction,
    facts: NativeFacts,
}

impl Native {
    /// Makes the policies with the settings that they have in the sandbox.
    pub fn new() -> Self {
        Self {
            loop_guard: configured("loop-guard"),
            header_guard: configured("header-guard"),
            outbound_route: configured("outbound-route"),
            transaction: Transaction {
                id: "01a20485-bcbb-73d1-ab86-9a97923ae8ee".into(),
                session: Session {
                    listener: "mx".into(),
                    flow: Flow::Inbound,
                    transport: gatepost_sdk::Transport::Smtp,
                    client: Some(gatepost_sdk::ClientAddress {
                        ip: "192.0.2.1".into(),
                        port: 1025,
                    }),
                    helo: Some("client.example".into()),
                    tls: None,
                    user: None,
                },
                account: Some("acme".into()),
                mail_from: "ann@sender.example".into(),
                recipients: vec!["help@customer.example".into()],
            },
            facts: NativeFacts::default(),
        }
    }

    /// Judges a message and routes its recipient. Returns the message after the edits.
    pub fn judge(&self, message: &Message) -> Message {
        let message = self.ask(&self.loop_guard, message.clone());
        let message = self.ask(&self.header_guard, message);
        let attempt = Attempt {
            recipient: self.transaction.recipients[0].clone(),
            previous: 0,
        };
        let mut decision = Decision::default();
        let routing =
            self.outbound_route
                .route(&self.transaction, &attempt, &self.facts, &mut decision);
        std::hint::black_box((routing, decision));
        message
    }

    fn ask(&self, policy: &impl Policy, message: Message) -> Message {
        let mut decision = Decision::default();
        let mail = Mail(&message);
        let verdict = policy.message(&self.transaction, &mail, &self.facts, &mut decision);
        std::hint::black_box(verdict);
        let edits: Vec<Edit> = decision.actions().iter().filter_map(edit).collect();
        if edits.is_empty() {
            message
        } else {
            message.edited(&edits)
        }
    }
}

fn configured<P: Policy>(name: &str) -> P {
    let Ok(policy) = P::new(serde_json::from_value(super::settings(name)).unwrap()) else {
        panic!("settings of {name}")
    };
    policy
}

fn edit(action: &Action) -> Option<Edit> {
    let name = |name: &String| FieldName::new(name).unwrap();
    let body = |body: &String| FieldBody::new(body).unwrap();
    match action {
        Action::AddHeader(field, value) => Some(Edit::Add {
            name: name(field),
            body: body(value),
        }),
        Action::SetHeader(field, value) => Some(Edit::Set {
            name: name(field),
            body: body(value),
        }),
        Action::RemoveHeader(field) => Some(Edit::Remove { name: name(field) }),
        _ => None,
    }
}
