//! Checks permissions of secret files: the configuration, the private key of TLS, the key ring and
//! the store. Only the relay and root should read or write them.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use gatepost_files::{Finding, Level};

use crate::Config;

/// Bits of a file's mode. A folder that others may search counts as readable.
const GROUP_READS: u32 = 0o040;
const OTHERS_READ: u32 = 0o005;
const OTHERS_WRITE: u32 = 0o002;
const GROUP_WRITES: u32 = 0o020;
/// Sticky bit of a folder: only the owner of a file may replace it.
const STICKY: u32 = 0o1000;

/// Users besides the owner who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Readers {
    /// No other user.
    None,
    /// The group of the file. Distributions give services their configuration this way.
    Group,
    /// Every user.
    All,
}

/// Checks all files of a configuration. Missing files are skipped.
pub fn of(config: &Config, path: &Path) -> Vec<Finding> {
    let relay_user = relay_user(&config.relay.store);
    let readers = match config.holds_secrets() {
        true => Readers::Group,
        false => Readers::All,
    };
    let mut findings = check_file(path, readers, relay_user);
    findings.extend(check_folder(path));
    if let Some(tls) = &config.tls {
        for (_, key) in tls.pairs() {
            findings.extend(check_file(key, Readers::Group, relay_user));
        }
    }
    for file in config.secret_files() {
        findings.extend(check_file(file, Readers::Group, relay_user));
    }
    let directory = config.directory.settings(&config.relay.store);
    findings.extend(check_file(&directory.key_ring, Readers::None, relay_user));
    findings.extend(check_folder(&directory.key_ring));
    findings.extend(of_store(&config.relay.store));
    findings
}

/// Checks a store without its configuration, with the key ring at its default path.
pub fn of_store_alone(store: &Path) -> Vec<Finding> {
    let mut findings = check_file(&store.join("key-ring"), Readers::None, relay_user(store));
    findings.extend(of_store(store));
    findings
}

fn of_store(store: &Path) -> Vec<Finding> {
    let relay_user = relay_user(store);
    let databases = ["spool.db", "trace.db", "directory.db", "connections.db"];
    let databases = databases.iter().flat_map(|name| {
        let suffixes = ["", "-wal", "-shm"];
        suffixes.map(|suffix| format!("{name}{suffix}"))
    });
    let names = [
        "",
        "incoming",
        "journal",
        "journal.synced",
        "cache",
        "control.sock",
        "acme",
        "acme/account.json",
        "acme/certificate.pem",
        "policies",
        "policies/state.json",
    ];
    let names = names.map(str::to_owned).into_iter().chain(databases);
    let paths = names.map(|name| match name.as_str() {
        "" => store.to_owned(),
        name => store.join(name),
    });
    paths
        .flat_map(|path| check_file(&path, Readers::None, relay_user))
        .collect()
}

/// Returns the user id of the relay, which owns the store. If there is no store, the current
/// user's.
fn relay_user(store: &Path) -> u32 {
    fs::metadata(store).map_or_else(|_| rustix::process::geteuid().as_raw(), |store| store.uid())
}

fn check_file(path: &Path, readers: Readers, relay_user: u32) -> Vec<Finding> {
    let Ok(file) = fs::metadata(path) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    if ![0, relay_user].contains(&file.uid()) {
        let found = format!(
            "belongs to user {}, who is neither the relay's nor root",
            file.uid()
        );
        let advice = format!("chown it to user {relay_user}");
        findings.push(Finding::new(Level::Warning, path, found, advice));
    }
    let mode = file.mode();
    let mut who = Vec::new();
    let group_may_read = readers != Readers::None;
    if mode & OTHERS_WRITE != 0 {
        who.push("everybody can write it");
    } else if mode & GROUP_WRITES != 0 {
        who.push("its group can write it");
    }
    if mode & OTHERS_READ != 0 && readers != Readers::All {
        who.push("everybody can read it");
    } else if mode & GROUP_READS != 0 && !group_may_read {
        who.push("its group can read it");
    }
    if !who.is_empty() {
        let found = format!("has mode {:04o}: {}", mode & 0o7777, who.join(", "));
        let advice = format!("chmod {} {}", right_mode(&file, readers), path.display());
        findings.push(Finding::new(Level::Warning, path, found, advice));
    }
    findings
}

fn right_mode(file: &Metadata, readers: Readers) -> &'static str {
    match (file.is_dir(), readers) {
        (true, _) => "0700",
        (false, Readers::None) => "0600",
        (false, Readers::Group) => "0640",
        (false, Readers::All) => "0644",
    }
}

/// Warns if others can write the folder of a file: they could replace the file.
fn check_folder(path: &Path) -> Option<Finding> {
    let parent = match path.parent()? {
        parent if parent.as_os_str().is_empty() => PathBuf::from("."),
        parent => parent.to_owned(),
    };
    let mode = fs::metadata(&parent).ok()?.mode();
    (mode & OTHERS_WRITE != 0 && mode & STICKY == 0).then(|| {
        let found = format!(
            "has mode {:04o}: everybody can put another file in the place of {}",
            mode & 0o7777,
            path.display()
        );
        let advice = format!("chmod o-w {}", parent.display());
        Finding::new(Level::Warning, &parent, found, advice)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn findings(mode: u32, readers: Readers) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let relay_user = fs::metadata(&path).unwrap().uid();
        let found = check_file(&path, readers, relay_user);
        found.into_iter().map(|it| it.found + ";").collect()
    }

    #[test]
    fn each_bit_that_lets_others_in_is_reported() {
        for (mode, readers, says) in [
            (0o600, Readers::None, ""),
            (0o640, Readers::None, "its group can read it"),
            (0o604, Readers::None, "everybody can read it"),
            (0o602, Readers::None, "everybody can write it"),
            (0o620, Readers::Group, "its group can write it"),
            (0o640, Readers::Group, ""),
            (0o644, Readers::Group, "everybody can read it"),
            (0o644, Readers::All, ""),
            (0o666, Readers::All, "everybody can write it"),
        ] {
            let found = findings(mode, readers);
            assert_eq!(
                found.is_empty(),
                says.is_empty(),
                "{mode:o} {readers:?}: {found}"
            );
            assert!(found.contains(says), "{mode:o} {readers:?}: {found}");
        }
    }

    #[test]
    fn an_owner_other_than_relay_and_root_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let owner = fs::metadata(folder.path()).unwrap().uid();
        for (relay_user, is_foreign) in [(owner, false), (owner + 1, owner != 0)] {
            let found = check_file(folder.path(), Readers::None, relay_user);
            let reported = found.iter().any(|it| it.found.contains("belongs to user"));
            assert_eq!(reported, is_foreign, "{found:?}");
        }
    }
}
