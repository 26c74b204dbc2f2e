//! The limits that the loading process sets for itself before it reads anything.

use std::io;

use rustix::process::{Resource, Rlimit, nice, setrlimit};

use super::LoadingLimits;
use crate::engine::ADDRESS_SPACE;

/// Address space beyond the memory limit, in bytes: for the binary and stacks, and for the memories of
/// four guests, which are reserved and hardly used.
const MORE_ADDRESS_SPACE: u64 = (2 << 30) + 4 * ADDRESS_SPACE;

/// Limit on a file, in bytes: only images of a guest's memory are written, and these are in memory.
const MAX_FILE: u64 = 512 << 20;

/// Nice value: the relay's sessions come first when the processor is busy.
const NICE: i32 = 5;

/// Limits this process irrevocably.
pub(super) fn confine(limits: LoadingLimits) -> io::Result<()> {
    let seconds = limits.processor.as_secs().max(1);
    // The soft limit ends the process with a signal of its own, SIGXCPU.
    set(Resource::Cpu, seconds, seconds + 1)?;
    set(Resource::Core, 0, 0)?;
    // RLIMIT_DATA limits writable memory; RLIMIT_AS is for systems that do not count that.
    set(Resource::Data, limits.memory, limits.memory)?;
    let addresses = limits.memory.saturating_add(MORE_ADDRESS_SPACE);
    set(Resource::As, addresses, addresses)?;
    set(Resource::Fsize, MAX_FILE, MAX_FILE)?;
    set(Resource::Nofile, 64, 64)?;
    // If these are not permitted, the limits hold all the same.
    let _ = nice(NICE);
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    Ok(())
}

fn set(resource: Resource, soft: u64, hard: u64) -> io::Result<()> {
    let limit = Rlimit {
        current: Some(soft),
        maximum: Some(hard),
    };
    let Err(error) = setrlimit(resource, limit) else {
        return Ok(());
    };
    // If the site's own limit is lower, it holds instead.
    let own = rustix::process::getrlimit(resource).maximum;
    match own {
        Some(own) if own < hard => Ok(()),
        _ => Err(error.into()),
    }
}
