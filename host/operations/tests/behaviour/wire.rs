//! Requests and answers are read from the socket as they were written.

use std::fmt::Debug;
use std::time::Duration;

use gatepost_connections::{ConnectionDraft, Period, Secret};
use gatepost_directory::{
    AccountId, AccountKind, ConnectorKind, ImportId, ListChange, PartnerEntry, Protocol,
    QueuedMail, UserName,
};
use gatepost_message::{Address, Millis, TransactionId};
use gatepost_model::{DestinationKey, Event, EventName, NoticeSubject, StoredEvent};
use gatepost_operations::accounts::{
    AddAccount, ChangeAccount, ListAccounts, RemoveAccount, SetDefaultAddress, SetPolicy,
};
use gatepost_operations::addresses::{AddAddress, ShowAddress};
use gatepost_operations::administrators::{
    AddAdministrator, ListAdministrators, RemoveAdministrator, SetAdministratorLanguage,
    ShownAdministrator, VerifyAdministrator,
};
use gatepost_operations::audit::ListAudit;
use gatepost_operations::authorizations::{
    AuthorizationProgress, AuthorizeConnection, AwaitAuthorization,
};
use gatepost_operations::connections::{GivenSecret, SetConnection};
use gatepost_operations::connectors::{
    AddConnector, CountHeaders, ListConnectors, RemoveConnector, SetConnectorKind, SetForwarders,
};
use gatepost_operations::credentials::{
    IssueInbound, IssueSubmission, Rekey, Rekeyed, RemoveCredential, RetireCredential,
    RotateCredential,
};
use gatepost_operations::disconnections::{DisconnectConnector, ReconnectConnector};
use gatepost_operations::erasures::{
    AwaitErasure, EraseAccount, ErasedAccount, ErasureStage, ErasureState,
};
use gatepost_operations::events::{EventsAnswer, ReadEvents};
use gatepost_operations::feeds::{FetchFeed, SetFeed};
use gatepost_operations::imports::{AbandonImport, AddToImport, BeginImport, FinishImport};
use gatepost_operations::machines::{ForgetMachine, ListMachines};
use gatepost_operations::partners::{AddPartner, Added, ListEntries, RemovePartner, Removed};
use gatepost_operations::policies::{
    ActivateConfigured, ActivateModule, ListPolicies, PolicyStatus, RollBack,
};
use gatepost_operations::policy_history::{FormerVersion, ShowHistory};
use gatepost_operations::quarantine::{
    DeleteQuarantined, ListQuarantine, ReleaseQuarantined, ShowQuarantined,
};
use gatepost_operations::queue::{
    CancelRecipients, HoldRecipients, ListDestinations, ListQueue, ReleaseRecipients,
    ResendMessage, RetryRecipients, SelectedRecipients, ShowQueued,
};
use gatepost_operations::reload::Reload;
use gatepost_operations::sandboxes::{
    AddTestUser, ListTestUsers, RemoveTestUser, SetProduction, SetSandbox, TestUser,
};
use gatepost_operations::sharing::{AddAgreement, ListAgreements};
use gatepost_operations::switching::SetCredential;
use gatepost_operations::trace::{FindMessages, ShowTrace};
use gatepost_operations::{Code, NAMES, NamedConnector, Operation, OperationError};
use gatepost_policy::OnError;
use gatepost_policy_set::history::{ActivatedBy, ActivatedVersion};
use gatepost_policy_set::{Swap, SwapOutcome};
use gatepost_spool::{Changed, DestinationSummary, Pace, Status};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Asserts that a value is equal after its way over the socket.
fn stays<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T) {
    let line = serde_json::to_string(&value).unwrap();
    assert!(!line.contains('\n'), "one line: {line}");
    assert_eq!(serde_json::from_str::<T>(&line).unwrap(), value, "{line}");
}

