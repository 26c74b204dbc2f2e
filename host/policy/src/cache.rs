//! Compiled code, kept between starts so that a restart does not compile again.
//!
//! Native code is loaded without being checked, so this is the one place where the relay has to
//! trust a file: only what it wrote itself, in a directory that nobody else may enter. A file
//! carries the SHA-256 of its contents; a torn one is compiled again. Users' precompiled files are
//! never loaded.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};
use wasmtime::component::Component;

use crate::error::EngineError;

const HASH: usize = 32;

/// How long code is kept that no start has used.
const UNUSED: Duration = Duration::from_secs(30 * 24 * 3600);

/// A private directory of compiled components.
#[derive(Debug)]
pub(crate) struct Cache {
    directory: PathBuf,
    /// What the code was compiled with and for.
    compatibility: u64,
}

impl Cache {
    pub(crate) fn open(directory: PathBuf, engine: &wasmtime::Engine) -> Result<Self, EngineError> {
        let failed = |what: String| EngineError(format!("cache {}: {what}", directory.display()));
        let made = fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&directory);
        made.map_err(|e| failed(e.to_string()))?;
        let metadata = fs::metadata(&directory).map_err(|e| failed(e.to_string()))?;
        if metadata.permissions().mode() & 0o077 != 0 {
            return Err(failed("others may enter it; chmod it to 0700".into()));
        }
        let own = fs::metadata("/proc/self")
            .map_err(|e| failed(e.to_string()))?
            .uid();
        if metadata.uid() != own {
            return Err(failed("it belongs to another user".into()));
        }
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let cache = Self {
            directory,
            compatibility: hasher.finish(),
        };
        cache.prune();
        Ok(cache)
    }

    fn path(&self, digest: &str) -> PathBuf {
        self.directory
            .join(format!("{digest}-{:016x}.code", self.compatibility))
    }

    /// Removes what has not been used for [`UNUSED`]: versions come and go, and so do builds.
    fn prune(&self) {
        let stale = |path: &Path| {
            let used = fs::metadata(path).and_then(|metadata| metadata.modified());
            used.is_ok_and(|used| used.elapsed().is_ok_and(|age| age > UNUSED))
        };
        let entries = fs::read_dir(&self.directory)
            .into_iter()
            .flatten()
            .flatten();
        for path in entries.map(|entry| entry.path()).filter(|path| stale(path)) {
            // A file that stays is tried again at the next start.
            let _ = fs::remove_file(path);
        }
    }

    /// What was stored under `digest` by this very build, if it is whole.
    pub(crate) fn load(&self, digest: &str, engine: &wasmtime::Engine) -> Option<Component> {
        let path = self.path(digest);
        let file = fs::read(&path).ok()?;
        // Its time tells when it was last of use.
        let touched = fs::File::options().write(true).open(&path);
        let _ = touched.and_then(|file| file.set_modified(SystemTime::now()));
        let (hash, code) = file.split_at_checked(HASH)?;
        if Sha256::digest(code).as_slice() != hash {
            tracing::warn!(digest, "the cached code is damaged: compiling again");
            return None;
        }
        // Sound because the relay alone can have written the file: `open` made sure that the
        // directory is its own, the name carries the engine's compatibility hash, and the
        // contents are those that were written.
        #[allow(unsafe_code)]
        let component = unsafe { Component::deserialize(engine, code) };
        component.ok()
    }

    /// Keeps a component. A failure costs a compilation at the next start and no more.
    pub(crate) fn store(&self, digest: &str, component: &Component) {
        let write = || -> Result<(), String> {
            let code = component.serialize().map_err(|e| e.to_string())?;
            let path = self.path(digest);
            let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
            let mut file = fs::File::create(&temporary).map_err(|e| e.to_string())?;
            file.write_all(&Sha256::digest(&code))
                .map_err(|e| e.to_string())?;
            file.write_all(&code).map_err(|e| e.to_string())?;
            fs::rename(&temporary, &path).map_err(|e| e.to_string())
        };
        if let Err(error) = write() {
            tracing::warn!(digest, error, "compiled code could not be cached");
        }
    }
}
