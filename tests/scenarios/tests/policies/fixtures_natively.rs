//! The logic of each policy runs natively as well, as plain Rust; on every fixture it decides as
//! it does in the sandbox.

use gatepost_sdk::native::{Given, Mail};
use std::collections::{HashMap, HashSet};

use gatepost_fixture::Fixture;
use gatepost_message::{Edit, FieldBody, FieldName, Message};
use gatepost_sdk::{
    Action, Attempt, Decision, Machine, MessageClass, Policy, Routing, Session, Transaction,
    Verdict, Way,
};
use header_guard::HeaderGuard;
use loop_guard::LoopGuard;
use outbound_route::OutboundRoute;
use serde_json::{Value, json};
use test_support::ChainCase;
use test_support::native::NativeFacts;

use crate::check;

#[test]
fn natively_each_policy_decides_as_in_the_sandbox() {
    let settings = check::settings();
    let mut native = Native {
        loop_guard: made(&settings, "loop-guard"),
        header_guard: made(&settings, "header-guard"),
        outbound_route: made(&settings, "outbound-route"),
        seen: HashMap::new(),
        counted: HashMap::new(),
        machines: HashMap::new(),
    };
    let mut session = Vec::new();
    for (case, report) in check::reports() {
        // What a session left behind is of one run.
        let of = check::session(case);
        if session != of {
            native.forget();
            session = of;
        }
        assert_eq!(native.report(case), comparable(report), "{}", case.name);
    }
}

fn made<P: Policy>(settings: &HashMap<String, Value>, name: &str) -> P {
    let settings = settings.get(name).cloned().unwrap_or(json!({}));
    match P::new(serde_json::from_value(settings).unwrap()) {
        Ok(policy) => policy,
        Err(problems) => panic!("{name}: {problems:?}"),
    }
}

/// Returns the parts of a report that the policies decide.
fn comparable(report: &Value) -> Value {
    let policies = report["policies"].as_array().unwrap().iter();
    let policies = policies.map(|call| {
        json!({
            "name": call["name"],
            "hook": call["hook"],
            "verdict": call["verdict"],
            "reasons": call["reasons"],
            "routing": call["routing"],
        })
    });
    let edits = report["edits"].as_array().unwrap().iter();
    json!({
        "policies": policies.collect::<Value>(),
        "edits": edits.map(with_the_same_id).collect::<Value>(),
        "effects": report["effects"],
        "class": report["class"],
        "reply-allowed": report["reply-allowed"],
        "route": report["route"],
    })
}

/// An edit with the id that every transaction has natively: elsewhere each has its own.
fn with_the_same_id(edit: &Value) -> Value {
    let mut edit = edit.clone();
    if edit["name"] == "X-Gatepost-Email-Id" {
        let native = Given::default().identity.email_id;
        assert_eq!(edit["body"].as_str().unwrap().len(), native.len());
        edit["body"] = native.into();
    }
    edit
}

/// The chain of the fixtures' configuration.
struct Native {
    loop_guard: LoopGuard,
    header_guard: HeaderGuard,
    outbound_route: OutboundRoute,
    /// Marks of each policy, for all accounts alike: the fixtures have one.
    seen: HashMap<&'static str, HashSet<String>>,
    /// Counts of each policy.
    counted: HashMap<&'static str, HashMap<String, u64>>,
    /// The machines that are known.
    machines: HashMap<String, Machine>,
}

