//! Signatures of mail that leaves: whose key signs it, and which mail must not leave without.
//!
//! A message is signed for the domain of its author, or for the domain above it in the same
//! organisation, with a key of the account whose mail it is: so the signature is aligned (DMARC).
//! The site's own keys sign for its own domains, and never what leaves through a customer's mail
//! service, which signs for its domain itself where the account has no key.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use gatepost_authentication::spf::{self, SpfClient, SpfIdentity};
use gatepost_authentication::{
    Authentication, DmarcFact, DmarcPolicy, SpfFact, foresee, organizational_domain_by_list,
};
use gatepost_config::Unaligned;
use gatepost_delivery::{Admitting, Leaving, Signing};
use gatepost_directory::{ConnectorState, KeyOwner, OutboundWay, View};
use gatepost_dkim::Signer;
use gatepost_intake::edits::host_rules::author_domain;
use gatepost_message::{Address, ReversePath, domain_to_ascii};
use gatepost_model::{Destination, Flow, Transaction};
use gatepost_smtp::Reply;

use super::Ways;
use crate::sender_way::SenderWay;

/// Time for all questions about one message. Without an answer by then, the message leaves.
const WITHIN: Duration = Duration::from_secs(20);

/// Address that no mail comes from (RFC 5737): for a domain that publishes no SPF record, it is as
/// good as any.
const NOBODYS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

impl Signing for Ways {
    fn signers(&self, leaving: &Leaving<'_>) -> Vec<Arc<Signer>> {
        let transaction = &leaving.claim.transaction;
        if transaction.session.flow == Flow::Inbound {
            return Vec::new();
        }
        let site_too = match leaving.destination {
            Destination::Mx { .. } | Destination::NextHop { .. } => true,
            Destination::Connection { account, .. } => account.is_none(),
            // Nothing there looks at signatures.
            Destination::Inside
            | Destination::Lmtp(_)
            | Destination::Http(_)
            | Destination::AccountEndpoint { .. }
            | Destination::Maildir(_) => return Vec::new(),
        };
        let Some(author) = author_domain(leaving.message) else {
            return Vec::new();
        };
        let of_account = self.of_account(transaction, &author);
        match of_account.is_empty() && site_too {
            true => self.of_site(transaction, &author),
            false => of_account,
        }
    }

    fn admit<'a>(&'a self, leaving: Leaving<'a>) -> Admitting<'a> {
        Box::pin(self.admitted(leaving))
    }
}

impl Ways {
    /// Returns the keys of the message's account that sign for an author's domain.
    fn of_account(&self, transaction: &Transaction, author: &str) -> Vec<Arc<Signer>> {
        let account = transaction.account.as_deref();
        let Some(id) = account.and_then(|account| account.parse().ok()) else {
            return Vec::new();
        };
        let view = self.directory.view();
        let signers = |domain: &str| {
            let owned = view.domain(domain).filter(|of| of.account == id);
            let connector = owned.and_then(|of| view.connector(id, of.connector?));
            match connector.is_some_and(|of| of.state == ConnectorState::Verified) {
                true => view.signers(KeyOwner::Account(id), domain),
                false => Vec::new(),
            }
        };
        first_of(author, signers)
    }

    /// Returns the site's own keys that sign for an author's domain: a native domain, a domain of
    /// the account in the configuration, and for its notices that of the relay.
    fn of_site(&self, transaction: &Transaction, author: &str) -> Vec<Arc<Signer>> {
        let accounts = self.accounts();
        let view = &accounts.directory;
        let config = &accounts.config;
        let account = transaction.account.as_deref();
        let account = account.and_then(|account| config.account(account));
        let of_config = account.is_some_and(|of| {
            let mut domains = of.domains.iter().chain(&of.sending_domains);
            domains.any(|domain| domain.as_ascii() == author)
        });
        let is_native = view.domain(author).is_some_and(|of| of.connector.is_none());
        let is_own = transaction.session.is_own() && config.relay.hostname.as_ascii() == author;
        if is_customers(view, author) || !(of_config || is_native || is_own) {
            return Vec::new();
        }
        let signers = |domain: &str| match is_customers(view, domain) {
            true => Vec::new(),
            false => view.signers(KeyOwner::Site, domain),
        };
        first_of(author, signers)
    }

