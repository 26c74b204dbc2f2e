//! Snapshot of the directory in memory.
//!
//! A change makes the next view from the one before: its maps share all that is equal. So it costs
//! what it changes, and sessions read theirs undisturbed.

mod change;
mod connections;
mod dkim;
mod endpoints;
mod holdings;
mod load;
mod outbound;
mod partner_index;
mod partners;
mod people;
mod targets;

use std::sync::Arc;
use std::time::Duration;

use gatepost_message::{
    Address, CanonicalAddress, Domain, Millis, Separators, TransactionId, domain_to_ascii,
};
use ring::hmac;
use rpds::HashTrieMapSync as Map;

use self::partners::Partners;
pub(crate) use self::{dkim::DkimEntry, holdings::Holdings, load::has_encrypted};
use crate::{
    Account, AccountId, Agreement, Canonical, Connector, ConnectorId, ConnectorState, Credential,
    Disconnection, EndedBy, ForwardingToken, Handover, Hold, Known, Probe, ProbeId, QueuedMail,
    Restriction, Rotation, Scope, Sealed, SealedCredential, StoredApiToken, SupportAddress,
    Suspension, UserName, Verifier, email_id::EmailIds, ownership_token::OwnershipTokens,
    return_token::ReturnTokens,
};

/// Owner of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recipient {
    /// An account that receives at the address.
    Of(Destination),
    /// Nobody: the domain is a native one without this address.
    Unknown,
    /// Not in a domain of the directory.
    Elsewhere,
}

/// Account and connector that mail for an address or a domain belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Destination {
    /// Account that receives.
    pub account: AccountId,
    /// Connector of the domain; `None` in the native domain.
    pub connector: Option<ConnectorId>,
}

/// Standing of a credential: what its right secret is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It logs in.
    Live,
    /// It does not log in any more, or not now: its user is asked to come again, so that no mail is
    /// lost meanwhile.
    Grace,
    /// It is worth nothing.
    Void,
}

/// Snapshot of the directory, for all questions of a session. Two are equal if they hold the same,
/// whatever the keys of their process.
#[derive(Debug, Clone)]
pub struct View {
    accounts: Map<AccountId, Arc<Holdings>>,
    /// Native domains and domains of receiving connectors, in A-labels.
    domains: Map<Arc<str>, Destination>,
    /// Connectors with a return path of their own, by its domain in A-labels.
    return_paths: Map<Arc<str>, ConnectorId>,
    /// Account of each connector.
    connectors: Map<ConnectorId, AccountId>,
    /// Support addresses by canonical form, claimed ones too, in order of their accounts.
    addresses: Map<Canonical, Arc<[SupportAddress]>>,
    /// Canonical form and account of the support address behind each forwarding target.
    targets: Map<ForwardingToken, (Canonical, AccountId)>,
    credentials: Map<UserName, Arc<CredentialEntry>>,
    /// Restrictions on submissions, by id of the account.
    restrictions: Map<Arc<str>, Arc<Restriction>>,
    /// Sharing agreements, oldest first.
    agreements: Arc<Vec<Agreement>>,
    /// Owners of the addresses of all accounts that share with any other, by the form in which
    /// partners are compared. An owner occurs as often as there are addresses with this form.
    shared: Map<CanonicalAddress, Arc<[Destination]>>,
    partners: Partners,
    /// DKIM keys of the site, ordered by domain and selector.
    site_dkim: Arc<Vec<DkimEntry>>,
    /// Verification mails that are on their way.
    probes: Map<ProbeId, Arc<Probe>>,
    /// Secrets that links show once, by id.
    handovers: Map<String, Arc<Handover>>,
    /// Tokens of the HTTP API, by id.
    api_tokens: Map<String, Arc<StoredApiToken>>,
    terms: Arc<Terms>,
}

/// Credential with what is stored of it.
#[derive(Debug, PartialEq)]
struct CredentialEntry {
    known: Arc<Known>,
    sealed: Sealed,
}

/// Data of a view that is in no row.
#[derive(Debug)]
struct Terms {
    unknown_user_key: hmac::Key,
    email_ids: EmailIds,
    return_tokens: ReturnTokens,
    ownership_tokens: OwnershipTokens,
    /// Keys of the tokens of probes, oldest first.
    probe_keys: Vec<hmac::Key>,
    /// Key of the record of policies.
    record_key: Option<hmac::Key>,
    separators: Separators,
}

