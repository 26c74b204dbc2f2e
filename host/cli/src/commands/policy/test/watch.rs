//! `--watch`: waits until the module or a fixture changes.
//!
//! The folders are watched, not the files: builds and editors put new files in the place of old
//! ones. What happens in quick succession is one change.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use miette::{IntoDiagnostic as _, WrapErr as _};
use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc::{Receiver, channel};
use tokio::time::timeout;

/// Silence after a change, by which it has ended.
const SETTLE: Duration = Duration::from_millis(100);

/// Number of waits for silence, after which a change that goes on and on is tested all the same.
const MAX_WAITS: usize = 50;

/// Events that may wait. If there are more, a change is known anyway.
const EVENTS: usize = 1_000;

/// Number of files that a change is told by.
const TOLD: usize = 3;

/// Watch of a folder of fixtures and of a module.
pub(super) struct TestWatch {
    events: Receiver<notify::Result<Event>>,
    fixtures: PathBuf,
    /// Folder and name of the module, if it is a file.
    module: Option<(PathBuf, OsString)>,
    _watcher: RecommendedWatcher,
}

impl TestWatch {
    /// Watches from now on.
    ///
    /// # Errors
    /// A folder does not exist, may not be read, or the system allows no more watches.
    pub(super) fn new(fixtures: &Path, module: Option<&Path>) -> miette::Result<Self> {
        let fixtures = folder(fixtures)?;
        let module = match module.and_then(|file| Some((file.parent()?, file.file_name()?))) {
            Some((parent, name)) => Some((folder(parent)?, name.to_owned())),
            None => None,
        };
        let (sender, events) = channel(EVENTS);
        let tell = move |event| {
            // With a full queue, a change is known already.
            let _ = sender.try_send(event);
        };
        let mut watcher = notify::recommended_watcher(tell).into_diagnostic()?;
        let folders = module.iter().map(|(folder, _)| folder).chain([&fixtures]);
        for folder in folders.collect::<BTreeSet<_>>() {
            watcher
                .watch(folder, RecursiveMode::NonRecursive)
                .into_diagnostic()
                .wrap_err_with(|| format!("cannot watch {}", folder.display()))?;
        }
        Ok(Self {
            events,
            fixtures,
            module,
            _watcher: watcher,
        })
    }

    /// Waits for a change, and returns it in words. It may be called again when it was dropped.
    pub(super) async fn change(&mut self) -> String {
        let mut changed = BTreeSet::new();
        while changed.is_empty() {
            let event = self.events.recv().await;
            self.note(event, &mut changed);
        }
        for _ in 0..MAX_WAITS {
            match timeout(SETTLE, self.events.recv()).await {
                Ok(event) => self.note(event, &mut changed),
                Err(_) => break,
            }
        }
        let more = changed.len().saturating_sub(TOLD);
        let told: Vec<_> = changed.into_iter().take(TOLD).collect();
        match more {
            0 => told.join(", "),
            _ => format!("{} and {more} more", told.join(", ")),
        }
    }

    /// Notes the names of the files that an event is about, if it is a change of them.
    fn note(&self, event: Option<notify::Result<Event>>, changed: &mut BTreeSet<String>) {
        let event = match event {
            Some(Ok(event)) => event,
            Some(Err(_)) | None => {
                changed.insert("something".to_owned());
                return;
            }
        };
        if event.need_rescan() {
            changed.insert("something".to_owned());
        }
        if let EventKind::Access(kind) = event.kind
            && kind != AccessKind::Close(AccessMode::Write)
        {
            // Reading a fixture is no change.
            return;
        }
        let ours = event.paths.iter().filter(|path| self.is_ours(path));
        let names = ours.filter_map(|path| path.file_name());
        changed.extend(names.map(|name| name.to_string_lossy().into_owned()));
    }

    fn is_ours(&self, path: &Path) -> bool {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return false;
        };
        let module = self.module.as_ref();
        let is_module = module.is_some_and(|(folder, file)| folder == parent && file == name);
        let end = path.extension();
        let is_fixture = parent == self.fixtures && end.is_some_and(|e| e == "eml" || e == "toml");
        is_module || is_fixture
    }
}

/// Returns the path by which events name a folder.
fn folder(path: &Path) -> miette::Result<PathBuf> {
    let path = match path.as_os_str().is_empty() {
        true => Path::new("."),
        false => path,
    };
    path.canonicalize()
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot watch {}", path.display()))
}
