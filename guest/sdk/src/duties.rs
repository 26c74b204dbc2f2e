//! Duties that a policy declares.

/// Duties of a policy that must never fail open: `on-error = "skip"` is refused for it.
///
/// ```
/// # use gatepost_sdk::*;
/// # struct Silence;
/// # impl Policy for Silence {
/// # type Settings = ();
/// # fn new((): ()) -> Result<Self, Vec<String>> { Ok(Self) }
/// fn duties() -> Duties {
///     Duties { suppresses: true, ..Duties::default() }
/// }
/// # }
/// # assert!(Silence::duties().suppresses);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Duties {
    /// True if it decides who may hand mail to the relay.
    pub authenticates: bool,
    /// True if it withholds mail from recipients; only such a policy may suppress.
    pub suppresses: bool,
    /// True if it decides where mail goes: skipped, it would let mail leave by another way.
    pub routes: bool,
}