impl PartialEq for View {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            accounts,
            domains,
            return_paths,
            connectors,
            addresses,
            targets,
            credentials,
            restrictions,
            agreements,
            shared,
            partners,
            site_dkim,
            probes,
            handovers,
            api_tokens,
            terms,
        } = self;
        *accounts == other.accounts
            && *domains == other.domains
            && *return_paths == other.return_paths
            && *connectors == other.connectors
            && *addresses == other.addresses
            && *targets == other.targets
            && *credentials == other.credentials
            && *restrictions == other.restrictions
            && *agreements == other.agreements
            && *shared == other.shared
            && *partners == other.partners
            && *site_dkim == other.site_dkim
            && *probes == other.probes
            && *handovers == other.handovers
            && *api_tokens == other.api_tokens
            && terms.separators == other.terms.separators
    }
}

impl View {
    /// Length of an [email id](Self::email_id), in bytes.
    pub const EMAIL_ID_LENGTH: usize = EmailIds::LENGTH;

    /// Returns a view of an empty directory. No other relay recognises its email ids.
    pub fn empty() -> Self {
        Self::with(Terms {
            // There is no user who could log in with it.
            unknown_user_key: hmac::Key::new(hmac::HMAC_SHA256, &[]),
            email_ids: EmailIds::ephemeral(),
            return_tokens: ReturnTokens::new(Vec::new()),
            ownership_tokens: OwnershipTokens::new(Vec::new()),
            probe_keys: Vec::new(),
            record_key: None,
            separators: Separators::default(),
        })
    }

    fn with(terms: Terms) -> Self {
        Self {
            accounts: Map::new_sync(),
            domains: Map::new_sync(),
            return_paths: Map::new_sync(),
            connectors: Map::new_sync(),
            addresses: Map::new_sync(),
            targets: Map::new_sync(),
            credentials: Map::new_sync(),
            restrictions: Map::new_sync(),
            agreements: Arc::default(),
            shared: Map::new_sync(),
            partners: Partners::empty(),
            site_dkim: Arc::default(),
            probes: Map::new_sync(),
            handovers: Map::new_sync(),
            api_tokens: Map::new_sync(),
            terms: Arc::new(terms),
        }
    }

