//! Requests and responses are read from the socket as they were written.

#![allow(clippy::unwrap_used)]

use gatepost_directory::{AccountKind, Profile, UserName};
use gatepost_message::{Millis, TransactionId};
use gatepost_operations::{
    Action, Choice, DirectoryRequest, DirectoryResponse, Listing, PolicyStatus, Request, Response,
};
use gatepost_policy::OnError;
use gatepost_policy_set::Swap;
use gatepost_spool::{Changed, Status};

fn listing() -> Listing {
    Listing {
        account: Some("acme".to_owned()),
        recipient: Some("desk.example".to_owned()),
        status: Some(Status::Held),
        after: Some(TransactionId::new()),
        limit: 7,
    }
}

#[test]
fn every_request_is_read_back_as_it_was() {
    let id = TransactionId::new();
    let choice = Choice {
        ids: vec![id, TransactionId::new()],
        account: None,
        recipient: Some("a@desk.example".to_owned()),
    };
    let requests = [
        Request::QueueList(listing()),
        Request::QueueShow { id },
        Request::QueueChange {
            action: Action::Retry,
            choice: choice.clone(),
        },
        Request::QueueChange {
            action: Action::Cancel,
            choice: Choice::default(),
        },
        Request::QueueChange {
            action: Action::Hold,
            choice: choice.clone(),
        },
        Request::QueueChange {
            action: Action::Release,
            choice,
        },
        Request::QuarantineList(listing()),
        Request::QuarantineShow { id },
        Request::QuarantineRelease { id },
        Request::QuarantineDelete { id },
        Request::PolicyList,
        Request::PolicyActivate {
            policy: "loop-guard".to_owned(),
            module: (0..=255).collect(),
        },
        Request::PolicyRollback {
            policy: "loop-guard".to_owned(),
        },
        Request::Trace { id },
        Request::Directory(Box::new(DirectoryRequest::AccountAdd(Profile {
            kind: AccountKind::Sandbox,
            product: "Acme Desk".parse().unwrap(),
            time_zone: "Europe/Berlin".parse().unwrap(),
            native_domain: "acme.desk.example".parse().unwrap(),
            brands: vec!["Acme".parse().unwrap()],
        }))),
        Request::Directory(Box::new(DirectoryRequest::CredentialRevoke {
            user_name: UserName::new("in-a"),
        })),
    ];
    for request in requests {
        let line = serde_json::to_string(&request).unwrap();
        assert!(!line.contains('\n'), "one line: {line}");
        assert_eq!(
            serde_json::from_str::<Request>(&line).unwrap(),
            request,
            "{line}"
        );
    }
}

#[test]
fn a_request_is_easy_to_write_by_hand() {
    let request: Request = serde_json::from_str(r#"{"request":"queue-list","limit":10}"#).unwrap();
    let Request::QueueList(listing) = request else {
        panic!("{request:?}");
    };
    assert_eq!((listing.limit, listing.status), (10, None));
}

#[test]
fn responses_are_read_back_as_they_were() {
    let responses = [
        Response::Messages(Vec::new()),
        Response::Changed(Changed {
            changed: 3,
            in_progress: 1,
        }),
        Response::Done,
        Response::Unknown,
        Response::Policies(vec![PolicyStatus {
            refused: Some("not WebAssembly".to_owned()),
            policy: "loop-guard".to_owned(),
            digest: "ab".to_owned(),
            previous: None,
            hooks: vec!["message".to_owned()],
            on_error: OnError::Tempfail,
            called: true,
            accounts_not_called: 3,
            loaded_at: Millis(1),
        }]),
        Response::Swapped(Swap {
            policy: "loop-guard".to_owned(),
            old: "ab".to_owned(),
            new: "cd".to_owned(),
        }),
        Response::Events(Vec::new()),
        Response::Directory(DirectoryResponse::Rekeyed(3)),
        Response::Starting("opening its store".to_owned()),
        Response::Failed("no relay is running".to_owned()),
    ];
    for response in responses {
        let line = serde_json::to_string(&response).unwrap();
        assert_eq!(
            serde_json::from_str::<Response>(&line).unwrap(),
            response,
            "{line}"
        );
    }
}
