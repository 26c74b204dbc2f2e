//! Compiled code, and the files in which it is kept between starts so that a restart does not
//! compile again.
//!
//! Native code is run without being checked, so this is the one place where the relay has to trust
//! octets: those that its own process for loading has handed over, and those of a file that only
//! the relay can have written. Each time that a file is read, it and the directory have to be the
//! relay's own with no access for others, and its octets those that were written under its name, by
//! their SHA-256. What fails that is said, not used, and made anew. Users' precompiled files are
//! never loaded.
//!
//! The digest finds damage and files that have changed places. It is no secret: who can write as
//! the relay's own user can write code that the relay runs, and much else.

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

const HASH: usize = 32;

/// Changes with what a file looks like, and with what a load refuses: what an earlier relay let
/// through is then looked at again.
const FORMAT: u32 = 2;

/// How long code is kept that no start has used.
const UNUSED: Duration = Duration::from_secs(30 * 24 * 3600);

/// Octets of all files together. What was used last longest ago goes first.
const ROOM: u64 = 1 << 30;

/// Octets of one file.
const LONGEST: u64 = 256 << 20;

/// Native code that this relay has compiled.
pub(crate) struct Code(Vec<u8>);

impl Code {
    /// The code of a component.
    pub(crate) fn of(component: &Component) -> wasmtime::Result<Self> {
        component.serialize().map(Self)
    }

    /// What the relay's own process for loading has handed over.
    pub(crate) fn from_child(octets: Vec<u8>) -> Self {
        Self(octets)
    }

    pub(crate) fn octets(&self) -> &[u8] {
        &self.0
    }

    /// Makes it a component again.
    pub(crate) fn component(&self, engine: &wasmtime::Engine) -> wasmtime::Result<Component> {
        // Sound because nothing but wasmtime's own `serialize`, in a process of this very binary,
        // has made these octets. There are three ways to a `Code`: of a component of this process;
        // from the child that this process has started as itself and whose pipe it alone reads;
        // and from a file that `Cache::read` has found to be the relay's own, closed to others, and
        // as it was written. wasmtime compares its version and settings with those in the octets.
        #[allow(unsafe_code)]
        unsafe {
            Component::deserialize(engine, &self.0)
        }
    }
}

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
        private(&metadata, "0700").map_err(failed)?;
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

    /// Removes what has not been used for [`UNUSED`]: versions come and go, and so do builds. Then
    /// what there is no [`ROOM`] for.
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
        for (used, octets, path) in files {
            taken = taken.saturating_add(octets);
            if taken > ROOM || used.elapsed().is_ok_and(|age| age > UNUSED) {
                // A file that stays is tried again next time.
                let _ = fs::remove_file(path);
            }
        }
    }

    /// What was stored under `digest` by this very build, if it can be trusted.
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
        private(&fs::metadata(&self.directory)?, "0700")?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err("it is no regular file".to_owned().into());
        }
        private(&metadata, "0600")?;
        if metadata.len() > LONGEST {
            return Err("it is too long".to_owned().into());
        }
        let mut octets = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
        (&mut file).take(LONGEST).read_to_end(&mut octets)?;
        let damaged = || Unusable::Because("its contents are not what was written".into());
        let (hash, rest) = octets.split_at_checked(HASH).ok_or_else(damaged)?;
        if checksum(name, rest).as_slice() != hash {
            return Err(damaged());
        }
        let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
        let length = u32::from_be_bytes(*length) as usize;
        let (inspection, code) = rest.split_at_checked(length).ok_or_else(damaged)?;
        let inspection = serde_json::from_slice(inspection).map_err(|_| damaged())?;
        // Its time tells when it was last of use.
        let _ = file.set_modified(SystemTime::now());
        Ok(Prepared {
            inspection,
            code: Code(code.to_owned()),
        })
    }

    /// Keeps what was prepared. A failure costs a compilation at the next start and no more.
    pub(crate) fn store(&self, digest: &str, inspection: &Inspection, code: &Code) {
        if let Err(error) = self.write(&self.name(digest), inspection, code) {
            let error = error.to_string();
            tracing::warn!(digest, error, "compiled code could not be cached");
        }
        self.prune();
    }

    fn write(&self, name: &str, inspection: &Inspection, code: &Code) -> io::Result<()> {
        private(&fs::metadata(&self.directory)?, "0700").map_err(io::Error::other)?;
        let inspection = serde_json::to_vec(inspection)?;
        let length = u32::try_from(inspection.len()).map_err(io::Error::other)?;
        let rest = [&length.to_be_bytes(), inspection.as_slice(), code.octets()].concat();
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let process = std::process::id();
        let path = self.directory.join(name);
        let temporary = path.with_extension(format!("{process}-{number}.tmp"));
        let written = (|| {
            let mut file = private_file(&temporary)?;
            file.write_all(&checksum(name, &rest))?;
            file.write_all(&rest)?;
            fs::rename(&temporary, &path)
        })();
        if written.is_err() {
            // It is not there, or of no use.
            let _ = fs::remove_file(&temporary);
        }
        written
    }
}

/// Makes a file that nobody has made before, for this user alone.
fn private_file(path: &Path) -> io::Result<File> {
    // One of an earlier process with the same number, which did not get to its end.
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

/// Over the name, too: a file in the place of another is not what was written there.
fn checksum(name: &str, rest: &[u8]) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(name);
    hash.update([0]);
    hash.update(rest);
    hash.finalize().to_vec()
}

/// Whether something is this user's, and closed to others; else why not.
fn private(metadata: &Metadata, mode: &str) -> Result<(), String> {
    // Not the owner of /proc/self: of a process that leaves no core dump that is root.
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

/// Why nothing is taken from the cache.
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
