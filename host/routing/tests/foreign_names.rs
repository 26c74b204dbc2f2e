//! Model of the ways out: whatever a policy answers, and whatever destination a store has kept, no
//! message leaves in a name that is not its account's, through a connection of another, or without
//! TLS where the connection demands it; and no mail of a sandbox reaches anybody but its test users.

#![allow(clippy::unwrap_used)] // clippy.toml lets tests unwrap, not their helpers

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use gatepost_certificates::Trust;
use gatepost_config::Config;
use gatepost_connections::{
    ConnectionDraft, ConnectionKey, ConnectionName, ConnectionStates, Connections, FoundConnection,
    NoStandings, Profiles, Secret, rank,
};
use gatepost_delivery::{Led, OpeningTerms, Servers, Target, Timeouts, Tls, Ways as _};
use gatepost_directory::{
    AccountKind, Claim as DomainClaim, ConnectorKind, Directory, Limits, MemoryStore, Profile,
    Protocol, SandboxSettings, Settings,
};
use gatepost_dns::{Resolver, ResolverSettings};
use gatepost_intake::active_config::{ActiveConfig, SharedConfig};
use gatepost_intake::authenticator::Authenticator;
use gatepost_message::{Address, Message, Millis, ReversePath, TransactionId};
use gatepost_model::{
    Destination, Flow, GoOn, NextHop, Plan, Session, Step, TlsMode, Transaction, Transport, Way,
};
use gatepost_policy_set::{Policies, loading};
use gatepost_routing::{Outside, Records, Ways};
use gatepost_smtp::dsn;
use gatepost_spool::{Claim, ClaimCause, ClaimedRecipient, Lease, MemorySpool, Owner, SenderProof};
use gatepost_trace::{Retention, Trace};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{RngSeed, TestRunner};
use tempfile::TempDir;

/// Seed of the cases.
const SEED: u64 = 5321;

/// Cases of one run.
const CASES: u32 = 12_000;

/// Accounts, each with the domains that it may send as. The native one comes first; `site` is an
/// account of the configuration, the others are of the directory. `closed` and `boxed` are sandboxes;
/// the second has a Maildir.
const DOMAINS: [(&str, &[&str]); 5] = [
    ("site", &["site.test"]),
    ("a", &["a.desk.test", "a.test", "second.test"]),
    ("b", &["b.desk.test", "b.test"]),
    ("closed", &["closed.desk.test", "closed.test"]),
    ("boxed", &["boxed.desk.test", "boxed.test"]),
];

/// Domain of the one test user of each sandbox, and the Maildir of the second.
const TEST_USER: &str = "bank.test";
const SANDBOX_MAILDIR: &str = "sandbox";

/// Domains of senders, of recipients and in `send-as`: those above, a domain that `a` has only
/// claimed, and a stranger's.
const ALL: [&str; 10] = [
    "site.test",
    "a.desk.test",
    "a.test",
    "second.test",
    "claimed.test",
    "b.desk.test",
    "b.test",
    "closed.test",
    "boxed.desk.test",
    "bank.test",
];

/// Connections: owner, name, senders that it serves, TLS, and true for one with a log-in.
type Row = (
    Option<&'static str>,
    &'static str,
    &'static [&'static str],
    TlsMode,
    bool,
);

const CONNECTIONS: [Row; 8] = [
    (Some("a"), "smart", &["@a.test"], TlsMode::Required, true),
    (
        Some("a"),
        "one",
        &["x@second.test"],
        TlsMode::Implicit,
        false,
    ),
    (Some("a"), "any", &[], TlsMode::Opportunistic, false),
    (Some("b"), "smart", &["@b.test"], TlsMode::Implicit, true),
    (Some("b"), "only-b", &[], TlsMode::None, false),
    (Some("closed"), "any", &[], TlsMode::Opportunistic, false),
    (None, "smart", &[], TlsMode::Required, false),
    (
        None,
        "site",
        &["@a.test", "@bank.test"],
        TlsMode::Required,
        true,
    ),
];