/// Decisions of the chain so far, in the form of a report.
#[derive(Default)]
struct Said {
    policies: Vec<Value>,
    edits: Vec<Value>,
    effects: Vec<Value>,
    class: Option<(MessageClass, bool)>,
    remembered: Vec<(&'static str, Action)>,
}

impl Native {
    fn report(&mut self, case: &ChainCase) -> Value {
        let transaction = transaction(&case.fixture);
        let mut said = Said::default();
        let kept = self.message_hooks(&transaction, &case.message, &mut said);
        let mut route = Value::Null;
        if kept {
            for (policy, action) in said.remembered.drain(..) {
                self.remember(policy, action);
            }
            for recipient in &transaction.recipients {
                let routed = self.route(&transaction, recipient, &mut said);
                if route.is_null() {
                    route = routed;
                }
            }
        }
        // Of a message that is refused nothing is remembered.
        let effects = if kept { said.effects } else { Vec::new() };
        let (class, allowed) = match said.class {
            // To a message that is refused there is no reply.
            Some((class, allowed)) => (class.word(), allowed && kept),
            None => ("unknown", false),
        };
        json!({
            "policies": said.policies,
            "edits": said.edits,
            "effects": effects,
            "class": class,
            "reply-allowed": allowed,
            "route": route,
        })
    }

    fn forget(&mut self) {
        self.seen.clear();
        self.counted.clear();
        self.machines.clear();
    }

    fn remember(&mut self, policy: &'static str, action: Action) {
        match action {
            Action::MarkSeen(key, _) => {
                self.seen.entry(policy).or_default().insert(key);
            }
            Action::Count(key, amount) => {
                let counted = self.counted.entry(policy).or_default();
                *counted.entry(key).or_default() += u64::from(amount);
            }
            Action::ForgetCount(key) => {
                self.counted.entry(policy).or_default().remove(&key);
            }
            Action::RememberMachine(address, evidence, _) => {
                let machine = Machine {
                    evidence,
                    since: 0,
                    until: u64::MAX,
                };
                self.machines.insert(address, machine);
            }
            Action::ForgetMachine(address) => {
                self.machines.remove(&address);
            }
            other => panic!("{other:?} is nothing to remember"),
        }
    }

    /// Calls the message hooks; returns true if the message is accepted.
    fn message_hooks(&self, transaction: &Transaction, message: &Message, said: &mut Said) -> bool {
        let (verdict, edits) =
            self.ask(("loop-guard", &self.loop_guard), transaction, message, said);
        if !matches!(verdict, Verdict::Pass) {
            return false;
        }
        let message = message.edited(&edits);
        let (verdict, _) = self.ask(
            ("header-guard", &self.header_guard),
            transaction,
            &message,
            said,
        );
        matches!(verdict, Verdict::Pass)
    }

