//! `gatepost doctor`: checks of an installation that change nothing, with a running relay or
//! without one.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use gatepost_files::{FileError, Finding, Level};

use gatepost_config::{self as config, exposure};
use gatepost_config::{Config, ConfigError};
use gatepost_intake::tls;

/// Installation to inspect.
#[derive(Debug)]
pub enum Patient {
    /// Path of a configuration; everything that it names is inspected.
    Configured(PathBuf),
    /// Directory of a store, inspected without its configuration.
    Store(PathBuf),
}

/// Inspects an installation. Blocks.
pub fn examine(patient: &Patient) -> Vec<Finding> {
    match patient {
        Patient::Store(store) if !holds_a_store(store) => {
            let found = match store.exists() {
                true => "is no store of a relay: none of its files is there",
                false => "there is no such directory",
            };
            let advice = "name the directory that `store` in [relay] says";
            vec![Finding::new(Level::Error, store, found, advice)]
        }
        Patient::Store(store) => {
            let mut findings = exposure::of_store_alone(store);
            findings.extend(inspect_store(store, &config::Directory::default()));
            findings
        }
        Patient::Configured(path) => match Config::load(path) {
            Ok(config) => inspect_config(&config, path),
            Err(error) => {
                let advice = "`gatepost config check` shows the lines; --store looks at a store \
                    without its configuration";
                let found = match &error {
                    ConfigError::Unreadable { .. } => vec![error.to_string()],
                    ConfigError::Invalid { problems, .. } => {
                        problems.iter().map(ToString::to_string).collect()
                    }
                };
                let finding = |found| Finding::new(Level::Error, path, found, advice);
                found.into_iter().map(finding).collect()
            }
        },
    }
}

/// Returns true if a directory holds any file of a relay's store.
fn holds_a_store(store: &Path) -> bool {
    const FILES: [&str; 7] = [
        "spool.db",
        "journal",
        "journal.synced",
        "incoming",
        "directory.db",
        "trace.db",
        "key-ring",
    ];
    let mut files = FILES.iter();
    files.any(|name| store.join(name).symlink_metadata().is_ok())
}

fn inspect_config(config: &Config, path: &Path) -> Vec<Finding> {
    let mut findings = vec![Finding::note(
        path,
        "can be read and does not contradict itself",
    )];
    if let Some(tls) = &config.tls {
        findings.push(match tls::acceptor(tls) {
            Ok(_) if tls.further.is_empty() => {
                Finding::note(&tls.certificate, "goes with its private key")
            }
            Ok(_) => Finding::note(
                &tls.certificate,
                "and all others go with their private keys",
            ),
            Err(error) => {
                let advice = "put a certificate and the key that it was made for there";
                Finding::new(Level::Error, &tls.certificate, error.to_string(), advice)
            }
        });
    }
    if let Some(acme) = &config.acme_settings {
        findings.push(gatepost_acme::inspect(&config.relay.store, acme));
    }
    findings.extend(exposure::of(config, path));
    findings.extend(inspect_store(&config.relay.store, &config.directory));
    findings.extend(check_free_space(&config.relay.store, config.relay.min_free));
    findings
}

fn inspect_store(store: &Path, directory: &config::Directory) -> Vec<Finding> {
    if !store.exists() {
        return vec![Finding::note(
            store,
            "there is no store yet: the relay makes it when it starts",
        )];
    }
    if !store.is_dir() {
        let advice = "give the store a directory of its own";
        return vec![Finding::new(
            Level::Error,
            store,
            "is not a directory",
            advice,
        )];
    }
    let mut findings = Vec::new();
    // Repeated if a relay starts or stops in the meantime.
    for _ in 0..3 {
        let running = in_use(store);
        findings = inspect_files(store, directory, running);
        if in_use(store) == running {
            break;
        }
    }
    findings
}

