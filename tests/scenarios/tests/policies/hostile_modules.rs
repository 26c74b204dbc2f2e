//! A module that is made to harm is refused in a sentence, at whatever door it comes in, and mail
//! flows before, meanwhile and afterwards.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use test_support::{
    PATIENCE, Relay, RelayBuilder, Sink, costly_modules, hostile, module_that_fills_memory, say,
    workspace,
};

use crate::{CHAIN, Guest, INNOCENT, send, status};

/// Sends mail for as long as something lasts; how many messages.
fn with_mail<R>(relay: &Relay, what: impl FnOnce() -> R) -> (R, usize) {
    let over = AtomicBool::new(false);
    let mut client = relay.client("mx");
    client.ehlo();
    thread::scope(|scope| {
        let over = &over;
        let mail = scope.spawn(move || {
            let mut sent = 0;
            while !over.load(Ordering::Acquire) {
                let reply = client.deliver("ann@sender.example", &["help@desk.example"], INNOCENT);
                assert_eq!(reply.unwrap().code, 250);
                sent += 1;
            }
            sent
        });
        // When it fails, too: the scope waits for the mail.
        let end = End(over);
        let result = what();
        drop(end);
        (result, mail.join().unwrap())
    })
}

struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// The module of the reproducers that were written down before, where it is at hand.
fn found() -> Option<PathBuf> {
    let root = std::env::var_os("GATEPOST_FOUND")
        .map_or_else(|| workspace().join("../shared/found"), PathBuf::from);
    let file = root.join("security/nested-types.wasm");
    if !file.is_file() {
        say("SKIPPED: nested-types.wasm is not at hand (set GATEPOST_FOUND)");
        return None;
    }
    Some(file)
}

#[test]
fn each_known_kind_of_hostile_module_is_refused_while_mail_flows() {
    let sink = Sink::start();
    let guest = Guest::new("version_one");
    let relay = guest.relay(&sink).start();
    let before = status(&relay, "guest");
    let file = relay.directory().join("costly.wasm");
    let refuse = |file: &Path, what: &str, says: &str| {
        let path = file.to_string_lossy();
        let told = relay.refuses(&["policy", "activate", &path, "--name", "guest"]);
        assert!(told.contains(says), "{what}: {told}");
        assert_eq!(status(&relay, "guest"), before, "{what}");
    };
    let ((), sent) = with_mail(&relay, || {
        for costly in costly_modules() {
            fs::write(&file, costly.module).unwrap();
            refuse(&file, costly.what, costly.says);
        }
        for (example, says) in [
            ("schema_doubles", "it took more than 2 s of the processor"),
            ("logs_at_load", "the module failed in configuring"),
        ] {
            fs::write(&file, hostile(example)).unwrap();
            refuse(&file, example, says);
        }
        if let Some(found) = found() {
            refuse(
                &found,
                "the reproducer",
                "the module exports no gatepost:policy/settings",
            );
        }
        fs::write(&file, module_that_fills_memory()).unwrap();
        refuse(
            &file,
            "what fills memory",
            "the module was given up in compiling it",
        );
        // Three gibioctets, none of which is on the disk.
        File::create(&file).unwrap().set_len(3 << 30).unwrap();
        refuse(&file, "a sparse file", "it has 3221225472 octets");
        refuse(Path::new("/dev/zero"), "a device", "it is a device");
    });
    // What it said in the process that loaded it stands in the relay's log.
    relay.logged("red ink");
    say(&format!("{sent} messages went through meanwhile"));
    for _ in 0..sent {
        assert_eq!(sink.take().header("X-Version").as_deref(), Some("one"));
    }
    assert!(peak(relay.id()) < 1 << 20, "{} KiB", peak(relay.id()));
    relay.leaves_nothing(sink);
}

