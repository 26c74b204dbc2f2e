//! A guest's look-ups of a message's origin, the directory, an account's settings and the relay's
//! identity.

use gatepost_authentication::{Authentication, Facts};
use gatepost_contract::arrival::{self, ArrivalFacts};
use gatepost_contract::authentication::DmarcResult;
use gatepost_contract::directory::{
    Credential, CredentialScope, Directory, Forwarders, Machine, ReceivingDomain,
};
use gatepost_message::canonical_form;

use crate::contract::wit::{authentication as wit, directory, identity, settings_of_account};
use crate::host::{CallState, refuse};
use crate::records::Mapped;

/// Bytes of the longest text that is looked up as a domain: 253 octets in A-labels are no longer in
/// characters.
const LONGEST_DOMAIN: usize = 1_000;

impl CallState {
    fn facts(&self) -> wasmtime::Result<&Facts> {
        let facts = self.view.facts.as_deref();
        facts.ok_or_else(|| {
            refuse("the facts of `authentication` are there in the message hook alone")
        })
    }
}

impl wit::Host for CallState {
    fn spf_helo(&mut self) -> wasmtime::Result<wit::SpfResult> {
        Ok(self.facts()?.spf.helo.clone().mapped())
    }

    fn spf_mailfrom(&mut self) -> wasmtime::Result<wit::SpfResult> {
        Ok(self.facts()?.spf.mailfrom.clone().mapped())
    }

    fn dkim(&mut self) -> wasmtime::Result<Vec<wit::DkimResult>> {
        Ok(self.facts()?.dkim.clone().mapped())
    }

    fn dmarc(&mut self) -> wasmtime::Result<wit::DmarcResult> {
        Ok(DmarcResult::from(&self.facts()?.dmarc).mapped())
    }

    fn arc(&mut self) -> wasmtime::Result<wit::ArcResult> {
        // The sets are an answer of their own.
        let fact = &self.facts()?.arc;
        Ok(wit::ArcResult {
            result: fact.result.mapped(),
            instances: fact.instances,
            sealer: fact.sealer.clone(),
            reason: fact.reason.clone(),
        })
    }

    fn arc_sets(&mut self) -> wasmtime::Result<Vec<wit::ArcSet>> {
        Ok(self.facts()?.arc.sets.clone().mapped())
    }

    fn iprev(&mut self) -> wasmtime::Result<wit::IprevResult> {
        Ok(self.facts()?.iprev.clone().mapped())
    }

    fn authors(&mut self) -> wasmtime::Result<Vec<wit::Author>> {
        Ok(self.facts()?.authors.clone().mapped())
    }

    fn from_field(&mut self) -> wasmtime::Result<wit::FromResult> {
        Ok(self.facts()?.from.clone().mapped())
    }

    fn arrival_of(&mut self, recipient: String) -> wasmtime::Result<wit::Arrival> {
        let facts = self.facts()?;
        let passes = |result: Authentication| result == Authentication::Pass;
        let signatures = facts.dkim.iter().filter(|one| passes(one.result));
        let (spf, arc) = (&facts.spf.mailfrom, &facts.arc);
        let is_sent = passes(spf.result) && !self.view.origin.is_null_sender;
        let evidence = ArrivalFacts {
            flow: self.view.origin.flow,
            client: self.view.origin.client,
            credential: self.credential_scope(),
            to: self.receiving(&recipient),
            author: &facts.dmarc.domain,
            signed: signatures.map(|one| one.domain.as_str()).collect(),
            sent: is_sent.then_some(spf.domain.as_str()),
            sealed: passes(arc.result).then_some(arc.sealer.as_str()),
        };
        Ok(arrival::of(&evidence).mapped())
    }
}

impl CallState {
    /// Asks about the transaction's account; where it is not fixed yet, nothing is known.
    fn of_account<R: Default>(&self, ask: impl FnOnce(&dyn Directory, &str) -> R) -> R {
        let account = self.view.scope.account.as_deref();
        account.map_or_else(R::default, |account| ask(&*self.view.directory, account))
    }
}

impl CallState {
    /// Returns the domain at which the account receives mail for an address.
    fn receiving(&self, address: &str) -> Option<ReceivingDomain> {
        self.of_account(|known, account| known.destination(account, address))
    }

    fn forwarders(&self, address: &str) -> Forwarders {
        let known = self.receiving(address);
        known.map(|of| of.forwarders).unwrap_or_default()
    }

