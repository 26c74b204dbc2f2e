//! Each refusal of the directory has a code of its own, and operations leave the text as it is.

use std::sync::Arc;
use std::time::Duration;

use gatepost_directory::{
    AccountKind, Connector, ConnectorId, ConnectorKind, Directory, Protocol, QueuedMail, Refusal,
    UserName,
};
use gatepost_message::Millis;
use gatepost_operations::accounts::{self, AddAccount, RemoveAccount, ShowAccount};
use gatepost_operations::addresses::{self, AddAddress, RemoveAddress, ShowAddress};
use gatepost_operations::connectors::{
    self, AddConnector, RemoveConnector, ShowConnector, VouchConnector,
};
use gatepost_operations::credentials::{self, IssueInbound, IssueSubmission, ListCredentials};
use gatepost_operations::feeds::{self, SetFeed};
use gatepost_operations::imports::{self, BeginImport, FinishImport, RemoveImport};
use gatepost_operations::partners::{self, AddPartner, RemovePartner};
use gatepost_operations::sharing::{self, AddAgreement, RemoveAgreement};
use gatepost_operations::{Code, OperationError};
use tempfile::TempDir;

const A: &str = "a.desk.example";
const B: &str = "b.desk.example";

/// Opens a directory with two accounts: one for production, and a sandbox.
async fn two_accounts() -> (TempDir, Arc<Directory>) {
    let store = tempfile::tempdir().unwrap();
    let settings = gatepost_config::Directory::default().settings(store.path());
    let directory = Arc::new(Directory::open(&settings).unwrap());
    for (domain, kind) in [(A, AccountKind::Production), (B, AccountKind::Sandbox)] {
        add_account(&directory, domain, kind).await.unwrap();
    }
    (store, directory)
}

async fn add_account(
    directory: &Arc<Directory>,
    domain: &str,
    kind: AccountKind,
) -> Result<(), OperationError> {
    let add = AddAccount {
        native_domain: domain.parse().unwrap(),
        product: "Desk".parse().unwrap(),
        kind,
        time_zone: "UTC".parse().unwrap(),
        brands: Vec::new(),
        test_users: Vec::new(),
        maildir: None,
    };
    accounts::add(directory, add).await.map(drop)
}

async fn connect(
    directory: &Arc<Directory>,
    account: &str,
    domain: &str,
    kind: ConnectorKind,
) -> Result<Connector, OperationError> {
    let add = AddConnector {
        account: account.to_owned(),
        domain: domain.parse().unwrap(),
        name: None,
        kind,
        protocol: Protocol::Plain,
    };
    connectors::add(directory, add).await
}

/// Asserts that an operation failed with this code.
fn fails<T: std::fmt::Debug>(answer: Result<T, OperationError>, code: Code) {
    assert_eq!(answer.unwrap_err().code, code);
}

fn account(domain: &str) -> String {
    domain.to_owned()
}

