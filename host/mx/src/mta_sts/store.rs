//! Stores of policies, so that they outlive a restart.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use gatepost_files::FileError;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::known::KnownPolicy;

/// Largest file that is read: more than is ever written.
const LARGEST: u64 = 64 << 20;

/// Version of the file's form.
const FORM: u32 = 1;

/// Store of the policies that the relay knows.
pub trait PolicyCache: Send + Sync {
    /// Returns the stored policies; none if nothing was ever stored.
    ///
    /// # Errors
    /// They cannot be read.
    fn load(&self) -> Result<Vec<KnownPolicy>, PolicyCacheError>;

    /// Stores these policies in the place of the former ones, durably.
    ///
    /// # Errors
    /// They cannot be written; the former ones stay.
    fn store(&self, policies: &[Arc<KnownPolicy>]) -> Result<(), PolicyCacheError>;
}

/// Error of a store of policies.
#[derive(Debug, thiserror::Error)]
pub enum PolicyCacheError {
    /// The file cannot be read.
    #[error("cannot read the policies of MTA-STS: {0}")]
    Read(#[from] FileError),
    /// The file cannot be written.
    #[error("cannot write the policies of MTA-STS: {0}")]
    Write(#[from] io::Error),
}

/// Store that ends with the process.
#[derive(Debug, Default)]
pub struct PoliciesInMemory(Mutex<Vec<KnownPolicy>>);

impl PolicyCache for PoliciesInMemory {
    fn load(&self) -> Result<Vec<KnownPolicy>, PolicyCacheError> {
        Ok(self.0.lock().clone())
    }

    fn store(&self, policies: &[Arc<KnownPolicy>]) -> Result<(), PolicyCacheError> {
        *self.0.lock() = policies.iter().map(|policy| (**policy).clone()).collect();
        Ok(())
    }
}

/// Store in one file, which is replaced as a whole.
#[derive(Debug)]
pub struct PolicyFile(PathBuf);

#[derive(Serialize)]
struct Written<'a> {
    form: u32,
    policies: Vec<&'a KnownPolicy>,
}

#[derive(Deserialize)]
struct Read {
    form: u32,
    policies: Vec<KnownPolicy>,
}

impl PolicyFile {
    /// Names the file, such as `mta-sts.json` in the folder of the store.
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }
}

impl PolicyCache for PolicyFile {
    fn load(&self) -> Result<Vec<KnownPolicy>, PolicyCacheError> {
        let text = match gatepost_files::read(&self.0, LARGEST) {
            Err(FileError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Vec::new());
            }
            read => read?,
        };
        let why = match serde_json::from_slice::<Read>(&text) {
            Ok(read) if read.form == FORM => return Ok(read.policies),
            Ok(read) => format!("its form is {}, and {FORM} is known", read.form),
            Err(error) => error.to_string(),
        };
        // The policies can be fetched again, so the relay starts without them.
        let kept = gatepost_files::move_away(&self.0)?;
        tracing::error!(file = %kept.display(), why, "the file does not hold policies of MTA-STS; they are fetched again");
        Ok(Vec::new())
    }

    fn store(&self, policies: &[Arc<KnownPolicy>]) -> Result<(), PolicyCacheError> {
        let written = Written {
            form: FORM,
            policies: policies.iter().map(|policy| &**policy).collect(),
        };
        let text = serde_json::to_vec(&written).map_err(io::Error::from)?;
        Ok(gatepost_files::replace(&self.0, &text)?)
    }
}