    /// Every account, oldest first.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        let holdings = self.accounts.values();
        let mut accounts: Vec<_> = holdings.map(|of| &*of.account).collect();
        accounts.sort_by_key(|account| (account.created, account.id));
        accounts.into_iter()
    }

    /// Returns the owner of an address. A sub-address (RFC 5233) belongs to its mailbox:
    /// `help+tag@` is `help@` unless `help+tag@` itself was added. A [forwarding target](Self::target)
    /// belongs to its support address. The postmaster of every native domain belongs to its account
    /// (RFC 5321 section 4.5.1).
    pub fn recipient(&self, address: &Address) -> Recipient {
        let named = |canonical: Canonical| self.named(&canonical);
        let found = Canonical::of(address).and_then(named);
        let found = found.or_else(|| Canonical::without_detail(address).and_then(named));
        let of_target = || self.target(address).map(SupportAddress::destination);
        if let Some(destination) = found.or_else(of_target) {
            return match self.is_being_erased(destination.account) {
                true => Recipient::Unknown,
                false => Recipient::Of(destination),
            };
        }
        match self.domain(address.domain()) {
            Some(native) if self.is_being_erased(native.account) => Recipient::Unknown,
            Some(native) if native.connector.is_none() => {
                match address.local().eq_ignore_ascii_case("postmaster") {
                    true => Recipient::Of(native),
                    false => Recipient::Unknown,
                }
            }
            _ => Recipient::Elsewhere,
        }
    }

    /// Returns true if an account is being erased: it has no mail any more.
    pub fn is_being_erased(&self, account: AccountId) -> bool {
        let account = self.account(account);
        account.is_some_and(|account| account.details.erasing.is_some())
    }

    /// Returns true if this very address was added, not only the mailbox of which it is a
    /// sub-address.
    pub fn names(&self, address: &Address) -> bool {
        let canonical = Canonical::of(address);
        canonical.is_some_and(|of| self.named(&of).is_some())
    }

    /// Returns the separators with which partner addresses are compared.
    pub(crate) fn separators(&self) -> &Separators {
        &self.terms.separators
    }

    /// Returns the owner of a support address or alias that receives.
    fn named(&self, canonical: &Canonical) -> Option<Destination> {
        let all = self.addresses_at(canonical).iter();
        let mut receiving = all
            .map(SupportAddress::destination)
            .filter(|of| self.receives(*of));
        receiving.next().or_else(|| {
            // The alias of an ended credential still receives: mail for it is on its way.
            let holdings = self.holdings_by_alias(canonical)?;
            (holdings.aliased > 0).then(|| holdings.native())
        })
    }

    /// Returns true if mail for addresses in this domain is taken.
    pub(crate) fn receives(&self, of: Destination) -> bool {
        of.connector.is_none_or(|id| {
            let connector = self.connector(of.account, id);
            connector.is_some_and(|connector| connector.state.receives())
        })
    }

    /// Returns the account whose alias this is.
    fn holdings_by_alias(&self, canonical: &Canonical) -> Option<&Holdings> {
        let domain = self.domains.get(canonical.domain())?;
        let holdings = self.holdings(domain.account)?;
        (holdings.alias.as_ref() == Some(canonical)).then_some(holdings)
    }

    /// Returns the support addresses with a canonical form, claimed ones too.
    pub(crate) fn addresses_at(&self, canonical: &Canonical) -> &[SupportAddress] {
        self.addresses.get(canonical).map_or(&[], |all| all)
    }

    /// Returns every support address, ordered by canonical form.
    pub(crate) fn addresses(&self) -> Vec<SupportAddress> {
        let mut all: Vec<_> = self.addresses.iter().collect();
        all.sort_by_key(|(canonical, _)| *canonical);
        all.into_iter()
            .flat_map(|(_, of)| of.iter().cloned())
            .collect()
    }

    /// Returns every support address, claimed ones too, in no order.
    pub fn all_addresses(&self) -> impl Iterator<Item = &SupportAddress> {
        self.addresses.values().flat_map(|of| of.iter())
    }

    /// Returns a support address of an account.
    pub fn address(&self, account: AccountId, address: &Address) -> Option<&SupportAddress> {
        let canonical = Canonical::as_compared(address);
        let mut all = self.addresses_at(&canonical).iter();
        all.find(|of| of.account == account)
    }

    /// Returns the owner of a domain, native or connected. A domain that is only claimed has none.
    pub fn domain(&self, domain: &str) -> Option<Destination> {
        let ascii = domain_to_ascii(domain)?.to_ascii_lowercase();
        self.domains.get(ascii.as_str()).copied()
    }

    /// Returns the connector whose return path this domain is.
    pub fn connector_of_return_path(&self, domain: &str) -> Option<ConnectorId> {
        let ascii = domain_to_ascii(domain)?.to_ascii_lowercase();
        self.return_paths.get(ascii.as_str()).copied()
    }

    /// Returns the domain of the reverse-paths of mail that an account sends from this domain by MX,
    /// where its connector names one.
    pub fn return_path(&self, account: AccountId, sender_domain: &str) -> Option<&Domain> {
        let ascii = domain_to_ascii(sender_domain)?.to_ascii_lowercase();
        let mut connectors = self.connectors(account).iter();
        let verified = connectors
            .find(|of| of.state == ConnectorState::Verified && of.claim.domain.as_ascii() == ascii);
        verified?.details.return_path.as_ref()
    }

    /// Returns an account by its id.
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.holdings(id).map(|of| &*of.account)
    }

    /// Returns an account with all that it owns.
    pub(crate) fn holdings(&self, id: AccountId) -> Option<&Arc<Holdings>> {
        self.accounts.get(&id)
    }

    /// Returns the connectors of an account, claimed ones too; empty if there is no such account.
    pub fn connectors(&self, account: AccountId) -> &[Connector] {
        self.holdings(account).map_or(&[], |of| &of.connectors)
    }

    /// Returns a connector of any account by its id.
    pub fn find_connector(&self, id: ConnectorId) -> Option<&Connector> {
        self.connector(*self.connectors.get(&id)?, id)
    }

    /// Returns a connector of an account by its id.
    pub fn connector(&self, account: AccountId, id: ConnectorId) -> Option<&Connector> {
        let mut connectors = self.connectors(account).iter();
        connectors.find(|connector| connector.id == id)
    }

    /// Returns the credential that logs in by this user name or alias. Ended ones are included, by
    /// the alias the one that was retired last if none is live; [`Known::is_live`] returns false
    /// for them.
    pub fn credential(&self, user: &str) -> Option<&Arc<Known>> {
        self.known(&UserName::new(user)).or_else(|| {
            let alias = Canonical::of(&Address::parse(user).ok()?)?;
            let holdings = self.holdings_by_alias(&alias)?;
            match &holdings.live_alias {
                Some(user) => self.known(user),
                None => self.retired_with_alias(holdings),
            }
        })
    }

    /// Returns the credential of an account that had its alias and was retired last.
    fn retired_with_alias(&self, holdings: &Holdings) -> Option<&Arc<Known>> {
        let all = holdings.places.iter().flat_map(|of| of.credentials.iter());
        let ended = all.filter_map(|user| {
            let known = self.known(user)?;
            known.credential.alias.as_ref()?;
            let end = known.credential.ended?;
            (end.how == EndedBy::Retired).then_some(((end.at, user), known))
        });
        ended
            .max_by_key(|(order, _)| *order)
            .map(|(_, known)| known)
    }

    fn known(&self, user: &UserName) -> Option<&Arc<Known>> {
        self.credentials.get(user).map(|entry| &entry.known)
    }

    /// Returns a credential as it is stored.
    pub(crate) fn sealed_credential(&self, user: &UserName) -> Option<SealedCredential> {
        let entry = self.credentials.get(user)?;
        Some(SealedCredential {
            credential: entry.known.credential.clone(),
            verifier: entry.sealed.clone(),
        })
    }

    /// Returns the credentials of an account, ended ones too, oldest first.
    pub fn credentials_of(&self, account: AccountId) -> Vec<Credential> {
        let mut all = self.listed_credentials();
        all.retain(|credential| credential.account == account);
        all
    }

    /// Returns every credential but the removed ones, oldest first.
    pub(crate) fn listed_credentials(&self) -> Vec<Credential> {
        let all = self.credentials().into_iter();
        let listed = all.filter(|known| !known.credential.is_removed());
        listed.map(|known| known.credential.clone()).collect()
    }

    /// Returns the rotations that are under way: two credentials are live, one of which is to take
    /// the place of the other.
    pub fn rotations(&self) -> impl Iterator<Item = Rotation> {
        let live = self.credentials.values().map(|entry| &entry.known);
        let live = live.filter(|known| known.is_live());
        live.filter_map(|known| {
            let next = &known.credential;
            let former = next.details.replaces.as_ref()?;
            self.known(former)?.is_live().then(|| Rotation {
                account: next.account,
                former: former.clone(),
                next: next.user_name.clone(),
                since: next.created,
            })
        })
    }

    /// Returns the restrictions on the submissions of an account, if there are some.
    pub fn restriction(&self, account: &str) -> Option<&Restriction> {
        self.restrictions.get(account).map(|found| &**found)
    }

    /// Returns the suspension of an account, if it is suspended.
    pub fn suspension(&self, account: &str) -> Option<&Suspension> {
        self.restriction(account)?.suspended.as_ref()
    }

    /// Returns the hold of an account's outgoing mail, if there is one.
    pub fn hold(&self, account: &str) -> Option<&Hold> {
        self.account(account.parse().ok()?)?.details.hold.as_ref()
    }

    /// Returns every credential, ended and removed ones too, oldest first.
    pub(crate) fn credentials(&self) -> Vec<&Arc<Known>> {
        let mut all: Vec<_> = self
            .credentials
            .values()
            .map(|entry| &entry.known)
            .collect();
        all.sort_by_key(|known| (known.credential.created, &known.credential.user_name));
        all
    }

    /// Returns true if there is such a credential and it [holds](Self::holds). An open session asks
    /// this before each command.
    pub fn is_live(&self, user_name: &UserName) -> bool {
        let known = self.known(user_name);
        known.is_some_and(|known| self.holds(known))
    }

    /// Returns true if a credential may be used: its use has not ended, and if it is for relay from a
    /// domain, the connector of that domain is verified. A claimed or disconnected domain is not
    /// enough.
    pub fn holds(&self, known: &Known) -> bool {
        let vouched = match &known.credential.scope {
            Scope::Submission => true,
            Scope::Inbound { connector, .. } => self
                .connector(known.credential.account, *connector)
                .is_some_and(|of| of.state == ConnectorState::Verified),
        };
        known.is_live() && vouched && !self.is_being_erased(known.credential.account)
    }

    /// Returns the standing of a credential: what its right secret is worth now. The grace period
    /// begins with its end, if that was no cancellation, or with the disconnection of its domain.
    pub fn standing(&self, known: &Known, grace: Duration, now: Millis) -> Standing {
        if self.holds(known) {
            return Standing::Live;
        }
        let credential = &known.credential;
        if self.is_being_erased(credential.account) {
            return Standing::Void;
        }
        let within = |begun: Millis| now < begun + grace;
        let by_end = credential
            .ended
            .is_none_or(|end| end.how != EndedBy::Cancelled && within(end.at));
        let by_domain = match &credential.scope {
            Scope::Submission => true,
            Scope::Inbound { connector, .. } => {
                let connector = self.connector(credential.account, *connector);
                connector.is_some_and(|of| {
                    let disconnected = of.details.disconnected;
                    of.state == ConnectorState::Verified
                        || disconnected.is_some_and(|disconnected| within(disconnected.at))
                })
            }
        };
        match by_end && by_domain {
            true => Standing::Grace,
            false => Standing::Void,
        }
    }

    /// Returns the disconnection of an address of an account, or of its domain.
    pub fn disconnection(&self, account: AccountId, address: &Address) -> Option<Disconnection> {
        self.address_of(account, address)
            .and_then(|of| of.details.disconnected)
            .or_else(|| self.domain_disconnection(account, address.domain()))
    }

    /// Returns true if an account has disconnected a domain or an address.
    pub fn has_disconnected(&self, account: AccountId) -> bool {
        let mut connectors = self.connectors(account).iter();
        connectors.any(|of| of.state == ConnectorState::Disconnected)
            || self
                .holdings(account)
                .is_some_and(|of| of.disconnected_addresses > 0)
    }

    fn domain_disconnection(&self, account: AccountId, domain: &str) -> Option<Disconnection> {
        let of = self.domain(domain).filter(|of| of.account == account)?;
        let connector = self.connector(account, of.connector?)?;
        // A former version has not recorded when.
        let unknown = || Disconnection {
            at: connector.created,
            queued: QueuedMail::Hold,
        };
        let is_disconnected = connector.state == ConnectorState::Disconnected;
        is_disconnected.then(|| connector.details.disconnected.unwrap_or_else(unknown))
    }

    /// Returns the email id of a transaction's message, for a header field: ASCII letters, digits,
    /// `-` and `.`, at most 57 characters. It ends in a code that only a holder of the key ring can
    /// make.
    pub fn email_id(&self, transaction: TransactionId) -> String {
        self.terms.email_ids.issue(transaction)
    }

    /// Returns the transaction of an [email id](Self::email_id) that was issued with any key of the
    /// ring; `None` for any other text. Case does not matter.
    pub fn issued(&self, email_id: &str) -> Option<TransactionId> {
        self.terms.email_ids.verify(email_id)
    }

    /// Returns the token of a transaction's message for its return path: ASCII letters and digits, 46
    /// characters; `None` without a key ring. Only a holder of the key ring can make one.
    pub fn return_token(&self, transaction: TransactionId) -> Option<String> {
        self.terms.return_tokens.issue(transaction)
    }

    /// Returns true if a text has the form of a [token](Self::return_token), issued or not.
    pub fn is_like_return_token(text: &str) -> bool {
        ReturnTokens::is_like(text)
    }

    /// Returns the transaction of a [token](Self::return_token) that was issued with any key of the
    /// ring; `None` for any other text. Case does not matter.
    pub fn returned(&self, token: &str) -> Option<TransactionId> {
        self.terms.return_tokens.verify(token)
    }

    /// Returns the tokens by which an account proves, in the DNS of a domain, that the domain is
    /// its own: 20 ASCII letters and digits each. The first is the one to publish; the others were made
    /// with other keys of the ring, and prove it as well. Without a key ring there are none.
    pub fn ownership_tokens(&self, account: AccountId, domain: &Domain) -> Vec<String> {
        self.terms.ownership_tokens.issue(account, domain)
    }

    /// Returns the keys of the tokens of probes, oldest first: those of the ring, derived for this
    /// purpose alone.
    pub fn probe_keys(&self) -> &[hmac::Key] {
        &self.terms.probe_keys
    }

    /// Returns the key that encrypts the record of what policies were asked, derived from the ring for
    /// this purpose alone; `None` without a key ring.
    pub fn record_key(&self) -> Option<hmac::Key> {
        self.terms.record_key.clone()
    }

    /// Returns a verifier for a user who does not exist, so that nobody learns who does: no
    /// password passes it, it costs the same work, and its salt is constant for one user, however
    /// an alias is spelled.
    pub fn verifier_of_nobody(&self, user: &str) -> Verifier {
        Verifier::of_nobody(&self.terms.unknown_user_key, &Self::identity(user))
    }

    /// Returns the form in which [`View::credential`] compares user names: the canonical form of an
    /// address, whether or not it is an alias, and any other name unchanged.
    pub fn identity(user: &str) -> String {
        let alias = || Canonical::of(&Address::parse(user).ok()?);
        alias().map_or_else(|| user.to_owned(), |alias| alias.as_str().to_owned())
    }
}
