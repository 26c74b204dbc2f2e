//! Regular files, opened without waiting and read within a bound.
//!
//! A path in a configuration may lead to something else than the intended file: opening a FIFO
//! waits for a writer, a device may never end, and a sparse file of a terabyte costs only its
//! reader anything. Each is refused with a sentence.

use std::{
    fs::{self, File, FileType, Metadata, OpenOptions},
    io::{self, ErrorKind, Read as _},
    os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _},
    path::Path,
};

use rustix::fs::OFlags;

/// Most octets of a file of settings: a configuration, a template, a PEM file of certificates or
/// keys.
pub const SETTINGS: u64 = 4 << 20;

/// Reason why a file was not opened or read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is not a regular file: reading it might never end, or change it.
    #[error("it is {0}, and has to be a regular file")]
    NotRegular(&'static str),
    /// It is larger than the limit, and was not read.
    #[error("it has {size} octets, and the limit is {limit}")]
    TooLarge {
        /// Octets of the file.
        size: u64,
        /// Limit.
        limit: u64,
    },
    /// It should be a text, and is not UTF-8.
    #[error("it is not a text in UTF-8")]
    NotText,
}

impl From<FileError> for io::Error {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Io(error) => error,
            FileError::NotText => Self::new(ErrorKind::InvalidData, error),
            // No system call returns this kind for a file that is only opened and read.
            error => Self::new(ErrorKind::InvalidInput, error),
        }
    }
}

/// Opens a regular file with `options`, without waiting. Symbolic links are followed.
///
/// # Errors
/// If it cannot be opened, or is not a regular file.
pub fn open_with(options: &mut OpenOptions, path: &Path) -> Result<File, FileError> {
    // Checked first: opening a device or a FIFO may have an effect already.
    match fs::metadata(path) {
        Ok(metadata) => refuse_irregular(&metadata)?,
        // It may be about to be created; otherwise opening reports the same.
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    // Without waiting: it may have become a FIFO since.
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let file = options.custom_flags(flags).open(path)?;
    refuse_irregular(&file.metadata()?)?;
    Ok(file)
}

/// Opens a regular file for reading.
///
/// # Errors
/// As [`open_with`].
pub fn open(path: &Path) -> Result<File, FileError> {
    open_with(File::options().read(true), path)
}

/// Reads a regular file of up to `limit` octets.
///
/// # Errors
/// As [`open_with`], or if it has more octets.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let file = open(path)?;
    let size = file.metadata()?.len();
    if size > limit {
        return Err(FileError::TooLarge { size, limit });
    }
    // Allocated at once: no part of a secret is moved and left behind.
    let mut octets = Vec::with_capacity(usize::try_from(size).unwrap_or(usize::MAX - 1) + 1);
    file.take(limit.saturating_add(1))
        .read_to_end(&mut octets)?;
    let size = octets.len() as u64;
    match size > limit {
        true => Err(FileError::TooLarge { size, limit }),
        false => Ok(octets),
    }
}

/// Reads a regular text file of up to `limit` octets.
///
/// # Errors
/// As [`read`], or if it is not UTF-8.
pub fn read_text(path: &Path, limit: u64) -> Result<String, FileError> {
    String::from_utf8(read(path, limit)?).map_err(|_| FileError::NotText)
}

/// Refuses a path that leads to something other than a regular file.
///
/// # Errors
/// If it cannot be examined, or is not a regular file.
pub fn refuse_other_kinds(path: &Path) -> Result<(), FileError> {
    match fs::metadata(path) {
        Ok(metadata) => refuse_irregular(&metadata),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn refuse_irregular(metadata: &Metadata) -> Result<(), FileError> {
    match metadata.is_file() {
        true => Ok(()),
        false => Err(FileError::NotRegular(kind(metadata.file_type()))),
    }
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
        let file = folder.path().join("a");
        fs::write(&file, [b'7'; 10]).unwrap();
        assert_eq!(read(&file, 10).unwrap(), [b'7'; 10]);
        assert_eq!(read_text(&file, 10).unwrap(), "7777777777");
        let error = read(&file, 9).unwrap_err().to_string();
        assert!(error.contains("10 octets, and the limit is 9"), "{error}");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(read(&link, 10).unwrap(), [b'7'; 10]);
        fs::write(&file, [0xff]).unwrap();
        assert!(matches!(read_text(&file, 10), Err(FileError::NotText)));

        // Sparse: reading it would take minutes.
        let sparse = folder.path().join("sparse");
        File::create(&sparse).unwrap().set_len(1 << 40).unwrap();
        let error = read(&sparse, 10).unwrap_err();
        assert!(matches!(error, FileError::TooLarge { size, .. } if size == 1 << 40));

        let fifo = folder.path().join("fifo");
        mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let socket = folder.path().join("socket");
        let _listener = UnixListener::bind(&socket).unwrap();
        for (path, kind) in [
            (fifo.as_path(), "a FIFO"),
            (socket.as_path(), "a socket"),
            (folder.path(), "a directory"),
            (Path::new("/dev/zero"), "a device"),
        ] {
            let not_regular = |error| matches!(error, FileError::NotRegular(k) if k == kind);
            assert!(not_regular(read(path, 10).unwrap_err()), "{kind}");
            assert!(not_regular(refuse_other_kinds(path).unwrap_err()), "{kind}");
            let mut writing = File::options();
            let written = open_with(writing.write(true).create(true), path);
            assert!(not_regular(written.unwrap_err()), "{kind}");
        }
    }
}
