//! What a module's exports do: each hook calls the policy with the contract's records, keeps the
//! answer within the [bounds], and replays the decision through the host's handle.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;

pub use gatepost_contract::bindings::gatepost::policy::attempts::ResultOfAttempt as ResultHandle;
pub use gatepost_contract::bindings::gatepost::policy::decisions::Decision as HostDecision;
pub use gatepost_contract::bindings::gatepost::policy::log;
pub use gatepost_contract::bindings::gatepost::policy::message_access::Message as MessageHandle;
use gatepost_contract::bindings::gatepost::policy::plans::Plan as HostPlan;
pub use gatepost_contract::bindings::gatepost::policy::plans::Routing as HostRouting;
use gatepost_contract::bindings::gatepost::policy::{clock, counters};

use crate::bindings::configured::exports::gatepost::policy::settings::Duties as DutyFlags;
use crate::header::Section;
use crate::{
    Action, Attempt, AttemptResult, Decision, Duties, Facts, GoOn, Level, Plan, Policy,
    RecipientVerdict, Routing, Session, Transaction, Verdict, Way, bounds,
};

#[derive(Default)]
struct HostFacts {
    /// Number of log lines written.
    lines: Cell<usize>,
}

/// Message behind its handle, and its header section once it has been read.
struct HostMessage<'a> {
    handle: &'a MessageHandle,
    section: OnceCell<Rc<Section>>,
}

impl HostMessage<'_> {
    fn read(&self) -> &Rc<Section> {
        self.section.get_or_init(|| {
            let chunk = |offset, length| self.handle.header_chunk(offset, length);
            Rc::new(Section::read(self.handle.header_size(), chunk))
        })
    }
}

impl Facts for HostFacts {
    fn now(&self) -> u64 {
        clock::now()
    }
    fn counted(&self, key: &str, seconds: u32) -> u64 {
        counters::counted(&bounds::key(key), seconds)
    }
    fn seen(&self, key: &str) -> bool {
        counters::seen(&bounds::key(key))
    }
    fn log(&self, level: Level, text: &str) {
        let lines = self.lines.get();
        if lines == bounds::LOG_LINES {
            return;
        }
        self.lines.set(lines + 1);
        log::write(level, &bounds::shortened(text, bounds::REASON));
    }
}

impl crate::Message for HostMessage<'_> {
    fn header(&self, name: &str) -> Option<String> {
        self.read().header(name)
    }
    fn headers_named(&self, name: &str) -> Vec<String> {
        self.read().headers_named(name)
    }
    fn count(&self, name: &str) -> u32 {
        self.read().count(name)
    }
    fn headers(&self) -> Vec<(String, String)> {
        self.read().headers()
    }
    fn section(&self) -> Rc<Section> {
        Rc::clone(self.read())
    }
    fn header_chunk(&self, offset: u64, length: u32) -> Vec<u8> {
        self.handle.header_chunk(offset, length)
    }
    fn header_size(&self) -> u64 {
        self.handle.header_size()
    }
    fn body_size(&self) -> u64 {
        self.handle.body_size()
    }
    fn body_chunk(&self, offset: u64, length: u32) -> Vec<u8> {
        self.handle.body_chunk(offset, length)
    }
}

/// Installs a hook that logs a panic of the policy, with file and line, before the trap.
pub fn install_panic_hook() {
    std::panic::set_hook(Box::new(|panic| {
        log::write(Level::Error, &panic.to_string())
    }));
}

pub fn schema<P: Policy>() -> String {
    let schema = schemars::schema_for!(P::Settings);
    serde_json::to_string(&schema).unwrap_or_else(|error| panic!("no schema: {error}"))
}

pub fn configure<P: Policy>(json: &str) -> Result<P, Vec<String>> {
    let settings = serde_json::from_str(json).map_err(|error| vec![error.to_string()])?;
    P::new(settings)
}

pub fn duties<P: Policy>() -> DutyFlags {
    let Duties {
        authenticates,
        suppresses,
        routes,
    } = P::duties();
    let mut duties = DutyFlags::empty();
    duties.set(DutyFlags::AUTHENTICATES, authenticates);
    duties.set(DutyFlags::SUPPRESSES, suppresses);
    duties.set(DutyFlags::ROUTES, routes);
    duties
}

pub fn connect<P: Policy>(policy: &P, session: &Session, host: &HostDecision) -> Verdict {
    bounded(record(host, |decision| {
        policy.connect(session, &HostFacts::default(), decision)
    }))
}

pub fn sender<P: Policy>(policy: &P, transaction: &Transaction, host: &HostDecision) -> Verdict {
    bounded(record(host, |decision| {
        policy.sender(transaction, &HostFacts::default(), decision)
    }))
}

pub fn recipient<P: Policy>(
    policy: &P,
    transaction: &Transaction,
    recipient: &str,
    host: &HostDecision,
) -> Verdict {
    bounded(record(host, |decision| {
        policy.recipient(transaction, recipient, &HostFacts::default(), decision)
    }))
}

