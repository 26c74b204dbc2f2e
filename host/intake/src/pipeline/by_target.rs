//! What policies are told of addresses to whose forwarding targets a message came.

use std::sync::Arc;

use gatepost_contract::directory::{
    CredentialScope, Directory, DomainState, Partner, ReceivingDomain,
};
use gatepost_message::Address;

/// Directory that also knows to which addresses a message came by their forwarding targets.
pub(super) struct ByTarget {
    directory: Arc<dyn Directory>,
    addresses: Vec<Address>,
}

impl ByTarget {
    /// Returns the directory as the policies of a message know it that came to these addresses by
    /// their forwarding targets.
    pub(super) fn known_to(
        directory: Arc<dyn Directory>,
        addresses: Vec<Address>,
    ) -> Arc<dyn Directory> {
        match addresses.is_empty() {
            true => directory,
            false => Arc::new(Self {
                directory,
                addresses,
            }),
        }
    }
}

impl Directory for ByTarget {
    fn destination(&self, account: &str, address: &str) -> Option<ReceivingDomain> {
        let mut addresses = self.addresses.iter();
        match addresses.any(|of| of.as_str() == address) {
            true => self.directory.destination_by_target(account, address),
            false => self.directory.destination(account, address),
        }
    }

    fn is_support_address(&self, account: &str, address: &str) -> bool {
        self.directory.is_support_address(account, address)
    }

    fn own_domain(&self, account: &str, domain: &str) -> Option<DomainState> {
        self.directory.own_domain(account, domain)
    }

    fn partner(&self, account: &str, address: &str) -> Option<Partner> {
        self.directory.partner(account, address)
    }

    fn knows_addresses(&self, account: &str) -> bool {
        self.directory.knows_addresses(account)
    }

    fn product(&self, account: &str) -> Option<String> {
        self.directory.product(account)
    }

    fn credential(&self, user: &str) -> Option<CredentialScope> {
        self.directory.credential(user)
    }

    fn settings(&self, account: &str, policy: &str) -> Option<String> {
        self.directory.settings(account, policy)
    }
}