/// Asserts that a request of an operation, and an answer to it, are equal after their way.
fn stay<O: Operation + PartialEq + Debug>(request: O, answer: O::Answer)
where
    O::Answer: PartialEq + Debug,
{
    assert!(NAMES.contains(&O::NAME), "{}", O::NAME);
    stays(request);
    stays(answer);
}

#[test]
fn authorizations_are_read_back_as_they_were() {
    let request = AuthorizeConnection {
        account: Some("acme".to_owned()),
        name: "outlook".parse().unwrap(),
    };
    let waiting = AuthorizationProgress::Waiting {
        id: 7,
        page: "https://login.example/device".to_owned(),
        code: "WDJB-MJHT".to_owned(),
        until: Millis(1_800_000_000_000),
    };
    stay(request, waiting);
    for expires in [None, Some(Millis(1_800_000_000_000))] {
        let ended = AuthorizationProgress::Authorized { expires };
        stay(AwaitAuthorization { id: 7 }, ended);
    }
}

#[test]
fn queue_and_quarantine_are_read_back_as_they_were() {
    let id = TransactionId::new();
    let account = || Some("acme".to_owned());
    let recipient = || Some("desk.example".to_owned());
    let list = ListQueue {
        account: account(),
        recipient: recipient(),
        destination: Some(DestinationKey::new("mx:b.example")),
        after: Some(TransactionId::new()),
        limit: 7,
        status: Some(Status::Held),
        failed: true,
        cause: Some("4.7.1".to_owned()),
    };
    stay(list, Vec::new());
    let summary = DestinationSummary {
        destination: Some(DestinationKey::new("mx:b.example")),
        recipients: 3,
        messages: 2,
        in_hand: 1,
        oldest: Some(Millis(1)),
        next_attempt: Some(Millis(2)),
        last_reply: None,
        pace: Pace::default(),
    };
    stay(ListDestinations { limit: 7 }, vec![summary]);
    stays(ShowQueued { id });
    let resend = ResendMessage {
        id,
        recipient: recipient(),
    };
    let resent = Changed {
        changed: 1,
        in_progress: 0,
    };
    stay(resend, resent);
    let read = ReadEvents {
        after: 7,
        account: account(),
        kinds: vec![EventName::Failed],
        transaction: Some(id),
        limit: 8,
        wait: true,
    };
    let notice = NoticeSubject::Cap;
    let event = StoredEvent {
        seq: 9,
        event: Event::notice(account(), notice, "text".to_owned(), Millis(1)),
    };
    let answer = EventsAnswer {
        events: vec![event],
        next: 9,
        more: true,
        running: true,
    };
    stay(read, answer);
    let recipients = SelectedRecipients {
        ids: vec![id, TransactionId::new()],
        recipient: Some("a@desk.example".to_owned()),
        destination: Some(DestinationKey::new("mx:b.example")),
        ..SelectedRecipients::default()
    };
    let all = SelectedRecipients {
        all: true,
        ..SelectedRecipients::default()
    };
    let changed = Changed {
        changed: 3,
        in_progress: 1,
    };
    for recipients in [recipients, all] {
        let chosen = || recipients.clone();
        let recipients = chosen();
        stay(RetryRecipients { recipients }, changed);
        let recipients = chosen();
        stay(CancelRecipients { recipients }, changed);
        let recipients = chosen();
        stay(HoldRecipients { recipients }, changed);
        let recipients = chosen();
        stay(ReleaseRecipients { recipients }, changed);
    }
    let list = ListQuarantine {
        account: account(),
        recipient: recipient(),
        after: Some(id),
        limit: 7,
        cause: Some("odd".to_owned()),
    };
    stay(list, Vec::new());
    stays(ShowQuarantined { id });
    stay(ReleaseQuarantined { id }, ());
    stay(DeleteQuarantined { id }, ());
}

