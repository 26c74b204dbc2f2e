//! Measures what a change of a large directory costs: 100,000 support addresses in 10,000 accounts
//! with a credential each, in SQLite on disk. Prints the milliseconds of each sample as JSON.
//! Beside them stand those of a synced write of a page to a file of its own: each commit waits for
//! one.
//!
//! `change_cost [FOLDER [SAMPLES]]` fills the folder, unless there is a directory in it.

#![allow(clippy::unwrap_used)] // what is measured is known

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatepost_directory::{
    Account, AccountId, AccountKind, Claim, ConnectorKind, Directory, DirectoryChange,
    DirectoryRow, DirectoryStore as _, Grant, Limits, PartnerEntry, Profile, Protocol, Settings,
    SqliteStore, SupportAddress,
};
use gatepost_message::{Millis, Separators};

const ACCOUNTS: usize = 10_000;
const ADDRESSES: usize = 100_000;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let temporary = tempfile::tempdir().unwrap();
    let folder = arguments.next().map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| temporary.path().to_owned());
    let samples = arguments
        .next()
        .map_or(101, |number| number.parse().unwrap());
    let settings = Settings {
        path: folder.join("directory.db"),
        key_ring: folder.join("key-ring"),
        limits: Limits {
            live_sets: usize::MAX,
            ..Limits::default()
        },
        separators: Separators::default(),
    };
    if !settings.path.exists() {
        fill(&settings);
    }
    let mut costs = Costs {
        samples,
        found: Vec::new(),
    };
    costs.take("synced write of a page", synced_writes(&folder));
    let begun = Instant::now();
    let directory = Directory::open(&settings).unwrap();
    costs.found.push(("opening", vec![begun.elapsed()]));
    measure(&directory, &mut costs);
    let costs = costs.found.into_iter().map(|(name, samples)| {
        let milliseconds = samples.iter().map(|sample| sample.as_secs_f64() * 1e3);
        serde_json::json!({ "name": name, "ms": milliseconds.collect::<Vec<_>>() })
    });
    println!("{}", serde_json::Value::from_iter(costs));
}

/// Samples of each thing measured.
struct Costs {
    samples: usize,
    found: Vec<(&'static str, Vec<Duration>)>,
}

impl Costs {
    /// Times a change again and again, each time with another number.
    fn take(&mut self, name: &'static str, mut change: impl FnMut(usize)) {
        let samples = (0..self.samples).map(|number| {
            let begun = Instant::now();
            change(number);
            begun.elapsed()
        });
        let samples = samples.collect();
        self.found.push((name, samples));
    }
}

fn measure(directory: &Directory, costs: &mut Costs) {
    let view = directory.view();
    let accounts: Vec<_> = view.accounts().map(|account| account.id).collect();
    let native = |id: AccountId| view.account(id).unwrap().profile.native_domain.clone();
    let any = |number: usize| accounts[number * 97 % accounts.len()];
    let address = |number| {
        let id = any(number);
        (id, format!("new{number}@{}", native(id)).parse().unwrap())
    };
    costs.take("address added", |number| {
        let (id, address) = address(number);
        directory.add_address(id, address).unwrap();
    });
    costs.take("address removed", |number| {
        let (id, address) = address(number);
        directory.remove_address(id, &address).unwrap();
    });

    let mut made = Vec::new();
    costs.take("account added", |number| {
        let profile = profile(&format!("new{number}.desk.example"));
        made.push(directory.add_account(profile).unwrap().id);
    });
    costs.take("account removed", |number| {
        directory.remove_account(made[number]).unwrap();
    });

    let mut made = Vec::new();
    costs.take("domain claimed", |number| {
        let claim = Claim {
            account: any(number),
            name: "mail".parse().unwrap(),
            domain: format!("new{number}.example").parse().unwrap(),
            kind: ConnectorKind::TwoWay,
            protocol: Protocol::Plain,
        };
        made.push(directory.add_connector(claim).unwrap().id);
    });
    costs.take("domain verified", |number| {
        directory.verify_connector(made[number]).unwrap();
    });
    costs.take("domain removed", |number| {
        directory.remove_connector(made[number]).unwrap();
    });

    let mut made = Vec::new();
    costs.take("credential issued", |number| {
        let account = any(number);
        let issued = directory
            .issue(Grant::Submission { account }, false)
            .unwrap();
        made.push(issued.credential.user_name);
    });
    costs.take("credential cancelled", |number| {
        directory.cancel(&made[number]).unwrap();
    });
    costs.take("credential removed", |number| {
        directory.remove_credential(&made[number]).unwrap();
    });

    costs.take("agreement made", |number| {
        let (one, other) = (any(number), any(number + 1));
        directory.add_agreement(one, other).unwrap();
    });
    costs.take("agreement ended", |number| {
        let (one, other) = (any(number), any(number + 1));
        directory.remove_agreement(one, other).unwrap();
    });

    let entry =
        |number| -> PartnerEntry { format!("user{number}@partner.example").parse().unwrap() };
    costs.take("partner added", |number| {
        directory.add_partner(any(number), &entry(number)).unwrap();
    });
    costs.take("partner removed", |number| {
        directory
            .remove_partner(any(number), &entry(number))
            .unwrap();
    });
}

/// Returns what writes and syncs a page, behind the one before.
fn synced_writes(folder: &Path) -> impl FnMut(usize) {
    let path = folder.join("synced-writes");
    let mut file = File::create(&path).unwrap();
    fs::remove_file(path).unwrap();
    move |_| {
        file.write_all(&[7; 4096]).unwrap();
        file.sync_data().unwrap();
    }
}

fn profile(native: &str) -> Profile {
    Profile {
        kind: AccountKind::Production,
        product: "Desk".parse().unwrap(),
        time_zone: "UTC".parse().unwrap(),
        native_domain: native.parse().unwrap(),
        brands: Vec::new(),
    }
}

/// Makes the directory: accounts and addresses in one commit, credentials as they are issued.
fn fill(settings: &Settings) {
    let ids = (0..ACCOUNTS).map(|number| format!("{number:032x}").parse().unwrap());
    let ids: Vec<AccountId> = ids.collect();
    let accounts = ids.iter().enumerate().map(|(number, id)| {
        DirectoryChange::Put(DirectoryRow::Account(Arc::new(Account {
            id: *id,
            created: Millis(number as u64),
            profile: profile(&format!("a{number}.desk.example")),
            policies: BTreeMap::new(),
            details: Default::default(),
        })))
    });
    let addresses = (0..ADDRESSES).map(|number| {
        let account = number % ACCOUNTS;
        let address = format!("help{number}@a{account}.desk.example");
        DirectoryChange::Put(DirectoryRow::Address(Box::new(SupportAddress {
            address: address.parse().unwrap(),
            account: ids[account],
            connector: None,
            brand: None,
            created: Millis(number as u64),
            details: Default::default(),
        })))
    });
    let changes: Vec<_> = accounts.chain(addresses).collect();
    let mut store = SqliteStore::open(&settings.path).unwrap();
    store.write(&changes).unwrap();
    let directory = Directory::open_on(Box::new(store), settings).unwrap();
    for account in ids {
        let grant = Grant::Submission { account };
        directory.issue(grant, false).unwrap();
    }
}
