//! Answers to the look-ups of a policy that runs natively, in tests.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;

use gatepost_message::TransactionId;

use crate::arrival::{self, ArrivalFacts};
use crate::authentication::{Arrival, Authentication, Outcome};
use crate::directory::{Directory, Forwarders, Machine, NoDirectory, ReceivingDomain};
use crate::identity::{Identity, NoIdentity};
use crate::queued::Queued;
use crate::types::Flow;

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
    /// Direction of the message.
    pub flow: Flow,
    /// Address of the client.
    pub client: Option<IpAddr>,
    /// Reverse-path without angle brackets; empty for the null reverse-path.
    pub mail_from: String,
    /// The message in the queue.
    pub queued: Queued,
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
            flow: Flow::default(),
            client: None,
            mail_from: String::new(),
            queued: Queued::default(),
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

impl Answers {
    pub(crate) fn destination(&self, address: &str) -> Option<ReceivingDomain> {
        self.directory.destination(ACCOUNT, address)
    }

    pub(crate) fn forwarders(&self, address: &str) -> Forwarders {
        let known = self.destination(address);
        known.map(|of| of.forwarders).unwrap_or_default()
    }

    pub(crate) fn arrival(&self, recipient: &str) -> Arrival {
        let proved = &self.authentication;
        let user = self.user.as_deref();
        let passes = |result: Outcome, domain| (result == Outcome::Pass).then_some(domain);
        let signatures = proved.dkim.iter();
        let (spf, arc) = (&proved.spf_mailfrom, &proved.arc);
        let sent = passes(spf.result, spf.domain.as_str());
        arrival::of(&ArrivalFacts {
            flow: self.flow,
            client: self.client,
            credential: user.and_then(|user| self.directory.credential(user)),
            to: self.destination(recipient),
            author: &proved.dmarc.domain,
            signed: signatures
                .filter_map(|one| passes(one.result, &one.domain))
                .collect(),
            sent: sent.filter(|_| !self.mail_from.is_empty()),
            sealed: passes(arc.result, &arc.sealer),
        })
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
