//! Operators' commands, over the control socket of a running relay and on the store of a stopped
//! one.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use gatepost_administrators::{Administrators, LetterSettings};
use gatepost_backup::BackupSource;
use gatepost_config::{Config, RelayConnections};
use gatepost_connections::{ConnectionStates, NoStandings};
use gatepost_directory::Directory;
use gatepost_feeds::Client;
use gatepost_message::{Address, Millis, ReversePath, TransactionId};
use gatepost_model::{Destination, Flow, Plan, Route, Session, Transaction, Transport, Way};
use gatepost_operations::backups::Backups;
use gatepost_operations::dkim::DkimTools;
use gatepost_operations::policies::{ActivateConfigured, ActivateModule, ListPolicies, RollBack};
use gatepost_operations::policy_history::ShowHistory;
use gatepost_operations::quarantine::{
    DeleteQuarantined, ListQuarantine, ReleaseQuarantined, ShowQuarantined,
};
use gatepost_operations::queue::{
    CancelRecipients, HoldRecipients, ListDestinations, ReleaseRecipients, RetryRecipients,
    SelectedRecipients, ShowQueued,
};
use gatepost_operations::reload::Reload;
use gatepost_operations::trace::ShowTrace;
use gatepost_operations::{
    Code, ControlSocket, OpenError, Operation, OperationError, RequestHandler, Runtime, call,
};
use gatepost_policy::{Engine, EngineSettings};
use gatepost_policy_set::Policies;
use gatepost_smtp::dsn;
use gatepost_spool::{
    AttemptOutcome, InitialState, Ledger, NewBody, NewMessage, NewRecipient, Owner, Pace,
    Quarantine, Queue, RecipientResult, Report, SenderProof, SpoolSettings, SqliteSpool, Status,
    Stores,
};
use gatepost_trace::{Kind, Retention, Trace};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::oneshot;

fn asker() -> gatepost_operations::Asker {
    gatepost_operations::Asker::of_this_process()
}

/// A store in a directory of its own.
struct Store {
    config: Config,
    _directory: TempDir,
}

impl Store {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let text = r#"
            [relay]
            hostname = "mx.desk.example"
            store = "store"
            min-free = "1MiB"
            [[listener]]
            name = "mx"
            address = "127.0.0.1:0"
            direction = "inbound"
            tls = "none"
            chain = ["loop-guard"]
        "#;
        let config = Config::parse(text, Path::new("gatepost.toml"), directory.path()).unwrap();
        // Opening a store requires an existing one.
        std::fs::create_dir(&config.relay.store).unwrap();
        std::fs::write(config.relay.store.join("spool.db"), "").unwrap();
        Self {
            config,
            _directory: directory,
        }
    }

    fn path(&self) -> &Path {
        &self.config.relay.store
    }

    fn open(&self) -> Runtime {
        Runtime::open(&self.config).unwrap()
    }

    /// Opens the store with the queue as intake sees it, to accept messages.
    fn open_with_queue(&self) -> (Runtime, Arc<dyn Queue>) {
        let stores = Stores::from(SqliteSpool::open(SpoolSettings::new(self.path())).unwrap());
        let trace = Trace::open(self.path().join("trace.db"), Retention::FOR_EVER).unwrap();
        let directory = Directory::open(&self.config.directory.settings(self.path())).unwrap();
        let directory = Arc::new(directory);
        let site = Arc::clone(&self.config.site);
        let connections = RelayConnections::new(site, Arc::clone(&directory));
        let Config {
            directory: settings,
            dns,
            destinations,
            ..
        } = &self.config;
        let client = Client::alone(settings, dns, destinations).unwrap();
        let administrators = Administrators::new(
            Arc::clone(&directory),
            Arc::clone(&stores.queue),
            Arc::clone(&stores.counters),
            LetterSettings::default(),
        );
        let runtime = Runtime {
            queue: stores.admin,
            events: stores.events,
            counters: stores.counters,
            suppressions: stores.suppressions,
            administrators: Arc::new(administrators),
            erasure: stores.erasure,
            erasures: Arc::default(),
            forget_tokens: None,
            trace: Arc::new(trace),
            policy_record: None,
            directory,
            connections: Arc::new(connections),
            states: Arc::new(ConnectionStates::open(Box::new(NoStandings)).unwrap()),
            tester: None,
            authorizations: None,
            reopen: None,
            site: Arc::default(),
            closing_reply: None,
            webhooks: None,
            policies: None,
            feeds: Arc::new(ArcSwap::from_pointee(client)),
            facts: Arc::default(),
            dkim: Arc::new(ArcSwap::from_pointee(DkimTools::new(&self.config).unwrap())),
            backups: Arc::new(Backups::new(BackupSource::of(&self.config))),
            domains: Arc::default(),
            reload: None,
            probes: None,
            intake: None,
        };
        (runtime, stores.queue)
    }
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

