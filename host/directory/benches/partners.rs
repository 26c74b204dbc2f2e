//! Benchmark of a million partner addresses: `cargo bench -p gatepost-directory`.

#![allow(clippy::unwrap_used)] // what is measured is known

use std::sync::OnceLock;
use std::time::Instant;

use divan::{Bencher, black_box};
use gatepost_directory::{
    AccountId, AccountKind, Directory, Limits, PartnerEntry, Profile, Settings,
};
use gatepost_message::{Address, Separators};
use tempfile::TempDir;

const ENTRIES: usize = 1_000_000;

fn main() {
    let begun = Instant::now();
    let filled = filled();
    println!("{ENTRIES} addresses imported in {:.1?}", begun.elapsed());
    let begun = Instant::now();
    let again = Directory::open(&settings(&filled.folder)).unwrap();
    println!("opened in {:.1?}", begun.elapsed());
    let (entries, bytes) = (again.view().partner_entries(), again.view().partner_bytes());
    drop(again);
    let each = bytes as f64 / entries as f64;
    println!("{bytes} bytes of memory for {entries} entries: {each:.1} each");
    divan::main();
}

struct Filled {
    directory: Directory,
    account: AccountId,
    folder: TempDir,
}

fn settings(folder: &TempDir) -> Settings {
    Settings {
        path: folder.path().join("directory.db"),
        key_ring: folder.path().join("key-ring"),
        limits: Limits::default(),
        separators: Separators::default(),
    }
}

/// A directory with a million entries, made once.
fn filled() -> &'static Filled {
    static FILLED: OnceLock<Filled> = OnceLock::new();
    FILLED.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let directory = Directory::open(&settings(&folder)).unwrap();
        let profile = Profile {
            kind: AccountKind::Production,
            product: "Desk".parse().unwrap(),
            time_zone: "UTC".parse().unwrap(),
            native_domain: "acme.desk.example".parse().unwrap(),
            brands: Vec::new(),
        };
        let account = directory.add_account(profile).unwrap().id;
        let entries: Vec<PartnerEntry> = (0..ENTRIES)
            .map(|n| {
                format!("user{n}@partner{}.example", n % 1000)
                    .parse()
                    .unwrap()
            })
            .collect();
        let import = directory.begin_import(account).unwrap();
        for page in entries.chunks(20_000) {
            directory.add_to_import(import, page).unwrap();
        }
        (directory.finish_import(import, account, "all", false)).unwrap();
        Filled {
            directory,
            account,
            folder,
        }
    })
}

/// A look-up as a policy has it: from the text of an address.
#[divan::bench(args = [
    "user123456@partner456.example",
    "User123456+ticket4711@Partner456.example",
    "SRS0=ab1c=2Z=partner456.example=user123456@forwarder.example",
    "ann@customer.example",
])]
fn look_up(bencher: Bencher, address: &str) {
    let Filled {
        directory, account, ..
    } = filled();
    let view = directory.view();
    bencher.bench(|| {
        let address = Address::parse(black_box(address)).unwrap();
        view.partner(*account, &address)
    });
}

/// A thousand different ones in a row, so that none finds its entry in the caches.
#[divan::bench(sample_size = 1000)]
fn look_up_any(bencher: Bencher) {
    let Filled {
        directory, account, ..
    } = filled();
    let view = directory.view();
    let mut n = 0_usize;
    bencher
        .with_inputs(|| {
            n = (n + 7_919) % ENTRIES;
            format!("user{n}@partner{}.example", n % 1000)
        })
        .bench_local_values(|address| {
            let address = Address::parse(&address).unwrap();
            assert!(view.partner(*account, &address).is_some());
        });
}

/// One entry added, on disk and in view, and removed again: two changes.
#[divan::bench(sample_count = 20)]
fn change_one_entry_twice(bencher: Bencher) {
    let Filled {
        directory, account, ..
    } = filled();
    let entry: PartnerEntry = "ann@customer.example".parse().unwrap();
    bencher.bench(|| {
        directory.add_partner(*account, &entry).unwrap();
        directory.remove_partner(*account, &entry).unwrap();
    });
}
