//! Names in which mail of an account leaves.

use gatepost_message::{Address, Millis, domain_to_ascii};

use super::View;
use crate::{
    AccountId, AddressDetails, Canonical, Connector, ConnectorKind, ConnectorState, DefaultReason,
    OutboundWay, SupportAddress,
};

impl View {
    /// Returns the support address of an account that an author is: the address itself, or the one
    /// of which it is a sub-address.
    pub fn address_of(&self, account: AccountId, author: &Address) -> Option<&SupportAddress> {
        let forms = [Canonical::of(author), Canonical::without_detail(author)];
        forms.into_iter().flatten().find_map(|form| {
            let mut all = self.addresses_at(&form).iter();
            all.find(|of| of.account == account)
        })
    }

    /// Returns the address in whose name an author's mail leaves where its own is not proved: the
    /// default address of its brand, or of the account.
    pub fn default_address(&self, account: AccountId, author: &Address) -> Option<&Address> {
        let details = &self.account(account)?.details;
        let brand = self.address_of(account, author);
        let brand = brand.and_then(|of| of.brand.as_ref());
        let of_brand = brand.and_then(|brand| details.brand_addresses.get(brand));
        of_brand.or(details.default_address.as_ref())
    }

    /// Returns the way by which an author's mail leaves; `None` where nothing is asked of it: the
    /// domain is native or the configuration's, or its connector is not taken through verification.
    ///
    /// An author in a connected domain who is no support address leaves as the addresses of the
    /// domain do.
    pub fn outbound_way(&self, account: AccountId, author: &Address) -> Option<OutboundWay> {
        let domain = domain_to_ascii(author.domain())?;
        let mut connectors = self.connectors(account).iter();
        let connector =
            connectors.find(|of| (of.claim.domain.as_ascii()).eq_ignore_ascii_case(&domain))?;
        if connector.state == ConnectorState::Disconnected {
            return Some(OutboundWay::FromDefault(DefaultReason::Disconnected));
        }
        if !connector.details.verifies || connector.state != ConnectorState::Verified {
            return None;
        }
        Some(match self.address_of(account, author) {
            _ if connector.claim.kind == ConnectorKind::Forwarded => OutboundWay::DefaultRoute,
            Some(address) => way(&address.details, connector.details.outbound_vouched),
            None if connector.details.outbound_vouched.is_some() => OutboundWay::Vouched,
            None if self.is_proved(connector) => OutboundWay::Connection,
            None => OutboundWay::DefaultRoute,
        })
    }

    /// Returns true if the way out of any address of a connector is proved.
    fn is_proved(&self, connector: &Connector) -> bool {
        let Some(holdings) = self.holdings(connector.claim.account) else {
            return false;
        };
        holdings.addresses_of(connector.id).any(|canonical| {
            let mut all = self.addresses_at(canonical).iter();
            all.any(|of| of.connector == Some(connector.id) && of.details.outbound_proved.is_some())
        })
    }
}

/// Returns the way of an address, whose connector was vouched for at that time. What the server has
/// said last counts: a proof, or a refusal that is later than the word of the operator.
fn way(details: &AddressDetails, vouched: Option<Millis>) -> OutboundWay {
    match (details.outbound_proved, vouched, details.outbound_refused()) {
        (_, Some(_), None) => OutboundWay::Vouched,
        (_, Some(vouched), Some(refused)) if refused < vouched => OutboundWay::Vouched,
        (Some(_), _, _) => OutboundWay::Connection,
        (None, _, Some(_)) => OutboundWay::FromDefault(DefaultReason::Refused),
        (None, None, None) => OutboundWay::DefaultRoute,
    }
}
