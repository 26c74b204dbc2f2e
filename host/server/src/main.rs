//! The `gatepost` command; see [`gatepost::cli`].

#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use gatepost::cli::{self, Cli};
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use tokio::runtime::Builder;

/// Keeps passwords, keys and mail out of core dumps, and out of reach of other processes of the same
/// user: the files of this process in `/proc` belong to root from now on (proc(5)), and only root may
/// trace it.
fn leave_no_core() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let limited = setrlimit(Resource::Core, none);
    let hidden = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    if let Err(error) = limited.and(hidden) {
        eprintln!("gatepost: cannot switch core dumps off: {error}");
    }
}

/// How many tasks a thread runs before it looks for what has come over the network. A guest runs
/// for a millisecond at a time: with tokio's own 61, a few endless loops that take turns would
/// keep everybody's commands waiting for that many milliseconds.
const TASKS_BETWEEN_EVENTS: u32 = 4;

/// How long what runs on threads of its own may take to end when all is done.
const LAST: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    leave_no_core();
    let cli = Cli::parse();
    if let Some(load) = cli.load_policy() {
        // Before anything else is set up: it limits itself first.
        return load.run();
    }
    // The terminal wraps lines itself, and a reader that is no terminal wants them whole.
    let _already_set = miette::set_hook(Box::new(|_| {
        Box::new(miette::MietteHandlerOpts::new().wrap_lines(false).build())
    }));
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .event_interval(TASKS_BETWEEN_EVENTS)
        .build();
    let ended = match runtime {
        Ok(runtime) => {
            let ended = runtime.block_on(cli::run(cli));
            // What still waits for a file, a name server or a compiler is not waited for.
            runtime.shutdown_timeout(LAST);
            ended
        }
        Err(error) => Err(miette::miette!("cannot start threads: {error}")),
    };
    match ended {
        Ok(code) => code,
        Err(report) => {
            eprintln!("{report:?}");
            ExitCode::from(1)
        }
    }
}
