//! Loading in a process of its own, so that what a module is made of harms nobody.
//!
//! Parsers, validators and compilers can be made to overflow the stack, to take all memory, or to
//! run for hours, by a file of a few octets. So the relay starts its own binary once more
//! ([`Program`]) and hands it the module over a pipe. That process limits itself before it reads
//! anything ([`confine`]), does everything that [`crate::prepare`] tells of, and hands back the
//! module's own description and compiled code, or a sentence ([`frames`]). If it dies, the signal
//! and its last words tell why ([`mod@ask`]), and the relay has lost nothing.
//!
//! The code that comes back is as trustworthy as if the relay had compiled it itself: the same
//! binary has made it, in the same way.

mod ask;
mod confine;
mod frames;
mod logged;
mod serve;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) use ask::ask;
pub use serve::serve;

/// Where modules are read, checked and compiled.
#[derive(Debug, Clone, Default)]
pub enum Loading {
    /// Here, without limits on memory and stack: only for modules that are known, as in tests.
    #[default]
    InProcess,
    /// In a process for each load.
    InChild(Program),
}

impl Loading {
    pub(crate) fn limits(&self) -> LoadingLimits {
        match self {
            Loading::InProcess => LoadingLimits::default(),
            Loading::InChild(program) => program.limits,
        }
    }
}

/// The program that loads: it has to call [`serve()`] with the limits that it is given.
#[derive(Debug, Clone)]
pub struct Program {
    /// Its file.
    pub path: PathBuf,
    /// What it is told before `--memory=OCTETS` and `--processor=SECONDS`.
    pub arguments: Vec<OsString>,
    /// What it may use.
    pub limits: LoadingLimits,
}

impl Program {
    /// The very binary that is running, even if another lies in its place by now.
    pub fn this(arguments: impl IntoIterator<Item = &'static str>) -> Self {
        Self {
            path: PathBuf::from("/proc/self/exe"),
            arguments: arguments.into_iter().map(OsString::from).collect(),
            limits: LoadingLimits::default(),
        }
    }
}

/// How much of the machine the loading of one module may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadingLimits {
    /// Octets of memory.
    pub memory: u64,
    /// Time of the processor, in whole seconds.
    pub processor: Duration,
    /// Time by the clock.
    pub clock: Duration,
    /// Octets of the code that comes of it.
    pub code: usize,
}

impl Default for LoadingLimits {
    fn default() -> Self {
        Self {
            memory: 1 << 30,
            processor: Duration::from_secs(60),
            clock: Duration::from_secs(180),
            code: 64 << 20,
        }
    }
}
