//! The engine of every command that runs policies. It loads modules in a process of its own, which
//! is this binary with the hidden command [`COMMAND`].
//!
//! The built-in policies are loaded in the same way: a start pays for that once, and later starts
//! find the code in the cache.

use std::path::PathBuf;
use std::sync::Arc;

use gatepost_policy::{Engine, EngineError, EngineSettings, Loading, Program};

/// Name of the hidden command.
pub const COMMAND: &str = "load-policy";

/// Starts the engine of a command. Compiled code is kept in the user's own cache folder,
/// `gatepost/policies` in `$XDG_CACHE_HOME` or else in `~/.cache` (XDG Base Directory Specification),
/// so that a policy is compiled once for all commands. Without such a folder, or with one that others
/// may write, nothing is kept.
///
/// # Errors
/// The machine cannot run it.
pub fn engine_of_command() -> Result<Arc<Engine>, EngineError> {
    let kept = cache_of_user().and_then(|folder| engine(Some(folder)).ok());
    kept.map_or_else(|| engine(None), Ok)
}

/// Returns the folder for compiled code of this user; `None` if the environment names none.
fn cache_of_user() -> Option<PathBuf> {
    let named = |name| {
        let path = PathBuf::from(std::env::var_os(name)?);
        // A relative path is to be ignored, says the specification.
        path.is_absolute().then_some(path)
    };
    let caches = named("XDG_CACHE_HOME").or_else(|| Some(named("HOME")?.join(".cache")))?;
    Some(caches.join("gatepost").join("policies"))
}

/// Starts an engine. Compiled code is kept in the directory `cache`, if one is given.
///
/// # Errors
/// The machine cannot run it, or the directory cannot be trusted.
pub fn engine(cache: Option<PathBuf>) -> Result<Arc<Engine>, EngineError> {
    Engine::new(EngineSettings {
        cache,
        loading: Loading::InChild(Program::this([COMMAND])),
        ..EngineSettings::default()
    })
}
