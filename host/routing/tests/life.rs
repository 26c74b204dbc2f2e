//! Model of the life of connectors, in directory and routing: after any steps in any order, with
//! reopenings between them, an account has no more than it may have, an address has one owner, and
//! what leaves through a customer's smart host leaves there in a name that is verified or vouched for,
//! never in that of a disconnected sender.

#![allow(clippy::unwrap_used)] // clippy.toml lets tests unwrap, not their helpers

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gatepost_config::Config;
use gatepost_connections::{
    ConnectionDraft, ConnectionKey, ConnectionName, ConnectionStates, Connections, FoundConnection,
    NoStandings, Profiles, rank,
};
use gatepost_delivery::{Led, Ways as _};
use gatepost_directory::{
    AccountId, AccountKind, AddressDetails, Claim as DomainClaim, ConnectorId, ConnectorKind,
    ConnectorState, Directory, Grant, Limits, Probe, ProbeId, ProbeKind, Profile, Protocol,
    QueuedMail, Recipient, Settings, UserName, Verification,
};
use gatepost_dns::{Resolver, ResolverSettings};
use gatepost_intake::active_config::{ActiveConfig, SharedConfig};
use gatepost_intake::authenticator::Authenticator;
use gatepost_message::{Address, Message, Millis, ReversePath, TransactionId};
use gatepost_model::{
    Destination, Flow, NextHop, Session, Step as PlanStep, TlsMode, Transaction, Transport, Way,
};
use gatepost_policy_set::{Policies, loading};
use gatepost_probes::{ProbedDirection, next_state};
use gatepost_routing::{Outside, Records, Ways};
use gatepost_smtp::dsn;
use gatepost_spool::{Claim, ClaimCause, ClaimedRecipient, Lease, MemorySpool, Owner, SenderProof};
use gatepost_trace::{Retention, Trace};
use gatepost_verification::{FailureReason, VerificationFailure};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{RngSeed, TestRunner};
use tempfile::TempDir;

/// Seed of the cases.
const SEED: u64 = 2821;

/// Cases of one run.
const CASES: u32 = 48;

/// Native domains of the accounts. The first has a default address.
const NATIVE: [&str; 2] = ["a.desk.test", "b.desk.test"];

/// Domains that either account connects.
const DOMAINS: [&str; 3] = ["one.test", "two.test", "three.test"];

const LOCALS: [&str; 3] = ["help", "sales", "news"];

/// Small limits, so that steps reach them.
const LIMITS: Limits = Limits {
    domains_per_account: 2,
    addresses_per_domain: 2,
    live_sets: 2,
    connections_per_account: 2,
    retire_unused: Duration::from_secs(86_400),
};

/// Reasons with which a smart host itself refuses an address.
const REFUSALS: [FailureReason; 5] = [
    FailureReason::CredentialsRefused,
    FailureReason::OnlyNtlmOrGssapi,
    FailureReason::NoCommonLogIn,
    FailureReason::SenderNotAllowed,
    FailureReason::Refused,
];

