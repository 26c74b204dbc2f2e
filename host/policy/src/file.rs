//! The file of a module, read as far as a module may be long.

use std::fs::{File, FileType, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

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
        limit: usize,
    },
}

/// Reads a module's file, or another that a configuration names. A symbolic link is followed, so that a site can point at a version.
///
/// # Errors
/// It cannot be read, is no regular file, or has more octets than `limit`.
pub fn read_module(path: &Path, limit: usize) -> Result<Vec<u8>, ModuleFileError> {
    // Looked at first: to open a device or FIFO may do something already.
    admit(&path.metadata()?, limit)?;
    // Without waiting: it may have become a FIFO since.
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    admit(&metadata, limit)?;
    let most = limit as u64 + 1;
    let expected = usize::try_from(metadata.len().min(most)).unwrap_or(limit);
    let mut module = Vec::with_capacity(expected + 1);
    file.take(most).read_to_end(&mut module)?;
    if module.len() > limit {
        let size = module.len() as u64;
        return Err(ModuleFileError::TooLarge { size, limit });
    }
    Ok(module)
}

fn admit(metadata: &Metadata, limit: usize) -> Result<(), ModuleFileError> {
    if !metadata.is_file() {
        return Err(ModuleFileError::NotRegular(kind(metadata.file_type())));
    }
    if metadata.len() > limit as u64 {
        let size = metadata.len();
        return Err(ModuleFileError::TooLarge { size, limit });
    }
    Ok(())
}

fn kind(file: FileType) -> &'static str {
    if file.is_dir() {
        "a directory"
    } else if file.is_fifo() {
        "a FIFO"
    } else if file.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    #[test]
    fn reads_up_to_the_limit_and_nothing_but_regular_files() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.wasm");
        std::fs::write(&file, [7; 10]).unwrap();
        assert_eq!(read_module(&file, 10).unwrap(), [7; 10]);
        let error = read_module(&file, 9).unwrap_err().to_string();
        assert!(
            error.contains("it has 10 octets and the limit for a module is 9"),
            "{error}"
        );
        let link = folder.path().join("link.wasm");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(read_module(&link, 10).unwrap(), [7; 10]);

        // Sparse: it would be read for minutes.
        let sparse = folder.path().join("sparse.wasm");
        File::create(&sparse).unwrap().set_len(1 << 40).unwrap();
        let error = read_module(&sparse, 10).unwrap_err();
        assert!(matches!(error, ModuleFileError::TooLarge { size, .. } if size == 1 << 40));

        let fifo = folder.path().join("fifo.wasm");
        mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let socket = folder.path().join("socket.wasm");
        let _listener = UnixListener::bind(&socket).unwrap();
        for (path, kind) in [
            (fifo.as_path(), "a FIFO"),
            (socket.as_path(), "a socket"),
            (folder.path(), "a directory"),
            (Path::new("/dev/zero"), "a device"),
        ] {
            let error = read_module(path, 10).unwrap_err();
            assert!(
                matches!(error, ModuleFileError::NotRegular(k) if k == kind),
                "{error}"
            );
        }
    }
}
