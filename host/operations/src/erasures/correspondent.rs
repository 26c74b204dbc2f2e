//! Erasure of one mail address, of a correspondent who asks to be forgotten: from an account, or from
//! all of the site.
//!
//! 1. Queue and ledgers are walked over. Recipients of which an attempt is under way are waited for.
//! 2. The trace is read through for transactions that name the address. Those that go as a whole, and
//!    the notices and reports about them, go from the queue first: so an erasure that is interrupted
//!    finds them again.
//! 3. The audit log loses the address.
//! 4. Mail that was accepted meanwhile is looked for once more, and what was removed is overwritten.
//!
//! Nothing is stored of the request: that would be the address.

use std::sync::Arc;

use clap::Args;
use gatepost_directory::{AccountId, PartnerSource, View};
use gatepost_message::{Address, SoughtAddress, TransactionId};
use gatepost_spool::{EraseCursor, ErasedCorrespondent, ErasedRows};
use gatepost_trace::{CorrespondentSearch, NamingTransaction, TraceOwner};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::last::{self, Beginning, CorrespondentOf, ErasedState, Progress};
use super::{ErasureStage, LONGEST_WAIT, PAUSE, TransactionOwner};
use crate::blocking::blocking;
use crate::code::Code;
use crate::directory::{account_id, change};
use crate::error::OperationError;
use crate::runtime::Runtime;
use crate::suppression::known_account;

/// Request to erase a correspondent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EraseCorrespondent {
    /// Address to erase, in whatever spelling: sub-addresses of it go as well.
    // The audit log knows no field of this name, and so not the address.
    pub correspondent: Address,
    /// Only from this account: its id, or the native domain of one in the directory.
    #[arg(long)]
    #[serde(default)]
    pub account: Option<String>,
    /// Leave the address on the suppression lists that have it, as an operator's entry.
    #[arg(long)]
    #[serde(default)]
    pub keep_suppression: bool,
}

/// Request to wait for the erasure of a correspondent, one second at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AwaitCorrespondentErasure {
    /// Address, as the request to erase it had it.
    pub correspondent: Address,
    /// Account from which it is erased; none if it is erased from all.
    #[serde(default)]
    pub account: Option<String>,
}

/// Numbers of what was removed of a correspondent.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub struct CorrespondentRows {
    /// Messages, and rows of the ledgers.
    pub queue: ErasedRows,
    /// Rows of the trace.
    pub trace: u64,
    /// Entries of the audit log that named the address, and name it no more.
    pub audit: u64,
}

/// State of the erasure of a correspondent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(
    tag = "state",
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
pub enum CorrespondentErasure {
    /// It is under way.
    Running {
        /// Stage.
        stage: ErasureStage,
        /// Numbers of what was removed so far.
        erased: CorrespondentRows,
    },
    /// Nothing of the correspondent is left.
    Complete {
        /// Numbers of what was removed.
        erased: CorrespondentRows,
    },
}

impl ErasedState for CorrespondentErasure {
    fn is_running(&self) -> bool {
        matches!(self, Self::Running { .. })
    }
}

/// Begins the erasure of a correspondent. One that is under way is not begun again.
///
/// # Errors
/// There is no such account, something else is being erased, or the address is an account's own.
pub async fn begin(
    on: &Runtime,
    asked: EraseCorrespondent,
) -> Result<CorrespondentErasure, OperationError> {
    let EraseCorrespondent {
        correspondent: address,
        account,
        keep_suppression,
    } = asked;
    let account = account.map(|named| known_account(on, &named)).transpose()?;
    let view = on.directory.view();
    let id = account.as_deref().and_then(|id| account_id(&view, id).ok());
    let sought = SoughtAddress::new(&address);
    let is_of_account = |of: AccountId| account.is_none() || id == Some(of);
    if let Some(use_of_it) = use_of(&view, &address, &sought, is_of_account) {
        return Err(OperationError::new(Code::CorrespondentInUse, use_of_it));
    }
    let of = CorrespondentOf {
        account: account.clone(),
        address,
    };
    let begun = CorrespondentErasure::Running {
        stage: ErasureStage::Queue,
        erased: CorrespondentRows::default(),
    };
    let sender = match on.erasures.begin_correspondent(&of, &begun)? {
        Beginning::New(sender) => sender,
        Beginning::UnderWay(progress) => return progress,
    };
    let on = on.clone();
    tokio::spawn(async move {
        let mut work = CorrespondentErasureUnderWay {
            owner: id.map(|id| Arc::new(TransactionOwner::new(view, id))),
            on: &on,
            erased: CorrespondentRows::default(),
            correspondent: Arc::new(ErasedCorrespondent {
                account,
                address: sought,
                keep_suppression,
            }),
            sender: &sender,
        };
        let ended = work.run().await;
        // The log is not to have the address.
        match &ended {
            Ok(()) => tracing::warn!(account = of.account, "a correspondent is erased"),
            Err(error) => {
                tracing::error!(account = of.account, %error, "a correspondent is not erased yet");
            }
        }
        let erased = work.erased;
        let ended = ended.map(|()| CorrespondentErasure::Complete { erased });
        let _former = sender.send_replace(ended);
    });
    Ok(begun)
}