/// Step in the life of a connector. Accounts, domains, local parts and credentials are numbers.
#[derive(Debug, Clone)]
enum LifeStep {
    Connect(usize, usize, ConnectorKind),
    RemoveConnector(usize, usize),
    Vouch(usize, usize),
    VouchOutbound(usize, usize),
    SetKind(usize, usize, ConnectorKind),
    Disconnect(usize, usize, QueuedMail),
    Reconnect(usize, usize),
    AddAddress(usize, usize, usize),
    RemoveAddress(usize, usize, usize),
    DisconnectAddress(usize, usize, usize, QueuedMail),
    ReconnectAddress(usize, usize, usize),
    /// A probe of mail that leaves ends: it passes, or fails for this reason.
    Probe(usize, usize, usize, Option<FailureReason>, bool),
    Issue(usize, usize),
    Rotate(usize),
    Retire(usize, bool),
    Cancel(usize),
    Hold(usize, bool),
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<LifeStep>> {
    let (a, n) = (0..2_usize, 0..3_usize);
    let kind = || {
        select(vec![
            ConnectorKind::TwoWay,
            ConnectorKind::OutboundOnly,
            ConnectorKind::Forwarded,
        ])
    };
    let queued = || select(vec![QueuedMail::Hold, QueuedMail::Reroute]);
    let of = || (a.clone(), n.clone());
    let at = || (a.clone(), n.clone(), n.clone());
    let reason = prop::option::of(select(FailureReason::ALL.to_vec()));
    let step = prop_oneof![
        6 => (of(), kind()).prop_map(|((a, d), kind)| LifeStep::Connect(a, d, kind)),
        1 => of().prop_map(|(a, d)| LifeStep::RemoveConnector(a, d)),
        5 => of().prop_map(|(a, d)| LifeStep::Vouch(a, d)),
        3 => of().prop_map(|(a, d)| LifeStep::VouchOutbound(a, d)),
        2 => (of(), kind()).prop_map(|((a, d), kind)| LifeStep::SetKind(a, d, kind)),
        2 => (of(), queued()).prop_map(|((a, d), queued)| LifeStep::Disconnect(a, d, queued)),
        2 => of().prop_map(|(a, d)| LifeStep::Reconnect(a, d)),
        8 => at().prop_map(|(a, d, l)| LifeStep::AddAddress(a, d, l)),
        2 => at().prop_map(|(a, d, l)| LifeStep::RemoveAddress(a, d, l)),
        2 => (at(), queued())
            .prop_map(|((a, d, l), queued)| LifeStep::DisconnectAddress(a, d, l, queued)),
        1 => at().prop_map(|(a, d, l)| LifeStep::ReconnectAddress(a, d, l)),
        10 => (at(), reason, any::<bool>())
            .prop_map(|((a, d, l), reason, there)| LifeStep::Probe(a, d, l, reason, there)),
        3 => of().prop_map(|(a, d)| LifeStep::Issue(a, d)),
        3 => (0..6_usize).prop_map(LifeStep::Rotate),
        2 => (0..6_usize, any::<bool>()).prop_map(|(n, force)| LifeStep::Retire(n, force)),
        1 => (0..6_usize).prop_map(LifeStep::Cancel),
        1 => (a.clone(), any::<bool>()).prop_map(|(a, hold)| LifeStep::Hold(a, hold)),
        1 => Just(LifeStep::Reopen),
    ];
    vec(step, 20..60)
}

/// The connection `smart` of each account, which serves everybody.
#[derive(Debug)]
struct SmartHosts(Vec<FoundConnection>);

impl SmartHosts {
    fn of(accounts: &[AccountId]) -> Self {
        let profiles = Profiles::built_in();
        let name: ConnectionName = "smart".parse().unwrap();
        let made = accounts.iter().map(|account| {
            let draft = ConnectionDraft {
                host: Some("127.0.0.1".to_owned()),
                tls: Some(TlsMode::Required),
                serves: Some(DOMAINS.map(|of| format!("@{of}").parse().unwrap()).into()),
                ..ConnectionDraft::default()
            };
            let profile = profiles.get_or_generic("generic");
            FoundConnection {
                key: ConnectionKey::of_account(account.to_string(), name.clone()),
                connection: Arc::new(draft.complete(name.clone(), profile).unwrap()),
                profile: Arc::clone(profile),
                created: None,
                generation: 1,
            }
        });
        Self(made.collect())
    }
}

impl Connections for SmartHosts {
    fn find(&self, account: Option<&str>, name: &str) -> Option<FoundConnection> {
        let same = |found: &&FoundConnection| {
            found.key.account.as_deref() == account && found.key.name.as_str() == name
        };
        self.0.iter().find(same).cloned()
    }

    fn serving(&self, account: &str, sender: &Address) -> Option<FoundConnection> {
        let found = self.find(Some(account), "smart")?;
        rank(&found.connection.serves, sender, None).map(|_| found)
    }
}

/// A relay's directory and its ways out.
struct LivingRelay {
    folder: TempDir,
    runtime: tokio::runtime::Runtime,
    opened: Option<(Arc<Directory>, Ways)>,
    accounts: Vec<AccountId>,
}

impl LivingRelay {
    fn new() -> Self {
        let mut relay = Self {
            folder: tempfile::tempdir().unwrap(),
            runtime: tokio::runtime::Runtime::new().unwrap(),
            opened: None,
            accounts: Vec::new(),
        };
        let directory = Directory::open(&relay.settings()).unwrap();
        for native in NATIVE {
            let added = directory.add_account(Profile {
                kind: AccountKind::Production,
                product: "Desk".parse().unwrap(),
                time_zone: "Europe/Berlin".parse().unwrap(),
                native_domain: native.parse().unwrap(),
                brands: Vec::new(),
            });
            relay.accounts.push(added.unwrap().id);
        }
        let default = default_address();
        let first = relay.accounts[0];
        directory.add_address(first, default.clone()).unwrap();
        (directory.set_default_address(first, None, Some(default))).unwrap();
        drop(directory);
        relay.reopen();
        relay
    }

