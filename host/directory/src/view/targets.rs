//! Forwarding targets: the addresses in native domains to which customers' servers forward.

use gatepost_message::Address;

use super::View;
use crate::{ForwardingToken, SupportAddress};

impl View {
    /// Returns the support address whose forwarding target this is, in the native domain of its own
    /// account; `None` for any other address, and if the support address does not receive.
    pub fn target(&self, address: &Address) -> Option<&SupportAddress> {
        let token = ForwardingToken::in_local_part(address.local())?;
        let (canonical, account) = self.targets.get(&token)?;
        let native = self.domain(address.domain());
        native.filter(|of| of.connector.is_none() && of.account == *account)?;
        let mut all = self.addresses_at(canonical).iter();
        let found = all.find(|of| of.account == *account)?;
        self.receives(found.destination()).then_some(found)
    }

    /// Returns the forwarding target of a support address, if it has one.
    pub fn target_of(&self, address: &SupportAddress) -> Option<Address> {
        let account = self.account(address.account)?;
        let token = address.details.forwarding.as_ref()?;
        token.at(&account.profile.native_domain)
    }

    pub(super) fn put_target(&mut self, address: &SupportAddress) {
        if let Some(token) = &address.details.forwarding {
            let owner = (address.canonical(), address.account);
            self.targets.insert_mut(token.clone(), owner);
        }
    }

    pub(super) fn remove_target(&mut self, address: &SupportAddress) {
        if let Some(token) = &address.details.forwarding {
            self.targets.remove_mut(token);
        }
    }
}
