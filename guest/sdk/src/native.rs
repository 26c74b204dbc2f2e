//! Native tests of a policy: values for its look-ups, and its author's [fixtures](fixtures()).

mod fixtures;
mod from_fixture;

use std::collections::HashMap;
use std::net::IpAddr;

pub use fixtures::fixtures;
pub use from_fixture::Mail;
pub use gatepost_contract::Giving;
pub use gatepost_fixture::{Directory, Identity};

use gatepost_contract::Answers;
use gatepost_fixture::Fixture;
use gatepost_message::TransactionId;

use crate::queued::Queued;
use crate::{Authentication, Flow, Machine};

/// Values that a native test gives to its policy in the relay's place.
///
/// ```
/// use gatepost_sdk::*;
///
/// let mut given = native::Given::default();
/// given.authentication.dmarc.result = Outcome::Fail;
/// let giving = given.give();
/// assert_eq!(authentication().dmarc.result, Outcome::Fail);
/// drop(giving);
/// assert_eq!(authentication().dmarc.result, Outcome::None);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// Result of [`authentication`](crate::authentication()).
    pub authentication: Authentication,
    /// Result of [`author_is_proved`](crate::author_is_proved).
    pub author_is_proved: Option<bool>,
    /// Facts about the account, as in the `[directory]` of a fixture.
    pub directory: Directory,
    /// Identity of the relay, as in the `[identity]` of a fixture.
    pub identity: Identity,
    /// Results of [`machine`](crate::machine), by address in [canonical](crate::canonical()) form;
    /// other addresses have none.
    pub machines: HashMap<String, Machine>,
    /// User that AUTH has proved; a [`credential`](crate::credential) needs one.
    pub user: Option<String>,
    /// Direction of the message, for [`arrival`](crate::arrival()).
    pub flow: Flow,
    /// Address of the client, for [`arrival`](crate::arrival()).
    pub client: Option<IpAddr>,
    /// Reverse-path, for [`arrival`](crate::arrival()).
    pub mail_from: String,
    /// Results of the look-ups in [`queued`](crate::queued).
    pub queued: Queued,
}

impl Given {
    /// Gives the values to policies on this thread, until the returned guard is dropped.
    ///
    /// ```
    /// use gatepost_sdk::*;
    ///
    /// let mut given = native::Given::default();
    /// given.directory.settings = Some("{}".into());
    /// let _giving = given.give();
    /// assert!(settings_of_account::<serde_json::Value>().unwrap().is_some());
    /// ```
    pub fn give(self) -> Giving {
        let id = Fixture::ID.parse();
        Answers {
            transaction: id.unwrap_or_else(|_| TransactionId::new()),
            user: self.user,
            flow: self.flow,
            client: self.client,
            mail_from: self.mail_from,
            queued: self.queued,
            authentication: self.authentication,
            author_is_proved: self.author_is_proved,
            machines: self.machines,
            directory: Box::new(self.directory),
            identity: Box::new(self.identity),
        }
        .give()
    }
}