/// Waits for the erasure of a correspondent, one second at most.
///
/// # Errors
/// It was given up, or none of this correspondent is known.
pub async fn wait(
    on: &Runtime,
    asked: AwaitCorrespondentErasure,
) -> Result<CorrespondentErasure, OperationError> {
    let AwaitCorrespondentErasure {
        correspondent: address,
        account,
    } = asked;
    let account = account.map(|named| known_account(on, &named)).transpose()?;
    let of = CorrespondentOf { account, address };
    let Some(progress) = on.erasures.of_correspondent(&of) else {
        let text = "the correspondent was not the last one to be erased";
        return Err(OperationError::new(Code::UnknownCorrespondentErasure, text));
    };
    last::wait(progress).await
}

/// Returns a sentence on the use that an account makes of the address: it is no correspondent's alone.
fn use_of(
    view: &View,
    address: &Address,
    sought: &SoughtAddress,
    is_of_account: impl Fn(AccountId) -> bool,
) -> Option<String> {
    let is = |of: &Address| sought.is(of.as_str());
    let mut supports = view.all_addresses();
    if supports.any(|of| is_of_account(of.account) && is(&of.address)) {
        return Some("it is a support address of an account".to_owned());
    }
    let mut accounts = view.accounts().filter(|account| is_of_account(account.id));
    accounts.find_map(|account| {
        let id = account.id;
        let mut administrators = view.administrators(id).iter();
        if administrators.any(|of| is(&of.address)) {
            return Some(format!("it is an administrator's of the account {id}"));
        }
        if account.details.sandbox.test_users.iter().any(is) {
            return Some(format!("it is a test user's of the account {id}"));
        }
        let mut partners = view.partners(id, address).into_iter();
        let is_listed = partners.any(|partner| {
            !partner.by_domain && !matches!(partner.source, PartnerSource::Agreement(_))
        });
        is_listed.then(|| format!("it is on a list of partners of the account {id}"))
    })
}

/// Erasure of a correspondent that is under way.
struct CorrespondentErasureUnderWay<'a> {
    on: &'a Runtime,
    correspondent: Arc<ErasedCorrespondent>,
    /// Signs of an account of the directory in the trace.
    owner: Option<Arc<TransactionOwner>>,
    erased: CorrespondentRows,
    sender: &'a watch::Sender<Progress<CorrespondentErasure>>,
}

