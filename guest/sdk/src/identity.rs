//! By what the relay, and what it has sent, is known again.
//!
//! As with [`authentication`](crate::authentication()), a policy imports the interface by calling
//! one of these functions.
//!
//! ```
//! use gatepost_sdk::*;
//!
//! # struct Stamp;
//! # impl Policy for Stamp {
//! # type Settings = ();
//! # fn new((): ()) -> Result<Self, Vec<String>> { Ok(Self) }
//! /// Puts an id on what leaves, and says of what comes in whether it has left here before.
//! fn message(&self, transaction: &Transaction, message: &dyn Message, _: &dyn Facts, decision: &mut Decision) -> Verdict {
//!     if transaction.session.flow == Flow::Submission {
//!         decision.set_header("X-Desk-Id", &email_id());
//!     } else if message.header("X-Desk-Id").is_some_and(|id| is_ours(&id)) {
//!         decision.tag("comes-back");
//!     }
//!     Verdict::Pass
//! }
//! # }
//!
//! let mut given = native::Given::default();
//! given.identity.email_id = "42.code".into();
//! let _given = given.give();
//! assert!(is_ours("42.code") && !is_ours("43.code"));
//! ```

/// The relay's own name, as it stands behind `by` in the Received fields that it writes: a domain
/// name in lower case.
///
/// Natively it is what a test has [given](crate::native::Identity::host_name).
///
/// ```
/// let _given = gatepost_sdk::native::Given::default().give();
/// assert_eq!(gatepost_sdk::host_name(), "relay.example");
/// ```
pub fn host_name() -> String {
    #[cfg(target_arch = "wasm32")]
    return crate::glue::host_name();
    #[cfg(not(target_arch = "wasm32"))]
    crate::native::given(|given| given.identity.host_name.clone())
}

/// The id of this transaction's message, fit for a header: at most 57 ASCII letters, digits, `-`
/// and `.`. Only who has the relay's key ring can make one. Not for the connect hook, where there
/// is no transaction: there it is a fault.
///
/// Natively it is what a test has [given](crate::native::Identity::email_id).
///
/// ```
/// let _given = gatepost_sdk::native::Given::default().give();
/// assert!(gatepost_sdk::is_ours(&gatepost_sdk::email_id()));
/// ```
pub fn email_id() -> String {
    #[cfg(target_arch = "wasm32")]
    return crate::glue::email_id();
    #[cfg(not(target_arch = "wasm32"))]
    crate::native::given(|given| given.identity.email_id.clone())
}

/// Whether this is an [email id](email_id()) that the relay has issued, or another that has the same
/// key ring; a former key counts, and case does not.
///
/// Natively it is so of [what a test has given](crate::native::Identity).
///
/// ```
/// let mut given = gatepost_sdk::native::Given::default();
/// given.identity.ours = vec!["41.code".into()];
/// let _given = given.give();
/// assert!(gatepost_sdk::is_ours("41.CODE"));
/// assert!(!gatepost_sdk::is_ours("41.forged"));
/// ```
pub fn is_ours(email_id: &str) -> bool {
    #[cfg(target_arch = "wasm32")]
    return crate::glue::is_ours(email_id);
    #[cfg(not(target_arch = "wasm32"))]
    crate::native::given(|given| given.identity.is_ours(email_id))
}

/// Whether the author is who they say they are: SPF or a DKIM signature passes in alignment with the
/// author's domain, as [`authentication`](crate::authentication()) has it. `None` where no policy of the
/// chain imports that interface, so that nobody has looked: to ask this makes nobody look.
///
/// Natively it is what a test has [given](crate::native::Given::author_is_proved).
///
/// ```
/// use gatepost_sdk::{author_is_proved, native::Given};
///
/// let _given = Given { author_is_proved: Some(true), ..Given::default() }.give();
/// assert_eq!(author_is_proved(), Some(true));
/// ```
pub fn author_is_proved() -> Option<bool> {
    #[cfg(target_arch = "wasm32")]
    return crate::glue::author_is_proved();
    #[cfg(not(target_arch = "wasm32"))]
    crate::native::given(|given| given.author_is_proved)
}