#[test]
fn policies_machines_trace_and_reload_are_read_back_as_they_were() {
    let policy = || "loop-guard".to_owned();
    let status = PolicyStatus {
        refused: Some("not WebAssembly".to_owned()),
        policy: policy(),
        digest: "ab".to_owned(),
        previous: None,
        hooks: vec!["message".to_owned()],
        on_error: OnError::Tempfail,
        called: true,
        accounts_not_called: 3,
        loaded_at: Millis(2),
        active_since: Millis(1),
        configured: Some("cd".to_owned()),
        candidate: Some("ef".to_owned()),
    };
    let swap = || Swap {
        policy: policy(),
        outcome: SwapOutcome::Activated,
        old: "ab".to_owned(),
        new: "cd".to_owned(),
        active_since: Millis(2),
        configured: true,
        rolled_back_before: Some(Millis(1)),
        candidate: Some("ef".to_owned()),
    };
    stay(ListPolicies {}, vec![status]);
    let module = ActivateModule {
        policy: policy(),
        module: (0..=255).collect(),
        source: Some("guest.wasm".to_owned()),
    };
    stay(module, swap());
    let to = Some("ab".to_owned());
    stay(ActivateConfigured { policy: policy() }, swap());
    stay(
        RollBack {
            policy: policy(),
            to,
        },
        swap(),
    );
    let version = FormerVersion {
        version: ActivatedVersion {
            digest: "ab".to_owned(),
            module: "cd".to_owned(),
            size: 7,
            at: Millis(1),
            by: ActivatedBy::new("root", "socket", "guest.wasm"),
            reason: Some("17 of 64 verdicts changed".to_owned()),
        },
        active: true,
        configured: false,
    };
    stay(ShowHistory { policy: policy() }, vec![version]);
    stays(Reload { dry_run: true });
    let id = TransactionId::new();
    stay(ShowTrace { id }, Vec::new());
    stays(FindMessages {
        sender: Some("ann@a.example".to_owned()),
        since: Some(Millis(1)),
        ..FindMessages::default()
    });
    stay(ListMachines { account: None }, Vec::new());
    let forget = ForgetMachine {
        account: "acme".to_owned(),
        address: "a@desk.example".to_owned(),
    };
    stay(forget, ());
}

