//! Files of OAuth tokens, encrypted by the key ring.
//!
//! Each connection has a folder in the folder `tokens` of the store, with a file for each user that
//! its assertions name, or one for all mail. The tokens are encrypted for the grant that got them:
//! those of a former grant cannot be read, and are replaced.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gatepost_connections::{
    Authorization, ConnectionKey, ConnectionStanding, ConnectionStates, FoundConnection, Oauth,
    OauthGrant, ServerCredential,
};
use gatepost_directory::{Directory, DirectoryError, Sealed};
use gatepost_oauth::{Loading, StoreError, Storing, TokenSet, TokenStore};
use ring::digest::{Context, SHA256, digest};

/// Largest file of tokens.
const LARGEST: u64 = 128 << 10;

/// Age at which the tokens of one user are over: no access token is believed to live longer.
const OVER: Duration = Duration::from_secs(24 * 60 * 60);

/// Folder with the tokens of all connections.
#[derive(Clone)]
pub(super) struct TokenFolder {
    path: PathBuf,
    directory: Arc<Directory>,
    states: Arc<ConnectionStates>,
}

impl TokenFolder {
    /// Keeps tokens in this folder.
    pub(super) fn new(
        path: PathBuf,
        directory: Arc<Directory>,
        states: Arc<ConnectionStates>,
    ) -> Self {
        Self {
            path,
            directory,
            states,
        }
    }

    /// Returns the file of a connection's tokens for a user; for all mail, the user is empty.
    pub(super) fn file(&self, found: &FoundConnection, oauth: &Oauth, user: &str) -> TokenFile {
        TokenFile(Arc::new(Place {
            path: self.of_connection(&found.key).join(name_of(user)),
            owner: owner(found, oauth, user),
            authorizes: matches!(oauth.grant, OauthGrant::RefreshToken { .. })
                .then(|| found.key.clone()),
            folder: self.clone(),
        }))
    }

    /// Removes the tokens of connections that exist no more. Blocks on the disk.
    pub(super) fn forget(&self, gone: &[ConnectionKey]) {
        for key in gone {
            remove_or_warn(&self.of_connection(key), |path| fs::remove_dir_all(path));
        }
    }

    /// Removes tokens that nothing uses any more: those of connections other than these, and of
    /// users whose tokens are over. Takes over what former versions stored. Blocks on the disk.
    pub(super) fn tidy(&self, present: &[FoundConnection]) {
        for found in present {
            self.take_over(found);
        }
        let kept: HashSet<_> = present
            .iter()
            .map(|found| self.of_connection(&found.key))
            .collect();
        for path in entries(&self.path) {
            if kept.contains(&path) {
                self.drop_over(&path);
            } else if path.is_dir() {
                remove_or_warn(&path, |path| fs::remove_dir_all(path));
            } else {
                remove_or_warn(&path, |path| fs::remove_file(path));
            }
        }
    }

    /// Removes the tokens of single users in a connection's folder that are over.
    fn drop_over(&self, folder: &Path) {
        let of_all_mail = folder.join(name_of(""));
        for path in entries(folder) {
            let written = fs::metadata(&path).and_then(|data| data.modified());
            let age = written
                .ok()
                .and_then(|at| SystemTime::now().duration_since(at).ok());
            if path != of_all_mail && age.is_some_and(|age| age > OVER) {
                remove_or_warn(&path, |path| fs::remove_file(path));
            }
        }
    }

    /// Takes over the refresh token that a former version has stored for a connection: in a file for
    /// each generation of it.
    fn take_over(&self, found: &FoundConnection) {
        let ServerCredential::Oauth(oauth) = &found.connection.credential else {
            return;
        };
        if !matches!(oauth.grant, OauthGrant::RefreshToken { .. }) {
            return;
        }
        let file = self.file(found, oauth, "");
        let former = format!("{} {} ", found.key, found.generation);
        let former = TokenFile(Arc::new(Place {
            path: self.path.join(name_of(&former)),
            owner: former,
            authorizes: None,
            folder: self.clone(),
        }));
        if file.0.path.exists() || !former.0.path.exists() {
            return;
        }
        let taken = former.0.read().and_then(|tokens| match tokens {
            Some(tokens) => file.0.write(&tokens),
            None => Ok(()),
        });
        if let Err(error) = taken {
            tracing::error!(connection = %found.key, %error, "stored tokens are not taken over");
        }
    }

