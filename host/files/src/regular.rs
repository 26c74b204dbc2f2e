//! Regular files, opened without waiting and read within a bound.
//!
//! Whatever a configuration names may be something else than the file that was meant: to open a
//! FIFO waits for somebody to write to it, a device may never end, and a sparse file of a terabyte
//! costs nobody but its reader anything. Each is refused in a sentence.

use std::{
    fs::{self, File, FileType, Metadata, OpenOptions},
    io::{self, ErrorKind, Read as _},
    os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _},
    path::Path,
};

use rustix::fs::OFlags;

/// Octets of the longest file of settings that is read: a configuration, a template, a PEM file of
/// certificates or keys.
pub const SETTINGS: u64 = 4 << 20;

/// Why a file was not opened or read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system does not give it.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is something that only looks like a file: to read it might never end, or change it.
    #[error("it is {0}, and has to be a regular file")]
    NotRegular(&'static str),
    /// It is over the limit. It was not read.
    #[error("it has {size} octets, and the limit is {limit}")]
    TooLarge {
        /// Octets of the file.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// It is to be a text.
    #[error("it is not a text in UTF-8")]
    NotText,
}

impl From<FileError> for io::Error {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Io(error) => error,
            FileError::NotText => Self::new(ErrorKind::InvalidData, error),
            // Which no call of the system gives for a file that is only opened and read.
            error => Self::new(ErrorKind::InvalidInput, error),
        }
    }
}

/// Opens a regular file as `options` say, without waiting for anybody. A symbolic link is followed.
///
/// # Errors
/// It cannot be opened, or is no regular file.
pub fn open_with(options: &mut OpenOptions, path: &Path) -> Result<File, FileError> {
    // Looked at first: to open a device or a FIFO may do something already.
    match fs::metadata(path) {
        Ok(metadata) => admit(&metadata)?,
        // It may be about to be made; else opening says the same.
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    // Without waiting: it may have become a FIFO since.
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let file = options.custom_flags(flags).open(path)?;
    admit(&file.metadata()?)?;
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
/// As [`open_with`], or it has more octets.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let file = open(path)?;
    let size = file.metadata()?.len();
    if size > limit {
        return Err(FileError::TooLarge { size, limit });
    }
    // Room for all of it at once: no part of a secret is moved and left behind.
    let mut octets = Vec::with_capacity(usize::try_from(size).unwrap_or(usize::MAX - 1) + 1);
    file.take(limit.saturating_add(1))
        .read_to_end(&mut octets)?;
    let size = octets.len() as u64;
    match size > limit {
        true => Err(FileError::TooLarge { size, limit }),
        false => Ok(octets),
    }
}

/// Reads a regular file of up to `limit` octets that is a text.
///
/// # Errors
/// As [`read`], or it is not UTF-8.
pub fn read_text(path: &Path, limit: u64) -> Result<String, FileError> {
    String::from_utf8(read(path, limit)?).map_err(|_| FileError::NotText)
}

/// Refuses what is there and no regular file.
///
/// # Errors
/// It cannot be looked at, or is no regular file.
pub fn refuse_other_kinds(path: &Path) -> Result<(), FileError> {
    match fs::metadata(path) {
        Ok(metadata) => admit(&metadata),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn admit(metadata: &Metadata) -> Result<(), FileError> {
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

        // Sparse: it would be read for minutes.
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