#[tokio::test]
async fn accounts_connectors_and_addresses_are_refused_with_codes() {
    let (_store, directory) = two_accounts().await;
    let directory = &directory;
    let again = add_account(directory, A, AccountKind::Production).await;
    fails(again, Code::DomainTaken);
    let show = ShowAccount {
        account: account("nobody.example"),
    };
    fails(accounts::show(directory, show), Code::UnknownAccount);

    let two_way = ConnectorKind::TwoWay;
    let connector = connect(directory, A, "a.example", two_way).await.unwrap();
    assert_eq!(connector.claim.name.as_str(), "a.example");
    let account_of_a = connector.claim.account;
    let connector = connector.id;
    let again = connect(directory, A, "a.example", two_way).await;
    fails(again, Code::DomainConnected);
    let disconnected = directory.disconnect_connector(connector, QueuedMail::Hold);
    fails(
        disconnected.map_err(OperationError::from),
        Code::NotVerified,
    );
    let vouch = |connector: ConnectorId, outbound| VouchConnector {
        connector: connector.into(),
        outbound,
        withdraw_outbound: false,
    };
    let vouched = connectors::vouch(directory, vouch(connector, false)).await;
    assert_eq!(vouched.unwrap().details.outbound_vouched, None);
    let vouched = connectors::vouch(directory, vouch(connector, true)).await;
    assert!(vouched.unwrap().details.outbound_vouched.is_some());
    // Another account may claim the domain, but not have it; least of all a sandbox.
    let claim = connect(directory, B, "a.example", two_way).await.unwrap();
    for outbound in [false, true] {
        let taken = connectors::vouch(directory, vouch(claim.id, outbound)).await;
        fails(taken, Code::DomainInOtherKind);
    }

    let add = |of: &str, address: &str| {
        let add = AddAddress {
            account: account(of),
            brand: None,
            address: address.parse().unwrap(),
        };
        addresses::add(directory, add)
    };
    add(A, "help@a.example").await.unwrap();
    fails(add(A, "help@a.example").await, Code::AddressTaken);
    fails(add(A, "help@other.example").await, Code::ForeignAddress);
    let show = ShowAddress {
        account: None,
        address: "absent@a.example".parse().unwrap(),
    };
    let shown = addresses::show(directory, show).await;
    fails(shown, Code::UnknownAddress);
    // Two accounts have the domain: it names neither connector, and the ids are listed.
    let by_domain = || ShowConnector {
        connector: "A.example.".parse().unwrap(),
    };
    let several = connectors::show(directory, by_domain()).unwrap_err();
    assert_eq!(several.code, Code::DomainClaimedBySeveral);
    for id in [connector, claim.id] {
        assert!(several.message.contains(&id.to_string()), "{several}");
    }
    let remove = RemoveConnector {
        connector: connector.into(),
    };
    let removed = connectors::remove(directory, remove.clone()).await;
    let refused = removed.as_ref().unwrap_err().to_string();
    let command = format!("`gatepost address remove --account {}", account_of_a);
    assert!(refused.contains(&command), "{refused}");
    assert!(refused.contains(" help@a.example`"), "{refused}");
    fails(removed, Code::NotEmpty);
    let address = RemoveAddress {
        account: account(A),
        address: "help@a.example".parse().unwrap(),
    };
    addresses::remove(directory, address).await.unwrap();
    connectors::remove(directory, remove.clone()).await.unwrap();
    let removed = connectors::remove(directory, remove).await;
    fails(removed, Code::UnknownConnector);
    let show = ShowConnector {
        connector: connector.into(),
    };
    fails(connectors::show(directory, show), Code::UnknownConnector);
    let shown = connectors::show(directory, by_domain()).unwrap();
    assert_eq!(shown.connector.id, claim.id);
    let remove = || {
        accounts::remove(
            directory,
            RemoveAccount {
                account: account(B),
            },
        )
    };
    fails(remove().await, Code::NotEmpty);
    let connector = claim.id;
    let remove_claim = RemoveConnector {
        connector: connector.into(),
    };
    let removed = connectors::remove(directory, remove_claim).await;
    assert_eq!(removed, Ok(()));
    assert_eq!(remove().await, Ok(()));
    fails(remove().await, Code::UnknownAccount);
}

