//! The built-in policies as the relay runs them, without sockets and stores.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gatepost_authentication as auth;
use gatepost_contract::directory::{
    CredentialScope, Directory, DomainKind, DomainState, Forwarders, Partner, PartnerSource,
    ReceivingDomain,
};
use gatepost_contract::identity::Identity;
use gatepost_counters::SharedCounters;
use gatepost_message::{
    Address, CanonicalAddress, Message, Millis, ReversePath, Separators, TransactionId,
};
use gatepost_model::{FaultKind, Flow, Judgement, Session, Transaction};
use gatepost_policy::{Chain, Definition, Engine, EngineSettings, Findings, PolicyContext, Slot};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use crate::{Case, CaseMessage, Facts};

/// Result of one call.
#[derive(Debug, Clone)]
pub struct Call {
    /// Policy and hook.
    pub of: String,
    /// Duration; on a busy machine the time that this thread was running meanwhile, if that is
    /// less.
    pub time: Duration,
    /// Fault, if there was one.
    pub fault: Option<String>,
}

/// All five policies, each in a sandbox of its own; header-guard a second time, with rules.
pub struct Site {
    runtime: Runtime,
    policies: Vec<Chain>,
    // Owner of the versions.
    _engine: Arc<Engine>,
}

/// Octets of memory for what a case makes the policies remember: more than it has.
const CASE_ROOM: usize = 64 << 20;

/// Index of loop-guard among the policies.
const LOOP_GUARD: usize = 2;

/// Returns the policies with their settings, in the order of a chain.
fn policies() -> Vec<(&'static str, Value)> {
    let hop = json!({ "host": "smtp.desk.example", "port": 587, "tls": "required" });
    vec![
        ("inbound-auth", json!({})),
        ("partner-guard", json!({})),
        ("loop-guard", json!({})),
        ("header-guard", json!({})),
        (
            "header-guard",
            json!({
                "duplicates": "repair",
                "malformed": "keep",
                "own-from": "always",
                "rules": [
                    { "header": "X-Priority", "values": ["1*", "*3*5*", "?"], "max-count": 900 },
                    { "header": "References", "max-size": 8000, "direction": "inbound" },
                    { "header": "X-Set", "action": { "set": { "value": "acme" } }, "protect": true },
                    { "header": "X-Stripped", "action": "strip" },
                ],
            }),
        ),
        (
            "outbound-route",
            json!({ "routes": [{ "domain": "desk.example", "next-hop": hop }] }),
        ),
    ]
}

