//! State of an open directory, shared with its threads.

use std::sync::{Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;

use crate::{
    Change, DirectoryError, DirectoryStore, Limits, Reserved, View, key_ring::KeyRing,
    staging::Staging, uses::PendingUses,
};

/// State of an open directory.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    view: ArcSwap<View>,
    pub(crate) uses: PendingUses,
}

/// State behind the lock. Who holds it sees the newest view.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) store: Box<dyn DirectoryStore>,
    pub(crate) ring: KeyRing,
    pub(crate) limits: Limits,
    pub(crate) reserved: Reserved,
    pub(crate) staging: Staging,
    /// True if a write failed, so that it is unknown whether the store has it.
    is_uncertain: bool,
}

impl State {
    pub(crate) fn new(store: Box<dyn DirectoryStore>, ring: KeyRing, limits: Limits) -> Self {
        Self {
            store,
            ring,
            limits,
            reserved: Reserved::new(),
            staging: Staging::default(),
            is_uncertain: false,
        }
    }
}

impl Shared {
    pub(crate) fn new(state: State, view: View) -> Self {
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
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides from the newest view what to change, writes that, and publishes the view after it.
    pub(crate) fn change<T, E: Into<DirectoryError>>(
        &self,
        decide: impl FnOnce(&View, &mut State) -> Result<(T, Vec<Change>), E>,
    ) -> Result<T, DirectoryError> {
        let mut state = self.lock();
        if state.is_uncertain {
            let separators = self.view.load().separators().clone();
            let loaded = View::load(state.store.rows()?, &*state.store, &state.ring, separators)?;
            self.view.store(loaded.into());
            state.is_uncertain = false;
        }
        let view = self.view.load();
        let (made, changes) = decide(&view, &mut state).map_err(Into::into)?;
        if changes.is_empty() {
            return Ok(made);
        }
        let mut next = View::clone(&view);
        for change in &changes {
            next.apply(change, &state.ring)?;
        }
        let written = state.store.write(&changes);
        state.is_uncertain = written.is_err();
        written?;
        // Still under the lock, so that views are published in the order of the changes.
        self.view.store(next.into());
        Ok(made)
    }
}
