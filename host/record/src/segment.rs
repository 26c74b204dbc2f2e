//! Files of a record. Each has a header, and then entries, each with its length and encrypted. A file
//! that is cut short, as by a crash, loses its last entry alone.
//!
//! ```text
//! file   = magic(8) salt(16) entry*
//! entry  = length(4) ciphertext(length)     length counts the tag of 16 octets
//! plain  = length(4) entry length(4) judgements [length(4) head body-length(8) has-body(1) [body]]
//! ```
//!
//! The entry and its judgements are JSON, apart from each other: a replay decodes the first alone.
//!
//! The name of a file is the time of its first entry in milliseconds, with a number behind it.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use gatepost_message::{Message, Millis};
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::body::MissingBody;
use crate::entry::{
    Judgements, RELAY, RecordEntry, RecordedEntry, RecordedJudgements, WrittenJudgements,
};
use crate::seal::{FileCipher, SALT};

const MAGIC: &[u8; 8] = b"GPRECRD1";

/// Size at which a file is ended and the next one begun, in bytes.
pub(crate) const FILE_SIZE: u64 = 16 << 20;

/// Largest file that is read, in bytes: all of its size but one entry, and the largest entry.
const LARGEST_FILE: u64 = 128 << 20;

/// Largest entry, in bytes: the largest message, and as much again for what was asked about it.
const LARGEST_ENTRY: usize = 64 << 20;

/// Ending of the names of files.
const ENDING: &str = "records";

/// A file that is being written.
pub(crate) struct SegmentWriter {
    file: BufWriter<File>,
    cipher: FileCipher,
    next: u64,
    pub(crate) octets: u64,
    /// Time of the first entry.
    pub(crate) since: Millis,
}

impl SegmentWriter {
    pub(crate) fn create(folder: &Path, key: &hmac::Key, now: Millis) -> io::Result<Self> {
        let mut salt = [0; SALT];
        let drawn = SystemRandom::new().fill(&mut salt);
        drawn.map_err(|_| io::Error::other("the system gives no random octets"))?;
        let mut options = File::options();
        options.write(true).create_new(true).mode(0o600);
        let file = (0..1_000).find_map(|number| {
            let path = folder.join(format!("{:013}-{number:03}.{ENDING}", now.0));
            match options.open(path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => None,
                opened => Some(opened),
            }
        });
        let file = file.unwrap_or_else(|| Err(io::Error::other("too many files of one moment")))?;
        let mut file = BufWriter::with_capacity(256 << 10, file);
        file.write_all(MAGIC)?;
        file.write_all(&salt)?;
        Ok(Self {
            file,
            cipher: FileCipher::new(key, &salt),
            next: 0,
            octets: (MAGIC.len() + SALT) as u64,
            since: now,
        })
    }

