//! The watched folder of policy modules, if one is configured.
//!
//! If the module of a policy changes in the folder, it is loaded, tried and activated like one that
//! an operator activates. A module that cannot be used changes nothing, and [`Policies`] reports it
//! until the next that can. A removed file changes nothing, and a file that belongs to no policy is
//! ignored: the configuration says which policies are in a chain.
//!
//! A module is read once nobody writes to it: after it was closed for writing or moved into place,
//! and two reads a moment apart agree. So no half-copied module is activated, however slow the
//! copy. A module that was refused is not tried again until it changes.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use gatepost_policy::{Limits, ModuleFileError, read_module};
use notify::event::{AccessKind, AccessMode, ModifyKind, RenameMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::{Policies, PolicyFault};
use gatepost_config::Config;

/// Delay from the first sign of a change to the first read, and then to the second.
const SETTLE: Duration = Duration::from_millis(100);

/// Events that may wait while a module is loaded. If there are more, every module is examined.
const EVENTS: usize = 1_000;

/// Error that keeps the folder from being watched.
#[derive(Debug, thiserror::Error)]
#[error("cannot watch the folder of policies {}: {source}", folder.display())]
pub struct WatchError {
    folder: PathBuf,
    source: notify::Error,
}

/// A folder whose changes are gathered from now on.
pub struct PreparedWatch {
    watcher: RecommendedWatcher,
    events: Receiver<notify::Result<Event>>,
    missed: Arc<AtomicBool>,
    folder: PathBuf,
    modules: BTreeMap<OsString, WatchedModule>,
}

/// A watched folder. Dropped, it is no longer watched.
pub struct Watch {
    task: JoinHandle<()>,
    _watcher: RecommendedWatcher,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A module in the folder.
#[derive(Default)]
struct WatchedModule {
    policies: Vec<String>,
    /// Digest last seen, whether usable or not; `None` while the file is absent.
    seen: Option<[u8; 32]>,
}

/// Prepares the folder that the configuration wants watched, if any.
///
/// # Errors
/// It does not exist, may not be read, or the system allows no more watches.
pub fn prepare(config: &Config) -> Result<Option<PreparedWatch>, WatchError> {
    let Some(folder) = &config.relay.policies else {
        return Ok(None);
    };
    let failed = |source| WatchError {
        folder: folder.clone(),
        source,
    };
    let here = folder
        .canonicalize()
        .map_err(notify::Error::io)
        .map_err(failed)?;
    let mut modules = BTreeMap::<OsString, WatchedModule>::new();
    for policy in &config.policies {
        let file = policy.file.as_deref();
        let parent = file.and_then(|file| file.parent()?.canonicalize().ok());
        if let Some(name) = file.and_then(Path::file_name)
            && parent.as_ref() == Some(&here)
        {
            let module = modules.entry(name.to_owned()).or_default();
            module.policies.push(policy.name.clone());
        }
    }
    let (sender, events) = channel(EVENTS);
    let missed = Arc::new(AtomicBool::new(false));
    let misses = Arc::clone(&missed);
    let tell = move |event| {
        // The queue is full, or the receiver is gone because the watch is being dropped.
        if sender.try_send(event).is_err() {
            misses.store(true, Ordering::SeqCst);
        }
    };
    let mut watcher = notify::recommended_watcher(tell).map_err(failed)?;
    (watcher.watch(&here, RecursiveMode::NonRecursive)).map_err(failed)?;
    Ok(Some(PreparedWatch {
        watcher,
        events,
        missed,
        folder: here,
        modules,
    }))
}

impl PreparedWatch {
    /// Follows the folder, from the modules that the configuration named when it was read.
    pub fn start(self, policies: Arc<Policies>) -> Watch {
        let Self {
            watcher,
            events,
            missed,
            folder,
            mut modules,
        } = self;
        for slot in policies.slots() {
            // A module that was activated by hand is not in the folder.
            let configured = policies.history.record(slot.name()).configured;
            let seen = configured.as_deref().and_then(from_hex);
            for module in modules.values_mut() {
                if module.policies.iter().any(|policy| policy == slot.name()) {
                    module.seen = seen;
                }
            }
        }
        let follower = Follower {
            folder,
            modules,
            events,
            missed,
            written: BTreeSet::new(),
            policies,
        };
        Watch {
            task: tokio::spawn(follower.run()),
            _watcher: watcher,
        }
    }
}

fn from_hex(hex: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    for (octet, pair) in digest.iter_mut().zip(hex.as_bytes().chunks(2)) {
        *octet = u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(digest)
}

struct Follower {
    folder: PathBuf,
    modules: BTreeMap<OsString, WatchedModule>,
    events: Receiver<notify::Result<Event>>,
    /// Set when more events came than could wait.
    missed: Arc<AtomicBool>,
    /// Files that were written to and not closed since.
    written: BTreeSet<OsString>,
    policies: Arc<Policies>,
}

impl Follower {
    async fn run(mut self) {
        // A module may have changed since it was loaded.
        let mut due = true;
        loop {
            while !due {
                let Some(event) = self.events.recv().await else {
                    return;
                };
                due = self.note(event);
                if self.missed.swap(false, Ordering::SeqCst) {
                    self.written.clear();
                    due = true;
                }
            }
            sleep(SETTLE).await;
            due = self.examine().await;
        }
    }

    /// Notes an event; returns true if a module may have changed.
    fn note(&mut self, event: notify::Result<Event>) -> bool {
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                tracing::warn!(%error, "the folder of policies may have changed unseen");
                return true;
            }
        };
        if event.need_rescan() {
            self.written.clear();
            return true;
        }
        let names = || event.paths.iter().filter_map(|path| path.file_name());
        match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write))
            | EventKind::Modify(ModifyKind::Name(RenameMode::To | RenameMode::Both)) => {
                for name in names() {
                    self.written.remove(name);
                    self.warn_of_unused(name);
                }
            }
            EventKind::Access(_) => return false,
            EventKind::Modify(ModifyKind::Data(_)) => {
                self.written.extend(names().map(OsStr::to_owned));
                return false;
            }
            EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)) => {
                for name in names() {
                    self.written.remove(name);
                }
                if !self.folder.exists() {
                    tracing::error!(folder = %self.folder.display(), "the folder of policies is gone and no longer watched; put it back and reload");
                }
            }
            _ => {}
        }
        true
    }

    /// Warns of a module that belongs to no policy.
    fn warn_of_unused(&self, name: &OsStr) {
        let file = Path::new(name);
        if file.extension() == Some(OsStr::new("wasm")) && !self.modules.contains_key(name) {
            tracing::warn!(file = %file.display(), "a module in the folder of policies belongs to no [[policy]]: it is not used");
        }
    }

    /// Examines every module; returns true if it must be done again soon.
    async fn examine(&mut self) -> bool {
        let changed = self.changed().await;
        if changed.is_empty() {
            return false;
        }
        sleep(SETTLE).await;
        while let Ok(event) = self.events.try_recv() {
            self.note(event);
        }
        let mut again = false;
        let mut after = self.changed().await;
        for (name, ModuleFile { digest, .. }) in changed {
            // Whoever writes to it will close it, which makes an event.
            if self.written.contains(&name) {
                continue;
            }
            let same = after.remove(&name).filter(|found| found.digest == digest);
            let Some(ModuleFile { module: octets, .. }) = same else {
                again = true;
                continue;
            };
            if let Some(module) = self.modules.get_mut(&name) {
                // Set before it is loaded, so that it is tried once whatever the result.
                module.seen = Some(digest);
                for policy in &module.policies {
                    let octets = match &octets {
                        Ok(octets) => Ok(octets.clone()),
                        Err(error) => Err(PolicyFault::Module {
                            path: self.folder.join(&name),
                            source: Arc::clone(error),
                        }),
                    };
                    self.policies.activate_from_folder(policy, octets).await;
                }
            }
        }
        again
    }

    /// Returns the modules that differ from what was last seen, without those still being written.
    async fn changed(&mut self) -> BTreeMap<OsString, ModuleFile> {
        let mut changed = BTreeMap::new();
        for (name, module) in &mut self.modules {
            if self.written.contains(name) {
                continue;
            }
            let file = self.folder.join(name);
            match find(file.clone()).await {
                Ok(Some(found)) => {
                    if module.seen != Some(found.digest) {
                        changed.insert(name.clone(), found);
                    }
                }
                // Just created, still to be written.
                Ok(None) => {}
                Err(error) if module.seen.take().is_some() => {
                    let gone = error.kind() == io::ErrorKind::NotFound;
                    let (file, policies) = (file.display(), &module.policies);
                    tracing::warn!(%file, ?policies, %error, gone, "a watched module cannot be read: the active version stays");
                }
                Err(_) => {}
            }
        }
        changed
    }
}