impl Site {
    /// Loads the policies. Compiled code is cached where the tests' relays cache theirs.
    pub fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.unwrap_or_else(|error| panic!("no runtime: {error}"));
        let engine = Engine::new(EngineSettings {
            cache: Some(cache_folder()),
            ..EngineSettings::default()
        });
        let engine = engine.unwrap_or_else(|error| panic!("no engine: {error}"));
        let chain = |(name, settings): (&'static str, Value)| {
            let mut definition = Definition::new(name);
            definition.settings = settings;
            definition.grants.next_hop = true;
            let load = engine.load(definition, test_support::policy(name).into());
            let version = runtime.block_on(load);
            let version = version.unwrap_or_else(|error| panic!("{name}: {error}"));
            Chain::new([Slot::new(version)])
        };
        Self {
            policies: policies().into_iter().map(chain).collect(),
            runtime,
            _engine: engine,
        }
    }

    /// Has the policies judge the messages of a case, one after the other: every policy the last
    /// message, loop-guard alone the ones before. Their effects are kept for the following
    /// messages.
    pub fn judge(&self, case: &Case) -> Vec<Call> {
        let memory = Arc::new(SharedCounters::new(CASE_ROOM));
        let look_ups = PolicyContext {
            memory: Arc::<SharedCounters>::clone(&memory),
            directory: Arc::new(AcmeDirectory),
            identity: Arc::new(AcmeIdentity),
        };
        let mut calls = Vec::new();
        let mut now = Millis(1_795_000_000_000);
        let last = case.messages.len().saturating_sub(1);
        for (number, sent) in case.messages.iter().enumerate() {
            now = now + Duration::from_secs(20);
            // The earlier messages only prepare memory, and loop-guard alone has any.
            let asked = match number == last {
                true => self.policies.as_slice(),
                false => self
                    .policies
                    .get(LOOP_GUARD..=LOOP_GUARD)
                    .unwrap_or_default(),
            };
            self.judge_message(sent, asked, now, &look_ups, &memory, &mut calls);
        }
        calls
    }

    fn judge_message(
        &self,
        sent: &CaseMessage,
        asked: &[Chain],
        now: Millis,
        look_ups: &PolicyContext,
        memory: &SharedCounters,
        calls: &mut Vec<Call>,
    ) {
        let Some(transaction) = transaction(sent, now) else {
            return;
        };
        let mut message = Message::from_bytes(Bytes::from(sent.draft.octets()));
        let facts = Arc::new(facts(sent));
        let mut called = |judgements: &[Judgement], worked: Option<Duration>| {
            calls.extend(judgements.iter().map(|judgement| Call {
                of: format!("{} {}", judgement.policy, judgement.hook),
                time: running_time(judgement, worked),
                fault: judgement.error.as_ref().map(|fault| match fault.kind {
                    FaultKind::BreakerOpen => "it failed too often before".to_owned(),
                    _ => fault.to_string(),
                }),
            }));
        };
        for policy in asked {
            let pinned = policy.begin(look_ups.clone());
            let last = transaction.recipients.last();
            let ruling = self.runtime.block_on(async {
                if let Some(last) = last {
                    called(&pinned.recipient(&transaction, last).await.judgements, None);
                }
                let findings = Findings::default();
                let facts = Some(&facts);
                let before = message.clone();
                let begun = thread_time();
                let ruling = pinned.message(&transaction, before, facts, findings).await;
                let worked = thread_time().zip(begun);
                let worked = worked.map(|(end, begun)| end.saturating_sub(begun));
                called(&ruling.findings.judgements, worked);
                if let Some(last) = last {
                    let queued = queued(&ruling.message, now);
                    let routed = pinned.route(&transaction, last, 0, &queued).await;
                    called(&routed.judgements, None);
                }
                ruling
            });
            memory.apply_effects(&ruling.findings.effects, now);
            message = ruling.message;
        }
    }
}

