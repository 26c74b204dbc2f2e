//! Key ring: the keys of the encrypted columns.
//!
//! The file has one key a line, `<id> <32 bytes in base64>`. The last key encrypts, all of them
//! decrypt. The file lies beside the database or where a setting says, so that a copy of the
//! database alone, as in a backup, reveals no verifiers.

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

use gatepost_connections::Connection;
use gatepost_dkim::PrivateKey;

use crate::{
    AccountId, DirectoryError, DkimKey, EndpointName, EndpointScope, EndpointSettings, Sealed,
    SealedConnection, SealedEndpoint, UserName, Verifier, endpoint, random,
};

/// Upper bound of the length of a line in bytes; ids made here have 8 characters.
const MAX_LINE: usize = 64;

/// Table, column and row that a value is encrypted for. It cannot be decrypted for any other.
struct SealBinding<'a> {
    table: &'a str,
    column: &'a str,
    row: &'a str,
}

impl<'a> SealBinding<'a> {
    /// Returns the binding of a credential's verifier.
    fn of_verifier(user: &'a UserName) -> Self {
        Self {
            table: "credentials",
            column: "verifier",
            row: user.as_str(),
        }
    }

    /// Returns the binding of a connection; `row` is its account and its name.
    fn of_connection(row: &'a str) -> Self {
        Self {
            table: "connections",
            column: "sealed",
            row,
        }
    }

    /// Returns the binding of an endpoint; `row` is its account and its name.
    fn of_endpoint(row: &'a str) -> Self {
        Self {
            table: "endpoints",
            column: "sealed",
            row,
        }
    }

    /// Returns the binding of a connection's tokens.
    fn of_tokens(row: &'a str) -> Self {
        Self {
            table: "tokens",
            column: "sealed",
            row,
        }
    }

    /// Returns the binding of an answer to a request of the HTTP API.
    fn of_answer(row: &'a str) -> Self {
        Self {
            table: "kept_requests",
            column: "answer",
            row,
        }
    }

    /// Returns the binding of a DKIM key's private half; `row` is its name.
    fn of_dkim_key(row: &'a str) -> Self {
        Self {
            table: "dkim_keys",
            column: "sealed",
            row,
        }
    }

    /// Returns the associated data of the encryption. Table and column hold no NUL, so no two
    /// bindings have the same data.
    fn associated_data(&self, key_id: &str) -> Vec<u8> {
        format!("{}\0{}\0{key_id}\0{}", self.table, self.column, self.row).into_bytes()
    }
}

struct Key {
    id: String,
    /// Key material, wiped from memory when dropped.
    bytes: Zeroizing<[u8; 32]>,
}

impl Key {
    fn generate() -> Result<Self, DirectoryError> {
        Ok(Self {
            id: random::text(b"abcdefghijklmnopqrstuvwxyz0123456789", 8)?,
            bytes: Zeroizing::new(random::bytes()?),
        })
    }

    fn cipher(&self) -> Result<LessSafeKey, DirectoryError> {
        let key = UnboundKey::new(&AES_256_GCM, &*self.bytes);
        key.map(LessSafeKey::new)
            .map_err(|_| DirectoryError::Random)
    }
}

/// All keys of the file.
pub(crate) struct KeyRing {
    path: PathBuf,
    /// Keys, oldest first; never empty.
    keys: Vec<Key>,
}

