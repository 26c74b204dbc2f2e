//! Erasure of an account with all that the relay holds of it: begun by one request, awaited by others.
//! That of one [correspondent](EraseCorrespondent) is alike.
//!
//! It goes on if nobody awaits it, and one that was interrupted is begun again.
//!
//! 1. The account is marked: nobody logs in for it, no mail comes in for it, and its queued mail goes no
//!    further.
//! 2. The audit log loses what it tells of the account, but that it is erased.
//! 3. Queue and ledgers are walked over, and the trace of what is found is removed with it. Messages of
//!    which an attempt is under way are waited for.
//! 4. The trace is read through for transactions that nothing else tells of.
//! 5. The states and tokens of its connections go, then its rows in the directory, and last the account.
//! 6. Mail that was accepted meanwhile is looked for once more, and what was removed is overwritten.
//!
//! Every step is bounded, so that the relay serves the others in between.

mod correspondent;
mod last;
mod owner;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use gatepost_connections::ConnectionKey;
use gatepost_directory::{AccountId, AuditQuery, ERASED_BY, ErasedItems};
use gatepost_message::TransactionId;
use gatepost_record::RecordedEntry;
use gatepost_spool::{EraseCursor, ErasedRows};
use gatepost_trace::TraceSweep;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

pub use self::correspondent::{
    AwaitCorrespondentErasure, CorrespondentErasure, CorrespondentRows, EraseCorrespondent,
};
pub(crate) use self::correspondent::{begin as begin_correspondent, wait as wait_correspondent};
pub use self::last::Erasures;
use self::last::{Beginning, ErasedState, Progress};
pub(crate) use self::owner::TransactionOwner;
use crate::blocking::blocking;
use crate::code::Code;
use crate::directory::{change, unknown};
use crate::error::OperationError;
use crate::runtime::Runtime;

/// Longest time for which a request waits for the end of an erasure.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// Pause before it is looked again whether an attempt has ended.
const PAUSE: Duration = Duration::from_millis(200);

/// Longest wait for attempts that are under way: no transfer takes longer.
const LONGEST_WAIT: Duration = Duration::from_secs(20 * 60);

/// Most entries of the audit log that are looked at for an erasure that was begun before.
const AUDITED: usize = 100;

/// Request to erase an account with all that the relay holds of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EraseAccount {
    /// Id of the account: the audit log keeps it, and no other name of the account.
    pub account: AccountId,
}

/// Request to wait for an erasure, one second at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AwaitErasure {
    /// Id of the account.
    pub account: AccountId,
}

/// Numbers of what was removed of an account.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub struct ErasedAccount {
    /// Rows of the directory.
    pub directory: ErasedItems,
    /// Messages, and rows of the ledgers.
    pub queue: ErasedRows,
    /// Rows of the trace.
    pub trace: u64,
}

/// Stage of an erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ErasureStage {
    /// Messages and ledgers are removed.
    Queue,
    /// Attempts that are under way are waited for.
    Attempts,
    /// The trace is read through.
    Trace,
    /// Rows of the directory are removed.
    Directory,
    /// Removed rows are overwritten.
    Overwriting,
}

/// State of an erasure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(
    tag = "state",
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
pub enum ErasureState {
    /// It is under way.
    Running {
        /// Id of the account.
        account: AccountId,
        /// Stage.
        stage: ErasureStage,
        /// Numbers of what was removed so far.
        erased: ErasedAccount,
    },
    /// Nothing of the account is left.
    Complete {
        /// Id of the account.
        account: AccountId,
        /// Numbers of what was removed.
        erased: ErasedAccount,
    },
}

impl ErasedState for ErasureState {
    fn is_running(&self) -> bool {
        matches!(self, Self::Running { .. })
    }
}

