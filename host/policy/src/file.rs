//! Reading a module's file, up to the limit on its size.

use std::io;
use std::path::Path;

use gatepost_files::FileError;

/// Error of reading a module's file.
#[derive(Debug, thiserror::Error)]
pub enum ModuleFileError {
    /// Error of the system on opening or reading it.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// File that is not regular, such as a pipe or a device: reading it might never end, or change
    /// it.
    #[error("it is {0}, and a module is a regular file; name the .wasm file itself")]
    NotRegular(&'static str),
    /// File over the limit, which was not read.
    #[error(
        "it has {size} octets and the limit for a module is {limit}; build it in release mode, \
         with lto and strip"
    )]
    TooLarge {
        /// Size of the file, in bytes.
        size: u64,
        /// Limit, in bytes.
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
/// If it cannot be read, is no regular file, or has more than `limit` bytes.
pub fn read_module(path: &Path, limit: usize) -> Result<Vec<u8>, ModuleFileError> {
    Ok(gatepost_files::read(path, limit as u64)?)
}