    /// Says whether a message may leave, and in whose name. By MX it meets the policy of its
    /// author's domain (DMARC) without the customer's own mail service, which the domain trusts.
    async fn admitted(&self, leaving: Leaving<'_>) -> Result<Option<Address>, Reply> {
        let view = self.directory.view();
        match SenderWay::of(&view, &leaving.claim.transaction, leaving.message) {
            Some(sender) if sender.way != OutboundWay::Vouched => {
                self.named(&leaving, &sender).await
            }
            _ => self.aligned(leaving).await,
        }
    }

    /// Returns the default address for a message whose author's domain nothing proves on the default
    /// route; `None` if it leaves in its own name.
    async fn named(
        &self,
        leaving: &Leaving<'_>,
        sender: &SenderWay,
    ) -> Result<Option<Address>, Reply> {
        let egress = match leaving.destination {
            Destination::Mx { egress, .. } | Destination::NextHop { egress, .. } => egress,
            Destination::Connection { account: None, .. } => &None,
            // The customer's own service, and what stays here.
            _ => return Ok(None),
        };
        let domain = domain_to_ascii(sender.author.domain()).unwrap_or_default();
        let domain = domain.to_ascii_lowercase();
        let signers = self.signers(leaving);
        let proving = self.proves(&domain, leaving.reverse_path, &signers, egress.as_deref());
        match proving.await {
            true => Ok(None),
            false => sender.default().map(Some),
        }
    }

    /// Returns true if DKIM or SPF proves an author's domain where a message arrives. What cannot be
    /// known is no proof.
    async fn proves(
        &self,
        author: &str,
        path: &ReversePath,
        signers: &[Arc<Signer>],
        egress: Option<&str>,
    ) -> bool {
        if signers
            .iter()
            .any(|signer| signer.domain.as_ascii() == author)
        {
            return true;
        }
        let proving = async {
            let fact = self.judge(author, path, signers, egress).await;
            if fact.result != Authentication::None {
                return fact.result == Authentication::Pass;
            }
            // Without a policy alignment is relaxed (RFC 9989 section 5.3.2), and keys are of the same
            // organisation.
            let organization = |domain: &str| organizational_domain_by_list(domain);
            let sender = path
                .address()
                .and_then(|path| domain_to_ascii(path.domain()));
            let is_aligned = sender.is_some_and(|sender| {
                let sender = sender.to_ascii_lowercase();
                sender == author || organization(&sender) == organization(author)
            });
            if !signers.is_empty() || !is_aligned {
                return !signers.is_empty();
            }
            let resolver = self.outside.load().resolver.clone();
            let config = Arc::clone(&self.active.load().config);
            let addresses = config.outside_addresses(egress);
            let spf = self.foreseen_spf(&resolver, path, &addresses).await;
            spf.result == Authentication::Pass
        };
        tokio::time::timeout(WITHIN, proving).await.unwrap_or(false)
    }

    /// Refuses a message by MX that would fail the policy of its author's domain, or has it leave
    /// from another address.
    async fn aligned(&self, leaving: Leaving<'_>) -> Result<Option<Address>, Reply> {
        let config = Arc::clone(&self.active.load().config);
        let transaction = &leaving.claim.transaction;
        let Destination::Mx { egress, .. } = leaving.destination else {
            return Ok(None);
        };
        let submitted = transaction.session.flow == Flow::Submission;
        if config.mx.unaligned == Unaligned::Send || !submitted || transaction.session.is_own() {
            return Ok(None);
        }
        let Some(author) = author_domain(leaving.message) else {
            return Ok(None);
        };
        let egress = egress.as_deref();
        let path = leaving.reverse_path;
        let signers = self.signers(&leaving);
        let Some(policy) = self.refused_by(&author, path, &signers, egress).await else {
            return Ok(None);
        };
        if config.mx.unaligned == Unaligned::SendAs
            && let Some(other) = self.default_address(transaction)
            && let Some(domain) = domain_to_ascii(other.domain())
        {
            let domain = domain.to_ascii_lowercase();
            let signers = match self.of_account(transaction, &domain) {
                none if none.is_empty() => self.of_site(transaction, &domain),
                some => some,
            };
            let path = ReversePath::Address(other.clone());
            if (self.refused_by(&domain, &path, &signers, egress).await).is_none() {
                return Ok(Some(other));
            }
        }
        // RFC 7372 section 3.3: X.7.26, multiple authentication checks failed.
        Err(Reply::new(
            550,
            "5.7.26",
            format!(
                "not sent by MX: {author} has mail {policy} that neither DKIM nor SPF proves \
                 (DMARC), as this is: no DKIM key for it is active here, and SPF does not let this \
                 relay send for it"
            ),
        ))
    }