    fn settings(&self) -> Settings {
        Settings {
            path: self.folder.path().join("directory.db"),
            key_ring: self.folder.path().join("key-ring"),
            limits: LIMITS,
            separators: Default::default(),
        }
    }

    /// Closes directory and ways, and opens them again.
    fn reopen(&mut self) {
        self.opened = None;
        let folder = self.folder.path();
        let directory = Arc::new(Directory::open(&self.settings()).unwrap());
        let config = Arc::new(config(folder));
        let ways = self.runtime.block_on(async {
            let engine = loading::engine(None).unwrap();
            let policies = Policies::load(engine, &config).await.unwrap();
            let authenticator = Authenticator::new(&config, &directory.view(), Default::default());
            let active = ActiveConfig {
                config: Arc::clone(&config),
                authenticator: Arc::new(authenticator),
                services: Default::default(),
            };
            let trace = Trace::open(folder.join("trace.db"), Retention::default()).unwrap();
            let resolver = Resolver::new(&ResolverSettings::default()).unwrap();
            let outside = Outside::new(&config, &resolver).unwrap();
            let states = ConnectionStates::open(Box::new(NoStandings)).unwrap();
            Ways::new(
                folder,
                (
                    Arc::new(policies),
                    Arc::new(SharedConfig::from_pointee(active)),
                ),
                Arc::clone(&directory),
                (Arc::new(SmartHosts::of(&self.accounts)), Arc::new(states)),
                outside,
                Records {
                    queue: Arc::new(MemorySpool::default()),
                    trace: Arc::new(trace),
                },
            )
        });
        self.opened = Some((directory, ways));
    }

    fn directory(&self) -> &Directory {
        &self.opened.as_ref().unwrap().0
    }

    fn ways(&self) -> &Ways {
        &self.opened.as_ref().unwrap().1
    }
}

fn config(folder: &Path) -> Config {
    let text = format!(
        r#"
        [relay]
        hostname = "mx.desk.test"
        store = {:?}
        [[listener]]
        name = "submission"
        address = "127.0.0.1:0"
        direction = "inbound"
        tls = "none"
        chain = []
        [routes]
        inbound = {{ host = "127.0.0.1", port = 25, tls = "none" }}
        submission = "mx"
        [destinations]
        allowed-networks = ["127.0.0.0/8"]
        "#,
        folder.join("store")
    );
    Config::parse(&text, Path::new("gatepost.toml"), folder).unwrap()
}

fn default_address() -> Address {
    Address::parse("desk@a.desk.test").unwrap()
}

fn address(local: usize, domain: usize) -> Address {
    Address::parse(&format!("{}@{}", LOCALS[local], DOMAINS[domain])).unwrap()
}

/// Connector of the model.
#[derive(Debug, Clone)]
struct LivingConnector {
    id: ConnectorId,
    kind: ConnectorKind,
    state: ConnectorState,
    queued: Option<QueuedMail>,
    /// Time of the operator's word for the way out.
    vouched: Option<Millis>,
}

/// Address of the model.
#[derive(Debug, Clone, Default)]
struct LivingAddress {
    /// True if the way out was verified, and not refused since.
    proved: bool,
    refused: Option<Millis>,
    disconnected: Option<QueuedMail>,
}

/// Ways by which an author may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MayLeave {
    /// Leave through the smart host in its own name.
    BySmartHost,
    /// Leave by the default route only.
    ByDefaultRoute,
    /// Leave from the default address only, or not at all.
    FromDefault,
    /// Not leave as it is: the domain is not the account's.
    Foreign,
}