pub fn message<P: Policy>(
    policy: &P,
    transaction: &Transaction,
    message: &MessageHandle,
    host: &HostDecision,
) -> Verdict {
    let message = HostMessage {
        handle: message,
        section: OnceCell::new(),
    };
    bounded(record(host, |decision| {
        let facts = HostFacts::default();
        let verdict = policy.message(transaction, &message, &facts, decision);
        match decision.judges_too_many() {
            // The sender then divides the message, as with a server that takes fewer recipients
            // (RFC 5321 section 4.5.3.1.10).
            true => {
                *decision = Decision::default();
                decision.reason("too many recipients are judged one by one");
                let text = "Too many recipients for one message; please divide it";
                Verdict::tempfail(452, "4.5.3", text)
            }
            false => verdict,
        }
    }))
}

pub fn route<P: Policy>(
    policy: &P,
    transaction: &Transaction,
    attempt: &Attempt,
    host: &HostDecision,
) -> HostRouting {
    let routing = record(host, |decision| {
        policy.route(transaction, attempt, &HostFacts::default(), decision)
    });
    let reason = |text: &str| bounds::shortened(text, bounds::QUARANTINE).into_owned();
    match routing {
        Routing::Pass => HostRouting::Pass,
        Routing::Deliver(plan) => HostRouting::Deliver(handed_over(&plan)),
        Routing::Hold(text) => HostRouting::Hold(reason(&text)),
        Routing::Discard(text) => HostRouting::Discard(reason(&text)),
        Routing::Defer(reply) => HostRouting::Defer(reply.printable()),
        Routing::Fail(reply) => HostRouting::Fail(reply.printable()),
    }
}

/// Replays a plan to the host.
fn handed_over(plan: &Plan) -> HostPlan {
    let host = HostPlan::new();
    for step in &plan.steps {
        match &step.way {
            Way::Connection(name) => host.connection(name),
            Way::ConnectionOf(address) => host.connection_of(address),
            Way::Mx => host.mx(),
            Way::Inside => host.inside(),
            Way::Lmtp(name) => host.lmtp(name),
            Way::Http(name) => host.http(name),
            Way::Maildir(name) => host.maildir(name),
            Way::NextHop(hop) => host.next_hop(&hop.host, hop.port, hop.tls, hop.protocol),
        }
        if let Some(GoOn { failures, seconds }) = step.go_on_after {
            host.go_on_after(failures, seconds);
        }
        if let Some(pool) = &step.egress {
            host.egress(pool);
        }
    }
    if let Some(address) = &plan.send_as {
        host.send_as(address);
    }
    if let Some(seconds) = plan.expire_after {
        host.expire_after(seconds);
    }
    if let Some(seconds) = plan.holds_for {
        host.holds_for(seconds);
    }
    host
}

pub fn outcome<P: Policy>(
    policy: &P,
    transaction: &Transaction,
    handle: &ResultHandle,
    host: &HostDecision,
) {
    let mut result = AttemptResult::new(handle.recipient(), handle.ending(), handle.reply());
    result.stage = handle.stage();
    result.step = handle.step();
    result.server = handle.server();
    result.tls = handle.tls();
    result.sent_as = handle.sent_as();
    result.message_id = handle.message_id();
    record(host, |decision| {
        policy.outcome(transaction, &result, &HostFacts::default(), decision)
    })
}

/// Keeps the texts of a verdict within what the host takes.
fn bounded(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Reject(reply) => Verdict::Reject(reply.printable()),
        Verdict::Tempfail(reply) => Verdict::Tempfail(reply.printable()),
        Verdict::Quarantine(reason) => {
            Verdict::Quarantine(bounds::shortened(&reason, bounds::QUARANTINE).into_owned())
        }
        Verdict::Pass | Verdict::Accept | Verdict::Discard => verdict,
    }
}

/// Runs a hook on a plain decision, then replays the decision to the host.
fn record<R>(host: &HostDecision, hook: impl FnOnce(&mut Decision) -> R) -> R {
    let mut decision = Decision::default();
    let answer = hook(&mut decision);
    for action in decision.actions() {
        match action {
            Action::Reason(text) => host.reason(text),
            Action::Tag(tag) => host.tag(tag),
            Action::Classify(class, reply_allowed) => host.classify(*class, *reply_allowed),
            Action::AddHeader(name, value) => host.add_header(name, value),
            Action::RemoveHeader(name) => host.remove_header(name),
            Action::SetHeader(name, value) => host.set_header(name, value),
            Action::ProtectHeader(name) => host.protect_header(name),
            Action::JudgeRecipient(address, verdict) => {
                let verdict = match verdict.clone() {
                    RecipientVerdict::Reject(reply) => RecipientVerdict::Reject(reply.printable()),
                    suppress => suppress,
                };
                host.judge_recipient(address, &verdict)
            }
            Action::Count(key, amount) => host.count(key, *amount),
            Action::MarkSeen(key, seconds) => host.mark_seen(key, *seconds),
            Action::ForgetCount(key) => host.forget_count(key),
            Action::RememberMachine(address, evidence, seconds) => {
                host.remember_machine(address, evidence, *seconds)
            }
            Action::ForgetMachine(address) => host.forget_machine(address),
            Action::ReportSuppressed => host.report_suppressed(),
        }
    }
    answer
}
