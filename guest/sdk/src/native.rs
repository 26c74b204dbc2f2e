//! A policy run natively, in a test: what it looks up, and the [fixtures](fixtures()) of its author.

mod fixtures;
mod pretended;

use std::cell::RefCell;
use std::collections::HashMap;

pub use fixtures::fixtures;
pub use pretended::Mail;

use gatepost_message::{Address, CanonicalAddress, Separators};

use crate::{Authentication, Credential, Machine, Partner, ReceivingDomain};

/// What a test gives to the policy that it runs, instead of the relay.
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
    /// What [`authentication`](crate::authentication()) says.
    pub authentication: Authentication,
    /// What [`destination`](crate::destination) says of these addresses; it knows no others.
    pub destinations: HashMap<String, ReceivingDomain>,
    /// What [`machine`](crate::machine) says of these addresses, in [canonical](crate::canonical()) form;
    /// it knows no others.
    pub machines: HashMap<String, Machine>,
    /// What [`partner`](crate::partner) says, by addresses in lower case without sub-address, or by
    /// domains with an `@` before them. Where `+` sets sub-addresses apart.
    pub partners: HashMap<String, Partner>,
    /// What [`product`](crate::product) says.
    pub product: Option<String>,
    /// What [`credential`](crate::credential) says.
    pub credential: Option<Credential>,
    /// What [`settings_of_account`](crate::settings_of_account) reads, as JSON.
    pub settings: Option<String>,
    /// Who the relay is, and what it has sent.
    pub identity: Identity,
    /// What [`author_is_proved`](crate::author_is_proved) says.
    pub author_is_proved: Option<bool>,
}

/// Who the relay is, as a test gives it.
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
    /// What [`host_name`](crate::host_name) says.
    pub host_name: String,
    /// What [`email_id`](crate::email_id) says.
    pub email_id: String,
    /// Ids that were issued before; [`is_ours`](crate::is_ours) knows these and that one.
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
    /// The partner that an address is of, as the relay finds it.
    pub(crate) fn partner(&self, address: &str) -> Option<Partner> {
        let parsed = Address::parse(address).ok()?;
        let canonical = CanonicalAddress::of(&parsed, &Separators::default());
        let by_domain = || self.partners.get(&format!("@{}", canonical.domain()));
        let found = self.partners.get(canonical.as_str()).or_else(by_domain);
        found
            .filter(|_| !self.destinations.contains_key(address))
            .cloned()
    }

    /// Gives it to what runs on this thread, until the value that is returned is dropped.
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

/// While it is there, something is given.
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