    fn of_connection(&self, key: &ConnectionKey) -> PathBuf {
        self.path.join(name_of(&key.to_string()))
    }
}

/// Returns the name of a file or folder: no connection's name leads out of the folder.
fn name_of(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}

/// Returns the owner that tokens are encrypted for. It changes with all that makes another
/// authorization necessary, and is never stored or shown.
fn owner(found: &FoundConnection, oauth: &Oauth, user: &str) -> String {
    let secret = match &oauth.grant {
        OauthGrant::ClientCredentials { client_secret } => Some(client_secret),
        // A secret of the client may be renewed: the consent stays.
        OauthGrant::RefreshToken { refresh_token, .. } => refresh_token.as_ref(),
        OauthGrant::JwtBearer { private_key } => Some(private_key),
    };
    let secret = secret.map_or("", |secret| secret.reveal());
    let texts = [&*oauth.token_url, &*oauth.client_id, secret];
    let mut hash = Context::new(&SHA256);
    for text in texts.into_iter().chain(oauth.scopes.iter().map(|s| &**s)) {
        hash.update(text.as_bytes());
        // No text of a connection has a NUL.
        hash.update(&[0]);
    }
    let created = found.created.map_or(0, |at| at.0);
    let grant = URL_SAFE_NO_PAD.encode(hash.finish());
    format!("{} {created} {grant} {user}", found.key)
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let read = fs::read_dir(folder).into_iter().flatten();
    read.flatten().map(|entry| entry.path())
}

/// Removes something, and tells operators if that fails.
fn remove_or_warn(path: &Path, remove: impl FnOnce(&Path) -> io::Result<()>) {
    match remove(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), %error, "old tokens cannot be removed");
        }
        _ => {}
    }
}

/// File with the tokens of one connection, for one user or for all mail.
#[derive(Clone)]
pub(super) struct TokenFile(Arc<Place>);

struct Place {
    path: PathBuf,
    /// Owner that the tokens are encrypted for.
    owner: String,
    /// Connection that the refresh token authorizes, where it logs in by one.
    authorizes: Option<ConnectionKey>,
    folder: TokenFolder,
}

impl TokenFile {
    /// Returns true if tokens in the other file are good for this one's grant.
    pub(super) fn has_owner_of(&self, other: &Self) -> bool {
        self.0.owner == other.0.owner
    }
}

impl TokenStore for TokenFile {
    fn load(&self) -> Loading<'_> {
        let place = Arc::clone(&self.0);
        Box::pin(async {
            let read = tokio::task::spawn_blocking(move || {
                place
                    .read()
                    .inspect(|tokens| place.authorized(tokens.as_ref()))
            });
            read.await.unwrap_or_else(|error| Err(unusable(&error)))
        })
    }

    fn store<'a>(&'a self, tokens: &'a TokenSet) -> Storing<'a> {
        let (place, tokens) = (Arc::clone(&self.0), tokens.clone());
        Box::pin(async {
            let written = tokio::task::spawn_blocking(move || {
                place
                    .write(&tokens)
                    .inspect(|()| place.authorized(Some(&tokens)))
            });
            written.await.unwrap_or_else(|error| Err(unusable(&error)))
        })
    }
}