#[derive(Debug, Default)]
struct LifeModel {
    connectors: BTreeMap<(usize, usize), LivingConnector>,
    /// Addresses, by account, domain and local part.
    addresses: BTreeMap<(usize, usize, usize), LivingAddress>,
    /// Credentials with their owners; true if they are live.
    credentials: Vec<(UserName, (usize, usize), bool)>,
    on_hold: BTreeSet<usize>,
}

impl LifeModel {
    /// Does a step. Whatever the directory refuses changes nothing.
    fn step(&mut self, relay: &mut LivingRelay, step: &LifeStep) {
        if matches!(step, LifeStep::Reopen) {
            return relay.reopen();
        }
        let directory = relay.directory();
        let id = |a: &usize| relay.accounts[*a];
        match step {
            LifeStep::Connect(a, d, kind) => {
                let made = directory.add_connector(DomainClaim {
                    account: id(a),
                    name: "mail".parse().unwrap(),
                    domain: DOMAINS[*d].parse().unwrap(),
                    kind: *kind,
                    protocol: Protocol::Plain,
                });
                if let Ok(made) = made {
                    let connected = LivingConnector {
                        id: made.id,
                        kind: *kind,
                        state: made.state,
                        queued: None,
                        vouched: None,
                    };
                    self.connectors.insert((*a, *d), connected);
                }
            }
            LifeStep::RemoveConnector(a, d) => {
                let Some(found) = self.connectors.get(&(*a, *d)) else {
                    return;
                };
                if directory.remove_connector(found.id).is_ok() {
                    self.connectors.remove(&(*a, *d));
                }
            }
            LifeStep::Vouch(a, d) => self.change(*a, *d, |of| {
                if directory.verify_connector(of.id).is_ok() {
                    (of.state, of.queued) = (ConnectorState::Verified, None);
                }
            }),
            LifeStep::VouchOutbound(a, d) => self.change(*a, *d, |of| {
                if let Ok(vouched) = directory.vouch_outbound(of.id) {
                    (of.state, of.queued) = (ConnectorState::Verified, None);
                    of.vouched = vouched.details.outbound_vouched;
                }
            }),
            LifeStep::SetKind(a, d, kind) => self.change(*a, *d, |of| {
                directory.set_connector_kind(of.id, *kind).unwrap();
                of.kind = *kind;
            }),
            LifeStep::Disconnect(a, d, queued) => self.change(*a, *d, |of| {
                if directory.disconnect_connector(of.id, *queued).is_ok() {
                    (of.state, of.queued) = (ConnectorState::Disconnected, Some(*queued));
                }
            }),
            LifeStep::Reconnect(a, d) => self.change(*a, *d, |of| {
                if directory.reconnect_connector(of.id).is_ok() {
                    (of.state, of.queued) = (ConnectorState::Verified, None);
                }
            }),
            LifeStep::AddAddress(a, d, l) => {
                if directory.add_address(id(a), address(*l, *d)).is_ok() {
                    self.addresses
                        .insert((*a, *d, *l), LivingAddress::default());
                }
            }
            LifeStep::RemoveAddress(a, d, l) => {
                if directory.remove_address(id(a), &address(*l, *d)).is_ok() {
                    self.addresses.remove(&(*a, *d, *l));
                }
            }
            LifeStep::DisconnectAddress(a, d, l, queued) => {
                let done = directory.disconnect_address(id(a), &address(*l, *d), *queued);
                if done.is_ok() {
                    let known = self.addresses.get_mut(&(*a, *d, *l)).unwrap();
                    known.disconnected = Some(*queued);
                }
            }
            LifeStep::ReconnectAddress(a, d, l) => {
                if directory.reconnect_address(id(a), &address(*l, *d)).is_ok() {
                    self.addresses.get_mut(&(*a, *d, *l)).unwrap().disconnected = None;
                }
            }
            LifeStep::Probe(a, d, l, reason, at_smart_host) => {
                if let Some(known) = self.addresses.get_mut(&(*a, *d, *l)) {
                    probe(
                        directory,
                        id(a),
                        &address(*l, *d),
                        known,
                        *reason,
                        *at_smart_host,
                    );
                }
            }
            LifeStep::Issue(a, d) => {
                let Some(of) = self.connectors.get(&(*a, *d)) else {
                    return;
                };
                let grant = Grant::Inbound { connector: of.id };
                if let Ok(issued) = directory.issue(grant, false) {
                    let user = issued.credential.user_name;
                    self.credentials.push((user, (*a, *d), true));
                }
            }
            LifeStep::Rotate(n) => {
                let Some((user, of, _)) = self.credentials.get(*n).cloned() else {
                    return;
                };
                if let Ok(issued) = directory.rotate(&user) {
                    self.credentials
                        .push((issued.credential.user_name, of, true));
                }
            }
            LifeStep::Retire(n, force) => {
                if let Some((user, _, live)) = self.credentials.get_mut(*n) {
                    *live &= directory.retire(user, *force).is_err();
                }
            }
            LifeStep::Cancel(n) => {
                if let Some((user, _, live)) = self.credentials.get_mut(*n) {
                    directory.cancel(user).unwrap();
                    *live = false;
                }
            }
            LifeStep::Hold(a, true) => {
                directory.hold_account(id(a), None).unwrap();
                self.on_hold.insert(*a);
            }
            LifeStep::Hold(a, false) => {
                directory.release_account(id(a)).unwrap();
                self.on_hold.remove(a);
            }
            LifeStep::Reopen => {}
        }
    }