    /// Returns the right that the client's credential gives.
    fn credential_scope(&self) -> Option<CredentialScope> {
        let user = self.view.origin.user.as_deref()?;
        self.view.directory.credential(user)
    }
}

impl directory::Host for CallState {
    fn receiving_domain(&mut self, address: String) -> wasmtime::Result<Option<String>> {
        Ok(self.receiving(&address).map(|of| of.domain))
    }

    fn domain_kind_of(
        &mut self,
        address: String,
    ) -> wasmtime::Result<Option<directory::DomainKind>> {
        Ok(self.receiving(&address).map(|of| of.kind.mapped()))
    }

    fn domain_state_of(
        &mut self,
        address: String,
    ) -> wasmtime::Result<Option<directory::DomainState>> {
        Ok(self.receiving(&address).map(|of| of.state.mapped()))
    }

    fn forwarder_networks(&mut self, address: String) -> wasmtime::Result<Vec<String>> {
        Ok(self.forwarders(&address).networks)
    }

    fn forwarder_domains(&mut self, address: String) -> wasmtime::Result<Vec<String>> {
        Ok(self.forwarders(&address).dkim_domains)
    }

    fn forwarder_sealers(&mut self, address: String) -> wasmtime::Result<Vec<String>> {
        Ok(self.forwarders(&address).arc_sealers)
    }

    fn is_support_address(&mut self, address: String) -> wasmtime::Result<bool> {
        Ok(self.of_account(|known, account| known.is_support_address(account, &address)))
    }

    fn own_domain(&mut self, domain: String) -> wasmtime::Result<Option<directory::DomainState>> {
        if domain.len() > LONGEST_DOMAIN {
            return Ok(None);
        }
        Ok(self.of_account(|known, account| known.own_domain(account, &domain).mapped()))
    }

    fn partner(&mut self, address: String) -> wasmtime::Result<Option<directory::KnownPartner>> {
        Ok(self.of_account(|known, account| known.partner(account, &address).mapped()))
    }

    fn knows_addresses(&mut self) -> wasmtime::Result<bool> {
        Ok(self.of_account(|known, account| known.knows_addresses(account)))
    }

    fn product(&mut self) -> wasmtime::Result<Option<String>> {
        Ok(self.of_account(|known, account| known.product(account)))
    }

    fn credential(&mut self) -> wasmtime::Result<Option<directory::SessionCredential>> {
        let known = self.credential_scope().zip(self.view.origin.user.clone());
        Ok(known.map(|(scope, user)| Credential { user, scope }.mapped()))
    }

    fn machine(&mut self, address: String) -> wasmtime::Result<Option<directory::KnownMachine>> {
        let view = &self.view;
        let address = canonical_form(&address);
        let machine =
            self.of_account(|_, account| view.memory.machine(account, &address, view.time));
        let known = machine.map(|machine| Machine {
            evidence: machine.evidence,
            since: machine.since.0,
            until: machine.until.0,
        });
        Ok(known.mapped())
    }

    fn canonical(&mut self, address: String) -> wasmtime::Result<String> {
        Ok(canonical_form(&address))
    }
}

impl settings_of_account::Host for CallState {
    fn get(&mut self) -> wasmtime::Result<Option<String>> {
        let policy = &self.view.scope.policy;
        Ok(self.of_account(|known, account| known.settings(account, policy)))
    }
}

impl identity::Host for CallState {
    fn host_name(&mut self) -> wasmtime::Result<String> {
        Ok(self.view.identity.host_name())
    }

    fn email_id(&mut self) -> wasmtime::Result<String> {
        let id = self.view.id;
        let id = id.ok_or_else(|| refuse("in the connect hook there is no message with an id"))?;
        Ok(self.view.identity.email_id(id))
    }

    fn is_ours(&mut self, email_id: String) -> wasmtime::Result<bool> {
        Ok(self.view.identity.is_ours(&email_id))
    }

    fn our_message_id(&mut self, message_id: String) -> wasmtime::Result<Option<String>> {
        Ok(self.view.identity.our_message_id(&message_id))
    }

    fn author_is_proved(&mut self) -> wasmtime::Result<Option<bool>> {
        let dmarc = self.view.facts.as_ref().map(|facts| &facts.dmarc);
        Ok(dmarc.map(|fact| {
            fact.result == Authentication::Pass || fact.alignment.spf || fact.alignment.dkim
        }))
    }
}
