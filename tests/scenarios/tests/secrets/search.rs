//! The search for secrets in what a relay has said and kept.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use test_support::Relay;

use crate::forms::{forms, searchable};

/// Secrets, the places where they may stand, and the texts in which they are looked for.
#[derive(Default)]
pub struct Search {
    /// Forms of each secret by its name.
    secrets: BTreeMap<String, Vec<String>>,
    /// File below the relay's directory, and the secret that it has to hold.
    places: Vec<(String, String)>,
    /// Secrets that stand in mail, and so in stores, which keep mail.
    in_mail: Vec<String>,
    /// Texts by where they were found.
    texts: Vec<(String, String)>,
}

impl Search {
    /// Adds a secret.
    pub fn secret(&mut self, name: &str, octets: impl AsRef<[u8]>) {
        let forms = forms(octets.as_ref());
        let forms = forms.iter().map(|form| searchable(form)).collect();
        let before = self.secrets.insert(name.to_owned(), forms);
        assert!(before.is_none(), "{name} is there twice");
    }

    /// Names a place that has to hold a secret, and so may: a file, or what somebody was shown.
    pub fn place(&mut self, place: &str, secret: &str) {
        self.places.push((place.to_owned(), secret.to_owned()));
    }

    /// Says that a secret stands in mail: stores and the log of deliveries may have it, and nobody else.
    pub fn stands_in_mail(&mut self, secret: &str) {
        self.in_mail.push(secret.to_owned());
    }

    /// Names again, below a folder, the files below another one that may hold a secret.
    pub fn places_also_in(&mut self, folder: &str, is_there: impl Fn(&str) -> Option<String>) {
        let there = self.places.iter().filter_map(|(file, secret)| {
            let file = is_there(file)?;
            Some((format!("{folder}/{file}"), secret.clone()))
        });
        let there: Vec<_> = there.collect();
        self.places.extend(there);
    }

    /// Adds a text that somebody can see.
    pub fn seen(&mut self, place: impl Into<String>, octets: impl AsRef<[u8]>) {
        self.texts.push((place.into(), searchable(octets.as_ref())));
    }

    /// Runs a command for people and for programs, and adds what it prints.
    pub fn command(&mut self, relay: &Relay, arguments: &[&str]) {
        for json in [&[][..], &["--json"]] {
            let arguments = [arguments, json].concat();
            let output = relay.command(&arguments);
            let printed = [output.stdout, output.stderr].concat();
            // 2 is the code of a command that does not exist.
            let text = String::from_utf8_lossy(&printed);
            assert_ne!(output.status.code(), Some(2), "{arguments:?}: {text}");
            self.seen(format!("gatepost {}", arguments.join(" ")), &printed);
        }
    }

    /// Adds every file below a directory, and every value of every database in it, all under this
    /// name of the directory. What is no file is no place to keep anything, and the cache has compiled
    /// policies that all tests share.
    pub fn files(&mut self, directory: &Path, named: &str) {
        let files = files_below(directory);
        let name_of =
            |directory: &Path, file: &Path| format!("{named}{}", name_of(directory, file));
        let mut count = 0;
        for database in files.iter().filter(|file| is_database(file)) {
            let name = name_of(directory, database);
            for (column, values) in values_of(database) {
                self.seen(format!("{name}, {column}"), values);
            }
            count += 1;
        }
        assert!(count >= 3, "the databases are not there: {files:?}");
        for file in &files {
            match fs::read(file) {
                Ok(octets) => self.seen(name_of(directory, file), octets),
                // A running relay may have removed it.
                Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound, "{file:?}"),
            }
        }
    }

    /// Returns true if a place shows these octets, so that a search has looked there.
    pub fn has(&self, place: &str, octets: &str) -> bool {
        let mut texts = self.texts.iter();
        texts.any(|(of, text)| of.starts_with(place) && text.contains(octets))
    }

    /// Asserts that every secret is in its places, and in no other.
    pub fn finds_nothing_else(&self) {
        let mut found: Vec<(String, String)> = Vec::new();
        for (place, text) in &self.texts {
            for (secret, forms) in &self.secrets {
                // The log names recipients.
                let stores = ["store/", "backup/store/", "keyless/store/", "the log"];
                let keeps_mail = stores.iter().any(|store| place.starts_with(store));
                if keeps_mail && self.in_mail.contains(secret) {
                    continue;
                }
                if forms.iter().any(|form| text.contains(form)) {
                    found.push((place.clone(), secret.clone()));
                }
            }
        }
        let (allowed, leaks): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|one| self.places.contains(one));
        assert!(
            leaks.is_empty(),
            "secrets stand in other places: {leaks:#?}"
        );
        for place in &self.places {
            assert!(
                allowed.contains(place),
                "{place:?} does not hold its secret"
            );
        }
    }
}

fn name_of(directory: &Path, file: &Path) -> String {
    file.strip_prefix(directory).unwrap().display().to_string()
}

fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            files.extend(files_below(&entry.path()));
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    files
}

/// Returns true if a file is a database of SQLite, whatever its name is.
fn is_database(file: &Path) -> bool {
    let mut begin = [0; 16];
    let read = fs::File::open(file).and_then(|mut file| file.read_exact(&mut begin));
    read.is_ok() && begin == *b"SQLite format 3\0"
}

/// Returns the values of each column of a database, one after the other. A value that goes over several
/// pages is in one piece here, and not in the file.
fn values_of(database: &Path) -> Vec<(String, Vec<u8>)> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let database = Connection::open_with_flags(database, flags).unwrap();
    let mut tables = database
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
        .unwrap();
    let tables: Vec<String> = tables
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let dump = |table: String| {
        let mut rows = database
            .prepare(&format!("SELECT * FROM \"{table}\""))
            .unwrap();
        let names = rows.column_names();
        let mut columns: Vec<_> = names
            .map(|name| (format!("table {table}, column {name}"), Vec::new()))
            .collect();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for (at, (_, octets)) in columns.iter_mut().enumerate() {
                if let ValueRef::Text(value) | ValueRef::Blob(value) = row.get_ref(at).unwrap() {
                    octets.extend_from_slice(value);
                    octets.push(b'\n');
                }
            }
        }
        columns
    };
    tables.into_iter().flat_map(dump).collect()
}