    fn change(&mut self, a: usize, d: usize, change: impl FnOnce(&mut LivingConnector)) {
        if let Some(found) = self.connectors.get_mut(&(a, d)) {
            change(found);
        }
    }

    /// Returns what an author may do. Whoever is no support address leaves as those of the domain do.
    fn may(&self, a: usize, d: usize, l: usize) -> MayLeave {
        let Some(of) = self.connectors.get(&(a, d)) else {
            return MayLeave::Foreign;
        };
        let known = self.addresses.get(&(a, d, l));
        let disconnected = known.is_some_and(|known| known.disconnected.is_some());
        match of.state {
            _ if disconnected => return MayLeave::FromDefault,
            ConnectorState::Claimed => return MayLeave::Foreign,
            ConnectorState::Disconnected => return MayLeave::FromDefault,
            ConnectorState::Verified => {}
        }
        if of.kind == ConnectorKind::Forwarded {
            return MayLeave::ByDefaultRoute;
        }
        let Some(known) = known else {
            let mut others = self.addresses.iter();
            let proved = others.any(|((of_a, of_d, _), of)| (*of_a, *of_d) == (a, d) && of.proved);
            return match proved || of.vouched.is_some() {
                true => MayLeave::BySmartHost,
                false => MayLeave::ByDefaultRoute,
            };
        };
        let vouched = of
            .vouched
            .is_some_and(|at| known.refused.is_none_or(|refused| refused < at));
        match known.refused {
            _ if known.proved || vouched => MayLeave::BySmartHost,
            Some(_) => MayLeave::FromDefault,
            None => MayLeave::ByDefaultRoute,
        }
    }

    /// Returns true if mail of an author that was accepted long ago waits in the queue.
    fn waits(&self, a: usize, d: usize, l: usize) -> bool {
        let of_domain = self.connectors.get(&(a, d)).and_then(|of| of.queued);
        let of_address = self
            .addresses
            .get(&(a, d, l))
            .and_then(|of| of.disconnected);
        self.on_hold.contains(&a) || of_address.or(of_domain) == Some(QueuedMail::Hold)
    }
}

/// Ends a probe of mail that leaves, as a running relay does.
fn probe(
    directory: &Directory,
    account: AccountId,
    address: &Address,
    known: &mut LivingAddress,
    reason: Option<FailureReason>,
    at_smart_host: bool,
) {
    let at = Millis::now();
    let id = ProbeId::random().unwrap();
    let sent = Probe {
        id: id.clone(),
        account,
        address: address.clone(),
        kind: ProbeKind::Outbound,
        sent: at,
        expires: at + Duration::from_secs(60),
        transaction: None,
        record: serde_json::Value::Null,
    };
    let pending = |details: &mut AddressDetails| {
        if !details.outbound.is_verified() {
            details.outbound = Verification::Pending { since: at };
        }
    };
    directory.begin_probe(sent, pending).unwrap();
    let settled = directory.settle_probe(&id, |_, details| {
        details.outbound = match reason {
            None => Verification::Verified { at },
            Some(reason) => {
                let failure = VerificationFailure::of(reason);
                let direction = ProbedDirection::Outbound;
                next_state(&details.outbound, direction, &failure, at_smart_host, at)
            }
        };
        None
    });
    settled.unwrap().unwrap();
    let refuses = |reason| REFUSALS.contains(&reason);
    (known.proved, known.refused) = match reason {
        None => (true, None),
        // Only the smart host itself says no, and its word stands until something passes.
        Some(reason) if at_smart_host && refuses(reason) => (false, Some(at)),
        Some(_) => (known.proved, known.refused),
    };
}