impl KeyRing {
    /// Reads the file. If there is none and `new` says that nothing is encrypted yet, creates it
    /// with a first key.
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
                parse_key(line).ok_or_else(|| DirectoryError::Key {
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

    /// Makes a key ring that is never stored, to read a directory in which nothing is encrypted.
    pub(crate) fn ephemeral() -> Result<Self, DirectoryError> {
        Ok(Self {
            path: PathBuf::new(),
            keys: vec![Key::generate()?],
        })
    }

    /// Adds a key that encrypts from now on. The former keys still decrypt.
    pub(crate) fn add_key(&mut self) -> Result<(), DirectoryError> {
        self.keys.push(Key::generate()?);
        self.write().inspect_err(|_| {
            self.keys.pop();
        })
    }

    /// Writes the file and syncs it before anything is encrypted with a new key. A crash leaves
    /// either the old file or the new one.
    fn write(&self) -> Result<(), DirectoryError> {
        // The capacity is final, so that growing leaves no copy of the keys in memory.
        let mut text = Zeroizing::new(String::with_capacity(self.keys.len() * MAX_LINE));
        for Key { id, bytes } in &self.keys {
            let encoded = Zeroizing::new(STANDARD.encode(**bytes));
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

    /// Encrypts the verifier of a credential with the newest key.
    pub(crate) fn seal_verifier(
        &self,
        user: &UserName,
        verifier: &Verifier,
    ) -> Result<Sealed, DirectoryError> {
        self.seal(&SealBinding::of_verifier(user), &verifier.encode())
    }

    /// Decrypts the verifier of a credential.
    pub(crate) fn open_verifier(
        &self,
        user: &UserName,
        sealed: &Sealed,
    ) -> Result<Verifier, DirectoryError> {
        let bytes = self.open_sealed(&SealBinding::of_verifier(user), sealed)?;
        let damaged = || DirectoryError::Damaged(format!("verifier of {user}"));
        Verifier::decode(&bytes).ok_or_else(damaged)
    }

    /// Encrypts a connection of an account.
    pub(crate) fn seal_connection(
        &self,
        account: AccountId,
        connection: &Connection,
    ) -> Result<Sealed, DirectoryError> {
        let row = format!("{account}/{}", connection.name);
        self.seal(
            &SealBinding::of_connection(&row),
            &connection.to_plaintext(),
        )
    }

    /// Decrypts a connection.
    pub(crate) fn open_connection(
        &self,
        sealed: &SealedConnection,
    ) -> Result<Connection, DirectoryError> {
        let row = format!("{}/{}", sealed.account, sealed.name);
        let bytes = self.open_sealed(&SealBinding::of_connection(&row), &sealed.sealed)?;
        let damaged = || DirectoryError::Damaged(format!("connection {row}"));
        let connection = Connection::from_plaintext(&bytes);
        connection
            .filter(|of| of.name == sealed.name)
            .ok_or_else(damaged)
    }

    /// Encrypts the scope and the settings of an account's endpoint.
    pub(crate) fn seal_endpoint(
        &self,
        account: AccountId,
        name: &EndpointName,
        scope: &EndpointScope,
        settings: &EndpointSettings,
    ) -> Result<Sealed, DirectoryError> {
        let row = format!("{account}/{name}");
        self.seal(
            &SealBinding::of_endpoint(&row),
            &endpoint::to_plaintext(scope, settings),
        )
    }

    /// Decrypts the scope and the settings of an account's endpoint.
    pub(crate) fn open_endpoint(
        &self,
        sealed: &SealedEndpoint,
    ) -> Result<(EndpointScope, EndpointSettings), DirectoryError> {
        let row = format!("{}/{}", sealed.account, sealed.name);
        let bytes = self.open_sealed(&SealBinding::of_endpoint(&row), &sealed.sealed)?;
        let damaged = || DirectoryError::Damaged(format!("endpoint {row}"));
        endpoint::from_plaintext(&bytes).ok_or_else(damaged)
    }

    /// Encrypts the private half of a DKIM key.
    pub(crate) fn seal_dkim_key(
        &self,
        key: &DkimKey,
        private: &PrivateKey,
    ) -> Result<Sealed, DirectoryError> {
        self.seal(&SealBinding::of_dkim_key(&row_of(key)), private.as_pkcs8())
    }

    /// Decrypts the private half of a DKIM key.
    pub(crate) fn open_dkim_key(
        &self,
        key: &DkimKey,
        sealed: &Sealed,
    ) -> Result<PrivateKey, DirectoryError> {
        let encoded = self.open_sealed(&SealBinding::of_dkim_key(&row_of(key)), sealed)?;
        Ok(PrivateKey::from_pkcs8(key.algorithm, encoded))
    }

    /// Encrypts the tokens of a connection.
    pub(crate) fn seal_tokens(&self, owner: &str, tokens: &[u8]) -> Result<Sealed, DirectoryError> {
        self.seal(&SealBinding::of_tokens(owner), tokens)
    }

    /// Decrypts the tokens of a connection.
    pub(crate) fn open_tokens(
        &self,
        owner: &str,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, DirectoryError> {
        self.open_sealed(&SealBinding::of_tokens(owner), sealed)
    }

    /// Encrypts the answer to a request of the HTTP API.
    pub(crate) fn seal_answer(&self, row: &str, answer: &[u8]) -> Result<Sealed, DirectoryError> {
        self.seal(&SealBinding::of_answer(row), answer)
    }

    /// Decrypts the answer to a request of the HTTP API.
    pub(crate) fn open_answer(
        &self,
        row: &str,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, DirectoryError> {
        self.open_sealed(&SealBinding::of_answer(row), sealed)
    }

    /// Encrypts a value for its place with the newest key.
    fn seal(&self, binding: &SealBinding<'_>, value: &[u8]) -> Result<Sealed, DirectoryError> {
        let Some(key) = self.keys.last() else {
            unreachable!("a key ring is made with a key");
        };
        let nonce: [u8; NONCE_LEN] = random::bytes()?;
        // Encrypted in place.
        let mut bytes = value.to_vec();
        let aad = Aad::from(binding.associated_data(&key.id));
        let unique = Nonce::assume_unique_for_key(nonce);
        (key.cipher()?
            .seal_in_place_append_tag(unique, aad, &mut bytes))
        .map_err(|_| DirectoryError::Random)?;
        bytes.splice(0..0, nonce);
        Ok(Sealed {
            key_id: key.id.clone(),
            bytes,
        })
    }

    /// Decrypts a value that was encrypted for this binding.
    fn open_sealed(
        &self,
        binding: &SealBinding<'_>,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, DirectoryError> {
        let key = (self.keys.iter()).find(|key| key.id == sealed.key_id);
        let key = key.ok_or_else(|| DirectoryError::NoKey {
            path: self.path.clone(),
            id: sealed.key_id.clone(),
        })?;
        let damaged = || DirectoryError::Damaged(format!("{} of {}", binding.column, binding.row));
        let (nonce, bytes) = sealed
            .bytes
            .split_at_checked(NONCE_LEN)
            .ok_or_else(damaged)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| damaged())?;
        let mut bytes = Zeroizing::new(bytes.to_vec());
        let aad = Aad::from(binding.associated_data(&sealed.key_id));
        let opened = key.cipher()?.open_in_place(nonce, aad, &mut bytes);
        let length = opened.map_err(|_| damaged())?.len();
        bytes.truncate(length);
        Ok(bytes)
    }

    /// Derives a key for values that must look random to others and stay constant. It depends on
    /// the oldest key, which never changes.
    pub(crate) fn derive(&self, purpose: &str) -> hmac::Key {
        let oldest = self.keys.first().map_or(&[][..], |key| &key.bytes[..]);
        derive_key(oldest, purpose)
    }

    /// Derives a key for a purpose from each key of the ring, oldest first.
    pub(crate) fn derive_from_each(&self, purpose: &str) -> Vec<hmac::Key> {
        let keys = self.keys.iter();
        keys.map(|key| derive_key(&key.bytes[..], purpose))
            .collect()
    }
}

fn row_of(key: &DkimKey) -> String {
    let domain = key.domain.as_ascii();
    format!("{}/{domain}/{}/{}", key.owner, key.selector, key.algorithm)
}

fn derive_key(bytes: &[u8], purpose: &str) -> hmac::Key {
    let key = hmac::Key::new(hmac::HMAC_SHA256, bytes);
    hmac::Key::new(
        hmac::HMAC_SHA256,
        hmac::sign(&key, purpose.as_bytes()).as_ref(),
    )
}

fn parse_key(line: &str) -> Option<Key> {
    let (id, bytes) = line.trim().split_once(' ')?;
    let decoded = Zeroizing::new(STANDARD.decode(bytes.trim()).ok()?);
    let mut bytes = Zeroizing::new([0; 32]);
    if decoded.len() != bytes.len() {
        return None;
    }
    bytes.copy_from_slice(&decoded);
    Some(Key {
        id: id.to_owned(),
        bytes,
    })
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = self.keys.iter().map(|key| &key.id);
        f.debug_list().entries(ids).finish()
    }
}
