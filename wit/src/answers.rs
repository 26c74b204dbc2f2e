//! Answers to the look-ups of a policy that runs natively, in tests.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;

use gatepost_message::TransactionId;

use crate::authentication::Authentication;
use crate::directory::{Directory, Machine, NoDirectory};
use crate::identity::{Identity, NoIdentity};

/// Account of every native call.
pub(crate) const ACCOUNT: &str = "acme";

/// Answers to look-ups on one thread.
///
/// ```
/// use gatepost_contract::{Answers, identity::author_is_proved};
///
/// let giving = Answers { author_is_proved: Some(true), ..Answers::default() }.give();
/// assert_eq!(author_is_proved(), Some(true));
/// drop(giving);
/// assert_eq!(author_is_proved(), None);
/// ```
pub struct Answers {
    /// Id of the transaction.
    pub transaction: TransactionId,
    /// User that AUTH has proved.
    pub user: Option<String>,
    /// Facts about the message.
    pub authentication: Authentication,
    /// True if the author is proved; `None` if nobody has looked.
    pub author_is_proved: Option<bool>,
    /// Known machines, by address in canonical form.
    pub machines: HashMap<String, Machine>,
    /// Accounts.
    pub directory: Box<dyn Directory>,
    /// Identity of the relay.
    pub identity: Box<dyn Identity>,
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            transaction: TransactionId::new(),
            user: None,
            authentication: Authentication::default(),
            author_is_proved: None,
            machines: HashMap::new(),
            directory: Box::new(NoDirectory),
            identity: Box::new(NoIdentity),
        }
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers").finish_non_exhaustive()
    }
}

thread_local! {
    static ANSWERS: RefCell<Answers> = RefCell::default();
}

impl Answers {
    /// Gives these answers to policies on this thread, until the returned guard is dropped.
    pub fn give(self) -> Giving {
        ANSWERS.set(self);
        Giving(())
    }
}

/// Guard of the given answers: dropping it takes them back.
///
/// ```
/// let giving = gatepost_sdk::native::Given::default().give();
/// drop(giving);
/// ```
#[derive(Debug)]
#[must_use = "what is given is taken back when this is dropped"]
pub struct Giving(());

impl Drop for Giving {
    fn drop(&mut self) {
        ANSWERS.take();
    }
}

pub(crate) fn answer<R>(ask: impl FnOnce(&Answers) -> R) -> R {
    ANSWERS.with_borrow(ask)
}