impl CorrespondentErasureUnderWay<'_> {
    async fn run(&mut self) -> Result<(), OperationError> {
        self.walk().await?;
        self.trace().await?;
        self.audit().await?;
        self.records().await?;
        // What was accepted meanwhile; then the trace has more, too.
        if self.walk().await? {
            self.trace().await?;
        }
        self.tell(ErasureStage::Overwriting);
        self.on.erasure.overwrite_erased().await?;
        let trace = Arc::clone(&self.on.trace);
        let directory = Arc::clone(&self.on.directory);
        blocking(move || {
            trace.overwrite_erased()?;
            directory.overwrite_erased()?;
            Ok::<_, OperationError>(())
        })
        .await
    }

    /// Removes the entries of the record in which the address stands.
    async fn records(&self) -> Result<(), OperationError> {
        let of = Arc::clone(&self.correspondent);
        super::erase_records(self.on, move |recorded| {
            let account = recorded.entry.transaction().account.as_deref();
            let is_of = of.account.is_none() || of.account.as_deref() == account;
            is_of && recorded.any_text(|text| of.address.is_in(text))
        })
        .await
    }

    fn tell(&self, stage: ErasureStage) {
        let state = CorrespondentErasure::Running {
            stage,
            erased: self.erased,
        };
        let _former = self.sender.send_replace(Ok(state));
    }

    /// Walks over queue and ledgers until nothing of the correspondent is left there; returns true if
    /// there was something.
    async fn walk(&mut self) -> Result<bool, OperationError> {
        let deadline = Instant::now() + LONGEST_WAIT;
        let mut any = false;
        loop {
            self.tell(ErasureStage::Queue);
            let mut under_way = 0;
            let mut next = Some(EraseCursor::default());
            while let Some(from) = next {
                let step = self
                    .on
                    .erasure
                    .erase_correspondent(&self.correspondent, from);
                let step = step.await?;
                any |= step.erased != ErasedRows::default();
                self.erased.queue.add(step.erased);
                under_way += step.erased.under_way;
                next = step.next;
                self.tell(ErasureStage::Queue);
            }
            if !self.await_attempts(under_way, deadline).await? {
                return Ok(any);
            }
        }
    }

    /// Waits a moment for attempts that are under way; returns false if there are none.
    async fn await_attempts(
        &mut self,
        under_way: u64,
        deadline: Instant,
    ) -> Result<bool, OperationError> {
        self.erased.queue.under_way = under_way;
        if under_way == 0 {
            return Ok(false);
        }
        self.tell(ErasureStage::Attempts);
        if Instant::now() > deadline {
            let text = format!(
                "attempts to deliver {under_way} messages of the correspondent are under way still"
            );
            return Err(OperationError::new(Code::CorrespondentHeldUp, text));
        }
        sleep(PAUSE).await;
        Ok(true)
    }

    /// Erases the correspondent from the trace.
    async fn trace(&mut self) -> Result<(), OperationError> {
        self.tell(ErasureStage::Trace);
        let mut search = CorrespondentSearch::new(self.correspondent.address.clone());
        while !search.is_over() {
            let trace = Arc::clone(&self.on.trace);
            let step = blocking(move || {
                let found = trace.naming(&mut search)?;
                Ok::<_, OperationError>((search, found))
            });
            let found;
            (search, found) = step.await?;
            let own = found.into_iter().filter(|found| self.is_own(found));
            let (whole, others): (Vec<_>, Vec<_>) = own.partition(|found| found.goes);
            let about = whole.iter().chain(&others).flat_map(|of| &of.about_it);
            let mut gone: Vec<TransactionId> = about.copied().collect();
            gone.extend(whole.iter().map(|found| found.id));
            self.erase_transactions(gone).await?;
            let stay = others.into_iter().map(|found| found.id).collect();
            let (trace, address) = (Arc::clone(&self.on.trace), search.address().clone());
            self.erased.trace += blocking(move || trace.erase_address(stay, address)).await?;
            self.tell(ErasureStage::Trace);
        }
        let (trace, of) = (Arc::clone(&self.on.trace), Arc::clone(&self.correspondent));
        let findings = blocking(move || {
            trace.erase_address_from_findings(of.account.clone(), of.address.clone())
        });
        self.erased.trace += findings.await?;
        Ok(())
    }

    /// Removes transactions as a whole, first from the queue.
    async fn erase_transactions(&mut self, ids: Vec<TransactionId>) -> Result<(), OperationError> {
        if ids.is_empty() {
            return Ok(());
        }
        let deadline = Instant::now() + LONGEST_WAIT;
        loop {
            let erased = self.on.erasure.erase_messages(ids.clone()).await?;
            self.erased.queue.add(erased);
            if !self.await_attempts(erased.under_way, deadline).await? {
                break;
            }
        }
        let trace = Arc::clone(&self.on.trace);
        self.erased.trace += blocking(move || trace.erase(ids)).await?;
        Ok(())
    }

    /// Returns true if a transaction is of the account from which the correspondent is erased.
    fn is_own(&self, found: &NamingTransaction) -> bool {
        let Some(account) = self.correspondent.account.as_deref() else {
            return true;
        };
        if let Some(known) = &found.account {
            return known == account;
        }
        let Some(owner) = &self.owner else {
            // An account of the configuration.
            let site = self.on.site.load();
            return found.kinds.iter().any(|kind| site.shows(account, kind));
        };
        let signs: Vec<_> = found
            .kinds
            .iter()
            .filter_map(|kind| owner.of(kind))
            .collect();
        // The first event that shows an owner shows the right one: a submission goes to others.
        let mut sure = signs
            .iter()
            .filter(|sign| **sign != TraceOwner::PerhapsErased);
        match sure.next() {
            Some(sign) => *sign == TraceOwner::Erased,
            None => !signs.is_empty(),
        }
    }

    /// Erases the correspondent from the audit log.
    async fn audit(&mut self) -> Result<(), OperationError> {
        self.tell(ErasureStage::Directory);
        let of = Arc::clone(&self.correspondent);
        let erased = change(&self.on.directory, move |directory| {
            directory.erase_from_audit(of.account.as_deref(), &of.address)
        });
        self.erased.audit += erased.await?;
        Ok(())
    }
}