/// Puts a message into the store, due in an hour.
async fn accept(queue: &dyn Queue, to: &[&str], quarantine: Option<Quarantine>) -> TransactionId {
    let id = TransactionId::new();
    let now = Millis::now();
    let hour = Duration::from_secs(3600);
    let recipients: Vec<_> = to.iter().map(|to| address(to)).collect();
    let message = NewMessage {
        transaction: Transaction {
            id,
            time: now,
            session: Session {
                listener: "mx".to_owned(),
                flow: Flow::Inbound,
                transport: Transport::Smtp,
                client: "192.0.2.1:1025".parse().ok(),
                helo: Some("client.example".to_owned()),
                tls: None,
                user: None,
            },
            account: Some("acme".to_owned()),
            reverse_path: ReversePath::Address(address("a@b.example")),
            recipients: recipients.clone(),
        },
        recipients: (recipients.into_iter())
            .map(|address| NewRecipient {
                address,
                dsn: dsn::RecipientRequest::default(),
                state: InitialState::Queued {
                    next_attempt: now + hour,
                },
            })
            .collect(),
        smtputf8: false,
        dsn: dsn::MessageRequest::default(),
        sender: SenderProof::Unproved,
        head: Bytes::from_static(b"Subject: hello\r\n\r\n"),
        body: NewBody::Inline(Bytes::from_static(b"hello\r\n")),
        tags: Vec::new(),
        classification: None,
        judgements: Vec::new(),
        effects: Vec::new(),
        metadata: None,
        ledger: Ledger::default(),
        quarantine,
        received_at: now,
        expires_at: now + hour,
    };
    queue.accept(message).await.unwrap();
    id
}

/// Returns the code of a failed operation.
fn code<T: std::fmt::Debug>(answer: Result<T, OperationError>) -> Code {
    answer.unwrap_err().code
}

async fn statuses(runtime: &Runtime, id: TransactionId) -> Vec<Status> {
    match (ShowQueued { id }).execute(runtime, &asker()).await {
        Ok(message) => {
            let recipients = message.summary.recipients.iter();
            recipients.map(|r| r.state.status()).collect()
        }
        Err(error) if error.code == Code::NotQueued => Vec::new(),
        other => panic!("{other:?}"),
    }
}