/// Begins the erasure of an account. One that is under way is not begun again.
///
/// # Errors
/// There is no such account, and none was erased before; another account is being erased; or the
/// directory cannot be changed.
pub async fn begin(on: &Runtime, asked: EraseAccount) -> Result<ErasureState, OperationError> {
    let id = asked.account;
    check_known(on, id).await?;
    let begun = ErasureState::Running {
        account: id,
        stage: ErasureStage::Queue,
        erased: ErasedAccount::default(),
    };
    let sender = match on.erasures.begin_account(id, &begun)? {
        Beginning::New(sender) => sender,
        Beginning::UnderWay(progress) => return progress,
    };
    if on.directory.view().account(id).is_some() {
        let marked = change(&on.directory, move |directory| directory.begin_erasure(id));
        if let Err(error) = marked.await {
            let _former = sender.send_replace(Err(error.clone()));
            return Err(error);
        }
    }
    let on = on.clone();
    tokio::spawn(async move {
        let mut work = ErasureUnderWay {
            on: &on,
            id,
            account: id.to_string(),
            erased: ErasedAccount::default(),
            ids: HashSet::new(),
            sender: &sender,
        };
        let ended = work.run().await;
        match &ended {
            Ok(()) => tracing::warn!(account = %id, "the account is erased"),
            Err(error) => tracing::error!(account = %id, %error, "the account is not erased yet"),
        }
        let erased = work.erased;
        let ended = ended.map(|()| ErasureState::Complete {
            account: id,
            erased,
        });
        let _former = sender.send_replace(ended);
    });
    Ok(begun)
}

/// Waits for an erasure, one second at most.
///
/// # Errors
/// It was given up, or none of this account is known.
pub async fn wait(on: &Runtime, asked: AwaitErasure) -> Result<ErasureState, OperationError> {
    let progress = on.erasures.of_account(asked.account).ok_or_else(|| {
        let text = "the account was not the last one to be erased";
        OperationError::new(Code::UnknownErasure, text)
    })?;
    last::wait(progress).await
}

/// Removes entries from the record of what policies were asked.
async fn erase_records(
    on: &Runtime,
    which: impl Fn(&RecordedEntry) -> bool + Send + 'static,
) -> Result<(), OperationError> {
    let Some(record) = on.policy_record.clone() else {
        return Ok(());
    };
    let removed = blocking(move || {
        let removed = record.remove(Box::new(which));
        removed.map_err(|error| {
            let text = format!("the record of what policies were asked cannot be changed: {error}");
            OperationError::new(Code::StoreFailed, text)
        })
    });
    removed.await.map(drop)
}

/// Refuses an account that the directory does not have, unless its erasure was begun before: it may
/// have been interrupted behind the removal of the account itself.
async fn check_known(on: &Runtime, id: AccountId) -> Result<(), OperationError> {
    if on.directory.view().account(id).is_some() {
        return Ok(());
    }
    let query = AuditQuery {
        account: Some(id.to_string()),
        before: None,
        limit: AUDITED,
    };
    let audited = change(&on.directory, move |directory| directory.audit(&query)).await?;
    match audited
        .iter()
        .any(|record| record.entry.action == ERASED_BY)
    {
        true => Ok(()),
        false => Err(unknown("account", id).into()),
    }
}

/// Erasure that is under way.
struct ErasureUnderWay<'a> {
    on: &'a Runtime,
    id: AccountId,
    /// The id, as stores know it.
    account: String,
    erased: ErasedAccount,
    /// Transactions of the account.
    ids: HashSet<TransactionId>,
    sender: &'a watch::Sender<Progress<ErasureState>>,
}