/// The most memory that a process has had, in KiB.
fn peak(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Bad files in the watched folder are refused once, whatever they are.
#[test]
fn bad_files_in_the_watched_folder_are_refused_once() {
    let sink = Sink::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("guest.wasm");
    fs::write(&file, hostile("version_one")).unwrap();
    let relay = format!(
        "[relay]\nhostname = \"mx.desk.example\"\nstore = \"store\"\npolicies = {:?}",
        folder.path()
    );
    let relay = RelayBuilder::usual(sink.address())
        .replace(CHAIN, r#"chain = ["guest"]"#)
        .with(&relay)
        .with("[[policy]]\nname = \"guest\"")
        .start();
    let one = status(&relay, "guest")["digest"].take();
    type Written<'a> = Box<dyn Fn() + 'a>;
    let bad: Vec<(&str, Written<'_>, &str)> = vec![
        (
            "nested types",
            Box::new(|| {
                let costly = costly_modules().into_iter();
                let nested = costly.filter(|costly| costly.says.contains("stack"));
                fs::write(&file, nested.map(|costly| costly.module).next().unwrap()).unwrap();
            }),
            "the stack ran out",
        ),
        (
            "a sparse file",
            Box::new(|| File::create(&file).unwrap().set_len(3 << 30).unwrap()),
            "it has 3221225472 octets",
        ),
        (
            "a FIFO",
            Box::new(|| {
                fs::remove_file(&file).unwrap();
                let mode = rustix::fs::Mode::from_raw_mode(0o600);
                let kind = rustix::fs::FileType::Fifo;
                rustix::fs::mknodat(rustix::fs::CWD, &file, kind, mode, 0).unwrap();
            }),
            "it is a FIFO",
        ),
    ];
    for (what, put, says) in bad {
        let seen = relay.log().len();
        put();
        relay.eventually(what, |relay| {
            let refused = status(relay, "guest")["refused"].take();
            refused.as_str()?.contains(says).then_some(())
        });
        // Looked at again, when another file has come.
        fs::write(folder.path().join(format!("{}.wasm", what.len())), "other").unwrap();
        relay.logged_behind(seen, &[&format!("{}.wasm", what.len())]);
        assert_eq!(status(&relay, "guest")["digest"], one, "{what}");
        assert_eq!(send(&relay, INNOCENT).code, 250, "{what}");
        assert_eq!(sink.take().header("X-Version").as_deref(), Some("one"));
        let log = relay.log();
        let refused = log[seen..]
            .matches("the new module is not activated")
            .count();
        assert_eq!(refused, 1, "{what}: {}", &log[seen..]);
    }
    // Another that is good is put in use.
    fs::remove_file(&file).unwrap();
    fs::write(&file, hostile("version_two")).unwrap();
    relay.eventually("a good one is in use", |relay| {
        (status(relay, "guest")["digest"] != one).then_some(())
    });
    relay.leaves_nothing(sink);
}

/// The processes that a relay has started, by their ids.
fn loading(relay: u32) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{relay}/task"))
        .into_iter()
        .flatten();
    let tasks =
        tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("children")).ok());
    let children: Vec<_> = tasks.collect();
    let children = children.iter().flat_map(|list| list.split_whitespace());
    children.map(str::to_owned).collect()
}

/// Waits until a relay has started a process that loads; its id.
fn begun(relay: u32) -> String {
    let begun = Instant::now();
    loop {
        if let Some(process) = loading(relay).pop() {
            return process;
        }
        assert!(begun.elapsed() < PATIENCE, "nothing is loaded");
        thread::yield_now();
    }
}

/// SIGTERM ends it while a module is loaded: by a command, by a reload, and at the start.
#[test]
fn a_stop_does_not_wait_for_a_module_that_loads() {
    let sink = Sink::start();
    let guest = Guest::new("version_one");
    let mut relay = guest.relay(&sink).start();
    let file = relay.directory().join("slow.wasm");
    fs::write(&file, hostile("schema_doubles")).unwrap();
    let path = file.to_string_lossy().into_owned();

    let stop = |relay: &mut Relay, process: &str| {
        let told = Instant::now();
        assert!(relay.terminate().success(), "{}", relay.log());
        let took = told.elapsed();
        assert!(took < Duration::from_secs(10), "{took:?}");
        // It ends by itself when nobody waits for its answer.
        let gone = || !Path::new(&format!("/proc/{process}/exe")).exists();
        while !gone() {
            assert!(
                told.elapsed() < PATIENCE,
                "the process that loads is still there"
            );
            thread::yield_now();
        }
        took
    };
    let took = thread::scope(|scope| {
        let id = relay.id();
        let config = relay.directory().join("gatepost.toml");
        let (config, path) = (config.to_string_lossy().into_owned(), &path);
        scope.spawn(move || {
            test_support::run(&[
                "policy", "activate", path, "--name", "guest", "--config", &config,
            ])
        });
        let process = begun(id);
        let told = Instant::now();
        relay.signal("TERM");
        while Path::new(&format!("/proc/{process}/exe")).exists() {
            assert!(
                told.elapsed() < PATIENCE,
                "the process that loads is still there"
            );
            thread::yield_now();
        }
        told.elapsed()
    });
    say(&format!(
        "stopped {took:?} after it was told, while a command loaded"
    ));

    relay.restart();
    guest.becomes(hostile("schema_doubles"));
    relay.signal("HUP");
    let process = begun(relay.id());
    let took = stop(&mut relay, &process);
    say(&format!(
        "stopped {took:?} after it was told, while a reload loaded"
    ));
    drop(relay);

    // The start loads it as well.
    let directory = tempfile::tempdir().unwrap();
    let config = guest.relay(&sink).write(directory.path());
    let mut command = std::process::Command::new(test_support::binary());
    command.arg("serve").arg("--config").arg(config);
    let mut starting = test_support::Process::start("relay", &mut command);
    begun(starting.id());
    starting.signal("TERM");
    assert!(starting.wait().success(), "{}", starting.log());
}