/// Account of the model, as the relay knows it.
#[derive(Debug, Clone)]
struct Known {
    name: &'static str,
    id: String,
    domains: &'static [&'static str],
}

/// The connections, as the seam gives them.
#[derive(Debug)]
struct Book(Vec<FoundConnection>);

impl Connections for Book {
    fn find(&self, account: Option<&str>, name: &str) -> Option<FoundConnection> {
        let same = |found: &&FoundConnection| {
            found.key.account.as_deref() == account && found.key.name.as_str() == name
        };
        self.0.iter().find(same).cloned()
    }

    fn serving(&self, account: &str, sender: &Address) -> Option<FoundConnection> {
        let own = |found: &&FoundConnection| {
            found
                .key
                .account
                .as_deref()
                .is_none_or(|owner| owner == account)
        };
        let ranked = self.0.iter().filter(own).filter_map(|found| {
            let rank = rank(&found.connection.serves, sender, None)?;
            Some(((rank, found.key.account.is_some()), found))
        });
        let best = ranked.max_by_key(|(rank, _)| *rank);
        best.map(|(_, found)| found.clone())
    }
}

/// The ways of a relay with these accounts and connections.
struct World {
    ways: Ways,
    known: Vec<Known>,
    terms: OpeningTerms,
    runtime: tokio::runtime::Runtime,
    _folder: TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let config = Arc::new(config(folder.path()));
        let directory = Directory::open_on(
            Box::new(MemoryStore::default()),
            &Settings {
                path: folder.path().join("directory.db"),
                key_ring: folder.path().join("key-ring"),
                limits: Limits::default(),
                separators: Default::default(),
            },
        );
        let directory = Arc::new(directory.unwrap());
        let known: Vec<_> = DOMAINS
            .iter()
            .map(|(name, domains)| Known {
                name,
                id: match *name {
                    "site" => "site".to_owned(),
                    name => account(&directory, name, domains),
                },
                domains,
            })
            .collect();
        let ways = runtime.block_on(async {
            let engine = loading::engine(None).unwrap();
            let policies = Policies::load(engine, &config).await.unwrap();
            let authenticator = Authenticator::new(&config, &directory.view(), Default::default());
            let active = ActiveConfig {
                config: Arc::clone(&config),
                authenticator: Arc::new(authenticator),
                services: Default::default(),
            };
            let trace = folder.path().join("trace.db");
            let trace = Trace::open(trace, Retention::default()).unwrap();
            let resolver = Resolver::new(&ResolverSettings::default()).unwrap();
            let outside = Outside::new(&config, &resolver).unwrap();
            let states = ConnectionStates::open(Box::new(NoStandings)).unwrap();
            Ways::new(
                folder.path(),
                (
                    Arc::new(policies),
                    Arc::new(SharedConfig::from_pointee(active)),
                ),
                Arc::clone(&directory),
                (Arc::new(book(&known)), Arc::new(states)),
                outside,
                Records {
                    queue: Arc::new(MemorySpool::default()),
                    trace: Arc::new(trace),
                },
            )
        });
        Self {
            ways,
            known,
            terms: OpeningTerms {
                ehlo_name: "mx.desk.test".parse().unwrap(),
                tls: Tls::new(Trust::Keys(Vec::new()), None).unwrap(),
                timeouts: Timeouts::default(),
            },
            runtime,
            _folder: folder,
        }
    }

    /// Returns the account of the model with this id.
    fn known(&self, id: Option<&str>) -> Option<&Known> {
        self.known
            .iter()
            .find(|known| Some(known.id.as_str()) == id)
    }
}