async fn events(runtime: &Runtime, id: TransactionId) -> Vec<Kind> {
    match (ShowTrace { id }).execute(runtime, &asker()).await {
        Ok(events) => events.into_iter().map(|event| event.kind).collect(),
        Err(error) if error.code == Code::UnknownTransaction => Vec::new(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn recipients_are_held_released_retried_and_cancelled_on_record() {
    let store = Store::new();
    let (runtime, queue) = store.open_with_queue();
    let id = accept(&*queue, &["x@desk.example", "y@other.example"], None).await;
    let other = accept(&*queue, &["z@desk.example"], None).await;
    let whole = SelectedRecipients {
        ids: vec![id],
        ..SelectedRecipients::default()
    };
    let part = SelectedRecipients {
        recipient: Some("other.example".to_owned()),
        ..whole.clone()
    };

    let recipients = whole.clone();
    let held = HoldRecipients { recipients }
        .execute(&runtime, &asker())
        .await;
    assert_eq!(held.unwrap().changed, 2);
    assert_eq!(statuses(&runtime, id).await, [Status::Held, Status::Held]);
    let released = ReleaseRecipients { recipients: part };
    assert_eq!(
        released.execute(&runtime, &asker()).await.unwrap().changed,
        1
    );
    assert_eq!(statuses(&runtime, id).await, [Status::Held, Status::Queued]);
    let recipients = whole.clone();
    let retried = RetryRecipients { recipients }
        .execute(&runtime, &asker())
        .await;
    assert_eq!(retried.unwrap().changed, 1);
    let cancelled = CancelRecipients { recipients: whole };
    assert_eq!(
        cancelled.execute(&runtime, &asker()).await.unwrap().changed,
        2
    );
    assert_eq!(statuses(&runtime, id).await, [], "nobody is left to get it");
    assert_eq!(
        statuses(&runtime, other).await,
        [Status::Queued],
        "not chosen"
    );

    let told = events(&runtime, id).await;
    assert_eq!(
        told,
        [Kind::Held, Kind::Released, Kind::Retried, Kind::Cancelled]
    );
    assert_eq!(events(&runtime, other).await, []);
}

#[tokio::test]
async fn a_choice_without_ids_reaches_every_page_of_the_queue() {
    let store = Store::new();
    let (runtime, queue) = store.open_with_queue();
    for number in 0..1001 {
        let domain = if number % 2 == 0 { "desk" } else { "other" };
        accept(&*queue, &[&format!("x{number}@{domain}.example")], None).await;
    }
    let desk = SelectedRecipients {
        recipient: Some("desk.example".to_owned()),
        ..SelectedRecipients::default()
    };
    let all = SelectedRecipients {
        all: true,
        ..SelectedRecipients::default()
    };
    for (recipients, number) in [(desk, 501), (all, 500)] {
        let cancelled = CancelRecipients { recipients }
            .execute(&runtime, &asker())
            .await;
        assert_eq!(cancelled.unwrap().changed, number);
    }
    let depth = runtime.queue.depth().await.unwrap();
    assert_eq!(depth.messages, 0);
}

#[tokio::test]
async fn a_selection_of_nothing_or_of_all_and_some_changes_nothing() {
    let store = Store::new();
    let (runtime, queue) = store.open_with_queue();
    let id = accept(&*queue, &["x@desk.example"], None).await;
    let nothing = SelectedRecipients::default();
    let all_and_some = SelectedRecipients {
        ids: vec![id],
        all: true,
        ..SelectedRecipients::default()
    };
    for (recipients, expected) in [
        (nothing, Code::NothingSelected),
        (all_and_some, Code::AllAndSome),
    ] {
        let cancelled = CancelRecipients { recipients }
            .execute(&runtime, &asker())
            .await;
        assert_eq!(code(cancelled), expected);
    }
    assert_eq!(statuses(&runtime, id).await, [Status::Queued]);
}

#[tokio::test]
async fn a_waiting_recipient_is_shown_with_its_route_and_the_reason() {
    let store = Store::new();
    let (runtime, queue) = store.open_with_queue();
    let id = accept(&*queue, &["x@desk.example", "y@other.example"], None).await;
    let reasons = async || {
        let shown = ShowQueued { id }.execute(&runtime, &asker()).await.unwrap();
        let waiting = shown.waiting.into_iter();
        waiting.map(|waiting| waiting.reason).collect::<Vec<_>>()
    };
    let early = reasons().await;
    assert!(early[0].starts_with("it is routed at "), "{early:?}");

    let route = Route {
        plan: Plan::by(Way::Mx),
        step: 0,
        destination: Destination::Mx {
            domain: "desk.example".to_owned(),
            egress: None,
        },
        failures: 0,
        since: None,
        stamp: String::new(),
        holds_until: None,
    };
    let (now, key) = (Millis::now(), route.destination.key());
    let lease = Duration::from_secs(60);
    let later = now + Duration::from_secs(2 * 60 * 60);
    let claims = queue.claim(Owner::new(), later, 1, lease).await.unwrap();
    let returned = AttemptOutcome::Returned {
        next_attempt: now,
        reply: None,
        server: None,
    };
    let routed = RecipientResult {
        route: Some(route.clone()),
        ..RecipientResult::of(0, returned.clone())
    };
    let report = Report {
        lease: claims[0].lease,
        message: id,
        results: vec![routed, RecipientResult::of(1, returned)],
        notices: Vec::new(),
        keep_until: None,
    };
    queue.record(report).await.unwrap();
    let turn = "it waits for its turn at mx:desk.example";
    assert_eq!(reasons().await, [turn, "it is not yet routed"]);
    let closed = Pace {
        in_hand: 1,
        not_before: now + lease,
    };
    queue.set_pace(&key, closed);
    let reason = format!("mx:desk.example is closed until {}", closed.not_before);
    assert_eq!(reasons().await[0], reason);
    let stopped = Pace {
        in_hand: 0,
        ..closed
    };
    queue.set_pace(&key, stopped);
    assert_eq!(reasons().await[0], "mx:desk.example is stopped");
    let shown = ShowQueued { id }.execute(&runtime, &asker()).await.unwrap();
    assert_eq!(shown.summary.recipients[0].route, Some(route));

    let found = ListDestinations::default()
        .execute(&runtime, &asker())
        .await
        .unwrap();
    let there = |key| found.iter().find(|summary| summary.destination == key);
    assert_eq!(there(Some(key.clone())).unwrap().pace, stopped);
    assert_eq!(there(None).unwrap().recipients, 1);
    let recipients = SelectedRecipients {
        destination: Some(key),
        ..SelectedRecipients::default()
    };
    let held = HoldRecipients { recipients }
        .execute(&runtime, &asker())
        .await;
    assert_eq!(held.unwrap().changed, 1);
    assert_eq!(statuses(&runtime, id).await, [Status::Held, Status::Queued]);
}

#[tokio::test]
async fn quarantined_mail_is_released_or_dropped() {
    let store = Store::new();
    let (runtime, queue) = store.open_with_queue();
    let quarantine = Quarantine {
        reason: "looks odd".to_owned(),
        expires: Millis(u64::MAX >> 12),
    };
    let kept = accept(&*queue, &["x@desk.example"], Some(quarantine.clone())).await;
    let dropped = accept(&*queue, &["x@desk.example"], Some(quarantine)).await;

    let listed = ListQuarantine::default().execute(&runtime, &asker()).await;
    assert_eq!(listed.unwrap().len(), 2);
    let shown = ShowQuarantined { id: kept }
        .execute(&runtime, &asker())
        .await;
    assert_eq!(shown.unwrap().header, "Subject: hello\r\n\r\n");
    let shown = ShowQueued { id: kept }.execute(&runtime, &asker()).await;
    assert_eq!(code(shown), Code::NotQueued);

    let asker = asker();
    let release = || ReleaseQuarantined { id: kept }.execute(&runtime, &asker);
    assert_eq!(release().await, Ok(()));
    assert_eq!(code(release().await), Code::NotQuarantined);
    let deleted = DeleteQuarantined { id: dropped }
        .execute(&runtime, &asker)
        .await;
    assert_eq!(deleted, Ok(()));
    assert_eq!(statuses(&runtime, kept).await, [Status::Queued]);
    assert_eq!(events(&runtime, kept).await, [Kind::Released]);
    assert_eq!(events(&runtime, dropped).await, [Kind::Discarded]);
}

#[tokio::test]
async fn policies_are_swapped_only_in_a_running_relay() {
    let store = Store::new();
    let mut runtime = store.open();
    let rollback = RollBack {
        policy: "loop-guard".to_owned(),
        to: None,
    };
    let refused = rollback.execute(&runtime, &asker()).await.unwrap_err();
    assert_eq!(refused.code, Code::RelayNotRunning);
    let reason = refused.to_string();
    assert!(reason.contains("no relay is running"), "{reason}");

    let engine = Engine::new(EngineSettings::default()).unwrap();
    let policies = Policies::load(engine, &store.config).await.unwrap();
    runtime.policies = Some(Arc::new(policies));
    let list = async || ListPolicies {}.execute(&runtime, &asker()).await.unwrap();
    let before = list().await;
    let activate = ActivateModule {
        policy: "loop-guard".to_owned(),
        module: gatepost_builtin::module("header-guard").unwrap().to_vec(),
        source: Some("new.wasm".to_owned()),
    };
    let swap = activate.execute(&runtime, &asker()).await.unwrap();
    assert_eq!(swap.old, before[0].digest);
    let after = list().await;
    assert_eq!(after[0].digest, swap.new);
    assert_eq!(after[0].previous, Some(swap.old.clone()));
    // The list names the configuration's version where another is active.
    assert_eq!(
        (&after[0].configured, swap.configured),
        (&Some(swap.old), false)
    );
    let show = || ShowHistory {
        policy: "loop-guard".to_owned(),
    };
    let history = show().execute(&runtime, &asker()).await.unwrap();
    let [activated, configured] = history.as_slice() else {
        panic!("{history:?}");
    };
    assert!(activated.active && !activated.configured);
    assert!(configured.configured && !configured.active);
    let by = &activated.version.by;
    assert_eq!(
        (by.origin.as_str(), by.source.as_str()),
        ("store", "new.wasm")
    );
    let rollback = |to: &str| RollBack {
        policy: "loop-guard".to_owned(),
        to: Some(to.to_owned()),
    };
    let answer = rollback("0123").execute(&runtime, &asker()).await;
    assert_eq!(code(answer), Code::UnknownVersion);
    let back = rollback(&configured.version.module[..8]);
    let back = back.execute(&runtime, &asker()).await.unwrap();
    assert!(back.configured);
    let again = rollback(&swap.new)
        .execute(&runtime, &asker())
        .await
        .unwrap();
    assert!(!again.configured);
    let ended = ActivateConfigured {
        policy: "loop-guard".to_owned(),
    };
    let ended = ended.execute(&runtime, &asker()).await.unwrap();
    assert_eq!((ended.new, ended.configured), (again.old, true));
    assert_eq!(list().await[0].configured, None);
    let activate = |policy: &str| ActivateModule {
        policy: policy.to_owned(),
        module: b"nonsense".to_vec(),
        source: None,
    };
    let answer = activate("loop-guard").execute(&runtime, &asker()).await;
    assert_eq!(code(answer), Code::InvalidModule);
    let answer = activate("absent").execute(&runtime, &asker()).await;
    assert_eq!(code(answer), Code::UnknownPolicy);
}

#[tokio::test]
async fn the_socket_answers_line_by_line_and_is_removed_with_the_relay() {
    let store = Store::new();
    let (runtime, queue) = store.open_with_queue();
    let id = accept(&*queue, &["x@desk.example"], None).await;
    // The socket that a killed relay has left behind.
    drop(std::os::unix::net::UnixListener::bind(gatepost_operations::path(store.path())).unwrap());
    let show = ShowQueued { id };
    assert_eq!(call(store.path(), &show).await.unwrap(), None);

    let socket = ControlSocket::bind(store.path()).unwrap();
    let path = gatepost_operations::path(store.path());
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let (stop, stopped) = oneshot::channel::<()>();
    let counter = RequestHandler::starting("opening its store");
    let serving = tokio::spawn(socket.serve(counter.clone(), async {
        let _ = stopped.await;
    }));
    // Only one relay answers for a store.
    assert!(ControlSocket::bind(store.path()).is_err());

    let ask = async || call(store.path(), &show).await.unwrap().unwrap();
    counter.step("loading its policies");
    let starting = ask().await.unwrap_err();
    assert_eq!(starting.code, Code::RelayStarting);
    assert_eq!(
        starting.to_string(),
        "the relay is starting: loading its policies"
    );
    counter.running(runtime.clone());
    assert_eq!(ask().await.unwrap().summary.id, id);
    counter.stopping();
    assert_eq!(ask().await.unwrap().summary.id, id);
    let reload = call(store.path(), &Reload { dry_run: false }).await;
    let why = reload.unwrap().unwrap().unwrap_err();
    assert_eq!(why.code, Code::RelayStopping);
    assert!(why.to_string().contains("the relay is stopping"), "{why}");

    let mut stream = BufReader::new(UnixStream::connect(&path).await.unwrap());
    let mut lines = String::new();
    for request in [
        "nonsense",
        r#"{"operation":"queue-list","request":{"limit":1}}"#,
        r#"{"operation":"queue-burn"}"#,
        r#"{"operation":"queue-list","request":{"limit":"many"}}"#,
        r#"{"operation":"queue-list","request":{"limit":"many"},"version":"9.9"}"#,
    ] {
        let line = format!("{request}\n");
        stream.write_all(line.as_bytes()).await.unwrap();
        stream.read_line(&mut lines).await.unwrap();
    }
    let lines: Vec<_> = lines.lines().collect();
    assert!(lines[0].contains("not a request"), "{lines:?}");
    assert!(lines[1].contains(&id.to_string()), "{lines:?}");
    assert!(lines[2].contains("request.unknown-operation"), "{lines:?}");
    assert!(lines[3].contains("request.not-understood"), "{lines:?}");
    // A command of another version, which asks for what this relay does not know.
    assert!(lines[4].contains("request.other-version"), "{lines:?}");
    for said in ["version 9.9", "restart the relay"] {
        assert!(lines[4].contains(said), "{lines:?}");
    }

    stop.send(()).unwrap();
    serving.await.unwrap();
    assert!(!path.exists());
}

#[tokio::test]
async fn a_store_is_opened_by_one_process_and_not_created_by_reading() {
    let store = Store::new();
    let runtime = store.open();
    assert!(matches!(
        Runtime::open(&store.config),
        Err(OpenError::Mute(_))
    ));
    drop(runtime);
    store.open();

    let mut elsewhere = store.config.clone();
    elsewhere.relay.store = store.path().join("elsewhere");
    assert!(matches!(
        Runtime::open(&elsewhere),
        Err(OpenError::NoStore(_))
    ));
    assert!(!elsewhere.relay.store.exists());
}
