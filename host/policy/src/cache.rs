//! Compiled code, and the files that keep it between starts so that a restart does not compile
//! again.
//!
//! Native code runs without being checked, so this is the one place where the relay has to trust
//! bytes: those that its own loading process hands over, and those of a file that only the relay
//! can have written. At each read, the file and its directory have to belong to the relay's user
//! with no access for others, and the file's SHA-256 has to match its contents and its name. A file
//! that fails a check is logged and not used, and the code is compiled again. Users' precompiled
//! files are never loaded.
//!
//! The digest finds damage and exchanged files. It is no secret: whoever can write as the relay's
//! own user can write code that the relay runs, and much else.

use std::fs::{self, File, Metadata};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use rustix::fs::OFlags;
use sha2::{Digest, Sha256};
use wasmtime::component::Component;

use crate::error::EngineError;
use crate::prepare::Prepared;
use crate::version::Inspection;

/// Length of a SHA-256, in bytes.
const HASH_LENGTH: usize = 32;

/// Version of the files. It is raised when their format changes, and when a load refuses more: then
/// modules that an earlier relay accepted are checked again.
const FORMAT: u32 = 3;

/// Age at which code that no start has used is removed.
const MAX_UNUSED: Duration = Duration::from_secs(30 * 24 * 3600);

/// Limit on all files together, in bytes. The least recently used are removed first.
const MAX_TOTAL: u64 = 1 << 30;

/// Limit on one file, in bytes.
const MAX_FILE: u64 = 256 << 20;

/// Native code that this relay's binary has compiled.
pub(crate) struct Code(Vec<u8>);

impl Code {
    /// Returns the code of a component.
    pub(crate) fn from_component(component: &Component) -> wasmtime::Result<Self> {
        component.serialize().map(Self)
    }

    /// Takes the bytes that the relay's own loading process has handed over.
    pub(crate) fn from_child(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Makes a component of the code.
    pub(crate) fn component(&self, engine: &wasmtime::Engine) -> wasmtime::Result<Component> {
        // Sound because only wasmtime's own `serialize`, in a process of this very binary, has made
        // these bytes. A `Code` comes from one of three sources: a component of this process; the
        // child that this process started as itself, whose pipe only this process reads; or a file
        // that `Cache::read` found to belong to the relay's user, closed to others, and unchanged.
        // wasmtime compares its version and settings with those in the bytes.
        #[allow(unsafe_code)]
        unsafe {
            Component::deserialize(engine, &self.0)
        }
    }
}

/// Private directory of compiled components.
#[derive(Debug)]
pub(crate) struct Cache {
    directory: PathBuf,
    /// Hash of [`FORMAT`] and of the compiler's version, settings and target.
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
        check_private(&metadata, "0700").map_err(failed)?;
        let mut hasher = DefaultHasher::new();
        FORMAT.hash(&mut hasher);
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let cache = Self {
            directory,
            compatibility: hasher.finish(),
        };
        cache.prune();
        Ok(cache)
    }

    fn name(&self, digest: &str) -> String {
        format!("{digest}-{:016x}.code", self.compatibility)
    }

    /// Removes files that were not used for [`MAX_UNUSED`], since versions and builds come and go,
    /// and the least recently used beyond [`MAX_TOTAL`].
    fn prune(&self) {
        let entries = fs::read_dir(&self.directory);
        let files = entries.into_iter().flatten().flatten().filter_map(|entry| {
            let metadata = entry.metadata().ok()?;
            let used = metadata.modified().ok()?;
            Some((used, metadata.len(), entry.path()))
        });
        let mut files: Vec<_> = files.collect();
        files.sort_unstable_by(|a, b| b.cmp(a));
        let mut taken: u64 = 0;
        for (used, bytes, path) in files {
            taken = taken.saturating_add(bytes);
            if taken > MAX_TOTAL || used.elapsed().is_ok_and(|age| age > MAX_UNUSED) {
                // If this fails, the next start tries again.
                let _ = fs::remove_file(path);
            }
        }
    }

