//! A guest's look-ups of a message's origin, the directory, an account's settings and the relay's
//! identity.

use gatepost_authentication::{Authentication, FromClarity};
use gatepost_message::canonical_form;

use crate::contract::wit::{authentication as wit, directory, identity, settings_of_account};
use crate::host::{CallState, refuse};
use crate::{CredentialScope, DomainKind, DomainState, Partner, PartnerSource, ReceivingDomain};

impl CallState {
    fn facts(&self) -> wasmtime::Result<&gatepost_authentication::Facts> {
        let facts = self.view.facts.as_deref();
        facts.ok_or_else(|| {
            refuse("the facts of `authentication` are there in the message hook alone")
        })
    }
}

fn outcome(result: Authentication) -> wit::Outcome {
    match result {
        Authentication::None => wit::Outcome::None,
        Authentication::Neutral => wit::Outcome::Neutral,
        Authentication::Pass => wit::Outcome::Pass,
        Authentication::Fail => wit::Outcome::Fail,
        Authentication::SoftFail => wit::Outcome::Softfail,
        Authentication::Policy => wit::Outcome::Policy,
        Authentication::TempError => wit::Outcome::Temperror,
        Authentication::PermError => wit::Outcome::Permerror,
    }
}

fn dmarc_policy(policy: gatepost_authentication::DmarcPolicy) -> wit::DmarcPolicy {
    match policy {
        gatepost_authentication::DmarcPolicy::None => wit::DmarcPolicy::None,
        gatepost_authentication::DmarcPolicy::Quarantine => wit::DmarcPolicy::Quarantine,
        gatepost_authentication::DmarcPolicy::Reject => wit::DmarcPolicy::Reject,
    }
}

fn spf(fact: &gatepost_authentication::SpfFact) -> wit::SpfResult {
    wit::SpfResult {
        result: outcome(fact.result),
        domain: fact.domain.clone(),
        reason: fact.reason.clone(),
    }
}

fn arc_set(set: &gatepost_authentication::ArcSet) -> wit::ArcSet {
    let dkim = set.dkim.iter().map(|seen| wit::ArcDkim {
        result: outcome(seen.result),
        domain: seen.domain.clone(),
    });
    wit::ArcSet {
        instance: set.instance,
        sealer: set.sealer.clone(),
        results: set.results.clone(),
        authserv_id: set.authserv_id.clone(),
        dmarc: set.dmarc.map(outcome),
        dmarc_from: set.dmarc_from.clone(),
        spf: set.spf.map(outcome),
        arc: set.arc.map(outcome),
        dkim: dkim.collect(),
    }
}

impl wit::Host for CallState {
    fn spf_helo(&mut self) -> wasmtime::Result<wit::SpfResult> {
        Ok(spf(&self.facts()?.spf.helo))
    }

    fn spf_mailfrom(&mut self) -> wasmtime::Result<wit::SpfResult> {
        Ok(spf(&self.facts()?.spf.mailfrom))
    }

    fn dkim(&mut self) -> wasmtime::Result<Vec<wit::DkimResult>> {
        let signatures = self.facts()?.dkim.iter().map(|fact| wit::DkimResult {
            result: outcome(fact.result),
            domain: fact.domain.clone(),
            selector: fact.selector.clone(),
            algorithm: fact.algorithm.clone(),
            reason: fact.reason.clone(),
        });
        Ok(signatures.collect())
    }

    fn dmarc(&mut self) -> wasmtime::Result<wit::DmarcResult> {
        let fact = &self.facts()?.dmarc;
        Ok(wit::DmarcResult {
            result: outcome(fact.result),
            policy: fact.policy.map(dmarc_policy),
            applied: fact.applied.map(dmarc_policy),
            domain: fact.domain.clone(),
            organizational_domain: fact.organizational_domain.clone(),
            spf_aligned: fact.alignment.spf,
            dkim_aligned: fact.alignment.dkim,
            reason: fact.reason.clone(),
        })
    }

    fn arc(&mut self) -> wasmtime::Result<wit::ArcResult> {
        let fact = &self.facts()?.arc;
        Ok(wit::ArcResult {
            result: outcome(fact.result),
            instances: fact.instances,
            sealer: fact.sealer.clone(),
            reason: fact.reason.clone(),
        })
    }

    fn arc_sets(&mut self) -> wasmtime::Result<Vec<wit::ArcSet>> {
        Ok(self.facts()?.arc.sets.iter().map(arc_set).collect())
    }

    fn iprev(&mut self) -> wasmtime::Result<wit::IprevResult> {
        let fact = &self.facts()?.iprev;
        Ok(wit::IprevResult {
            result: outcome(fact.result),
            name: fact.name.clone(),
        })
    }

    fn authors(&mut self) -> wasmtime::Result<Vec<wit::Author>> {
        let authors = self.facts()?.authors.iter().map(|author| wit::Author {
            name: author.name.clone(),
            address: author.address.clone(),
        });
        Ok(authors.collect())
    }