    /// Returns what the policy of an author's domain does to a message, if the message would fail
    /// for certain.
    async fn refused_by(
        &self,
        author: &str,
        path: &ReversePath,
        signers: &[Arc<Signer>],
        egress: Option<&str>,
    ) -> Option<&'static str> {
        // A signature of the very domain is aligned in any mode.
        if signers
            .iter()
            .any(|signer| signer.domain.as_ascii() == author)
        {
            return None;
        }
        let judging = self.judge(author, path, signers, egress);
        let fact = tokio::time::timeout(WITHIN, judging).await.ok()?;
        match (fact.result, fact.applied) {
            (Authentication::Fail, Some(DmarcPolicy::Reject)) => Some("refused"),
            (Authentication::Fail, Some(DmarcPolicy::Quarantine)) => Some("put into quarantine"),
            _ => None,
        }
    }

    async fn judge(
        &self,
        author: &str,
        path: &ReversePath,
        signers: &[Arc<Signer>],
        egress: Option<&str>,
    ) -> DmarcFact {
        let config = Arc::clone(&self.active.load().config);
        let resolver = self.outside.load().resolver.clone();
        let domains: Vec<_> = signers
            .iter()
            .map(|signer| signer.domain.as_ascii())
            .collect();
        let spf = async {
            let addresses = config.outside_addresses(egress);
            self.foreseen_spf(&resolver, path, &addresses).await
        };
        let boundary = config.authentication.settings().boundary;
        foresee(&resolver, author, &domains, boundary, spf).await
    }

    /// Returns the result of SPF where the message arrives. The address that a server sees is not
    /// always known: then only a domain without a record is certain not to pass.
    async fn foreseen_spf(
        &self,
        resolver: &gatepost_dns::Resolver,
        path: &ReversePath,
        addresses: &[IpAddr],
    ) -> SpfFact {
        let config = Arc::clone(&self.active.load().config);
        let hostname = config.relay.hostname.as_ascii();
        let path = path.address().map(ToString::to_string).unwrap_or_default();
        let check = async |address| {
            let client = SpfClient {
                address,
                helo: hostname,
                receiver: hostname,
            };
            spf::check(resolver, &client, SpfIdentity::MailFrom(&path), WITHIN).await
        };
        let mut last = None;
        for address in addresses {
            let fact = check(*address).await;
            if fact.result == Authentication::Pass {
                return fact;
            }
            last = Some(fact);
        }
        match last {
            Some(fact) => fact,
            None => {
                let fact = check(NOBODYS).await;
                let is_certain = matches!(
                    fact.result,
                    Authentication::None | Authentication::Pass | Authentication::Permerror
                );
                match is_certain {
                    true => fact,
                    false => SpfFact {
                        result: Authentication::Temperror,
                        ..fact
                    },
                }
            }
        }
    }

    /// Returns the address that mail of the sender's connection falls back to, or else the default
    /// address of the sender.
    fn default_address(&self, transaction: &Transaction) -> Option<Address> {
        let account = transaction.account.as_deref()?;
        let sender = transaction.reverse_path.address()?;
        let found = self.connections.serving(account, sender);
        let accounts = self.accounts();
        let of_connection = found.and_then(|found| found.connection.fall_back_as.clone());
        let address = of_connection.or_else(|| {
            let default = (accounts.directory).default_address(account.parse().ok()?, sender);
            default.cloned()
        })?;
        let may = accounts.ownership().may_send_as(account, &address);
        may.then_some(address)
    }
}

/// Returns true if an account has connected the domain.
fn is_customers(view: &View, domain: &str) -> bool {
    view.domain(domain).is_some_and(|of| of.connector.is_some())
}

/// Returns the first keys found for a domain and the domains above it, up to the organisation's.
fn first_of(domain: &str, find: impl Fn(&str) -> Vec<Arc<Signer>>) -> Vec<Arc<Signer>> {
    let organization = organizational_domain_by_list(domain);
    let organization = organization.as_deref().unwrap_or(domain);
    let mut name = domain;
    loop {
        let found = find(name);
        if !found.is_empty() || name == organization {
            return found;
        }
        match name.split_once('.') {
            Some((_, above)) => name = above,
            None => return Vec::new(),
        }
    }
}