impl Default for Site {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns the duration of a call, by the clock or by the running time of its thread. The kernel
/// may update the latter late, by up to a tick: it is read only if the former is long.
fn running_time(judgement: &Judgement, worked: Option<Duration>) -> Duration {
    /// Far more than a tick.
    const LONG: Duration = Duration::from_millis(15);
    const TICK: Duration = Duration::from_millis(4);

    let took = Duration::from_micros(judgement.micros);
    match worked {
        Some(worked) if took > LONG => took.min(worked + TICK),
        _ => took,
    }
}

/// Returns the time that this thread has been running, as Linux reports it.
fn thread_time() -> Option<Duration> {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    statistics
        .split(' ')
        .next()?
        .parse()
        .ok()
        .map(Duration::from_nanos)
}

/// Returns the cache of compiled policies, which the relays of the tests share.
fn cache_folder() -> PathBuf {
    let this = std::env::current_exe().unwrap_or_else(|error| panic!("no own path: {error}"));
    let beside = this.with_file_name("compiled-policies");
    let of_tests = this.with_file_name("deps").join("compiled-policies");
    if of_tests.is_dir() { of_tests } else { beside }
}

/// Returns the transaction, if a session would accept its envelope.
fn transaction(sent: &CaseMessage, now: Millis) -> Option<Transaction> {
    let recipients = sent.to.iter().filter_map(|to| Address::parse(to).ok());
    let recipients: Vec<Address> = recipients.collect();
    let reverse_path = match sent.from.as_str() {
        "" => ReversePath::Null,
        from => ReversePath::Address(Address::parse(from).ok()?),
    };
    (!recipients.is_empty()).then(|| Transaction {
        id: TransactionId::new(),
        time: now,
        session: Session {
            listener: "mx".into(),
            flow: sent.flow,
            transport: gatepost_model::Transport::Smtp,
            client: Some(([192, 0, 2, 1], 1025).into()),
            helo: Some("client.example".into()),
            tls: None,
            user: (sent.flow == Flow::Submission).then(|| "application".into()),
        },
        account: Some("acme".into()),
        reverse_path,
        recipients,
    })
}

/// Returns the message in the queue.
fn queued(message: &Message, now: Millis) -> Arc<gatepost_model::Queued> {
    Arc::new(gatepost_model::Queued {
        attempt_time: now,
        accepted: now,
        expires: now,
        message: message.clone(),
        tags: Vec::new(),
        class: None,
        metadata: Vec::new(),
        last_reply: None,
        steps_tried: Vec::new(),
    })
}

fn facts(sent: &CaseMessage) -> auth::Facts {
    let mut facts = auth::Facts::default();
    match sent.facts {
        Facts::None => {}
        Facts::Passes => {
            facts.dmarc.result = auth::Authentication::Pass;
            facts.dmarc.domain = "stranger.example".into();
        }
        Facts::Fails => {
            facts.dmarc.result = auth::Authentication::Fail;
            facts.dmarc.applied = Some(auth::DmarcPolicy::Reject);
            facts.dmarc.domain = "stranger.example".into();
        }
        Facts::Long => {
            let long = "a@b.c ".repeat(10_000);
            facts.dmarc.result = auth::Authentication::Fail;
            facts.dmarc.applied = Some(auth::DmarcPolicy::Quarantine);
            facts.dmarc.domain.clone_from(&long);
            facts.dmarc.reason = Some(long.clone());
            facts.dkim = vec![
                auth::DkimFact {
                    domain: long.clone(),
                    ..Default::default()
                };
                8
            ];
            facts.arc.sealer.clone_from(&long);
            facts.iprev.name.clone_from(&long);
            let author = auth::Author {
                name: long.clone(),
                address: "a@b.c".into(),
            };
            facts.authors = vec![author; 10];
        }
    }
    facts
}

/// The account acme: it receives at desk.example, and shares tickets with partner.example.
struct AcmeDirectory;

impl Directory for AcmeDirectory {
    fn destination(&self, _: &str, address: &str) -> Option<ReceivingDomain> {
        let address = Address::parse(address).ok()?;
        address
            .domain()
            .ends_with("desk.example")
            .then(|| ReceivingDomain {
                domain: address.domain().to_owned(),
                kind: DomainKind::Native,
                state: DomainState::Verified,
                forwarders: Forwarders::default(),
                by_target: false,
            })
    }

    fn is_support_address(&self, account: &str, address: &str) -> bool {
        self.destination(account, address).is_some()
    }

    fn partner(&self, _: &str, address: &str) -> Option<Partner> {
        let address = Address::parse(address).ok()?;
        let canonical = CanonicalAddress::of(&address, &Separators::default());
        canonical
            .domain()
            .ends_with("partner.example")
            .then(|| Partner {
                by_domain: true,
                source: PartnerSource::Feed("https://partner.example/feed".into()),
            })
    }

    fn knows_addresses(&self, _: &str) -> bool {
        true
    }

    fn product(&self, _: &str) -> Option<String> {
        Some("Acme AcmeDirectory".into())
    }

    fn credential(&self, _: &str) -> Option<CredentialScope> {
        Some(CredentialScope::Submission)
    }

    fn settings(&self, _: &str, _: &str) -> Option<String> {
        None
    }
}

/// A relay that has issued the id `ours-1`.
struct AcmeIdentity;

impl Identity for AcmeIdentity {
    fn host_name(&self) -> String {
        "mx.desk.example".into()
    }

    fn email_id(&self, id: TransactionId) -> String {
        format!("ours-{id}")
    }

    fn is_ours(&self, email_id: &str) -> bool {
        email_id.starts_with("ours-")
    }
}
