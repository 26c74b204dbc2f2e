//! Helpers: a directory in a folder of its own.

#![allow(clippy::unwrap_used, dead_code)] // clippy.toml lets tests unwrap, not their helpers

use std::path::Path;

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