impl LivingRelay {
    /// Returns a message of an author of an account that waits in the queue.
    fn claim(&self, a: usize, author: &Address) -> Claim {
        let recipient = Address::parse("somebody@elsewhere.test").unwrap();
        let text = format!("From: <{author}>\r\nSubject: s\r\n\r\nx\r\n");
        Claim {
            lease: Lease {
                owner: Owner::new(),
                until: Millis(0),
            },
            transaction: Transaction {
                id: TransactionId::new(),
                time: Millis::now(),
                session: Session {
                    listener: "submission".to_owned(),
                    flow: Flow::Submission,
                    transport: Transport::Smtp,
                    client: None,
                    helo: None,
                    tls: None,
                    user: None,
                },
                account: Some(self.accounts[a].to_string()),
                reverse_path: ReversePath::Address(author.clone()),
                recipients: vec![recipient.clone()],
            },
            smtputf8: false,
            dsn: dsn::MessageRequest::default(),
            sender: SenderProof::Proved,
            message: Message::from_bytes(Bytes::from(text)),
            tags: Vec::new(),
            classification: None,
            metadata: None,
            received_at: Millis(0),
            expires_at: Millis(u64::MAX),
            recipients: vec![ClaimedRecipient {
                number: 0,
                address: recipient,
                dsn: dsn::RecipientRequest::default(),
                delay_told: false,
                attempts: 0,
                last_reply: None,
                last_server: None,
                route: None,
                cause: ClaimCause::Due,
            }],
        }
    }

    /// Checks everything that has to hold, whatever was done before.
    fn check(&self, model: &LifeModel, seen: &mut SeenWays) -> Result<(), TestCaseError> {
        self.has_one_owner_and_keeps_limits(model)?;
        for (a, account) in self.accounts.iter().enumerate() {
            for d in 0..DOMAINS.len() {
                for l in 0..LOCALS.len() {
                    let author = address(l, d);
                    let may = model.may(a, d, l);
                    let claim = self.claim(a, &author);
                    let held = self.ways().held(&claim).is_some();
                    prop_assert_eq!(held, model.waits(a, d, l), "{} {}", account, author);
                    self.leaves(a, &claim, may, seen)
                        .map_err(|error| TestCaseError::fail(format!("{author}: {error}")))?;
                }
            }
        }
        Ok(())
    }

    fn has_one_owner_and_keeps_limits(&self, model: &LifeModel) -> Result<(), TestCaseError> {
        let view = self.directory().view();
        for (d, domain) in DOMAINS.iter().enumerate() {
            let of = |a: &usize| model.connectors.get(&(*a, d));
            let owners = (0..NATIVE.len()).filter(|a| of(a).is_some_and(|of| of.state.receives()));
            let owners: Vec<usize> = owners.collect();
            prop_assert!(owners.len() < 2, "{domain} has two owners");
            for l in 0..LOCALS.len() {
                let expected = owners
                    .iter()
                    .find(|a| model.addresses.contains_key(&(**a, d, l)));
                let found = match view.recipient(&address(l, d)) {
                    Recipient::Of(of) => Some(of.account),
                    _ => None,
                };
                prop_assert_eq!(found, expected.map(|a| self.accounts[*a]));
            }
        }
        for (a, account) in self.accounts.iter().enumerate() {
            let connectors = view.connectors(*account);
            prop_assert!(connectors.len() <= LIMITS.domains_per_account);
            for connector in connectors {
                let mine = view
                    .all_addresses()
                    .filter(|of| of.connector == Some(connector.id));
                prop_assert!(mine.count() <= LIMITS.addresses_per_domain);
                let credentials = view.credentials_of(*account).into_iter();
                let of = credentials.filter(|of| of.scope.connector() == Some(connector.id));
                let live = of.filter(|of| of.ended.is_none()).count();
                prop_assert!(live <= LIMITS.live_sets, "{live} credentials are live");
            }
            let mine = model.connectors.keys().filter(|(of, _)| *of == a);
            prop_assert_eq!(mine.count(), connectors.len());
        }
        // A credential vouches while it is live and its domain is the account's.
        for (user, of, live) in &model.credentials {
            let known = view.credential(user.as_str());
            let verified = model.connectors.get(of);
            let verified = verified.is_some_and(|of| of.state == ConnectorState::Verified);
            let holds = known.is_some_and(|known| known.is_live() && view.holds(known));
            prop_assert_eq!(holds, *live && verified, "{}", user);
        }
        Ok(())
    }

