//! The keys of encrypted columns.
//!
//! A file of one key a line, `<id> <32 octets in base64>`; the last one encrypts, all of them
//! decrypt. It lies beside the database or where a setting says, so that whoever gets the database
//! alone, as from a backup, gets no verifiers with it.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
};

use zeroize::Zeroizing;

use crate::{DirectoryError, random};

/// Octets of a line of the file, and more: the ids that we make have 8 characters.
const LINE: usize = 64;

/// A value of an encrypted column.
pub(crate) struct Sealed {
    /// Which key it is encrypted with.
    pub(crate) key_id: String,
    /// Nonce, ciphertext and tag.
    pub(crate) octets: Vec<u8>,
}

/// Where a value belongs; it is no value anywhere else.
pub(crate) struct Place<'a> {
    pub(crate) table: &'a str,
    pub(crate) column: &'a str,
    pub(crate) row: &'a str,
}

impl Place<'_> {
    /// None of the first two holds a NUL, so no two places have the same octets.
    fn octets(&self, key_id: &str) -> Vec<u8> {
        format!("{}\0{}\0{key_id}\0{}", self.table, self.column, self.row).into_bytes()
    }
}

struct Key {
    id: String,
    /// Wiped from memory with the key.
    octets: Zeroizing<[u8; 32]>,
}

impl Key {
    fn generate() -> Result<Self, DirectoryError> {
        Ok(Self {
            id: random::text(b"abcdefghijklmnopqrstuvwxyz0123456789", 8)?,
            octets: Zeroizing::new(random::octets()?),
        })
    }

    fn cipher(&self) -> Result<LessSafeKey, DirectoryError> {
        let key = UnboundKey::new(&AES_256_GCM, &*self.octets);
        key.map(LessSafeKey::new)
            .map_err(|_| DirectoryError::Random)
    }
}

/// The keys.
pub(crate) struct KeyRing {
    path: PathBuf,
    /// Oldest first; never none.
    keys: Vec<Key>,
}