fn inspect_files(store: &Path, directory: &config::Directory, running: bool) -> Vec<Finding> {
    let found = match running {
        true => "a relay is running on it",
        false => "no relay is running on it",
    };
    let mut findings = vec![Finding::note(store, found)];
    findings.extend(check_file_kinds(store, directory));
    findings.extend(gatepost_spool::inspect(store, running));
    findings.extend(gatepost_directory::inspect(
        &directory.settings(store),
        directory.rotation_reminder,
        running,
    ));
    findings.extend(gatepost_trace::inspect(&store.join("trace.db"), running));
    let policies = store.join("policies");
    let of_policies = match policies.is_dir() {
        true => gatepost_files::kept(&policies),
        false => Ok(Vec::new()),
    };
    let kept = gatepost_files::kept(store);
    match kept.and_then(|kept| Ok([kept, of_policies?].concat())) {
        Ok(kept) => findings.extend(kept.iter().map(|path| {
            let (found, advice) = match path.is_dir() {
                true => (
                    "has bodies of messages that may have been lost when something was found damaged",
                    "each is named after its transaction: `gatepost trace ID` says whose it was; then \
                     delete it",
                ),
                false => (
                    "was found damaged at an earlier start and kept",
                    "find out what happened, then delete it; the relay does not read it again",
                ),
            };
            Finding::new(Level::Warning, path, found, advice)
        })),
        Err(error) => {
            let advice = "run this as root or as the relay's user";
            findings.push(Finding::new(Level::Error, store, error.to_string(), advice));
        }
    }
    findings
}

/// Returns findings for other kinds of files in place of the relay's files and folders.
fn check_file_kinds(store: &Path, directory: &config::Directory) -> Vec<Finding> {
    let databases = ["spool.db", "trace.db", "directory.db"];
    let databases = databases.iter().flat_map(|name| {
        let suffixes = ["", "-wal", "-shm"];
        suffixes.map(|suffix| gatepost_files::beside(&store.join(name), suffix))
    });
    let others =
        ["journal", "journal.synced", "lock", "policies/state.json"].map(|name| store.join(name));
    let key_ring = directory.settings(store).key_ring;
    let mut findings = Vec::new();
    for path in databases.chain(others).chain([key_ring]) {
        if let Err(error @ FileError::NotRegular(_)) = gatepost_files::refuse_other_kinds(&path) {
            let advice = "move it away; if the relay had a file there, put that back";
            findings.push(Finding::new(Level::Error, &path, error.to_string(), advice));
        }
    }
    for folder in ["incoming", "cache", "policies"].map(|name| store.join(name)) {
        if folder.symlink_metadata().is_ok() && !folder.is_dir() {
            let (found, advice) = ("it is not a directory", "move it out of the store");
            findings.push(Finding::new(Level::Error, &folder, found, advice));
        }
    }
    findings
}

/// Returns true if a relay has the store in use: it answers on its socket, or holds the lock. The
/// lock is not tried: taking it for a moment would keep a relay from starting in that moment.
fn in_use(store: &Path) -> bool {
    if UnixStream::connect(store.join("control.sock")).is_ok() {
        return true;
    }
    let Ok(lock) = fs::metadata(store.join("lock")) else {
        return false;
    };
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    locks.lines().any(|line| {
        // `1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF` (proc(5)).
        let mut fields = line.split_whitespace();
        let is_flock = fields.nth(1) == Some("FLOCK");
        let inode = fields.nth(3).and_then(|place| place.rsplit(':').next());
        is_flock && inode.and_then(|inode| inode.parse().ok()) == Some(lock.ino())
    })
}

/// Compares the free space with `min-free`, below which no mail is accepted.
fn check_free_space(store: &Path, min_free: u64) -> Option<Finding> {
    let stat = rustix::fs::statvfs(store).ok()?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let sizes = format!(
        "{} free, min-free is {}",
        bytesize::ByteSize(free),
        bytesize::ByteSize(min_free)
    );
    let advice = "make room on this file system: deliver, cancel or drop mail, or make it larger";
    Some(if free < min_free {
        let found = format!("no mail is taken: {sizes}");
        Finding::new(Level::Error, store, found, advice)
    } else if free / 2 < min_free {
        let found = format!("soon no mail is taken: {sizes}");
        Finding::new(Level::Warning, store, found, advice)
    } else {
        Finding::note(store, sizes)
    })
}

/// Returns the worst level of the findings.
pub fn worst(findings: &[Finding]) -> Level {
    let levels = findings.iter().map(|finding| finding.level);
    levels.max().unwrap_or(Level::Note)
}