impl Place {
    /// Tells the state of the connection whether there is a refresh token, and when it expires.
    fn authorized(&self, tokens: Option<&TokenSet>) {
        let Some(key) = &self.authorizes else { return };
        let tokens = tokens.filter(|tokens| tokens.refresh.is_some());
        let authorization = tokens.map(|tokens| Authorization {
            expires: tokens.refresh_expires_at,
        });
        let states = &self.folder.states;
        if states.read(key, ConnectionStanding::authorization) != authorization {
            states.with(key, |standing| standing.authorized(authorization));
        }
    }

    fn read(&self) -> Result<Option<TokenSet>, StoreError> {
        let text = match gatepost_files::read(&self.path, LARGEST) {
            Ok(text) => text,
            Err(gatepost_files::FileError::Io(error))
                if error.kind() == io::ErrorKind::NotFound =>
            {
                return Ok(None);
            }
            Err(error) => return Err(unusable(&error)),
        };
        let text = String::from_utf8_lossy(&text);
        let damaged = || StoreError("the stored tokens are damaged".to_owned());
        let (key_id, bytes) = text.trim_end().split_once(' ').ok_or_else(damaged)?;
        let sealed = Sealed {
            key_id: key_id.to_owned(),
            bytes: STANDARD.decode(bytes).map_err(|_| damaged())?,
        };
        match (self.folder.directory).open_tokens(&self.owner, &sealed) {
            Ok(opened) => TokenSet::decode(&opened).map(Some).ok_or_else(damaged),
            Err(DirectoryError::Damaged(_)) => {
                tracing::info!(
                    path = %self.path.display(),
                    "stored tokens are of another grant: they are not used"
                );
                Ok(None)
            }
            Err(error) => Err(unusable(&error)),
        }
    }

    /// Replaces the file as a whole. It is small, and written once an hour.
    fn write(&self, tokens: &TokenSet) -> Result<(), StoreError> {
        let directory = &self.folder.directory;
        let sealed = directory.seal_tokens(&self.owner, &tokens.encode());
        let sealed = sealed.map_err(|error| unusable(&error))?;
        let text = format!("{} {}\n", sealed.key_id, STANDARD.encode(sealed.bytes));
        let written = gatepost_files::make_folder(&self.folder.path)
            .and_then(|()| {
                self.path
                    .parent()
                    .map_or(Ok(()), gatepost_files::make_folder)
            })
            .and_then(|()| gatepost_files::replace(&self.path, text.as_bytes()));
        written.map_err(|error| unusable(&error))
    }
}

fn unusable(error: &dyn std::fmt::Display) -> StoreError {
    StoreError(format!(
        "the tokens of the connection cannot be stored or read: {error}"
    ))
}

#[cfg(test)]
mod tests {
    use gatepost_connections::{ConnectionDraft, GrantKind, NoStandings, Profiles, Secret};
    use gatepost_directory::Settings;
    use gatepost_message::Millis;
    use tempfile::TempDir;
    use zeroize::Zeroizing;

    use super::*;

    struct Bench {
        folder: TokenFolder,
        _home: TempDir,
    }

    impl Bench {
        fn new() -> Self {
            let home = tempfile::tempdir().unwrap();
            let settings = Settings {
                path: home.path().join("directory.db"),
                key_ring: home.path().join("key-ring"),
                limits: Default::default(),
                separators: Default::default(),
            };
            let directory = Directory::open(&settings).unwrap();
            let states = ConnectionStates::open(Box::new(NoStandings)).unwrap();
            let folder = TokenFolder::new(
                home.path().join("tokens"),
                Arc::new(directory),
                Arc::new(states),
            );
            Self {
                folder,
                _home: home,
            }
        }

        fn file(&self, found: &FoundConnection) -> TokenFile {
            let ServerCredential::Oauth(oauth) = &found.connection.credential else {
                panic!("no OAuth");
            };
            self.folder.file(found, oauth, "")
        }

        fn refresh(&self, found: &FoundConnection) -> Option<String> {
            let tokens = self.file(found).0.read().unwrap();
            Some(tokens?.refresh?.to_string())
        }

