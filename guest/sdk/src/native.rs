//! Native tests of a policy: values for its look-ups, and its author's [fixtures](fixtures()).

mod fixtures;
mod from_fixture;

use std::cell::RefCell;
use std::collections::HashMap;

pub use fixtures::fixtures;
pub use from_fixture::Mail;

use gatepost_message::{Address, CanonicalAddress, Separators};

use crate::{Authentication, Credential, Machine, Partner, ReceivingDomain};

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
    /// Results of [`destination`](crate::destination), by address; other addresses have none.
    pub destinations: HashMap<String, ReceivingDomain>,
    /// Results of [`machine`](crate::machine), by address in [canonical](crate::canonical()) form;
    /// other addresses have none.
    pub machines: HashMap<String, Machine>,
    /// Results of [`partner`](crate::partner), by address in lower case without sub-address, or by
    /// domain with an `@` before it. `+` sets sub-addresses apart.
    pub partners: HashMap<String, Partner>,
    /// Result of [`product`](crate::product).
    pub product: Option<String>,
    /// Result of [`credential`](crate::credential).
    pub credential: Option<Credential>,
    /// Settings that [`settings_of_account`](crate::settings_of_account) reads, as JSON.
    pub settings: Option<String>,
    /// Identity of the relay.
    pub identity: Identity,
    /// Result of [`author_is_proved`](crate::author_is_proved).
    pub author_is_proved: Option<bool>,
}

/// Identity of the relay in a native test.
///
/// ```
/// use gatepost_sdk::native::{Given, Identity};
///
/// let identity = Identity { host_name: "mx.desk.example".into(), ..Identity::default() };
/// let _given = Given { identity, ..Given::default() }.give();
/// assert_eq!(gatepost_sdk::host_name(), "mx.desk.example");
/// ```
#[derive(Debug, Clone)]
pub struct Identity {
    /// Result of [`host_name`](crate::host_name).
    pub host_name: String,
    /// Result of [`email_id`](crate::email_id).
    pub email_id: String,
    /// Ids issued before; [`is_ours`](crate::is_ours) returns true for these and for `email_id`.
    pub ours: Vec<String>,
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            host_name: "relay.example".into(),
            email_id: "019b7780-4000-7000-8000-000000000001.aaaaaaaaaaaaaaaaaaaa".into(),
            ours: Vec::new(),
        }
    }
}

impl Identity {
    pub(crate) fn is_ours(&self, email_id: &str) -> bool {
        let mut ours = self.ours.iter().chain([&self.email_id]);
        ours.any(|known| known.eq_ignore_ascii_case(email_id))
    }
}

thread_local! {
    static GIVEN: RefCell<Given> = RefCell::default();
}

impl Given {
    /// Returns the partner that an address belongs to, as the relay finds it.
    pub(crate) fn partner(&self, address: &str) -> Option<Partner> {
        let parsed = Address::parse(address).ok()?;
        let canonical = CanonicalAddress::of(&parsed, &Separators::default());
        let by_domain = || self.partners.get(&format!("@{}", canonical.domain()));
        let found = self.partners.get(canonical.as_str()).or_else(by_domain);
        found
            .filter(|_| !self.destinations.contains_key(address))
            .cloned()
    }

    /// Gives the values to policies on this thread, until the returned guard is dropped.
    ///
    /// ```
    /// use gatepost_sdk::*;
    ///
    /// let given = native::Given { settings: Some("{}".into()), ..native::Given::default() };
    /// let _giving = given.give();
    /// assert!(settings_of_account::<serde_json::Value>().unwrap().is_some());
    /// ```
    pub fn give(self) -> Giving {
        GIVEN.set(self);
        Giving(())
    }
}

/// Guard of the given values: dropping it takes them back.
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
        GIVEN.take();
    }
}

pub(crate) fn given<R>(ask: impl FnOnce(&Given) -> R) -> R {
    GIVEN.with_borrow(ask)
}