fn config(folder: &Path) -> Config {
    let text = format!(
        r#"
        [relay]
        hostname = "mx.desk.test"
        store = {:?}
        [[account]]
        id = "site"
        domains = ["site.test"]
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

/// Adds an account of the directory that sends as these domains; returns its id.
fn account(directory: &Directory, name: &str, domains: &[&str]) -> String {
    let settings = |maildir: Option<&str>| SandboxSettings {
        test_users: vec![address(TEST_USER)],
        maildir: maildir.map(|name| name.parse().unwrap()),
    };
    let (kind, sandbox) = match name {
        "closed" => (AccountKind::Sandbox, settings(None)),
        "boxed" => (AccountKind::Sandbox, settings(Some(SANDBOX_MAILDIR))),
        _ => (AccountKind::Production, SandboxSettings::default()),
    };
    let profile = Profile {
        kind,
        product: "Desk".parse().unwrap(),
        time_zone: "Europe/Berlin".parse().unwrap(),
        native_domain: domains[0].parse().unwrap(),
        brands: Vec::new(),
    };
    let id = directory.add_account_with(profile, sandbox).unwrap().id;
    let claim = |domain: &str| {
        let claimed = directory.add_connector(DomainClaim {
            account: id,
            name: domain.split('.').next().unwrap().parse().unwrap(),
            domain: domain.parse().unwrap(),
            kind: ConnectorKind::OutboundOnly,
            protocol: Protocol::Plain,
        });
        claimed.unwrap().id
    };
    for domain in &domains[1..] {
        directory.vouch_outbound(claim(domain)).unwrap();
    }
    if domains[0].starts_with("a.") {
        claim("claimed.test");
    }
    id.to_string()
}

fn book(known: &[Known]) -> Book {
    let profiles = Profiles::built_in();
    let made = CONNECTIONS
        .iter()
        .map(|(owner, name, serves, tls, logs_in)| {
            let name: ConnectionName = name.parse().unwrap();
            let draft = ConnectionDraft {
                host: Some("127.0.0.1".to_owned()),
                tls: Some(*tls),
                user: logs_in.then(|| "user".to_owned()),
                password: logs_in.then(|| Secret::new("password")),
                serves: Some(serves.iter().map(|one| one.parse().unwrap()).collect()),
                ..ConnectionDraft::default()
            };
            let profile = profiles.get_or_generic("generic");
            let connection = draft.complete(name.clone(), profile).unwrap();
            let owner = owner.map(|owner| {
                let owner = known.iter().find(|known| known.name == owner);
                owner.unwrap().id.clone()
            });
            FoundConnection {
                key: match owner {
                    Some(owner) => ConnectionKey::of_account(owner, name),
                    None => ConnectionKey::of_site(name),
                },
                connection: Arc::new(connection),
                profile: Arc::clone(profile),
                created: None,
                generation: 1,
            }
        });
    Book(made.collect())
}

/// A message of the model.
#[derive(Debug, Clone)]
struct Mail {
    /// Place of its account in [`DOMAINS`].
    account: Option<usize>,
    flow: Flow,
    /// Reverse-path, as a domain; none if null.
    sender: Option<&'static str>,
    /// Authors, as domains.
    authors: Vec<&'static str>,
    recipient: &'static str,
}

fn mail() -> impl Strategy<Value = Mail> {
    let flow = select(vec![Flow::Submission, Flow::Inbound, Flow::Internal]);
    let sender = prop_oneof![1 => Just(None), 4 => select(&ALL[..]).prop_map(Some)];
    let account = prop::option::weighted(0.9, 0..DOMAINS.len());
    let authors = vec(select(&ALL[..]), 0..3);
    let own = any::<bool>();
    let recipient = prop_oneof![3 => select(&ALL[..]), 1 => Just(TEST_USER)];
    (account, flow, sender, authors, recipient, own).prop_map(
        |(account, flow, sender, authors, recipient, own)| match (account, own) {
            // Half of the messages are in the account's own name, as intake demands of submissions.
            (Some(at), true) => {
                let domains = DOMAINS[at].1;
                let own = |domain: &'static str| match domains.contains(&domain) {
                    true => domain,
                    false => domains[domain.len() % domains.len()],
                };
                let (sender, authors) = (sender.map(own), authors.into_iter().map(own).collect());
                Mail {
                    account,
                    flow,
                    sender,
                    authors,
                    recipient,
                }
            }
            _ => Mail {
                account,
                flow,
                sender,
                authors,
                recipient,
            },
        },
    )
}

fn address(domain: &str) -> Address {
    Address::parse(&format!("x@{domain}")).unwrap()
}

fn tls() -> impl Strategy<Value = TlsMode> {
    select(vec![
        TlsMode::None,
        TlsMode::Opportunistic,
        TlsMode::Required,
        TlsMode::Implicit,
    ])
}

fn hop() -> impl Strategy<Value = NextHop> {
    tls().prop_map(|tls| NextHop {
        host: "127.0.0.1".to_owned(),
        port: 2525,
        tls,
        protocol: Default::default(),
    })
}

fn name() -> impl Strategy<Value = String> {
    select(vec![
        "smart", "one", "any", "only-b", "site", "none", "a/smart",
    ])
    .prop_map(ToOwned::to_owned)
}

fn maildir() -> impl Strategy<Value = String> {
    select(vec![SANDBOX_MAILDIR, "application"]).prop_map(ToOwned::to_owned)
}

fn way() -> impl Strategy<Value = Way> {
    prop_oneof![
        4 => name().prop_map(Way::Connection),
        2 => select(&ALL[..]).prop_map(|domain| Way::ConnectionOf(address(domain))),
        2 => Just(Way::Mx),
        1 => Just(Way::Inside),
        1 => name().prop_map(Way::Lmtp),
        1 => maildir().prop_map(Way::Maildir),
        1 => hop().prop_map(Way::NextHop),
    ]
}

fn plan() -> impl Strategy<Value = Plan> {
    let go_on = prop::option::of(Just(GoOn {
        failures: 1,
        seconds: 0,
    }));
    let step = (way(), go_on).prop_map(|(way, go_on_after)| Step {
        go_on_after,
        ..Step::new(way)
    });
    let send_as = prop::option::of(select(&ALL[..]).prop_map(address));
    (vec(step, 1..4), send_as).prop_map(|(steps, send_as)| Plan {
        steps,
        send_as,
        expire_after: None,
        holds_for: None,
    })
}

/// A destination that a store has kept from some time ago: a connection of whichever account, or
/// another one.
#[derive(Debug, Clone)]
enum Kept {
    Connection(Option<usize>, String),
    Other(Destination),
}

fn kept() -> impl Strategy<Value = Kept> {
    let connection = (prop::option::of(0..DOMAINS.len()), name());
    let mx = select(&ALL[..]).prop_map(|domain| Destination::Mx {
        domain: domain.to_owned(),
        egress: None,
    });
    let hop = hop().prop_map(|hop| Destination::NextHop { hop, egress: None });
    let other = prop_oneof![
        mx,
        hop,
        Just(Destination::Inside),
        maildir().prop_map(Destination::Maildir),
    ];
    prop_oneof![
        connection.prop_map(|(owner, name)| Kept::Connection(owner, name)),
        other.prop_map(Kept::Other),
    ]
}

impl World {
    fn claim(&self, mail: &Mail) -> Claim {
        let field = |domain: &&str| format!("From: X <x@{domain}>\r\n");
        let fields: String = mail.authors.iter().map(field).collect();
        let recipient = address(mail.recipient);
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
                    flow: mail.flow,
                    transport: Transport::Smtp,
                    client: None,
                    helo: None,
                    tls: None,
                    user: None,
                },
                account: mail.account.map(|at| self.known[at].id.clone()),
                reverse_path: match mail.sender {
                    Some(domain) => ReversePath::Address(address(domain)),
                    None => ReversePath::Null,
                },
                recipients: vec![recipient.clone()],
            },
            smtputf8: false,
            dsn: dsn::MessageRequest::default(),
            sender: SenderProof::Proved,
            message: Message::from_bytes(Bytes::from(format!("{fields}Subject: s\r\n\r\nx\r\n"))),
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

    /// Tries every way out that a plan gives a message, and a kept destination; checks each that
    /// leads out. Counts them by kind.
    fn check(
        &self,
        mail: &Mail,
        plan: &Plan,
        kept: &Kept,
        seen: &mut Seen,
    ) -> Result<(), TestCaseError> {
        let claim = self.claim(mail);
        let send_as = plan.send_as.as_ref();
        for step in &plan.steps {
            let destination = self.ways.destination(&claim, &claim.recipients[0], step);
            let Ok(Led { destination, .. }) = destination else {
                continue;
            };
            if let (
                Way::Connection(_) | Way::ConnectionOf(_),
                Destination::Connection { account, .. },
            ) = (&step.way, &destination)
            {
                let own = claim.transaction.account.as_ref();
                prop_assert!(account.is_none() || account.as_ref() == own);
            }
            self.leaves(mail, &claim, &destination, send_as, seen)?;
        }
        let destination = match kept {
            Kept::Connection(owner, name) => Destination::Connection {
                account: owner.map(|at| self.known[at].id.clone()),
                name: name.clone(),
            },
            Kept::Other(destination) => destination.clone(),
        };
        self.leaves(mail, &claim, &destination, send_as, seen)
    }

    /// Checks that what a sandbox sends stays with its test user or in its Maildir, and that what
    /// comes in for it does not leave.
    fn stays_in_sandbox(
        &self,
        mail: &Mail,
        destination: &Destination,
        seen: &mut Seen,
    ) -> Result<(), TestCaseError> {
        let account = mail.account.map(|at| DOMAINS[at].0);
        let (Some(name @ ("closed" | "boxed")), flow) = (account, mail.flow) else {
            return Ok(());
        };
        let goes_out = matches!(
            destination,
            Destination::Mx { .. } | Destination::Connection { .. }
        );
        if flow == Flow::Inbound {
            prop_assert!(!goes_out, "what came in leaves by {destination}");
        }
        if flow != Flow::Submission {
            return Ok(());
        }
        match destination {
            Destination::Maildir(to) if to == SANDBOX_MAILDIR && name == "boxed" => {
                seen.into_maildir += 1;
            }
            _ => {
                prop_assert_eq!(mail.recipient, TEST_USER, "by {}", destination);
                seen.to_test_user += 1;
            }
        }
        Ok(())
    }

    /// Checks what leaves for a destination, if anything does.
    #[allow(
        irrefutable_let_patterns,
        reason = "only servers are checked, whatever other targets there are"
    )]
    fn leaves(
        &self,
        mail: &Mail,
        claim: &Claim,
        destination: &Destination,
        send_as: Option<&Address>,
        seen: &mut Seen,
    ) -> Result<(), TestCaseError> {
        let recipient = &claim.recipients[0];
        if self.ways.may_reach(claim, recipient, destination).is_err() {
            seen.refused += 1;
            return Ok(());
        }
        self.stays_in_sandbox(mail, destination, seen)?;
        let Ok(target) = self.ways.target(claim, destination, send_as) else {
            seen.refused += 1;
            return Ok(());
        };
        let account = self.known(claim.transaction.account.as_deref());
        // The names in which it leaves.
        if let Some(name) = send_as {
            let of_account = account.is_some_and(|known| known.domains.contains(&name.domain()));
            prop_assert!(of_account, "leaves as {name}");
            prop_assert!(mail.sender.is_some(), "a bounce leaves as {name}");
            seen.renamed += 1;
        }
        let Target::Server(target) = target else {
            return Ok(());
        };
        match destination {
            Destination::Connection {
                account: owner,
                name,
            } => {
                let row = CONNECTIONS.iter().find(|(of, called, ..)| {
                    let of = self.known.iter().find(|known| Some(known.name) == *of);
                    of.map(|known| known.id.as_str()) == owner.as_deref() && called == name
                });
                let (of, _, serves, tls, logs_in) = row.unwrap();
                if let Some(owner) = of {
                    prop_assert_eq!(account.map(|known| known.name), Some(*owner));
                    self.is_of_customer(mail, send_as, account.unwrap(), serves)?;
                    seen.by_customer += 1;
                }
                self.is_encrypted(&target.servers, *tls, *logs_in)?;
                seen.opened += 1;
            }
            Destination::NextHop { hop, .. } => {
                let Servers::NextHop { hop: used, .. } = &target.servers else {
                    return Err(TestCaseError::fail("another server"));
                };
                prop_assert_eq!(used, hop);
            }
            _ => {}
        }
        Ok(())
    }

    /// Checks the names of a message that leaves through a customer's connection.
    fn is_of_customer(
        &self,
        mail: &Mail,
        send_as: Option<&Address>,
        owner: &Known,
        serves: &[&str],
    ) -> Result<(), TestCaseError> {
        prop_assert!(mail.sender.is_some(), "a bounce");
        let names: Vec<&str> = match send_as {
            Some(name) => vec![name.domain()],
            None => mail.sender.iter().chain(&mail.authors).copied().collect(),
        };
        for domain in names {
            prop_assert!(owner.domains.contains(&domain), "of {domain}");
            prop_assert!(domain != owner.domains[0], "the native {domain}");
            let served = serves
                .iter()
                .any(|one| one.ends_with(&format!("@{domain}")));
            prop_assert!(serves.is_empty() || served, "{domain} is not served");
        }
        Ok(())
    }

    /// Checks the sessions of a connection.
    fn is_encrypted(
        &self,
        servers: &Servers,
        tls: TlsMode,
        logs_in: bool,
    ) -> Result<(), TestCaseError> {
        let Servers::Found(servers) = servers else {
            return Err(TestCaseError::fail("not the connection's server"));
        };
        let found = self.runtime.block_on(servers.find(&self.terms));
        for opening in found.unwrap() {
            prop_assert_eq!(opening.mode, tls);
            prop_assert_eq!(opening.login.is_some(), logs_in);
            let encrypted = matches!(opening.mode, TlsMode::Required | TlsMode::Implicit);
            prop_assert!(
                encrypted || opening.login.is_none(),
                "a password in the clear"
            );
        }
        Ok(())
    }
}

/// Numbers of what was seen, so that a run that shows nothing fails.
#[derive(Debug, Default)]
struct Seen {
    refused: u32,
    renamed: u32,
    by_customer: u32,
    opened: u32,
    to_test_user: u32,
    into_maildir: u32,
}

#[test]
fn no_message_leaves_in_a_foreign_name_or_by_a_foreign_connection() {
    let world = World::new();
    let seen = std::cell::RefCell::new(Seen::default());
    let config = ProptestConfig {
        cases: CASES,
        rng_seed: RngSeed::Fixed(SEED),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let run = |(mail, plan, kept)| world.check(&mail, &plan, &kept, &mut seen.borrow_mut());
    let ran = TestRunner::new(config).run(&(mail(), plan(), kept()), run);
    let seen = seen.into_inner();
    println!("seed {SEED}, {CASES} cases: {seen:?}");
    if let Err(error) = ran {
        panic!("seed {SEED}: {error}");
    }
    for number in [
        seen.refused,
        seen.renamed,
        seen.by_customer,
        seen.opened,
        seen.to_test_user,
        seen.into_maildir,
    ] {
        assert!(number > 100, "{seen:?}");
    }
}