impl KeyRing {
    /// Reads the file; makes it with a first key where there is none and `new` says that nothing
    /// can be encrypted yet.
    pub(crate) fn open(path: &Path, new: bool) -> Result<Self, DirectoryError> {
        let text = match gatepost_files::read_text(path, gatepost_files::SETTINGS)
            .map_err(io::Error::from)
        {
            Err(error) if error.kind() == io::ErrorKind::NotFound && new => {
                let ring = Self {
                    path: path.to_owned(),
                    keys: vec![Key::generate()?],
                };
                ring.write()?;
                return Ok(ring);
            }
            Err(source) => {
                return Err(DirectoryError::KeyRing {
                    path: path.to_owned(),
                    source,
                });
            }
            Ok(text) => Zeroizing::new(text),
        };
        let lines = text.lines().enumerate();
        let lines = lines.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
        let keys = lines
            .map(|(number, line)| {
                read(line).ok_or_else(|| DirectoryError::Key {
                    path: path.to_owned(),
                    line: number + 1,
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        match keys.is_empty() {
            true => Err(DirectoryError::Key {
                path: path.to_owned(),
                line: 1,
            }),
            false => Ok(Self {
                path: path.to_owned(),
                keys,
            }),
        }
    }

    /// With a key that is kept nowhere, to look at a directory in which nothing is encrypted.
    pub(crate) fn alone() -> Result<Self, DirectoryError> {
        Ok(Self {
            path: PathBuf::new(),
            keys: vec![Key::generate()?],
        })
    }

    /// Adds a key, with which all is encrypted from now on; the others go on decrypting.
    pub(crate) fn add_key(&mut self) -> Result<(), DirectoryError> {
        self.keys.push(Key::generate()?);
        self.write().inspect_err(|_| {
            self.keys.pop();
        })
    }

    /// On disk before anything is encrypted with it; a crash leaves the old file or the new one.
    fn write(&self) -> Result<(), DirectoryError> {
        // Long enough from the first, so that no part of it is moved and left behind.
        let mut text = Zeroizing::new(String::with_capacity(self.keys.len() * LINE));
        for Key { id, octets } in &self.keys {
            let encoded = Zeroizing::new(STANDARD.encode(**octets));
            for part in [id, " ", &encoded, "\n"] {
                text.push_str(part);
            }
        }
        let new = self.path.with_extension("new");
        let written = (|| {
            match fs::remove_file(&new) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut options = File::options();
            let mut file = options
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&new)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, &self.path)?;
            let folder = self
                .path
                .parent()
                .filter(|path| !path.as_os_str().is_empty());
            File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
        })();
        written.map_err(|source| DirectoryError::KeyRing {
            path: self.path.clone(),
            source,
        })
    }

    /// Encrypts a value for its place with the newest key.
    pub(crate) fn seal(&self, place: &Place<'_>, value: &[u8]) -> Result<Sealed, DirectoryError> {
        let Some(key) = self.keys.last() else {
            unreachable!("a key ring is made with a key");
        };
        let nonce: [u8; NONCE_LEN] = random::octets()?;
        // Encrypted where it stands.
        let mut octets = value.to_vec();
        let aad = Aad::from(place.octets(&key.id));
        let unique = Nonce::assume_unique_for_key(nonce);
        (key.cipher()?
            .seal_in_place_append_tag(unique, aad, &mut octets))
        .map_err(|_| DirectoryError::Random)?;
        octets.splice(0..0, nonce);
        Ok(Sealed {
            key_id: key.id.clone(),
            octets,
        })
    }

    /// Decrypts what was encrypted for this place.
    pub(crate) fn open_sealed(
        &self,
        place: &Place<'_>,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, DirectoryError> {
        let key = (self.keys.iter()).find(|key| key.id == sealed.key_id);
        let key = key.ok_or_else(|| DirectoryError::NoKey {
            path: self.path.clone(),
            id: sealed.key_id.clone(),
        })?;
        let damaged = || DirectoryError::Damaged(format!("{} of {}", place.column, place.row));
        let (nonce, octets) = sealed
            .octets
            .split_at_checked(NONCE_LEN)
            .ok_or_else(damaged)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| damaged())?;
        let mut octets = Zeroizing::new(octets.to_vec());
        let aad = Aad::from(place.octets(&sealed.key_id));
        let opened = key.cipher()?.open_in_place(nonce, aad, &mut octets);
        let length = opened.map_err(|_| damaged())?.len();
        octets.truncate(length);
        Ok(octets)
    }

    /// A key for what must look random to others and stay the same: it depends on the oldest key.
    pub(crate) fn derived(&self, purpose: &str) -> hmac::Key {
        let oldest = self.keys.first().map_or(&[][..], |key| &key.octets[..]);
        derived(oldest, purpose)
    }

    /// A key for this purpose from each key of the ring, oldest first.
    pub(crate) fn derived_from_each(&self, purpose: &str) -> Vec<hmac::Key> {
        let keys = self.keys.iter();
        keys.map(|key| derived(&key.octets[..], purpose)).collect()
    }
}

fn derived(octets: &[u8], purpose: &str) -> hmac::Key {
    let key = hmac::Key::new(hmac::HMAC_SHA256, octets);
    hmac::Key::new(
        hmac::HMAC_SHA256,
        hmac::sign(&key, purpose.as_bytes()).as_ref(),
    )
}

fn read(line: &str) -> Option<Key> {
    let (id, octets) = line.trim().split_once(' ')?;
    let decoded = Zeroizing::new(STANDARD.decode(octets.trim()).ok()?);
    let mut octets = Zeroizing::new([0; 32]);
    if decoded.len() != octets.len() {
        return None;
    }
    octets.copy_from_slice(&decoded);
    Some(Key {
        id: id.to_owned(),
        octets,
    })
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = self.keys.iter().map(|key| &key.id);
        f.debug_list().entries(ids).finish()
    }
}