#[tokio::test]
async fn credentials_are_refused_with_codes() {
    let (_store, directory) = two_accounts().await;
    let directory = &directory;
    let outbound = ConnectorKind::OutboundOnly;
    let outbound = connect(directory, A, "a.example", outbound).await.unwrap();
    let inbound = IssueInbound {
        connector: outbound.id.into(),
        alias: false,
    };
    let issued = credentials::issue_inbound(directory, inbound).await;
    fails(issued, Code::NotTwoWay);
    let issue = |alias| {
        let account = account(A);
        credentials::issue_submission(directory, IssueSubmission { account, alias })
    };
    let user_name = issue(true).await.unwrap().credential.user_name;
    fails(issue(true).await, Code::AliasTaken);
    issue(false).await.unwrap();
    fails(issue(false).await, Code::TooManyCredentials);
    let rotated = directory.rotate(&user_name).map_err(OperationError::from);
    fails(rotated, Code::TooManyCredentials);
    directory.record_use(&user_name, None, Millis::now());
    let retired = directory.retire(&user_name, false);
    let retired = retired.map_err(OperationError::from);
    fails(retired, Code::CredentialInUse);
    directory.cancel(&user_name).unwrap();
    let rotated = directory.rotate(&user_name).map_err(OperationError::from);
    fails(rotated, Code::CredentialEnded);
    let list = ListCredentials { account: None };
    let listed = credentials::list(directory, list).await.unwrap();
    let cancelled = listed.iter().filter(|listed| listed.ended.is_some());
    assert_eq!((listed.len(), cancelled.count()), (2, 1));
    let nobody = directory.cancel(&UserName::new("nobody"));
    fails(
        nobody.map_err(OperationError::from),
        Code::UnknownCredential,
    );
    let left = listed.iter().find(|listed| listed.ended.is_none()).unwrap();
    directory.rotate(&left.user_name).unwrap();
    let again = directory.rotate(&left.user_name);
    fails(again.map_err(OperationError::from), Code::RotationUnderWay);
}

#[tokio::test]
async fn partners_are_refused_with_codes() {
    let (_store, directory) = two_accounts().await;
    let directory = &directory;
    let share = |partner: &str| {
        let account = account(A);
        let partner = partner.to_owned();
        sharing::add(directory, AddAgreement { account, partner })
    };
    fails(share(A).await, Code::SharesWithItself);
    share(B).await.unwrap();
    fails(share(B).await, Code::Shares);
    let end = RemoveAgreement {
        account: account(A),
        partner: account(B),
    };
    sharing::remove(directory, end.clone()).await.unwrap();
    fails(sharing::remove(directory, end).await, Code::SharesNot);

    let entry = |text: &str| AddPartner {
        account: account(A),
        entry: text.parse().unwrap(),
    };
    let own = partners::add(directory, entry("@a.desk.example")).await;
    fails(own, Code::OwnAddress);
    for new in [true, false] {
        let added = partners::add(directory, entry("help@p.example")).await;
        assert_eq!(added.unwrap().added, new);
    }
    let remove = RemovePartner {
        account: account(A),
        entry: "other@p.example".parse().unwrap(),
    };
    let removed = partners::remove(directory, remove).await;
    fails(removed, Code::UnknownPartner);

    let begin = |of: &str| {
        imports::begin(
            directory,
            BeginImport {
                account: account(of),
            },
        )
    };
    fails(begin("nobody.example").await, Code::UnknownAccount);
    let finish = FinishImport {
        import: begin(A).await.unwrap(),
        account: account(A),
        name: "friends".to_owned(),
        replace: false,
    };
    imports::finish(directory, finish.clone()).await.unwrap();
    let finished = imports::finish(directory, finish).await;
    fails(finished, Code::UnknownImport);
    let remove = RemoveImport {
        account: account(A),
        name: "absent".to_owned(),
    };
    let removed = imports::remove(directory, remove).await;
    fails(removed, Code::UnknownPartnerList);

    let feed = |url: &str, seconds| {
        let set = SetFeed {
            account: account(A),
            url: url.to_owned(),
            every: Duration::from_secs(seconds),
            domains: false,
        };
        feeds::set(directory, set)
    };
    feed("https://p.example/list", 60).await.unwrap();
    fails(feed("http://p.example/list", 60).await, Code::FeedUrl);
    let often = feed("https://p.example/list", 59).await;
    fails(often, Code::FeedInterval);
}

#[test]
fn an_error_says_what_the_refusal_says() {
    let refusal = Refusal::Unknown {
        what: "account",
        name: "nobody".to_owned(),
    };
    let error = OperationError::from(refusal.clone());
    assert_eq!(error.to_string(), refusal.to_string());
}
