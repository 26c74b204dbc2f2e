//! Loading in a process of its own, so that a malicious module harms nobody.
//!
//! A file of a few bytes can make parsers, validators and compilers overflow the stack, take all
//! memory, or run for hours. So the relay starts its own binary once more ([`Program`]) and hands
//! it the module over a pipe. That process limits itself before it reads anything ([`confine`]),
//! does the steps of [`crate::prepare`], and hands back the module's own description and compiled
//! code, or an error ([`frames`]). If it dies, its signal and standard error tell why
//! ([`mod@ask`]), and the relay has lost nothing.
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

pub(crate) use ask::load_in_child;
pub use serve::serve;

/// Process in which modules are read, checked and compiled.
#[derive(Debug, Clone, Default)]
pub enum Loading {
    /// Relay's own process, without limits on memory and stack: only for known modules, as in
    /// tests.
    #[default]
    InProcess,
    /// New process for each load.
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

/// Program that loads modules. It has to call [`serve()`] with the limits that it is given.
#[derive(Debug, Clone)]
pub struct Program {
    /// Path of the executable file.
    pub path: PathBuf,
    /// Arguments in front of `--memory=OCTETS` and `--processor=SECONDS`.
    pub arguments: Vec<OsString>,
    /// Limits of each load.
    pub limits: LoadingLimits,
}

impl Program {
    /// Names the binary that is running now, even if its file has been replaced since.
    pub fn this(arguments: impl IntoIterator<Item = &'static str>) -> Self {
        Self {
            path: PathBuf::from("/proc/self/exe"),
            arguments: arguments.into_iter().map(OsString::from).collect(),
            limits: LoadingLimits::default(),
        }
    }
}

/// Limits on the load of one module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadingLimits {
    /// Memory, in bytes.
    pub memory: u64,
    /// Processor time, in whole seconds.
    pub processor: Duration,
    /// Elapsed time.
    pub clock: Duration,
    /// Size of the compiled code, in bytes.
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