    /// Tries every way that a policy may name, and checks what comes of it.
    fn leaves(
        &self,
        a: usize,
        claim: &Claim,
        may: MayLeave,
        seen: &mut SeenWays,
    ) -> Result<(), TestCaseError> {
        let author = claim.transaction.reverse_path.address().unwrap().clone();
        let hop = NextHop {
            host: "127.0.0.1".to_owned(),
            port: 2525,
            tls: TlsMode::None,
            protocol: Default::default(),
        };
        for way in [
            Way::Connection("smart".to_owned()),
            Way::ConnectionOf(author),
            Way::Mx,
            Way::NextHop(hop),
        ] {
            let step = PlanStep::new(way);
            let led = self.ways().destination(claim, &claim.recipients[0], &step);
            let Ok(Led {
                destination,
                send_as,
            }) = led
            else {
                // It waits, because there is no address in whose name it could leave.
                let has_default = a == 0;
                prop_assert!(
                    may == MayLeave::FromDefault && !has_default,
                    "{step:?}: {led:?}"
                );
                seen.waits += 1;
                continue;
            };
            let own_name = send_as.is_none();
            if let Some(name) = &send_as {
                prop_assert_eq!(name, &default_address(), "{:?}", step);
            }
            let target = self.ways().target(claim, &destination, send_as.as_ref());
            let by_smart_host = matches!(destination, Destination::Connection { .. });
            match may {
                MayLeave::BySmartHost => {
                    let asked = matches!(step.way, Way::Connection(_) | Way::ConnectionOf(_));
                    prop_assert_eq!(by_smart_host, asked, "{:?}", step);
                    prop_assert!(own_name && target.is_ok(), "{step:?}");
                    seen.by_smart_host += u32::from(by_smart_host);
                }
                MayLeave::ByDefaultRoute => {
                    prop_assert!(!by_smart_host && own_name, "{step:?}: {destination:?}");
                    seen.by_default_route += 1;
                }
                MayLeave::FromDefault => {
                    prop_assert!(!by_smart_host && !own_name, "{step:?}: {destination:?}");
                    seen.from_default += 1;
                }
                MayLeave::Foreign => {
                    prop_assert!(!by_smart_host || target.is_err(), "{step:?}");
                    seen.foreign += u32::from(by_smart_host);
                }
            }
        }
        Ok(())
    }
}

/// Numbers of what was seen, so that a run that shows nothing fails.
#[derive(Debug, Default)]
struct SeenWays {
    by_smart_host: u32,
    by_default_route: u32,
    from_default: u32,
    waits: u32,
    foreign: u32,
}

#[test]
fn no_unverified_way_and_no_foreign_name_is_used() {
    let seen = std::cell::RefCell::new(SeenWays::default());
    let config = ProptestConfig {
        cases: CASES,
        rng_seed: RngSeed::Fixed(SEED),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let run = |steps: Vec<LifeStep>| {
        let (mut relay, mut model) = (LivingRelay::new(), LifeModel::default());
        for step in &steps {
            model.step(&mut relay, step);
            relay
                .check(&model, &mut seen.borrow_mut())
                .map_err(|error| TestCaseError::fail(format!("after {step:?}: {error}")))?;
        }
        Ok(())
    };
    let ran = TestRunner::new(config).run(&steps(), run);
    let seen = seen.into_inner();
    println!("seed {SEED}, {CASES} cases: {seen:?}");
    if let Err(error) = ran {
        panic!("seed {SEED}: {error}");
    }
    for number in [
        seen.by_smart_host,
        seen.by_default_route,
        seen.from_default,
        seen.waits,
        seen.foreign,
    ] {
        assert!(number > 100, "{seen:?}");
    }
}
