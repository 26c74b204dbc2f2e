//! Changes to accounts, connectors and support addresses.

use std::collections::BTreeMap;

use gatepost_message::{Address, Domain, Millis, TransactionId};

use crate::{
    Account, AccountDetails, AccountId, AuditEntry, Claim, Connector, ConnectorDetails,
    ConnectorId, ConnectorKind, ConnectorState, DefaultReason, Directory, DirectoryError,
    ForwarderMark, Forwarders, ForwardingToken, KeepMail, Name, PolicySettings, Profile,
    ProfileChange, SupportAddress,
    rules::{self, address::NewAddress},
    uses::AddressKey,
};

type Result<T> = std::result::Result<T, DirectoryError>;

impl Directory {
    /// Adds an account.
    ///
    /// # Errors
    /// The native domain already belongs to an account, in the directory or in the configuration,
    /// or the store failed.
    pub fn add_account(&self, profile: Profile) -> Result<Account> {
        let account = Self::new_account(profile)?;
        self.change(|view, state| rules::account::add(view, &state.reserved, account))
    }

    /// Makes an account that is about to be added.
    pub(super) fn new_account(profile: Profile) -> Result<Account> {
        let mut account = Account {
            id: AccountId::random()?,
            created: Millis::now(),
            profile,
            policies: BTreeMap::new(),
            details: AccountDetails::default(),
        };
        account.profile.order_brands();
        Ok(account)
    }

    /// Removes an account that owns nothing any more.
    ///
    /// # Errors
    /// There is no such account, it still owns something, or the store failed.
    pub fn remove_account(&self, id: AccountId) -> Result<()> {
        self.change(|view, _| rules::account::remove(view, id))
    }

    /// Changes the product, the time zone and the brands of an account.
    ///
    /// # Errors
    /// There is no such account or brand, a brand that would go still has support addresses or
    /// connections, there would be too many, or the store failed.
    pub fn change_profile(&self, id: AccountId, change: ProfileChange) -> Result<Account> {
        self.change(|view, _| rules::account::change(view, id, change))
    }

    /// Sets the time for which an account keeps what is known of its mail. With `None`, the site's
    /// applies.
    ///
    /// # Errors
    /// There is no such account, or the store failed.
    pub fn set_keep(&self, id: AccountId, keep: Option<KeepMail>) -> Result<Account> {
        self.change(|view, _| rules::account::set_keep(view, id, keep))
    }

    /// Sets an account's settings for a policy, in place of its former ones. With `None`, the
    /// policy's own settings apply again.
    ///
    /// # Errors
    /// There is no such account, or the store failed.
    pub fn set_policy(
        &self,
        account: AccountId,
        policy: &str,
        settings: Option<PolicySettings>,
    ) -> Result<()> {
        self.change(|view, _| rules::account::set_policy(view, account, policy, settings))
    }

    /// Connects a domain to an account, at first as a claim.
    ///
    /// # Errors
    /// There is no such account, it has the domain already or as many as it may have, the domain is
    /// a native one, or the store failed.
    pub fn add_connector(&self, claim: Claim) -> Result<Connector> {
        let connector = Connector {
            id: ConnectorId::random()?,
            created: Millis::now(),
            state: ConnectorState::Claimed,
            forwarders: Forwarders::default(),
            claim,
            details: ConnectorDetails::default(),
        };
        self.change(|view, state| rules::connector::add(view, &state.limits, connector))
    }

    /// Marks a domain as the account's own, because the account has proved it or an operator
    /// vouches for it. From now on its support addresses receive. Also reconnects a disconnected
    /// domain.
    ///
    /// # Errors
    /// There is no such connector, another account owns the domain, or the store failed.
    pub fn verify_connector(&self, id: ConnectorId) -> Result<Connector> {
        self.change(|view, _| rules::connector::verify(view, id))
    }

    /// Marks a domain as the account's own, and has its addresses leave through the customer's own
    /// server on the operator's word, until that server refuses them.
    ///
    /// # Errors
    /// As [`Directory::verify_connector`], or the connector is forwarded.
    pub fn vouch_outbound(&self, id: ConnectorId) -> Result<Connector> {
        self.change(|view, _| rules::connector::vouch_outbound(view, id, Millis::now()))
    }

    /// Takes the operator's word for the way out of a connector back: its addresses leave through the
    /// customer's own server after a verification only.
    ///
    /// # Errors
    /// There is no such connector, or the store failed.
    pub fn withdraw_outbound(&self, id: ConnectorId) -> Result<Connector> {
        self.change(|view, _| rules::connector::withdraw_outbound(view, id))
    }

    /// Sets the known forwarders of a connector's domain, in place of the former ones.
    ///
    /// # Errors
    /// There is no such connector, or the store failed.
    pub fn set_forwarders(&self, id: ConnectorId, forwarders: Forwarders) -> Result<Connector> {
        self.change(|view, _| rules::connector::set_forwarders(view, id, forwarders))
    }

    /// Sets the direction of a connector's mail that passes through the relay. Mail that comes by
    /// the former way is taken.
    ///
    /// # Errors
    /// There is no such connector, or the store failed.
    pub fn set_connector_kind(&self, id: ConnectorId, kind: ConnectorKind) -> Result<Connector> {
        self.change(|view, _| rules::connector::set_kind(view, id, kind, Millis::now()))
    }

