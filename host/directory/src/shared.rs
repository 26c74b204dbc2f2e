//! State of an open directory, shared with its threads.

use parking_lot::{Mutex, MutexGuard};

use arc_swap::ArcSwap;

use crate::{
    DirectoryChange, DirectoryError, DirectoryStore, Limits, Reserved, View, expectation,
    key_ring::KeyRing, staging::ImportStaging, uses::PendingUses,
};

/// State of an open directory.
#[derive(Debug)]
pub(crate) struct SharedDirectory {
    state: Mutex<LockedState>,
    view: ArcSwap<View>,
    pub(crate) uses: PendingUses,
}

/// State behind the lock, with which the newest view is seen.
#[derive(Debug)]
pub(crate) struct LockedState {
    pub(crate) store: Box<dyn DirectoryStore>,
    pub(crate) ring: KeyRing,
    pub(crate) limits: Limits,
    pub(crate) reserved: Reserved,
    pub(crate) staging: ImportStaging,
    /// Number of changes since the directory was opened.
    revision: u64,
    /// True if a write began and did not succeed, so that it is unknown whether the store has it.
    is_uncertain: bool,
}

impl LockedState {
    pub(crate) fn new(store: Box<dyn DirectoryStore>, ring: KeyRing, limits: Limits) -> Self {
        Self {
            store,
            ring,
            limits,
            reserved: Reserved::new(),
            staging: ImportStaging::default(),
            revision: 0,
            is_uncertain: false,
        }
    }
}

impl SharedDirectory {
    pub(crate) fn new(state: LockedState, view: View) -> Self {
        Self {
            state: Mutex::new(state),
            view: ArcSwap::from_pointee(view),
            uses: PendingUses::default(),
        }
    }

    pub(crate) fn view(&self) -> &ArcSwap<View> {
        &self.view
    }

    /// Locks the state. A panic left no half of a change: it was not written, or as a whole.
    pub(crate) fn lock(&self) -> MutexGuard<'_, LockedState> {
        self.state.lock()
    }

    /// Returns the number of changes since the directory was opened.
    pub(crate) fn revision(&self) -> u64 {
        self.lock().revision
    }

    /// Decides from the newest view what to change, writes that, and publishes the view after it.
    pub(crate) fn change<T, E: Into<DirectoryError>>(
        &self,
        decide: impl FnOnce(&View, &mut LockedState) -> Result<(T, Vec<DirectoryChange>), E>,
    ) -> Result<T, DirectoryError> {
        let mut state = self.lock();
        if state.is_uncertain {
            let separators = self.view.load().separators().clone();
            let loaded = View::load(state.store.rows()?, &*state.store, &state.ring, separators)?;
            self.view.store(loaded.into());
            state.is_uncertain = false;
        }
        expectation::check(state.revision).map_err(DirectoryError::Refused)?;
        let view = self.view.load();
        let (made, changes) = decide(&view, &mut state).map_err(Into::into)?;
        if changes.is_empty() {
            return Ok(made);
        }
        let mut next = View::clone(&view);
        for change in &changes {
            next.apply(change, &state.ring)?;
        }
        state.is_uncertain = true;
        // Before the write: one that fails may have changed the store.
        state.revision += 1;
        state.store.write(&changes)?;
        state.is_uncertain = false;
        // Still under the lock, so that views are published in the order of the changes.
        self.view.store(next.into());
        Ok(made)
    }
}