        fn store(&self, found: &FoundConnection, refresh: &str) {
            self.file(found).0.write(&tokens(refresh)).unwrap();
        }
    }

    fn tokens(refresh: &str) -> TokenSet {
        TokenSet {
            refresh: Some(Zeroizing::new(refresh.to_owned())),
            ..TokenSet::default()
        }
    }

    fn found(name: &str, change: impl FnOnce(&mut ConnectionDraft)) -> FoundConnection {
        let mut draft = ConnectionDraft {
            host: Some("smtp.b.example".to_owned()),
            grant: Some(GrantKind::RefreshToken),
            token_url: Some("https://login.example/token".to_owned()),
            client_id: Some("client".to_owned()),
            ..ConnectionDraft::default()
        };
        change(&mut draft);
        let profiles = Profiles::built_in();
        let profile = profiles.get_or_generic("generic");
        let connection = draft.complete(name.parse().unwrap(), profile).unwrap();
        FoundConnection {
            key: ConnectionKey::of_site(name.parse().unwrap()),
            created: None,
            generation: connection.fingerprint(),
            connection: Arc::new(connection),
            profile: Arc::clone(profile),
        }
    }

    #[test]
    fn tokens_stay_with_their_grant_and_not_with_other_settings() {
        let bench = Bench::new();
        let desk = found("desk", |_| {});
        assert_eq!(bench.refresh(&desk), None);
        bench.store(&desk, "refresh");
        let secret = found("desk", |draft| {
            draft.client_secret = Some(Secret::new("new"))
        });
        let port = found("desk", |draft| draft.port = Some(2525));
        for same in [&desk, &secret, &port] {
            assert_eq!(bench.refresh(same).as_deref(), Some("refresh"));
        }
        let client = found("desk", |draft| draft.client_id = Some("other".to_owned()));
        let scopes = found("desk", |draft| draft.scopes = Some(vec!["mail".to_owned()]));
        let first = found("desk", |draft| draft.refresh_token = Some(Secret::new("x")));
        let again = FoundConnection {
            created: Some(Millis(1)),
            ..desk.clone()
        };
        for other in [&client, &scopes, &first, &again, &found("other", |_| {})] {
            assert_eq!(bench.refresh(other), None);
        }
        // They take the place of the former ones: nothing is left of those.
        bench.store(&client, "another");
        assert_eq!((bench.refresh(&desk), files(&bench)), (None, 1));
    }

    #[test]
    fn tokens_of_the_former_form_are_taken_over_and_others_removed() {
        let bench = Bench::new();
        let (desk, gone) = (found("desk", |_| {}), found("gone", |_| {}));
        fs::create_dir(&bench.folder.path).unwrap();
        for (of, refresh) in [(&desk, "refresh"), (&gone, "of nobody")] {
            // As the version before wrote it.
            let owner = format!("{} {} ", of.key, of.generation);
            let octets = tokens(refresh).encode();
            let sealed = bench.folder.directory.seal_tokens(&owner, &octets).unwrap();
            let text = format!("{} {}\n", sealed.key_id, STANDARD.encode(sealed.bytes));
            fs::write(bench.folder.path.join(name_of(&owner)), text).unwrap();
        }
        bench.store(&gone, "of nobody");
        bench.folder.tidy(std::slice::from_ref(&desk));
        assert_eq!(bench.refresh(&desk).as_deref(), Some("refresh"));
        assert_eq!((bench.refresh(&gone), files(&bench)), (None, 1));
        // A second look changes nothing.
        bench.folder.tidy(std::slice::from_ref(&desk));
        assert_eq!(bench.refresh(&desk).as_deref(), Some("refresh"));
        bench.folder.forget(&[desk.key]);
        assert_eq!(files(&bench), 0);
    }

    /// Number of files with tokens.
    fn files(bench: &Bench) -> usize {
        let folders = entries(&bench.folder.path);
        folders.map(|folder| entries(&folder).count()).sum()
    }
}
