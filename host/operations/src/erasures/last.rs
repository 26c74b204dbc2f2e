//! The erasure that is under way, or was the last one: one of a store at a time.

use gatepost_directory::AccountId;
use gatepost_message::Address;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::timeout;

use super::{CorrespondentErasure, ErasureState, HEARTBEAT};
use crate::code::Code;
use crate::error::OperationError;

/// State so far, or the error.
pub(super) type Progress<S> = Result<S, OperationError>;

/// State of something that is erased.
pub(super) trait ErasedState: Clone {
    /// Returns true if the erasure is under way.
    fn is_running(&self) -> bool;
}

/// Correspondent of an account, or of all of the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CorrespondentOf {
    pub(super) account: Option<String>,
    pub(super) address: Address,
}

/// Erasure that was begun last, with its progress.
#[derive(Debug)]
enum LastErasure {
    Account(AccountId, watch::Receiver<Progress<ErasureState>>),
    Correspondent(
        CorrespondentOf,
        watch::Receiver<Progress<CorrespondentErasure>>,
    ),
}

/// Erasures of one store, of which one is under way at a time.
#[derive(Debug, Default)]
pub struct Erasures {
    last: Mutex<Option<LastErasure>>,
}

/// Beginning of an erasure.
pub(super) enum Beginning<S> {
    /// It has begun with this request, which tells of its progress.
    New(watch::Sender<Progress<S>>),
    /// It was under way already.
    UnderWay(Progress<S>),
}

impl Erasures {
    /// Begins the erasure of an account.
    pub(super) fn begin_account(
        &self,
        id: AccountId,
        begun: &ErasureState,
    ) -> Result<Beginning<ErasureState>, OperationError> {
        let mut last = self.last.lock();
        match &*last {
            Some(LastErasure::Account(account, progress)) if is_under_way(progress) => {
                if *account == id {
                    return Ok(Beginning::UnderWay(progress.borrow().clone()));
                }
                let text = format!("the account {account} is being erased");
                return Err(OperationError::new(Code::ErasureUnderWay, text));
            }
            Some(LastErasure::Correspondent(_, progress)) if is_under_way(progress) => {
                return Err(under_way());
            }
            _ => {}
        }
        let (sender, progress) = watch::channel(Ok(begun.clone()));
        *last = Some(LastErasure::Account(id, progress));
        Ok(Beginning::New(sender))
    }

    /// Begins the erasure of a correspondent.
    pub(super) fn begin_correspondent(
        &self,
        of: &CorrespondentOf,
        begun: &CorrespondentErasure,
    ) -> Result<Beginning<CorrespondentErasure>, OperationError> {
        let mut last = self.last.lock();
        match &*last {
            Some(LastErasure::Correspondent(other, progress)) if is_under_way(progress) => {
                return match other == of {
                    true => Ok(Beginning::UnderWay(progress.borrow().clone())),
                    false => Err(under_way()),
                };
            }
            Some(LastErasure::Account(_, progress)) if is_under_way(progress) => {
                return Err(under_way());
            }
            _ => {}
        }
        let (sender, progress) = watch::channel(Ok(begun.clone()));
        *last = Some(LastErasure::Correspondent(of.clone(), progress));
        Ok(Beginning::New(sender))
    }

    /// Returns the progress of the erasure of an account, if it is the last one.
    pub(super) fn of_account(
        &self,
        id: AccountId,
    ) -> Option<watch::Receiver<Progress<ErasureState>>> {
        match &*self.last.lock() {
            Some(LastErasure::Account(account, progress)) if *account == id => {
                Some(progress.clone())
            }
            _ => None,
        }
    }

    /// Returns the progress of the erasure of a correspondent, if it is the last one.
    pub(super) fn of_correspondent(
        &self,
        of: &CorrespondentOf,
    ) -> Option<watch::Receiver<Progress<CorrespondentErasure>>> {
        match &*self.last.lock() {
            Some(LastErasure::Correspondent(last, progress)) if last == of => {
                Some(progress.clone())
            }
            _ => None,
        }
    }
}

/// Returns the error for a second erasure. It does not name the first: it may be another account's.
fn under_way() -> OperationError {
    OperationError::new(Code::ErasureUnderWay, "another erasure is under way")
}

fn is_under_way<S: ErasedState>(progress: &watch::Receiver<Progress<S>>) -> bool {
    let is_running = is_running(&progress.borrow());
    is_running && progress.has_changed().is_ok()
}

fn is_running<S: ErasedState>(progress: &Progress<S>) -> bool {
    progress.as_ref().is_ok_and(ErasedState::is_running)
}

/// Waits for the end of an erasure, one second at most.
pub(super) async fn wait<S: ErasedState>(
    mut progress: watch::Receiver<Progress<S>>,
) -> Result<S, OperationError> {
    let ended = progress.wait_for(|progress| !is_running(progress));
    let ended = timeout(HEARTBEAT, ended).await;
    let ended = ended.map(|ended| ended.map(|ended| ended.clone()));
    match ended {
        Ok(Ok(ended)) => ended,
        // The task has panicked.
        Ok(Err(_)) => Err(OperationError::new(
            Code::Internal,
            "the erasure was broken off by a defect",
        )),
        Err(_) => progress.borrow().clone(),
    }
}
