//! Changes that are made only if nothing else was changed since somebody looked.

use std::cell::Cell;

use crate::Refusal;

thread_local! {
    /// Revision that the next change of this thread expects.
    static EXPECTED: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Does work whose first change expects this revision. Returns true beside its result if there was a
/// change that was decided.
pub(crate) fn expecting<T>(revision: u64, work: impl FnOnce() -> T) -> (T, bool) {
    /// Takes an expectation back that no change has met, after a panic, too.
    struct End;
    impl Drop for End {
        fn drop(&mut self) {
            EXPECTED.set(None);
        }
    }
    let _end = End;
    EXPECTED.set(Some(revision));
    let made = work();
    let was_met = EXPECTED.take().is_none();
    (made, was_met)
}

/// Checks what the next change of this thread expects. Those behind it expect nothing.
///
/// # Errors
/// It expects another revision.
pub(crate) fn check(revision: u64) -> Result<(), Refusal> {
    match EXPECTED.take() {
        Some(expected) if expected != revision => Err(Refusal::ChangedMeanwhile),
        _ => Ok(()),
    }
}
