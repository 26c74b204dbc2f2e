//! Helpers: a directory in a folder of its own.

#![allow(clippy::unwrap_used, dead_code)] // clippy.toml lets tests unwrap, not their helpers

use std::path::Path;

use gatepost_connections::{
    Connection, ConnectionDraft, ConnectionName, DraftProblem, Profiles, Secret,
};
use gatepost_directory::{
    Account, AccountId, AccountKind, Claim, Connector, ConnectorKind, Directory, Limits, Profile,
    Protocol, Settings,
};
use gatepost_message::{Address, Separators};

pub fn settings(folder: &Path) -> Settings {
    Settings {
        path: folder.join("directory.db"),
        key_ring: folder.join("key-ring"),
        limits: Limits::default(),
        separators: Separators::default(),
    }
}

pub fn open(folder: &Path) -> Directory {
    Directory::open(&settings(folder)).unwrap()
}

pub fn profile(kind: AccountKind, native: &str) -> Profile {
    Profile {
        kind,
        product: "Acme Desk".parse().unwrap(),
        time_zone: "Europe/Berlin".parse().unwrap(),
        native_domain: native.parse().unwrap(),
        brands: vec!["Acme".parse().unwrap()],
    }
}

pub fn production(directory: &Directory, native: &str) -> Account {
    directory
        .add_account(profile(AccountKind::Production, native))
        .unwrap()
}

pub fn claim(account: AccountId, domain: &str) -> Claim {
    Claim {
        account,
        name: "mail".parse().unwrap(),
        domain: domain.parse().unwrap(),
        kind: ConnectorKind::TwoWay,
        protocol: Protocol::Plain,
    }
}

pub fn verified(directory: &Directory, account: AccountId, domain: &str) -> Connector {
    let connector = directory.add_connector(claim(account, domain)).unwrap();
    directory.verify_connector(connector.id).unwrap()
}

pub fn address(text: &str) -> Address {
    text.parse().unwrap()
}

/// Password of every connection of the tests.
pub const PASSWORD: &str = "correct horse battery staple";

/// A connection to Microsoft 365 that serves these senders.
pub fn connection(name: &ConnectionName, serves: &[&str]) -> Result<Connection, Vec<DraftProblem>> {
    let draft = ConnectionDraft {
        user: Some("ann@acme.example".to_owned()),
        password: Some(Secret::new(PASSWORD)),
        serves: Some(
            serves
                .iter()
                .map(|sender| sender.parse().unwrap())
                .collect(),
        ),
        ..ConnectionDraft::default()
    };
    draft.complete(
        name.clone(),
        Profiles::built_in().get("microsoft-365").unwrap(),
    )
}
