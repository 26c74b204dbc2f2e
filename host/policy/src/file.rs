//! The file of a module, read as far as a module may be long.

use std::io;
use std::path::Path;

use gatepost_files::FileError;

/// Why the file of a module was not read.
#[derive(Debug, thiserror::Error)]
pub enum ModuleFileError {
    /// The system does not give it.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is something that only looks like a file: reading it might never end, or change it.
    #[error("it is {0}, and a module is a regular file; name the .wasm file itself")]
    NotRegular(&'static str),
    /// It is over the limit. It was not read.
    #[error(
        "it has {size} octets and the limit for a module is {limit}; build it in release mode, \
         with lto and strip"
    )]
    TooLarge {
        /// Octets of the file.
        size: u64,
        /// The limit.
        limit: u64,
    },
}

impl From<FileError> for ModuleFileError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::NotRegular(kind) => Self::NotRegular(kind),
            FileError::TooLarge { size, limit } => Self::TooLarge { size, limit },
            error => Self::Io(error.into()),
        }
    }
}

/// Reads a module's file. A symbolic link is followed, so that a site can point at a version.
///
/// # Errors
/// It cannot be read, is no regular file, or has more octets than `limit`.
pub fn read_module(path: &Path, limit: usize) -> Result<Vec<u8>, ModuleFileError> {
    Ok(gatepost_files::read(path, limit as u64)?)
}
