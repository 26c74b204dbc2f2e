//! Conversion between the generated bindings and the plain types. Each hook takes the contract's
//! records, calls the policy with plain ones, and replays its decision through the host's handle.

use crate::bindings::configured::exports::gatepost::policy::settings::Duties as WitDuties;
use crate::bindings::host::gatepost::policy::{
    authentication as imported, clock, counters, directory, identity, log,
};
use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use crate::header::Section;
use crate::{Action, Decision, Facts, Level, Policy, bounds, types};

/// Records of the contract, under short names.
pub mod wit {
    pub use crate::bindings::host::gatepost::policy::decisions::Decision;
    pub use crate::bindings::host::gatepost::policy::message_access::Message;
    pub use crate::bindings::host::gatepost::policy::types::*;
}

#[derive(Default)]
struct HostFacts {
    /// Number of log lines written.
    lines: Cell<usize>,
}

/// Message behind its handle, and its header section once it has been read.
struct HostMessage<'a> {
    handle: &'a wit::Message,
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
        let text = &bounds::shortened(text, bounds::REASON);
        let level = match level {
            Level::Debug => log::Level::Debug,
            Level::Info => log::Level::Info,
            Level::Warn => log::Level::Warn,
            Level::Error => log::Level::Error,
        };
        log::write(level, text);
    }
}

// Free functions, not methods of `HostFacts`: a table of methods keeps all of them in the module,
// and then every policy would import everything.

pub fn authentication() -> crate::Authentication {
    crate::Authentication {
        spf_helo: imported::spf_helo().into(),
        spf_mailfrom: imported::spf_mailfrom().into(),
        dkim: imported::dkim().into_iter().map(Into::into).collect(),
        dmarc: imported::dmarc().into(),
        arc: arc(),
        iprev: imported::iprev().into(),
        authors: imported::authors().into_iter().map(Into::into).collect(),
        from: imported::from_field().into(),
    }
}

fn arc() -> crate::ArcResult {
    let arc = imported::arc();
    crate::ArcResult {
        result: arc.result.into(),
        instances: arc.instances,
        sealer: arc.sealer,
        sets: imported::arc_sets().into_iter().map(Into::into).collect(),
        reason: arc.reason,
    }
}

pub fn destination(address: &str) -> Option<crate::ReceivingDomain> {
    directory::destination(address).map(Into::into)
}

pub fn is_support_address(address: &str) -> bool {
    directory::is_support_address(address)
}

pub fn knows_addresses() -> bool {
    directory::knows_addresses()
}

pub fn product() -> Option<String> {
    directory::product()
}

pub fn credential() -> Option<crate::Credential> {
    directory::credential().map(|credential| crate::Credential {
        user: credential.user,
        scope: match credential.scope {
            directory::CredentialScope::Inbound(domain) => crate::CredentialScope::Inbound(domain),
            directory::CredentialScope::Submission => crate::CredentialScope::Submission,
        },
    })
}

pub fn machine(address: &str) -> Option<crate::Machine> {
    directory::machine(address).map(|machine| crate::Machine {
        evidence: machine.evidence,
        since: machine.since,
        until: machine.until,
    })
}

pub fn canonical(address: &str) -> String {
    directory::canonical(address)
}

pub fn host_name() -> String {
    identity::host_name()
}

pub fn email_id() -> String {
    identity::email_id()
}

pub fn is_ours(email_id: &str) -> bool {
    identity::is_ours(email_id)
}

pub fn author_is_proved() -> Option<bool> {
    identity::author_is_proved()
}