    fn ask<P: Policy>(
        &self,
        (name, policy): (&'static str, &P),
        transaction: &Transaction,
        message: &Message,
        said: &mut Said,
    ) -> (Verdict, Vec<Edit>) {
        let mut decision = Decision::default();
        let message = Mail(message);
        let mut given = Given {
            machines: self.machines.clone(),
            ..Given::default()
        };
        // As the relay's configuration has it.
        given.identity.host_name = "mx.desk.example".into();
        let _given = given.give();
        let verdict = policy.message(transaction, &message, &self.facts(name), &mut decision);
        let word = match &verdict {
            Verdict::Pass => "pass",
            Verdict::Reject(_) => "reject",
            other => panic!("no policy that ships says {other:?}"),
        };
        let edits = said.note((name, "message", word), transaction, &decision);
        (verdict, edits)
    }

    fn route(&self, transaction: &Transaction, recipient: &str, said: &mut Said) -> Value {
        if transaction.mail_from.is_empty() {
            // A rule of the host: where mail of the null sender goes is for no policy to say.
            return json!("default");
        }
        let attempt = Attempt {
            recipient: recipient.to_owned(),
            previous: 0,
        };
        let mut decision = Decision::default();
        let facts = self.facts("outbound-route");
        let routing = self
            .outbound_route
            .route(transaction, &attempt, &facts, &mut decision);
        said.note(("outbound-route", "route", "pass"), transaction, &decision);
        let route = match routing {
            Routing::Pass => json!("default"),
            Routing::Deliver(plan) => match &plan.steps[0].way {
                Way::NextHop(hop) => json!({"steps": [{"way": {"next-hop": hop}}]}),
                other => panic!("no next hop: {other}"),
            },
            other => panic!("outbound-route never says {other:?}"),
        };
        said.policies.last_mut().unwrap()["routing"] = route.clone();
        route
    }

    fn facts(&self, policy: &str) -> NativeFacts {
        let seen = self.seen.get(policy).cloned().unwrap_or_default();
        let counted = self.counted.get(policy).cloned().unwrap_or_default();
        NativeFacts { seen, counted }
    }
}

impl Said {
    /// Adds a call; gives its edits.
    fn note(
        &mut self,
        (name, hook, verdict): (&'static str, &str, &str),
        transaction: &Transaction,
        decision: &Decision,
    ) -> Vec<Edit> {
        let mut reasons = Vec::new();
        let mut edits = Vec::new();
        for action in decision.actions() {
            match action {
                Action::Reason(text) => reasons.push(text),
                Action::Classify(class, allowed) => self.class = Some((*class, *allowed)),
                Action::AddHeader(field, value) => {
                    edits.push(self.edit(name, "add", field, Some(value)));
                }
                Action::SetHeader(field, value) => {
                    edits.push(self.edit(name, "set", field, Some(value)));
                }
                Action::RemoveHeader(field) => edits.push(self.edit(name, "remove", field, None)),
                // Have no place in a report; the effect on later edits is the host's.
                Action::ProtectHeader(_) | Action::Tag(_) => {}
                other => {
                    self.remembered.push((name, other.clone()));
                    let mut effect = effect(other);
                    effect["policy"] = json!(name);
                    effect["account"] = json!(transaction.account);
                    self.effects.push(effect);
                }
            }
        }
        self.policies.push(json!({
            "name": name, "hook": hook, "verdict": verdict, "reasons": reasons, "routing": null,
        }));
        edits
    }

    fn edit(&mut self, policy: &str, action: &str, name: &str, body: Option<&String>) -> Edit {
        self.edits.push(json!({
            "policy": policy, "action": action, "name": name, "body": body,
        }));
        let name = FieldName::new(name).unwrap();
        let value = || FieldBody::new(body.unwrap()).unwrap();
        match action {
            "add" => Edit::Add {
                name,
                body: value(),
            },
            "set" => Edit::Set {
                name,
                body: value(),
            },
            _ => Edit::Remove { name },
        }
    }
}

/// Something to remember, as a report has it.
fn effect(action: &Action) -> Value {
    match action {
        Action::MarkSeen(key, seconds) => {
            json!({ "action": "mark-seen", "key": key, "seconds": seconds })
        }
        Action::Count(key, amount) => json!({ "action": "count", "key": key, "amount": amount }),
        Action::ForgetCount(key) => json!({ "action": "forget-count", "key": key }),
        Action::RememberMachine(address, evidence, seconds) => json!({
            "action": "remember-machine",
            "address": address,
            "evidence": evidence,
            "seconds": seconds,
        }),
        Action::ForgetMachine(address) => json!({ "action": "forget-machine", "address": address }),
        other => panic!("no policy that ships does {other:?}"),
    }
}

/// The transaction as the policies see it; `check` says the same of a session where the command
/// line is silent.
fn transaction(fixture: &Fixture) -> Transaction {
    Transaction {
        id: "any".to_owned(),
        session: Session {
            listener: fixture.listener().to_owned(),
            flow: fixture.direction,
            transport: gatepost_sdk::Transport::Smtp,
            client: Some(gatepost_sdk::ClientAddress {
                ip: "127.0.0.1".to_owned(),
                port: 0,
            }),
            helo: Some("localhost".to_owned()),
            tls: None,
            user: fixture.user.clone(),
        },
        account: Some("acme".to_owned()),
        mail_from: fixture.reverse_path().as_str().to_owned(),
        recipients: fixture.rcpt_to.iter().map(ToString::to_string).collect(),
    }
}
