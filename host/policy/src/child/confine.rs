//! The limits that the process sets itself, before it reads anything.

use std::io;

use rustix::process::{Resource, Rlimit, nice, setrlimit};

use super::LoadingLimits;

/// Octets of address space beyond the memory: the binary, stacks, and what is reserved but not
/// used, such as the room for a guest's memory.
const ADDRESS_SPACE: u64 = 2 << 30;

/// Octets of a file: only images of a guest's memory are written, and these are in memory.
const FILE: u64 = 512 << 20;

/// How far behind the relay's sessions it stands when the processor is busy.
const NICE: i32 = 5;

/// Limits this process, for good.
pub(super) fn confine(limits: LoadingLimits) -> io::Result<()> {
    let seconds = limits.processor.as_secs().max(1);
    // The first ends it with a signal that says why.
    set(Resource::Cpu, seconds, seconds + 1)?;
    set(Resource::Core, 0, 0)?;
    // Memory that is written to; and where the system does not count that, addresses.
    set(Resource::Data, limits.memory, limits.memory)?;
    let addresses = limits.memory.saturating_add(ADDRESS_SPACE);
    set(Resource::As, addresses, addresses)?;
    set(Resource::Fsize, FILE, FILE)?;
    set(Resource::Nofile, 64, 64)?;
    // Where these are not allowed, the limits hold all the same.
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
    // The site's own limit may be lower, and then it holds.
    let own = rustix::process::getrlimit(resource).maximum;
    match own {
        Some(own) if own < hard => Ok(()),
        _ => Err(error.into()),
    }
}