/// The file found in the place of a module.
struct ModuleFile {
    /// Digest of its bytes; of its metadata where it was not read.
    digest: [u8; 32],
    module: Result<Bytes, Arc<ModuleFileError>>,
}

/// Reads a file if it can be a module; `None` if it is empty.
async fn find(file: PathBuf) -> io::Result<Option<ModuleFile>> {
    let found = tokio::task::spawn_blocking(move || {
        let limit = Limits::default().module_bytes;
        let error = match read_module(&file, limit) {
            Ok(octets) if octets.is_empty() => return Ok(None),
            Ok(octets) => {
                let digest = Sha256::digest(&octets).into();
                let module = Ok(octets.into());
                return Ok(Some(ModuleFile { digest, module }));
            }
            Err(ModuleFileError::Io(error)) => return Err(error),
            Err(error) => error,
        };
        let metadata = file.metadata()?;
        let (seconds, nanoseconds) = (metadata.mtime(), metadata.mtime_nsec());
        let known_by = [metadata.dev(), metadata.ino(), metadata.len()].map(u64::to_be_bytes);
        let changed = [seconds, nanoseconds].map(i64::to_be_bytes);
        let hash = Sha256::new().chain_update(known_by.concat());
        Ok(Some(ModuleFile {
            digest: hash.chain_update(changed.concat()).finalize().into(),
            module: Err(Arc::new(error)),
        }))
    });
    found
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error)))
}