    /// Writes an entry. Returns false if it is too large.
    pub(crate) fn write(&mut self, plain: &mut Vec<u8>) -> io::Result<bool> {
        let sealed = plain.len() <= LARGEST_ENTRY && self.cipher.seal(self.next, plain).is_some();
        let length = u32::try_from(plain.len()).ok().filter(|_| sealed);
        let Some(length) = length else {
            return Ok(false);
        };
        self.next += 1;
        self.file.write_all(&length.to_be_bytes())?;
        self.file.write_all(plain)?;
        self.octets += u64::from(length) + 4;
        Ok(true)
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Encodes an entry. Of the body only the size is kept unless `bodies`, and unless it is in memory or
/// can be read.
pub(crate) fn encode(recorded: &RecordedEntry, largest_body: Option<u64>) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(4 << 10);
    with_length(&mut plain, |plain| {
        serde_json::to_writer(plain, &recorded.entry).ok()
    })?;
    with_length(&mut plain, |plain| match &recorded.judgements.0 {
        Judgements::Made(judgements) => {
            let written = WrittenJudgements(RELAY.into(), judgements.into());
            serde_json::to_writer(plain, &written).ok()
        }
        Judgements::Written(json) => {
            plain.extend_from_slice(json);
            Some(())
        }
    })?;
    let Some(message) = &recorded.message else {
        return Some(plain);
    };
    let head = message.head();
    with_length(&mut plain, |plain| {
        plain.extend_from_slice(head);
        Some(())
    })?;
    let body = message.body();
    plain.extend_from_slice(&body.len().to_be_bytes());
    let octets = largest_body.filter(|largest| body.len() <= *largest);
    let octets = octets.and_then(|_| match body.in_memory() {
        Some(octets) => Some(octets.clone()),
        None => read_all(message),
    });
    plain.push(u8::from(octets.is_some()));
    if let Some(octets) = octets {
        plain.extend_from_slice(&octets);
    }
    Some(plain)
}

/// Writes a part with its length in front.
fn with_length(plain: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Option<()>) -> Option<()> {
    let at = plain.len();
    plain.extend_from_slice(&[0; 4]);
    write(plain)?;
    let length = u32::try_from(plain.len() - at - 4).ok()?;
    plain
        .get_mut(at..at + 4)?
        .copy_from_slice(&length.to_be_bytes());
    Some(())
}

/// Splits off a part with its length in front.
fn part(plain: &mut Bytes) -> Option<Bytes> {
    let length = u32::from_be_bytes(*plain.first_chunk()?) as usize;
    let end = length.checked_add(4).filter(|end| *end <= plain.len())?;
    let part = plain.split_to(end);
    Some(part.slice(4..))
}

fn read_all(message: &Message) -> Option<Bytes> {
    let body = message.body();
    let mut octets = vec![0; usize::try_from(body.len()).ok()?];
    let mut filled = 0;
    while filled < octets.len() {
        match body.read_at(filled as u64, octets.get_mut(filled..)?) {
            Ok(0) | Err(_) => return None,
            Ok(count) => filled += count,
        }
    }
    Some(octets.into())
}

/// Decodes an entry; the second value is its body if the octets are not there.
pub(crate) fn decode(mut plain: Bytes) -> Option<(RecordedEntry, Option<Arc<MissingBody>>)> {
    let entry: RecordEntry = serde_json::from_slice(&part(&mut plain)?).ok()?;
    let judgements = RecordedJudgements(Judgements::Written(part(&mut plain)?));
    let recorded = |message| RecordedEntry {
        entry,
        judgements,
        message,
    };
    if plain.is_empty() {
        return Some((recorded(None), None));
    }
    let head = part(&mut plain)?;
    let length = u64::from_be_bytes(*plain.first_chunk()?);
    let has_body = *plain.get(8)?;
    let body = plain.split_off(9);
    let (message, missing) = match has_body {
        0 => {
            let missing = MissingBody::new(length);
            (Message::from_parts(head, missing.clone()), Some(missing))
        }
        _ => (Message::from_parts(head, Arc::new(body)), None),
    };
    Some((recorded(Some(message)), missing))
}

/// A whole file, read into memory, with the places of its entries.
#[derive(Debug)]
pub struct Segment {
    octets: Vec<u8>,
    cipher: FileCipher,
    places: Vec<std::ops::Range<usize>>,
}

impl Segment {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or is no file of a record.
    pub fn read(path: &Path, key: &hmac::Key) -> io::Result<Self> {
        let octets = gatepost_files::read(path, LARGEST_FILE).map_err(io::Error::from)?;
        let begins = octets.starts_with(MAGIC);
        let salt = octets.get(MAGIC.len()..).filter(|_| begins);
        let Some((salt, _)) = salt.and_then(|rest| rest.split_first_chunk::<SALT>()) else {
            let problem = format!("{} is no file of a record", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        };
        let cipher = FileCipher::new(key, salt);
        let mut places = Vec::new();
        let mut at = MAGIC.len() + SALT;
        while let Some((length, _)) = octets
            .get(at..)
            .and_then(|rest| rest.split_first_chunk::<4>())
        {
            let begin = at + 4;
            let end = begin.saturating_add(u32::from_be_bytes(*length) as usize);
            if end > octets.len() {
                break;
            }
            places.push(begin..end);
            at = end;
        }
        Ok(Self {
            octets,
            cipher,
            places,
        })
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Returns true if it has no entries.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Returns an entry, and its body if its octets are not there; `None` if there is no such entry, or
    /// if it is damaged.
    pub fn entry(&self, number: usize) -> Option<(RecordedEntry, Option<Arc<MissingBody>>)> {
        let mut octets = self.octets.get(self.places.get(number)?.clone())?.to_vec();
        let length = self.cipher.open(number as u64, &mut octets)?.len();
        octets.truncate(length);
        decode(octets.into())
    }
}

/// Returns the files of a folder with the time of each one's first entry, oldest first.
pub(crate) fn files(folder: &Path) -> io::Result<Vec<(Millis, PathBuf)>> {
    let mut files = Vec::new();
    for file in std::fs::read_dir(folder)? {
        let path = file?.path();
        let is_one = path.extension().is_some_and(|ending| ending == ENDING);
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let since = stem.and_then(|stem| stem.split_once('-')?.0.parse().ok());
        if let Some(since) = since.filter(|_| is_one) {
            files.push((Millis(since), path));
        }
    }
    files.sort();
    Ok(files)
}