#[test]
fn directory_is_read_back_as_it_was() {
    let account = || "acme.desk.example".to_owned();
    let address = || "help@acme.desk.example".parse::<Address>().unwrap();
    let user_name = || UserName::new("in-a");
    let id = format!("{:032x}", 7);
    let connector = || id.parse::<NamedConnector>().unwrap();
    stays(AddAccount {
        kind: AccountKind::Sandbox,
        product: "Acme Desk".parse().unwrap(),
        time_zone: "Europe/Berlin".parse().unwrap(),
        native_domain: "acme.desk.example".parse().unwrap(),
        brands: vec!["Acme".parse().unwrap()],
        test_users: vec![address()],
        maildir: Some("sandbox".parse().unwrap()),
    });
    stays(SetSandbox {
        account: account(),
        maildir: Some("sandbox".parse().unwrap()),
    });
    stays(SetProduction { account: account() });
    stays(AddTestUser {
        account: account(),
        address: address(),
    });
    let users = TestUser {
        account: account(),
        address: address(),
    };
    stay(ListTestUsers { account: account() }, vec![users]);
    let user = RemoveTestUser {
        account: account(),
        address: address(),
    };
    stay(user, ());
    stay(ListAccounts {}, Vec::new());
    let set = SetPolicy {
        account: account(),
        policy: "loop-guard".to_owned(),
        settings: serde_json::from_str(r#"{"mode":"enhanced"}"#).unwrap(),
    };
    stays(set);
    for address in [None, Some("help@acme.desk.example".parse().unwrap())] {
        stays(SetDefaultAddress {
            account: account(),
            brand: Some("Acme".parse().unwrap()),
            address,
        });
    }
    for product in [None, Some("Acme".parse().unwrap())] {
        stays(ChangeAccount {
            account: account(),
            product,
            time_zone: None,
            add_brands: vec!["Shop".parse().unwrap()],
            remove_brands: Vec::new(),
        });
    }
    stay(RemoveAccount { account: account() }, ());
    stays(AddConnector {
        account: account(),
        domain: "acme.example".parse().unwrap(),
        name: None,
        kind: ConnectorKind::TwoWay,
        protocol: Protocol::Plain,
    });
    stay(ListConnectors { account: None }, Vec::new());
    stays(SetConnectorKind {
        connector: "acme.example".parse().unwrap(),
        kind: ConnectorKind::Forwarded,
    });
    stays(SetForwarders {
        connector: connector(),
        networks: vec!["192.0.2.0/24".parse().unwrap()],
        dkim_domains: vec!["a.example".parse().unwrap()],
        arc_sealers: vec!["b.example".parse().unwrap()],
    });
    let settings = ConnectionDraft {
        port: Some(587),
        password: Some(GivenSecret::new(&Secret::new(
            "a secret is not masked on its way in",
        ))),
        serves: Some(vec!["@acme.example".parse().unwrap()]),
        expiry: Some(Period::seconds(90_000)),
        ..ConnectionDraft::default()
    };
    let set = SetConnection {
        account: account(),
        name: "outlook".parse().unwrap(),
        settings,
    };
    assert!(!format!("{set:?}").contains("a secret"));
    stays(set);
    let domain = "acme.example".parse().unwrap();
    stay(CountHeaders { domain }, Vec::new());
    let remove = RemoveConnector {
        connector: connector(),
    };
    stay(remove, ());
    stays(AddAddress {
        brand: None,
        account: account(),
        address: address(),
    });
    let show = ShowAddress {
        account: Some("acme".to_owned()),
        address: address(),
    };
    stay(show, Vec::new());
    let alias = true;
    stays(IssueInbound {
        connector: connector(),
        alias,
    });
    let account = account();
    stays(IssueSubmission { account, alias });
    let user_name = user_name();
    let force = true;
    stays(RetireCredential {
        user_name: user_name.clone(),
        force,
    });
    stay(RemoveCredential { user_name }, ());
    stays(RotateCredential {
        credential: "in-a".to_owned(),
    });
    stays(DisconnectConnector {
        connector: Some(connector()),
        address: Some("help@acme.example".parse().unwrap()),
        account: None,
        queued: QueuedMail::Reroute,
    });
    stays(ReconnectConnector {
        account: Some("acme.desk.example".to_owned()),
        ..ReconnectConnector::default()
    });
    let by_hand = format!("{{\"connector\":\"{id}\"}}");
    let disconnect: DisconnectConnector = serde_json::from_str(&by_hand).unwrap();
    assert_eq!(disconnect.queued, QueuedMail::Hold);
    let set = SetCredential {
        account: "acme.desk.example".to_owned(),
        names: vec!["outlook".parse().unwrap()],
        user: None,
        password: GivenSecret::new(&Secret::new("a secret is not masked")),
    };
    assert!(!format!("{set:?}").contains("a secret"));
    stays(set);
    stay(ListAudit::default(), Vec::new());
    stay(Rekey {}, Rekeyed { rekeyed: 3 });
}

#[test]
fn administrators_are_read_back_as_they_were() {
    let account = || "acme.desk.example".to_owned();
    let address = || "ann@acme.example".parse::<Address>().unwrap();
    let shown = |verified| ShownAdministrator {
        account: serde_json::from_str::<AccountId>(&format!("\"{:032x}\"", 7)).unwrap(),
        address: address(),
        name: Some("Ann".parse().unwrap()),
        language: "pt".to_owned(),
        added: Millis(1),
        verified,
        code_until: Some(Millis(2)),
    };
    let add = AddAdministrator {
        account: account(),
        address: address(),
        name: Some("Ann".parse().unwrap()),
        language: "pt".to_owned(),
    };
    stay(add, shown(None));
    stay(ListAdministrators { account: account() }, vec![shown(None)]);
    for code in [None, Some("abcd-efgh-jkmn".to_owned())] {
        let verify = VerifyAdministrator {
            account: account(),
            address: address(),
            code,
        };
        stay(verify, shown(Some(Millis(3))));
    }
    let set = SetAdministratorLanguage {
        account: account(),
        address: address(),
        language: "en".to_owned(),
    };
    stay(set, shown(None));
    let remove = RemoveAdministrator {
        account: account(),
        address: address(),
    };
    stay(remove, ());
}

#[test]
fn erasures_are_read_back_as_they_were() {
    let account = serde_json::from_str::<AccountId>(&format!("\"{:032x}\"", 7)).unwrap();
    let erased = ErasedAccount {
        trace: 7,
        ..ErasedAccount::default()
    };
    let running = ErasureState::Running {
        account,
        stage: ErasureStage::Attempts,
        erased,
    };
    stay(EraseAccount { account }, running);
    let complete = ErasureState::Complete { account, erased };
    stay(AwaitErasure { account }, complete);
}

#[test]
fn partners_are_read_back_as_they_were() {
    let account = || "acme.desk.example".to_owned();
    let partner = || "partner.example".to_owned();
    let url = || "https://partner.example/list".to_owned();
    let entry = || "help@partner.example".parse::<PartnerEntry>().unwrap();
    let import: ImportId = serde_json::from_str("7").unwrap();
    let change = || ListChange {
        added: 1,
        removed: 2,
        entries: 3,
    };
    stays(AddAgreement {
        account: account(),
        partner: partner(),
    });
    let account = account();
    let list = Some(account.clone());
    stay(ListAgreements { account: list }, Vec::new());
    let add = AddPartner {
        account: account.clone(),
        entry: entry(),
    };
    stay(add, Added { added: true });
    let remove = RemovePartner {
        account: account.clone(),
        entry: entry(),
    };
    stay(remove, Removed { removed: 1 });
    let entries = ListEntries {
        list: 1,
        after: None,
        limit: 7,
    };
    stay(entries, vec![entry()]);
    let begin = BeginImport {
        account: account.clone(),
    };
    stay(begin, import);
    let entries = vec![entry()];
    stay(AddToImport { import, entries }, ());
    let finish = FinishImport {
        import,
        account: account.clone(),
        name: "friends".to_owned(),
        replace: true,
    };
    stay(finish, change());
    stay(AbandonImport { import }, ());
    stays(SetFeed {
        account: account.clone(),
        url: url(),
        every: Duration::from_secs(90),
        domains: true,
    });
    let url = url();
    stay(FetchFeed { account, url }, change());
}

#[test]
fn a_request_is_easy_to_write_by_hand() {
    let request: ListQueue = serde_json::from_str(r#"{"limit":10}"#).unwrap();
    assert_eq!((request.limit, request.status), (10, None));
    let request: CancelRecipients = serde_json::from_str(r#"{"account":"acme"}"#).unwrap();
    assert_eq!(request.recipients.account.as_deref(), Some("acme"));
}

/// A misspelt criterion would leave a selection wider than it was meant.
#[test]
fn a_selection_with_an_unknown_criterion_is_refused() {
    let text = r#"{"account":"acme","recipent":"a@desk.example"}"#;
    let cancel = serde_json::from_str::<CancelRecipients>(text).map(|_| ());
    let list = serde_json::from_str::<ListQueue>(text).map(|_| ());
    let listed = serde_json::from_str::<ListQuarantine>(text).map(|_| ());
    for read in [cancel, list, listed] {
        let error = read.unwrap_err().to_string();
        assert!(error.contains("recipent"), "{error}");
    }
}

#[test]
fn an_error_keeps_code_and_message_and_says_its_kind() {
    for code in Code::ALL {
        let error = OperationError::new(*code, "it is so");
        let json = serde_json::to_value(&error).unwrap();
        assert_eq!(json["code"], code.word());
        assert_eq!(json["kind"], code.kind().word());
        assert_eq!(json["what-to-do"], code.what_to_do());
        stays(error);
    }
}