    fn from_field(&mut self) -> wasmtime::Result<wit::FromResult> {
        let from = &self.facts()?.from;
        Ok(wit::FromResult {
            clarity: match from.clarity {
                FromClarity::Unequivocal => wit::FromClarity::Unequivocal,
                FromClarity::Equivocal => wit::FromClarity::Equivocal,
                FromClarity::Unreadable => wit::FromClarity::Unreadable,
            },
            domains: from.domains.clone(),
            doubt: from.doubt.clone(),
        })
    }
}

impl From<ReceivingDomain> for directory::ReceivingDomain {
    fn from(of: ReceivingDomain) -> Self {
        Self {
            domain: of.domain,
            kind: match of.kind {
                DomainKind::Native => directory::DomainKind::Native,
                DomainKind::TwoWay => directory::DomainKind::TwoWay,
                DomainKind::OutboundOnly => directory::DomainKind::OutboundOnly,
            },
            state: match of.state {
                DomainState::Claimed => directory::DomainState::Claimed,
                DomainState::Verified => directory::DomainState::Verified,
                DomainState::Disconnected => directory::DomainState::Disconnected,
            },
            forwarders: directory::Forwarders {
                networks: of.forwarders.networks,
                dkim_domains: of.forwarders.dkim_domains,
                arc_sealers: of.forwarders.arc_sealers,
            },
        }
    }
}

impl From<Partner> for directory::KnownPartner {
    fn from(of: Partner) -> Self {
        Self {
            by_domain: of.by_domain,
            source: match of.source {
                PartnerSource::Agreement(account) => directory::PartnerSource::Agreement(account),
                PartnerSource::ByHand => directory::PartnerSource::ByHand,
                PartnerSource::Import(name) => directory::PartnerSource::Imported(name),
                PartnerSource::Feed(url) => directory::PartnerSource::Feed(url),
            },
        }
    }
}

impl directory::Host for CallState {
    fn destination(
        &mut self,
        address: String,
    ) -> wasmtime::Result<Option<directory::ReceivingDomain>> {
        let view = &self.view;
        let account = view.scope.account.as_deref();
        let found = account.and_then(|account| view.directory.destination(account, &address));
        Ok(found.map(Into::into))
    }

    fn is_support_address(&mut self, address: String) -> wasmtime::Result<bool> {
        let view = &self.view;
        let account = view.scope.account.as_deref();
        Ok(account.is_some_and(|account| view.directory.is_support_address(account, &address)))
    }

    fn partner(&mut self, address: String) -> wasmtime::Result<Option<directory::KnownPartner>> {
        let view = &self.view;
        let account = view.scope.account.as_deref();
        let found = account.and_then(|account| view.directory.partner(account, &address));
        Ok(found.map(Into::into))
    }

    fn knows_addresses(&mut self) -> wasmtime::Result<bool> {
        let view = &self.view;
        let account = view.scope.account.as_deref();
        Ok(account.is_some_and(|account| view.directory.knows_addresses(account)))
    }

    fn product(&mut self) -> wasmtime::Result<Option<String>> {
        let view = &self.view;
        let account = view.scope.account.as_deref();
        Ok(account.and_then(|account| view.directory.product(account)))
    }

    fn credential(&mut self) -> wasmtime::Result<Option<directory::SessionCredential>> {
        let Some(user) = &self.view.user else {
            return Ok(None);
        };
        let scope = self.view.directory.credential(user);
        Ok(scope.map(|scope| directory::SessionCredential {
            user: user.clone(),
            scope: match scope {
                CredentialScope::Inbound(domain) => directory::CredentialScope::Inbound(domain),
                CredentialScope::Submission => directory::CredentialScope::Submission,
            },
        }))
    }

    fn machine(&mut self, address: String) -> wasmtime::Result<Option<directory::KnownMachine>> {
        let view = &self.view;
        let found = view.scope.account.as_deref().and_then(|account| {
            (view.memory).machine(account, &canonical_form(&address), view.time)
        });
        Ok(found.map(|machine| directory::KnownMachine {
            evidence: machine.evidence,
            since: machine.since.0,
            until: machine.until.0,
        }))
    }

    fn canonical(&mut self, address: String) -> wasmtime::Result<String> {
        Ok(canonical_form(&address))
    }
}

impl settings_of_account::Host for CallState {
    fn get(&mut self) -> wasmtime::Result<Option<String>> {
        let view = &self.view;
        let account = view.scope.account.as_deref();
        Ok(account.and_then(|account| view.directory.settings(account, &view.scope.policy)))
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

    fn author_is_proved(&mut self) -> wasmtime::Result<Option<bool>> {
        let dmarc = self.view.facts.as_ref().map(|facts| &facts.dmarc);
        Ok(dmarc.map(|fact| {
            fact.result == Authentication::Pass || fact.alignment.spf || fact.alignment.dkim
        }))
    }
}
