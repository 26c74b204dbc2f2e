//! Native run of the fixtures of a policy's author.

use std::path::Path;

use gatepost_fixture::{Decided, Fixture, Grant, Hook, read_folder};

use super::from_fixture::{self, FixtureFacts, Mail};
use crate::{
    Action, Attempt, AttemptResult, ClientAddress, Decision, Flow, Plan, Policy, RecipientVerdict,
    Reply, Routing, Session, Transaction, Transport, Verdict, Way,
};

/// Runs every fixture of a folder as plain Rust, without a sandbox, for the policy's own `cargo
/// test`. The files are the same as for `gatepost policy test`.
///
/// ```no_run
/// # struct NoSpam;
/// # impl gatepost_sdk::Policy for NoSpam {
/// #     type Settings = ();
/// #     fn new((): ()) -> Result<Self, Vec<String>> { Ok(Self) }
/// # }
/// #[test]
/// fn fixtures() {
///     gatepost_sdk::native::fixtures::<NoSpam>(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"));
/// }
/// ```
///
/// # Panics
/// Panics with the differences if a fixture fails, or with the error if it cannot be used.
pub fn fixtures<P: Policy>(folder: impl AsRef<Path>) {
    let folder = folder.as_ref();
    let found = read_folder(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    assert!(!found.is_empty(), "{} has no fixtures", folder.display());
    let mut failures = String::new();
    for fixture in found {
        let path = fixture.path.display();
        let problem = match &fixture.read {
            Err(error) => Some(error.to_string()),
            Ok((said, message)) => match decide::<P>(said, Mail(message)) {
                Err(problem) => Some(problem),
                Ok(came) => said.compare(&came).map(|difference| difference.diff),
            },
        };
        if let Some(problem) = problem {
            failures.push_str(&format!(
                "\n{path}: - is expected, + is what came\n{problem}\n"
            ));
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

/// Runs the fixture's hook and returns what the policy decides.
fn decide<P: Policy>(fixture: &Fixture, mail: Mail<'_>) -> Result<Decided, String> {
    let settings = serde_json::from_value(fixture.settings.clone());
    let settings = settings.map_err(|error| format!("the settings are not valid: {error}"))?;
    let policy = P::new(settings).map_err(|problems| problems.join("\n"))?;
    let _given = from_fixture::given(fixture, mail.0).give();
    let transaction = transaction(fixture);
    let looked = FixtureFacts(fixture);
    let recipient = fixture
        .recipient()
        .map_or("", |recipient| recipient.as_str());
    let decision = &mut Decision::default();
    let decided = match fixture.hook {
        Hook::Connect => judged(policy.connect(&transaction.session, &looked, decision)),
        Hook::Sender => judged(policy.sender(&transaction, &looked, decision)),
        Hook::Recipient => judged(policy.recipient(&transaction, recipient, &looked, decision)),
        Hook::Message => judged(policy.message(&transaction, &mail, &looked, decision)),
        Hook::Route => {
            let attempt = Attempt {
                recipient: recipient.to_owned(),
                previous: fixture.previous,
            };
            routed(
                policy.route(&transaction, &attempt, &looked, decision),
                &fixture.grants,
            )
        }
        Hook::Outcome => {
            policy.outcome(&transaction, &result(fixture, recipient), &looked, decision);
            Decided::new(None)
        }
    };
    if let Some(refused) = too_late(fixture.hook, decision) {
        return Ok(Decided::failed(refused));
    }
    match decided.fault {
        Some(_) => Ok(decided),
        None => Ok(with_requests(decided, decision)),
    }
}

/// Returns the fault of a request that comes too late, as the relay words it.
fn too_late(hook: Hook, decision: &Decision) -> Option<String> {
    if !matches!(hook, Hook::Route | Hook::Outcome) {
        return None;
    }
    let refused = decision.actions().iter().find_map(|action| match action {
        Action::Tag(_) => Some("tag"),
        Action::Classify(..) => Some("classify"),
        Action::AddHeader(..) => Some("add-header"),
        Action::RemoveHeader(_) => Some("remove-header"),
        Action::SetHeader(..) => Some("set-header"),
        Action::ProtectHeader(_) => Some("protect-header"),
        Action::JudgeRecipient(..) => Some("judge-recipient"),
        Action::ReportSuppressed => Some("report-suppressed"),
        Action::Reason(_)
        | Action::Count(..)
        | Action::MarkSeen(..)
        | Action::ForgetCount(_)
        | Action::RememberMachine(..)
        | Action::ForgetMachine(_) => None,
    })?;
    let hook = hook.word();
    Some(format!(
        "answer: it calls {refused} in the {hook} hook, where the message was accepted long ago"
    ))
}

fn transaction(fixture: &Fixture) -> Transaction {
    let recipients = fixture.recipients().iter();
    Transaction {
        id: Fixture::ID.to_owned(),
        session: Session {
            listener: fixture.listener().to_owned(),
            flow: fixture.direction,
            transport: match fixture.direction {
                Flow::Internal => Transport::Own,
                _ => Transport::Smtp,
            },
            client: fixture.client().map(|ip| ClientAddress {
                ip: ip.to_string(),
                port: Fixture::PORT,
            }),
            helo: (fixture.hook != Hook::Connect).then(|| fixture.helo.clone()),
            tls: fixture.tls.clone(),
            user: fixture.user.clone(),
        },
        account: fixture.account(),
        mail_from: fixture.reverse_path().as_str().to_owned(),
        recipients: recipients.map(ToString::to_string).collect(),
    }
}

fn result(fixture: &Fixture, recipient: &str) -> AttemptResult {
    let told = fixture.result.clone();
    let reply = Reply::new(told.code, &told.enhanced, &told.text);
    let mut result = AttemptResult::new(recipient, told.ending, reply);
    result.stage = told.stage;
    result.step = told.step;
    result.server = told.server;
    result.tls = told.tls;
    result.sent_as = told.sent_as;
    result.message_id = told.message_id;
    result
}

fn in_words(reply: &Reply) -> String {
    format!("{} {} {}", reply.code, reply.enhanced, reply.text)
}

fn judged(verdict: Verdict) -> Decided {
    match verdict {
        Verdict::Pass => Decided::new(Some("pass")),
        Verdict::Accept => Decided::new(Some("accept")),
        Verdict::Discard => Decided::new(Some("discard")),
        Verdict::Reject(reply) => replied("reject", &reply),
        Verdict::Tempfail(reply) => replied("tempfail", &reply),
        Verdict::Quarantine(reason) => Decided {
            quarantine: Some(reason),
            ..Decided::new(Some("quarantine"))
        },
    }
}

fn routed(routing: Routing, grants: &[Grant]) -> Decided {
    let names_next_hop = |plan: &Plan| {
        let mut steps = plan.steps.iter();
        steps.any(|step| matches!(step.way, Way::NextHop(_)))
    };
    match routing {
        Routing::Deliver(plan) if names_next_hop(&plan) && !grants.contains(&Grant::NextHop) => {
            Decided::failed("answer: it names a next hop without the `next-hop` grant")
        }
        Routing::Discard(_) if !grants.contains(&Grant::Discard) => {
            Decided::failed("answer: it discards without the `discard` grant")
        }
        Routing::Pass => Decided::new(Some("pass")),
        Routing::Defer(reply) => replied("defer", &reply),
        Routing::Fail(reply) => replied("fail", &reply),
        Routing::Hold(reason) => because("hold", reason),
        Routing::Discard(reason) => because("discard", reason),
        Routing::Deliver(plan) => Decided {
            plan: Some(plan.steps.iter().map(ToString::to_string).collect()),
            send_as: plan.send_as,
            expire_after: plan.expire_after,
            holds_for: plan.holds_for,
            ..Decided::new(Some("deliver"))
        },
    }
}

fn because(verdict: &str, reason: String) -> Decided {
    Decided {
        because: Some(reason),
        ..Decided::new(Some(verdict))
    }
}

fn replied(verdict: &str, reply: &Reply) -> Decided {
    Decided {
        reply: Some(in_words(reply)),
        ..Decided::new(Some(verdict))
    }
}

/// Adds the policy's requests to its verdict.
fn with_requests(mut decided: Decided, decision: &Decision) -> Decided {
    fn push(list: &mut Option<Vec<String>>, item: String) {
        list.get_or_insert_default().push(item);
    }
    for action in decision.actions() {
        let to = &mut decided;
        match action.clone() {
            Action::Reason(text) => push(&mut to.reasons, text),
            Action::Tag(tag) => {
                // Each tag once, as in the relay.
                if !to.tags.iter().flatten().any(|known| *known == tag) {
                    push(&mut to.tags, tag);
                }
            }
            Action::Classify(class, reply_allowed) => {
                to.class = Some(class.word().to_owned());
                to.reply_allowed = Some(reply_allowed);
            }
            Action::AddHeader(name, value) => push(&mut to.edits, format!("add {name}: {value}")),
            Action::SetHeader(name, value) => push(&mut to.edits, format!("set {name}: {value}")),
            Action::RemoveHeader(name) => push(&mut to.edits, format!("remove {name}")),
            Action::ProtectHeader(name) => push(&mut to.protected, name),
            Action::JudgeRecipient(address, verdict) => {
                let verdict = match verdict {
                    RecipientVerdict::Reject(reply) => format!("reject {}", in_words(&reply)),
                    RecipientVerdict::Suppress(reason) => format!("suppress {reason}"),
                };
                // The first verdict on a recipient holds.
                let recipients = to.recipients.get_or_insert_default();
                recipients.entry(address).or_insert(verdict);
            }
            Action::Count(key, amount) => push(&mut to.effects, format!("count {amount} {key}")),
            Action::MarkSeen(key, seconds) => {
                push(&mut to.effects, format!("mark {key} for {seconds} s"));
            }
            Action::ForgetCount(key) => push(&mut to.effects, format!("forget {key}")),
            Action::RememberMachine(address, evidence, seconds) => {
                let address = crate::canonical(&address);
                let effect = format!("machine {address} for {seconds} s: {evidence}");
                push(&mut to.effects, effect);
            }
            Action::ForgetMachine(address) => {
                let address = crate::canonical(&address);
                push(&mut to.effects, format!("forget machine {address}"));
            }
            Action::ReportSuppressed => to.report_suppressed = Some(true),
        }
    }
    decided
}