    /// Has the addresses of a connector leave in their own names only by a way that is proved. What
    /// leaves by a connection today goes on leaving so until its server refuses a verification.
    ///
    /// # Errors
    /// There is no such connector, or the store failed.
    pub fn begin_verification(&self, id: ConnectorId) -> Result<Connector> {
        self.change(|view, _| rules::connector::begin_verification(view, id, Millis::now()))
    }

    /// Learns marks by which a forwarder of a connector's domain is known, for mail to forwarding
    /// targets: of each kind a few, and none that the relay's own mail bears. Those that are new go
    /// into the audit log by `entry`, in the same commit, and are returned.
    ///
    /// # Errors
    /// There is no such connector, or the store failed.
    pub fn learn_forwarders(
        &self,
        id: ConnectorId,
        marks: Vec<ForwarderMark>,
        entry: impl FnOnce(&[ForwarderMark]) -> AuditEntry,
    ) -> Result<Vec<ForwarderMark>> {
        self.change(|view, _| rules::connector::learn(view, id, marks, entry))
    }

    /// Forgets forwarders of a connector's domain that were learnt: these, or with `None` all. What
    /// is not there is nothing.
    ///
    /// # Errors
    /// There is no such connector, or the store failed.
    pub fn forget_forwarders(
        &self,
        id: ConnectorId,
        forgotten: Option<&Forwarders>,
    ) -> Result<Connector> {
        self.change(|view, _| rules::connector::forget_forwarders(view, id, forgotten))
    }

    /// Sets the default address of an account, or of one of its brands: a support address in the
    /// native domain. With `None`, there is none any more.
    ///
    /// # Errors
    /// There is no such account or brand, the account has no such address, the address is not
    /// native, or the store failed.
    pub fn set_default_address(
        &self,
        account: AccountId,
        brand: Option<Name>,
        address: Option<Address>,
    ) -> Result<Account> {
        self.change(|view, _| rules::account::set_default_address(view, account, brand, address))
    }

    /// Records the name in which a message of an author left: from the default address for this
    /// reason, or with `None` in its own. It is written with others a few seconds later.
    pub fn record_departure(
        &self,
        account: AccountId,
        author: &Address,
        message: TransactionId,
        reason: Option<DefaultReason>,
    ) {
        let view = self.view();
        let Some(address) = view.address_of(account, author) else {
            return;
        };
        let key = AddressKey {
            account,
            canonical: address.canonical(),
        };
        let uses = &self.shared.uses;
        match reason {
            Some(reason) => uses.left_from_default(key, message, reason, Millis::now()),
            None if address.details.leaves_from_default.is_some() || uses.has_departed(&key) => {
                uses.left_in_own_name(key);
            }
            None => {}
        }
    }

    /// Sets the domain of the reverse-paths of a connector's mail by MX; `None` takes it back. Whether
    /// its mail comes to this relay is not looked at.
    ///
    /// # Errors
    /// There is no such connector, its domain is not the account's, the return path is not below that
    /// domain or belongs to something else, or the store failed.
    pub fn set_return_path(
        &self,
        id: ConnectorId,
        return_path: Option<Domain>,
    ) -> Result<Connector> {
        self.change(|view, _| rules::connector::set_return_path(view, id, return_path))
    }

    /// Removes a connector that has no addresses and no credentials.
    ///
    /// # Errors
    /// There is no such connector, it still has some, or the store failed.
    pub fn remove_connector(&self, id: ConnectorId) -> Result<()> {
        self.change(|view, _| rules::connector::remove(view, id))
    }

    /// Adds a support address in the account's native domain or in a domain that it has connected.
    ///
    /// # Errors
    /// There is no such account, the address is in none of its domains or is taken, the domain has
    /// too many, or the store failed.
    pub fn add_address(&self, account: AccountId, address: Address) -> Result<SupportAddress> {
        self.add_address_of_brand(account, address, None)
    }

    /// Adds a support address of a brand.
    ///
    /// # Errors
    /// As [`Directory::add_address`], or the account has no such brand.
    pub fn add_address_of_brand(
        &self,
        account: AccountId,
        address: Address,
        brand: Option<Name>,
    ) -> Result<SupportAddress> {
        let new = NewAddress {
            account,
            address,
            brand,
            token: ForwardingToken::random()?,
            created: Millis::now(),
        };
        self.change(|view, state| rules::address::add(view, &state.limits, new))
    }

    /// Sets the brand of a support address; with `None`, it has none.
    ///
    /// # Errors
    /// The account has no such address or brand, or the store failed.
    pub fn set_address_brand(
        &self,
        account: AccountId,
        address: &Address,
        brand: Option<Name>,
    ) -> Result<SupportAddress> {
        self.change(|view, _| rules::address::set_brand(view, account, address, brand))
    }

    /// Removes a support address of an account.
    ///
    /// # Errors
    /// The account has no such address, it is a default address, or the store failed.
    pub fn remove_address(&self, account: AccountId, address: &Address) -> Result<()> {
        self.change(|view, _| rules::address::remove(view, account, address))
    }
}