pub fn settings_of_account() -> Option<String> {
    crate::bindings::host::gatepost::policy::settings_of_account::get()
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
        log::write(log::Level::Error, &panic.to_string())
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

pub fn duties<P: Policy>() -> WitDuties {
    let types::Duties {
        authenticates,
        suppresses,
    } = P::duties();
    let mut duties = WitDuties::empty();
    if authenticates {
        duties |= WitDuties::AUTHENTICATES;
    }
    if suppresses {
        duties |= WitDuties::SUPPRESSES;
    }
    duties
}

pub fn connect<P: Policy>(policy: &P, session: wit::Session, host: &wit::Decision) -> wit::Verdict {
    record(host, |decision| {
        policy.connect(&session.into(), &HostFacts::default(), decision)
    })
    .into()
}

pub fn sender<P: Policy>(
    policy: &P,
    transaction: wit::Transaction,
    host: &wit::Decision,
) -> wit::Verdict {
    record(host, |decision| {
        policy.sender(&transaction.into(), &HostFacts::default(), decision)
    })
    .into()
}

pub fn recipient<P: Policy>(
    policy: &P,
    transaction: wit::Transaction,
    recipient: String,
    host: &wit::Decision,
) -> wit::Verdict {
    record(host, |decision| {
        policy.recipient(
            &transaction.into(),
            &recipient,
            &HostFacts::default(),
            decision,
        )
    })
    .into()
}

pub fn message<P: Policy>(
    policy: &P,
    transaction: wit::Transaction,
    message: &wit::Message,
    host: &wit::Decision,
) -> wit::Verdict {
    let message = HostMessage {
        handle: message,
        section: OnceCell::new(),
    };
    record(host, |decision| {
        let facts = HostFacts::default();
        let verdict = policy.message(&transaction.into(), &message, &facts, decision);
        match decision.judges_too_many() {
            // The sender then divides the message, as with a server that takes fewer recipients
            // (RFC 5321 section 4.5.3.1.10).
            true => {
                *decision = Decision::default();
                decision.reason("too many recipients are judged one by one");
                let text = "Too many recipients for one message; please divide it";
                types::Verdict::tempfail(452, "4.5.3", text)
            }
            false => verdict,
        }
    })
    .into()
}

pub fn route<P: Policy>(
    policy: &P,
    transaction: wit::Transaction,
    attempt: wit::Attempt,
    host: &wit::Decision,
) -> wit::Routing {
    let attempt = types::Attempt {
        recipient: attempt.recipient,
        previous: attempt.previous,
    };
    record(host, |decision| {
        policy.route(
            &transaction.into(),
            &attempt,
            &HostFacts::default(),
            decision,
        )
    })
    .into()
}

pub fn outcome<P: Policy>(
    policy: &P,
    transaction: wit::Transaction,
    outcome: wit::ResultOfAttempt,
    host: &wit::Decision,
) {
    let result = types::AttemptResult {
        recipient: outcome.recipient,
        ending: match outcome.ending {
            wit::Ending::Delivered => types::Ending::Delivered,
            wit::Ending::Deferred => types::Ending::Deferred,
            wit::Ending::Failed => types::Ending::Failed,
        },
        reply: types::Reply {
            code: outcome.reply.code,
            enhanced: outcome.reply.enhanced,
            text: outcome.reply.text,
        },
        server: outcome.server,
    };
    record(host, |decision| {
        policy.outcome(
            &transaction.into(),
            &result,
            &HostFacts::default(),
            decision,
        )
    })
}

/// Runs a hook on a plain decision, then replays the decision to the host.
fn record<R>(host: &wit::Decision, hook: impl FnOnce(&mut Decision) -> R) -> R {
    let mut decision = Decision::default();
    let answer = hook(&mut decision);
    for action in decision.actions() {
        match action {
            Action::Reason(text) => host.reason(text),
            Action::Tag(tag) => host.tag(tag),
            Action::Classify(class, reply_allowed) => {
                host.classify((*class).into(), *reply_allowed)
            }
            Action::AddHeader(name, value) => host.add_header(name, value),
            Action::RemoveHeader(name) => host.remove_header(name),
            Action::SetHeader(name, value) => host.set_header(name, value),
            Action::ProtectHeader(name) => host.protect_header(name),
            Action::JudgeRecipient(address, verdict) => {
                host.judge_recipient(address, &verdict.clone().into())
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

impl From<wit::Session> for types::Session {
    fn from(session: wit::Session) -> Self {
        Self {
            listener: session.listener,
            flow: match session.flow {
                wit::Flow::Inbound => types::Flow::Inbound,
                wit::Flow::Submission => types::Flow::Submission,
            },
            client_ip: session.client_ip,
            client_port: session.client_port,
            helo: session.helo,
            tls: session.tls,
            user: session.user,
        }
    }
}

impl From<wit::Transaction> for types::Transaction {
    fn from(transaction: wit::Transaction) -> Self {
        Self {
            id: transaction.id,
            session: transaction.session.into(),
            account: transaction.account,
            mail_from: transaction.mail_from,
            recipients: transaction.recipients,
        }
    }
}

impl From<types::Reply> for wit::Reply {
    fn from(reply: types::Reply) -> Self {
        Self {
            code: reply.code,
            enhanced: reply.enhanced,
            text: bounds::reply(&reply.text).into_owned(),
        }
    }
}

impl From<types::Verdict> for wit::Verdict {
    fn from(verdict: types::Verdict) -> Self {
        match verdict {
            types::Verdict::Pass => Self::Pass,
            types::Verdict::Accept => Self::Accept,
            types::Verdict::Reject(reply) => Self::Reject(reply.into()),
            types::Verdict::Tempfail(reply) => Self::Tempfail(reply.into()),
            types::Verdict::Discard => Self::Discard,
            types::Verdict::Quarantine(reason) => {
                Self::Quarantine(bounds::shortened(&reason, bounds::QUARANTINE).into_owned())
            }
        }
    }
}

impl From<types::RecipientVerdict> for wit::RecipientVerdict {
    fn from(verdict: types::RecipientVerdict) -> Self {
        match verdict {
            types::RecipientVerdict::Reject(reply) => Self::Reject(reply.into()),
            types::RecipientVerdict::Suppress(reason) => Self::Suppress(reason),
        }
    }
}

impl From<types::MessageClass> for wit::MessageClass {
    fn from(class: types::MessageClass) -> Self {
        match class {
            types::MessageClass::Human => Self::Human,
            types::MessageClass::AutoReplied => Self::AutoReplied,
            types::MessageClass::AutoGenerated => Self::AutoGenerated,
            types::MessageClass::Bounce => Self::Bounce,
            types::MessageClass::List => Self::List,
        }
    }
}

impl From<types::Routing> for wit::Routing {
    fn from(routing: types::Routing) -> Self {
        match routing {
            types::Routing::Pass => Self::Pass,
            types::Routing::NextHop(hop) => Self::NextHop(wit::NextHop {
                host: hop.host,
                port: hop.port,
                tls: match hop.tls {
                    types::TlsMode::None => wit::TlsMode::None,
                    types::TlsMode::Opportunistic => wit::TlsMode::Opportunistic,
                    types::TlsMode::Required => wit::TlsMode::Required,
                },
                protocol: match hop.protocol {
                    types::Protocol::Smtp => wit::Protocol::Smtp,
                    types::Protocol::Lmtp => wit::Protocol::Lmtp,
                },
            }),
            types::Routing::Defer(reply) => Self::Defer(reply.into()),
            types::Routing::Fail(reply) => Self::Fail(reply.into()),
        }
    }
}

impl From<imported::Outcome> for crate::Outcome {
    fn from(outcome: imported::Outcome) -> Self {
        match outcome {
            imported::Outcome::None => Self::None,
            imported::Outcome::Neutral => Self::Neutral,
            imported::Outcome::Pass => Self::Pass,
            imported::Outcome::Fail => Self::Fail,
            imported::Outcome::Softfail => Self::SoftFail,
            imported::Outcome::Policy => Self::Policy,
            imported::Outcome::Temperror => Self::TempError,
            imported::Outcome::Permerror => Self::PermError,
        }
    }
}

impl From<imported::SpfResult> for crate::SpfResult {
    fn from(spf: imported::SpfResult) -> Self {
        Self {
            result: spf.result.into(),
            domain: spf.domain,
            reason: spf.reason,
        }
    }
}

impl From<imported::DkimResult> for crate::DkimResult {
    fn from(dkim: imported::DkimResult) -> Self {
        Self {
            result: dkim.result.into(),
            domain: dkim.domain,
            selector: dkim.selector,
            algorithm: dkim.algorithm,
            reason: dkim.reason,
        }
    }
}

impl From<imported::DmarcPolicy> for crate::DmarcPolicy {
    fn from(policy: imported::DmarcPolicy) -> Self {
        match policy {
            imported::DmarcPolicy::None => Self::None,
            imported::DmarcPolicy::Quarantine => Self::Quarantine,
            imported::DmarcPolicy::Reject => Self::Reject,
        }
    }
}

impl From<imported::DmarcResult> for crate::DmarcResult {
    fn from(dmarc: imported::DmarcResult) -> Self {
        Self {
            result: dmarc.result.into(),
            policy: dmarc.policy.map(Into::into),
            applied: dmarc.applied.map(Into::into),
            domain: dmarc.domain,
            organizational_domain: dmarc.organizational_domain,
            spf_aligned: dmarc.spf_aligned,
            dkim_aligned: dmarc.dkim_aligned,
            reason: dmarc.reason,
        }
    }
}

impl From<imported::ArcSet> for crate::ArcSet {
    fn from(set: imported::ArcSet) -> Self {
        let dkim = set.dkim.into_iter().map(|seen| crate::ArcDkim {
            result: seen.result.into(),
            domain: seen.domain,
        });
        Self {
            instance: set.instance,
            sealer: set.sealer,
            results: set.results,
            authserv_id: set.authserv_id,
            dmarc: set.dmarc.map(Into::into),
            dmarc_from: set.dmarc_from,
            spf: set.spf.map(Into::into),
            arc: set.arc.map(Into::into),
            dkim: dkim.collect(),
        }
    }
}

impl From<imported::IprevResult> for crate::IprevResult {
    fn from(iprev: imported::IprevResult) -> Self {
        Self {
            result: iprev.result.into(),
            name: iprev.name,
        }
    }
}

impl From<imported::FromResult> for crate::FromResult {
    fn from(of: imported::FromResult) -> Self {
        Self {
            clarity: match of.clarity {
                imported::FromClarity::Unequivocal => crate::FromClarity::Unequivocal,
                imported::FromClarity::Equivocal => crate::FromClarity::Equivocal,
                imported::FromClarity::Unreadable => crate::FromClarity::Unreadable,
            },
            domains: of.domains,
            doubt: of.doubt,
        }
    }
}

impl From<imported::Author> for crate::Author {
    fn from(author: imported::Author) -> Self {
        Self {
            name: author.name,
            address: author.address,
        }
    }
}

pub fn partner(address: &str) -> Option<crate::Partner> {
    use crate::PartnerSource as Source;

    directory::partner(address).map(|of| crate::Partner {
        by_domain: of.by_domain,
        source: match of.source {
            directory::PartnerSource::Agreement(account) => Source::Agreement(account),
            directory::PartnerSource::ByHand => Source::ByHand,
            directory::PartnerSource::Imported(name) => Source::Import(name),
            directory::PartnerSource::Feed(url) => Source::Feed(url),
        },
    })
}

impl From<directory::ReceivingDomain> for crate::ReceivingDomain {
    fn from(of: directory::ReceivingDomain) -> Self {
        Self {
            domain: of.domain,
            kind: match of.kind {
                directory::DomainKind::Native => crate::DomainKind::Native,
                directory::DomainKind::TwoWay => crate::DomainKind::TwoWay,
                directory::DomainKind::OutboundOnly => crate::DomainKind::OutboundOnly,
            },
            state: match of.state {
                directory::DomainState::Claimed => crate::DomainState::Claimed,
                directory::DomainState::Verified => crate::DomainState::Verified,
                directory::DomainState::Disconnected => crate::DomainState::Disconnected,
            },
            forwarders: crate::Forwarders {
                networks: of.forwarders.networks,
                dkim_domains: of.forwarders.dkim_domains,
                arc_sealers: of.forwarders.arc_sealers,
            },
        }
    }
}
