//! Use of CPU and memory by processes and all their descendants, from `/proc` (proc(5)).

use std::collections::HashMap;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Clock ticks a second in which the kernel reports CPU time to programs: 100 on every architecture
/// that we build for.
const TICKS: u64 = 100;

/// Interval at which memory is read while its peak is sought.
const SAMPLING: Duration = Duration::from_millis(50);

/// Processes and all their descendants.
#[derive(Debug, Clone)]
pub struct Tree {
    roots: Vec<u32>,
}

/// Fields of `/proc/PID/stat` that are used.
struct Stat {
    parent: u32,
    threads: u64,
    /// Own CPU time, in ticks.
    own: u64,
    /// CPU time of children that have ended and been waited for, and of theirs, in ticks.
    ended: u64,
}

impl Tree {
    /// Returns the processes with these ids and their descendants.
    pub fn of(roots: Vec<u32>) -> Self {
        Self { roots }
    }

    /// Returns the CPU time used so far, including that of ended descendants.
    ///
    /// A tick is coarse for the many short-lived processes of Postfix, and every one of them is
    /// rounded down; so the exact time is read of processes with one thread (`schedstat`).
    pub fn cpu(&self) -> Duration {
        let total = self.members().into_iter().map(|(id, stat)| {
            let exact = if stat.threads == 1 { exact(id) } else { None };
            let own = exact.unwrap_or_else(|| ticks(stat.own));
            own + ticks(stat.ended)
        });
        total.sum()
    }

    /// Returns the resident memory in octets, where shared memory counts once (proportional set
    /// size).
    pub fn memory(&self) -> u64 {
        let members = self.members().into_iter();
        members.filter_map(|(id, _)| proportional(id)).sum()
    }

    /// Runs `run`; returns its result and the most memory seen meanwhile.
    pub fn peak_memory<T>(&self, run: impl FnOnce() -> T) -> (T, u64) {
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let sampler = scope.spawn(|| {
                let mut peak = 0;
                while !done.load(Ordering::Acquire) {
                    peak = peak.max(self.memory());
                    thread::sleep(SAMPLING);
                }
                peak.max(self.memory())
            });
            let result = run();
            done.store(true, Ordering::Release);
            (result, sampler.join().unwrap_or_default())
        })
    }

    fn members(&self) -> HashMap<u32, Stat> {
        let mut all: HashMap<u32, Stat> =
            processes().filter_map(|id| Some((id, stat(id)?))).collect();
        let mut members = HashMap::new();
        let mut next = self.roots.clone();
        while let Some(id) = next.pop() {
            next.extend(
                all.iter()
                    .filter(|(_, s)| s.parent == id)
                    .map(|(id, _)| *id),
            );
            members.extend(all.remove_entry(&id));
        }
        members
    }
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// Reads the fields of a process; `None` if it has ended.
fn stat(id: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name, in parentheses, may hold anything. Field 3, the state, is the first behind it.
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    Some(Stat {
        parent: u32::try_from(number(4)?).ok()?,
        threads: number(20)?,
        own: number(14)? + number(15)?,
        ended: number(16)? + number(17)?,
    })
}

fn exact(id: u32) -> Option<Duration> {
    let text = fs::read_to_string(format!("/proc/{id}/schedstat")).ok()?;
    let nanoseconds = text.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

fn ticks(ticks: u64) -> Duration {
    Duration::from_millis(ticks * (1000 / TICKS))
}

fn proportional(id: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn use_of_time_and_memory_is_measured() {
        let tree = Tree::of(vec![std::process::id()]);
        assert!(tree.memory() > 0);
        let before = tree.cpu();
        while tree.cpu() == before {
            std::hint::black_box(vec![1_u8; 1024]);
        }
    }
}
