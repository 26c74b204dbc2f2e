//! Whatever stands in the place of a file of the store: neither the relay nor `gatepost doctor`
//! waits for it or reads it without end, and both name it.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use gatepost_directory::Directory;
use gatepost_files::Level;
use gatepost_operations::doctor::{Patient, examine};
use gatepost_spool::{SpoolSettings, SqliteSpool};
use gatepost_trace::{Retention, Trace};

const KINDS: [&str; 5] = ["fifo", "directory", "socket", "device", "sparse"];

/// Each file, and true if one of the wrong length does no harm: it is recreated, or has no
/// contents.
const FILES: [(&str, bool); 14] = [
    ("journal", false),
    ("journal.synced", true),
    ("lock", true),
    ("spool.db", false),
    ("spool.db-wal", true),
    ("spool.db-shm", true),
    ("trace.db", false),
    ("trace.db-wal", true),
    ("trace.db-shm", true),
    ("directory.db", false),
    ("directory.db-wal", true),
    ("directory.db-shm", true),
    ("key-ring", false),
    ("incoming", false),
];

/// Longer than any of them takes, and shorter than for ever.
const PATIENCE: Duration = Duration::from_secs(60);

fn put(kind: &str, path: &Path) {
    match kind {
        "fifo" => {
            use rustix::fs::{CWD, FileType, Mode, mknodat};
            mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        }
        "directory" => fs::create_dir(path).unwrap(),
        "socket" => drop(UnixListener::bind(path).unwrap()),
        "device" => symlink("/dev/zero", path).unwrap(),
        _ => File::create(path).unwrap().set_len(8 << 30).unwrap(),
    }
}

/// Opens everything as a relay does; returns the errors.
fn open(store: &Path) -> Vec<String> {
    let settings = SpoolSettings::new(store).with_min_free(0);
    let spool = SqliteSpool::open(SpoolSettings {
        max_log_bytes: 1 << 20,
        ..settings
    });
    let trace = Trace::open(store.join("trace.db"), Retention::default());
    let directory = Directory::open(&gatepost_config::Directory::default().settings(store));
    let spool = spool.err().map(|error| error.to_string());
    let trace = trace.err().map(|error| error.to_string());
    let directory = directory.err().map(|error| error.to_string());
    [spool, trace, directory].into_iter().flatten().collect()
}

/// Runs something that must end.
fn ends<T: Send + 'static>(what: &str, run: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, waiting) = mpsc::channel();
    thread::spawn(move || done.send(run()));
    let ended = waiting.recv_timeout(PATIENCE);
    ended.unwrap_or_else(|error| panic!("{what}: {error}"))
}

#[test]
fn files_of_the_wrong_kind_are_named_and_never_waited_for() {
    let made = tempfile::tempdir().unwrap();
    assert_eq!(open(made.path()), Vec::<String>::new());
    for (name, any_length) in FILES {
        for kind in KINDS {
            let what = format!("{kind} for {name}");
            let root = tempfile::tempdir().unwrap();
            let store = root.path().join("store");
            fs::create_dir_all(store.join("incoming")).unwrap();
            for entry in fs::read_dir(made.path()).unwrap().flatten() {
                if entry.file_type().unwrap().is_file() {
                    fs::copy(entry.path(), store.join(entry.file_name())).unwrap();
                }
            }
            let path = store.join(name);
            let _ = fs::remove_file(&path);
            let _ = fs::remove_dir(&path);
            if (name, kind) == ("incoming", "directory") {
                continue;
            }
            put(kind, &path);
            let patient = Patient::Store(store.clone());
            let findings = ends(&what, move || examine(&patient));
            let told = findings.iter().any(|finding| {
                finding.level == Level::Error
                    && (finding.about.contains(name) || finding.found.contains(name))
            });
            let no_matter = kind == "sparse" && any_length;
            assert!(told || no_matter, "{what}: {findings:#?}");
            let refused = ends(&what, {
                let store = store.clone();
                move || open(&store)
            });
            // The journal and the trace are moved away, and a mark may be of any kind.
            let moved = [
                "journal",
                "journal.synced",
                "trace.db",
                "trace.db-wal",
                "trace.db-shm",
            ];
            if no_matter || moved.contains(&name) {
                assert_eq!(refused, Vec::<String>::new(), "{what}");
            } else {
                let file = name.trim_end_matches("-wal").trim_end_matches("-shm");
                assert_eq!(refused.len(), 1, "{what}: {refused:?}");
                assert!(refused[0].contains(file), "{what}: {refused:?}");
            }
        }
    }
}
