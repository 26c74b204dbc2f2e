//! The relay's identity: its host name and the ids that it signed.
//!
//! As with [`authentication`](crate::authentication::authentication()), a policy imports the interface by calling
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

#[cfg(not(target_arch = "wasm32"))]
use gatepost_message::TransactionId;

/// Answers to the look-ups, by whoever has a host name and issues email ids: the relay, or a
/// fixture. No method may wait.
#[cfg(not(target_arch = "wasm32"))]
pub trait Identity: Send + Sync {
    /// Answers [`host_name`].
    fn host_name(&self) -> String;
    /// Returns the [`email_id`] of a transaction's message.
    fn email_id(&self, transaction: TransactionId) -> String;
    /// Answers [`is_ours`].
    fn is_ours(&self, email_id: &str) -> bool;
    /// Answers [`our_message_id`].
    fn our_message_id(&self, _message_id: &str) -> Option<String> {
        None
    }
}

/// Identity for probes and tests, which recognises no email id.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Debug, Clone, Copy, Default)]
pub struct NoIdentity;

#[cfg(not(target_arch = "wasm32"))]
impl Identity for NoIdentity {
    fn host_name(&self) -> String {
        "gatepost.invalid".to_owned()
    }
    fn email_id(&self, transaction: TransactionId) -> String {
        format!("{transaction}.none")
    }
    fn is_ours(&self, _: &str) -> bool {
        false
    }
}

/// Returns the relay's own name, as it stands behind `by` in the Received fields that it writes: a
/// domain name in lower case.
///
/// In a native test, returns what the test has given.
///
/// ```
/// let _given = gatepost_sdk::native::Given::default().give();
/// assert_eq!(gatepost_sdk::host_name(), "relay.example");
/// ```
pub fn host_name() -> String {
    look_up!(identity::host_name(), |known| known.identity.host_name())
}

/// Returns the id of this transaction's message, fit for a header: at most 57 ASCII letters,
/// digits, `-` and `.`. Only a holder of the relay's key ring can make one. A call in the connect
/// hook, which has no transaction, is a fault.
///
/// In a native test, returns what the test has given.
///
/// ```
/// let _given = gatepost_sdk::native::Given::default().give();
/// assert!(gatepost_sdk::is_ours(&gatepost_sdk::email_id()));
/// ```
pub fn email_id() -> String {
    look_up!(identity::email_id(), |known| known
        .identity
        .email_id(known.transaction))
}

/// Returns true if this is an [email id](email_id()) issued by this relay, or by another with the
/// same key ring; a former key counts, and case does not.
///
/// In a native test, returns true for the ids that the test has given.
///
/// ```
/// let mut given = gatepost_sdk::native::Given::default();
/// given.identity.ours = ["41.code".to_owned()].into();
/// let _given = given.give();
/// assert!(gatepost_sdk::is_ours("41.CODE"));
/// assert!(!gatepost_sdk::is_ours("41.forged"));
/// ```
pub fn is_ours(email_id: &str) -> bool {
    look_up!(identity::is_ours(email_id), |known| known
        .identity
        .is_ours(email_id))
}

/// Returns our Message-ID of the account's message to which a mail service has given this one,
/// both without angle brackets. Only ids in In-Reply-To and References of the message are known,
/// and only in the message hook.
///
/// In a native test, answers with what the test has given.
///
/// ```
/// let mut given = gatepost_sdk::native::Given::default();
/// given.identity.given.insert("1@service.example".into(), "1@desk.example".into());
/// let _given = given.give();
/// let ours = gatepost_sdk::our_message_id("1@service.example");
/// assert_eq!(ours.as_deref(), Some("1@desk.example"));
/// assert_eq!(gatepost_sdk::our_message_id("2@service.example"), None);
/// ```
pub fn our_message_id(message_id: &str) -> Option<String> {
    look_up!(identity::our_message_id(message_id), |known| known
        .identity
        .our_message_id(message_id))
}

/// Returns true if the author's domain is proved: SPF or a DKIM signature passes in alignment with
/// it, as in [`authentication`](crate::authentication::authentication()). `None` if no policy of the chain imports
/// that interface, so that nothing was checked; this call does not cause a check.
///
/// In a native test, returns what the test has given.
///
/// ```
/// use gatepost_sdk::{author_is_proved, native::Given};
///
/// let _given = Given { author_is_proved: Some(true), ..Given::default() }.give();
/// assert_eq!(author_is_proved(), Some(true));
/// ```
pub fn author_is_proved() -> Option<bool> {
    look_up!(identity::author_is_proved(), |known| known.author_is_proved)
}
