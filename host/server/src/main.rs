//! The `gatepost` command: see `gatepost-cli` for its subcommands, and [`gatepost_server`] for the
//! relay.

#![forbid(unsafe_code)]
#![deny(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;
use std::time::Duration;

use gatepost_cli::{self as cli, Cli};
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use tokio::runtime::Builder;

/// Keeps passwords, keys and mail out of core dumps, and out of reach of other processes of the
/// same user: from now on the files of this process in `/proc` belong to root (proc(5)), and only
/// root may trace it.
fn leave_no_core() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let limited = setrlimit(Resource::Core, none);
    let hidden = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    if let Err(error) = limited.and(hidden) {
        cli::complain(format!("gatepost: cannot switch core dumps off: {error}"));
    }
}

/// Number of tasks a thread runs before it polls the network. A guest runs for a millisecond at a
/// time: with tokio's default of 61, a few endless loops that take turns would delay all clients'
/// commands by that many milliseconds.
const TASKS_BETWEEN_EVENTS: u32 = 4;

/// Longest wait for threads of blocking work when all else has ended.
const LAST: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    leave_no_core();
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    if let Some(load) = cli.load_policy() {
        // Before anything else is set up: the child limits itself first.
        return load.run();
    }
    cli::set_up_errors();
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .event_interval(TASKS_BETWEEN_EVENTS)
        .build();
    let ended = match runtime {
        Ok(runtime) => {
            let ended = runtime.block_on(cli::run(cli, async |config, path| {
                gatepost_server::run(config, path).await
            }));
            // Blocking work that waits for a file, a name server or a compiler is not waited for.
            runtime.shutdown_timeout(LAST);
            ended
        }
        Err(error) => Err(miette::miette!("cannot start threads: {error}")),
    };
    match ended {
        Ok(code) => code,
        Err(report) => {
            cli::tell(&report);
            ExitCode::from(1)
        }
    }
}