    /// Returns what this very build stored under `digest`, if the file can be trusted.
    pub(crate) fn load(&self, digest: &str) -> Option<Prepared> {
        let name = self.name(digest);
        match self.read(&name) {
            Ok(prepared) => Some(prepared),
            Err(Unusable::Absent) => None,
            Err(Unusable::Because(why)) => {
                let file = self.directory.join(name);
                let file = file.display();
                tracing::warn!(%file, why, "the cached code is not used: compiling again");
                None
            }
        }
    }

    fn read(&self, name: &str) -> Result<Prepared, Unusable> {
        let path = self.directory.join(name);
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let flags = i32::try_from(flags.bits()).unwrap_or_default();
        let mut file = File::options().read(true).custom_flags(flags).open(path)?;
        check_private(&fs::metadata(&self.directory)?, "0700")?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err("it is no regular file".to_owned().into());
        }
        check_private(&metadata, "0600")?;
        if metadata.len() > MAX_FILE {
            return Err("it is too long".to_owned().into());
        }
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
        (&mut file).take(MAX_FILE).read_to_end(&mut bytes)?;
        let damaged = || Unusable::Because("its contents are not what was written".into());
        let (hash, rest) = bytes.split_at_checked(HASH_LENGTH).ok_or_else(damaged)?;
        if checksum(name, rest).as_slice() != hash {
            return Err(damaged());
        }
        let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
        let length = u32::from_be_bytes(*length) as usize;
        let (inspection, code) = rest.split_at_checked(length).ok_or_else(damaged)?;
        let inspection = serde_json::from_slice(inspection).map_err(|_| damaged())?;
        // The file's time is the time of its last use.
        let _ = file.set_modified(SystemTime::now());
        Ok(Prepared {
            inspection,
            code: Code(code.to_owned()),
        })
    }

    /// Stores a prepared module. A failure costs one compilation at the next start and no more.
    pub(crate) fn store(&self, digest: &str, inspection: &Inspection, code: &Code) {
        if let Err(error) = self.write(&self.name(digest), inspection, code) {
            let error = error.to_string();
            tracing::warn!(digest, error, "compiled code could not be cached");
        }
        self.prune();
    }

    fn write(&self, name: &str, inspection: &Inspection, code: &Code) -> io::Result<()> {
        check_private(&fs::metadata(&self.directory)?, "0700").map_err(io::Error::other)?;
        let inspection = serde_json::to_vec(inspection)?;
        let length = u32::try_from(inspection.len()).map_err(io::Error::other)?;
        let rest = [&length.to_be_bytes(), inspection.as_slice(), code.bytes()].concat();
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let process = std::process::id();
        let path = self.directory.join(name);
        let temporary = path.with_extension(format!("{process}-{number}.tmp"));
        let written = (|| {
            let mut file = create_private_file(&temporary)?;
            file.write_all(&checksum(name, &rest))?;
            file.write_all(&rest)?;
            fs::rename(&temporary, &path)
        })();
        if written.is_err() {
            // It may not exist, or is incomplete.
            let _ = fs::remove_file(&temporary);
        }
        written
    }
}

/// Creates a new file with access for this user alone.
fn create_private_file(path: &Path) -> io::Result<File> {
    // An earlier process with the same number may have left it unfinished.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Returns the SHA-256 of name and contents. The name counts so that exchanged files are found.
fn checksum(name: &str, rest: &[u8]) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(name);
    hash.update([0]);
    hash.update(rest);
    hash.finalize().to_vec()
}

/// Checks that a file or directory belongs to this user and is closed to others.
fn check_private(metadata: &Metadata, mode: &str) -> Result<(), String> {
    // The owner of /proc/self would not do: it is root for a process that may not dump core.
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err("it belongs to another user".into());
    }
    if metadata.mode() & 0o077 != 0 {
        let what = if metadata.is_dir() {
            "others may enter it"
        } else {
            "others may read or write it"
        };
        return Err(format!("{what}; chmod it to {mode}"));
    }
    Ok(())
}

/// Reason for which a file of the cache is not used.
enum Unusable {
    Absent,
    Because(String),
}

impl From<String> for Unusable {
    fn from(why: String) -> Self {
        Self::Because(why)
    }
}

impl From<io::Error> for Unusable {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Absent,
            _ => Self::Because(error.to_string()),
        }
    }
}