impl ErasureUnderWay<'_> {
    async fn run(&mut self) -> Result<(), OperationError> {
        let id = self.id;
        // Whose a transaction is, is known by what the account has: so before that goes.
        let owner = TransactionOwner::new(self.on.directory.view(), id);
        change(&self.on.directory, move |directory| {
            directory.erase_audit(id)
        })
        .await?;
        self.walk().await?;
        self.trace(owner).await?;
        let account = self.account.clone();
        erase_records(self.on, move |recorded| {
            recorded.any_text(|text| text.contains(&account))
        })
        .await?;
        self.connections().await?;
        self.directory().await?;
        // What was accepted while the account still was there.
        self.walk().await?;
        self.tell(ErasureStage::Overwriting);
        self.on.erasure.overwrite_erased().await?;
        let (trace, states) = (Arc::clone(&self.on.trace), Arc::clone(&self.on.states));
        let directory = Arc::clone(&self.on.directory);
        blocking(move || {
            trace.overwrite_erased()?;
            directory.overwrite_erased()?;
            states.overwrite_erased()?;
            Ok::<_, OperationError>(())
        })
        .await
    }

    fn tell(&self, stage: ErasureStage) {
        let state = ErasureState::Running {
            account: self.id,
            stage,
            erased: self.erased,
        };
        let _former = self.sender.send_replace(Ok(state));
    }

    /// Walks over queue and ledgers until nothing of the account is left there, with the trace of what
    /// is found.
    async fn walk(&mut self) -> Result<(), OperationError> {
        let deadline = Instant::now() + LONGEST_WAIT;
        loop {
            self.tell(ErasureStage::Queue);
            let under_way = self.walk_once().await?;
            if under_way == 0 {
                self.erased.queue.under_way = 0;
                return Ok(());
            }
            self.erased.queue.under_way = under_way;
            self.tell(ErasureStage::Attempts);
            if Instant::now() > deadline {
                let text = format!(
                    "attempts to deliver {under_way} messages of the account are under way still"
                );
                return Err(OperationError::new(Code::ErasureHeldUp, text));
            }
            sleep(PAUSE).await;
        }
    }

    /// Walks over queue and ledgers once; returns the number of messages of which an attempt is under
    /// way.
    async fn walk_once(&mut self) -> Result<u64, OperationError> {
        let mut under_way = 0;
        let mut next = Some(EraseCursor::default());
        while let Some(from) = next {
            let ids = self.on.erasure.erasable(&self.account, from).await?;
            self.ids.extend(&ids);
            self.erase_trace(ids).await?;
            let step = self.on.erasure.erase(&self.account, from).await?;
            self.erased.queue.add(step.erased);
            under_way += step.erased.under_way;
            next = step.next;
            self.tell(ErasureStage::Queue);
        }
        Ok(under_way)
    }

    async fn erase_trace(&mut self, ids: Vec<TransactionId>) -> Result<(), OperationError> {
        let trace = Arc::clone(&self.on.trace);
        self.erased.trace += blocking(move || trace.erase(ids)).await?;
        Ok(())
    }

    /// Removes what the trace has of the account.
    async fn trace(&mut self, owner: TransactionOwner) -> Result<(), OperationError> {
        self.tell(ErasureStage::Trace);
        let mut after = Some(String::new());
        while let Some(from) = after.take() {
            let (trace, account) = (Arc::clone(&self.on.trace), self.account.clone());
            let (ids, next) = blocking(move || trace.sent_of(&account, &from)).await?;
            self.ids.extend(&ids);
            self.erase_trace(ids).await?;
            after = next;
        }
        let (trace, account) = (Arc::clone(&self.on.trace), self.account.clone());
        self.erased.trace += blocking(move || trace.erase_headers_of(&account)).await?;
        let mut sweep = TraceSweep::with(std::mem::take(&mut self.ids));
        let owner = Arc::new(owner);
        loop {
            let (trace, owner) = (Arc::clone(&self.on.trace), Arc::clone(&owner));
            let swept = blocking(move || {
                let step = trace.erase_some(&mut sweep, &|kind| owner.of(kind))?;
                Ok::<_, OperationError>((sweep, step))
            });
            let (step, removed);
            (sweep, (step, removed)) = swept.await?;
            self.erased.trace += removed;
            self.tell(ErasureStage::Trace);
            if !step.more {
                return Ok(());
            }
        }
    }

    /// Removes the states and the tokens of the account's connections.
    async fn connections(&mut self) -> Result<(), OperationError> {
        let view = self.on.directory.view();
        let owned = view.connections(self.id).map(|owned| {
            ConnectionKey::of_account(self.account.clone(), owned.connection.name.clone())
        });
        let mut keys = self.on.states.keys_of(&self.account);
        keys.extend(owned);
        for key in &keys {
            self.on.states.forget(key);
        }
        let states = Arc::clone(&self.on.states);
        let forget = self.on.forget_tokens.clone();
        blocking(move || {
            let mut gone = states.save()?;
            gone.extend(keys);
            if let Some(forget) = forget {
                forget(&gone);
            }
            Ok::<_, OperationError>(())
        })
        .await
    }

    /// Removes the rows of the directory, the account last.
    async fn directory(&mut self) -> Result<(), OperationError> {
        let id = self.id;
        if self.on.directory.view().account(id).is_none() {
            return Ok(());
        }
        loop {
            self.tell(ErasureStage::Directory);
            let some = change(&self.on.directory, move |directory| {
                directory.erase_some(id)
            });
            match some.await? {
                Some(items) => self.erased.directory.add(items),
                None => break,
            }
        }
        change(&self.on.directory, move |directory| {
            directory.finish_erasure(id)
        })
        .await
    }
}
