//! A folder of messages in the place of a record.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gatepost_config::{Direction, Listener};
use gatepost_intake::dry_run::{DryRun, DryRunMessage, StoredRefusals};
use gatepost_message::{Message, Millis, TransactionId};
use gatepost_model::{Session, Transaction, Transport};
use gatepost_policy_set::eml;
use gatepost_replay::{CompareProgress, Compared, Comparison, ReplayEntry, Tally};
use tokio::task::JoinSet;

use crate::check::envelope;

/// Files of messages, and how they are taken as mail.
pub struct Corpus {
    files: Vec<PathBuf>,
    listener: Listener,
    now: Millis,
    dry_run: DryRun,
}

/// Error: a folder is no corpus.
#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    /// It cannot be read.
    #[error("cannot read the folder {}: {source}", path.display())]
    Unreadable {
        /// Folder.
        path: PathBuf,
        /// Reason.
        source: io::Error,
    },
    /// It has no messages.
    #[error("the folder {} has no messages, which are files named *.eml", .0.display())]
    Empty(PathBuf),
}

impl Corpus {
    /// Finds the messages of a folder and of the folders in it, ordered by path.
    ///
    /// # Errors
    /// The folder cannot be read, or has none.
    pub fn open(folder: &Path, listener: Listener, dry_run: DryRun) -> Result<Self, CorpusError> {
        let mut files = Vec::new();
        find(folder, &mut files).map_err(|source| CorpusError::Unreadable {
            path: folder.to_owned(),
            source,
        })?;
        files.sort();
        if files.is_empty() {
            return Err(CorpusError::Empty(folder.to_owned()));
        }
        Ok(Self {
            files,
            listener,
            now: Millis::now(),
            dry_run,
        })
    }

    /// Returns the number of messages.
    pub fn messages(&self) -> usize {
        self.files.len()
    }

    /// Returns the file that was recorded under an id.
    pub fn file_of(&self, id: TransactionId) -> Option<&Path> {
        let mut numbered = self.files.iter().enumerate();
        let found = numbered.find(|(number, _)| id_of(*number) == Some(id));
        found.map(|(_, file)| file.as_path())
    }

    /// Returns the id under which a file is recorded.
    pub fn id_of_file(&self, file: &Path) -> Option<TransactionId> {
        let number = self.files.iter().position(|of| of == file)?;
        id_of(number)
    }

    /// Compares both sides on all messages. Returns the files that could not be read, too.
    ///
    /// # Errors
    /// A thread has ended before its time.
    pub async fn compare(
        self: &Arc<Self>,
        comparison: &Arc<Comparison>,
        progress: &Arc<CompareProgress>,
    ) -> io::Result<(Tally, BTreeMap<PathBuf, io::Error>)> {
        let next = Arc::new(AtomicUsize::new(0));
        let mut threads = JoinSet::new();
        for _ in 0..comparison.threads {
            let (this, next) = (Arc::clone(self), Arc::clone(&next));
            let (comparison, progress) = (Arc::clone(comparison), Arc::clone(progress));
            threads.spawn(async move {
                let (mut tally, mut unread) = (Tally::default(), BTreeMap::new());
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(file) = this.files.get(number) else {
                        return (tally, unread);
                    };
                    match this.record(number).await {
                        Ok(entries) => {
                            for recorded in entries {
                                let recorded = ReplayEntry::new(recorded, None);
                                comparison.count(recorded, &mut tally).await;
                            }
                        }
                        Err(error) => drop(unread.insert(file.clone(), error)),
                    }
                    progress.entries.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let (mut tally, mut unread) = (Tally::default(), BTreeMap::new());
        while let Some(done) = threads.join_next().await {
            let (part, more) = done.map_err(io::Error::other)?;
            tally.merge(part);
            unread.extend(more);
        }
        Ok((tally, unread))
    }

    /// Compares both sides on the message of this id.
    ///
    /// # Errors
    /// Its file cannot be read.
    pub async fn compare_one(
        &self,
        comparison: &Comparison,
        id: TransactionId,
    ) -> io::Result<Vec<Compared>> {
        let mut found = Vec::new();
        let number = (0..self.files.len()).find(|number| id_of(*number) == Some(id));
        for recorded in match number {
            Some(number) => self.record(number).await?,
            None => Vec::new(),
        } {
            let recorded = ReplayEntry::new(recorded, None);
            found.push(comparison.compare(&recorded).await);
        }
        Ok(found)
    }

    async fn record(&self, number: usize) -> io::Result<Vec<gatepost_record::RecordedEntry>> {
        let Some((file, id)) = self.files.get(number).zip(id_of(number)) else {
            return Ok(Vec::new());
        };
        let message = eml::read(file).await?;
        let inbound = self.listener.direction == Direction::Inbound;
        let recipients = envelope::recipients(&message, self.dry_run.ownership(), inbound);
        let submitted = DryRunMessage {
            transaction: self.transaction(id, &message),
            message: envelope::without_delivery_mark(message, &recipients),
            recipients,
            refusals: StoredRefusals::default(),
        };
        Ok(self.dry_run.record(submitted).await)
    }

    fn transaction(&self, id: TransactionId, message: &Message) -> Transaction {
        Transaction {
            id,
            time: self.now,
            session: Session {
                listener: self.listener.name.clone(),
                flow: self.listener.direction.flow(),
                transport: Transport::Smtp,
                client: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
                helo: Some("localhost".to_owned()),
                tls: None,
                user: None,
            },
            account: None,
            reverse_path: envelope::reverse_path(message),
            recipients: Vec::new(),
        }
    }
}

/// Returns the id under which the message of this number is recorded: the same in every run.
fn id_of(number: usize) -> Option<TransactionId> {
    format!("{number:08x}-0000-7000-8000-000000000000")
        .parse()
        .ok()
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            find(&path, files)?;
        } else if path.extension().is_some_and(|ending| ending == "eml") {
            files.push(path);
        }
    }
    Ok(())
}
