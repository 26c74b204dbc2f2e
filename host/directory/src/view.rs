//! The directory in memory, as it stood at one moment.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use gatepost_message::{Address, CanonicalAddress, Separators, TransactionId, domain_to_ascii};
use ring::hmac;

use crate::{
    Account, AccountId, Agreement, Canonical, Connector, ConnectorId, ConnectorState, Credential,
    Known, Scope, SupportAddress, UserName, Verifier, email_id::EmailIds, partner_view::Partners,
};

/// Whose an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recipient {
    /// Mail for it is this account's.
    Of(Destination),
    /// It is in a native domain, and nobody's.
    Unknown,
    /// It is in no domain that the directory answers for.
    Elsewhere,
}

/// Where an address that is somebody's belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Destination {
    /// The account.
    pub account: AccountId,
    /// The connector of its domain; `None` in the native domain.
    pub connector: Option<ConnectorId>,
}

/// An account and its connectors.
#[derive(Debug)]
struct Holder {
    account: Account,
    connectors: Vec<Connector>,
}

/// Everything that a session asks of the directory, as it stood at one moment.
#[derive(Debug)]
pub struct View {
    pub(crate) core: Arc<Core>,
    pub(crate) partners: Partners,
}

/// All but the lists of partners, which are large, change by themselves, and are shared by views
/// as these are.
#[derive(Debug)]
pub(crate) struct Core {
    holders: HashMap<AccountId, Holder>,
    /// Native domains and the domains of connectors that receive, in A-labels.
    domains: HashMap<String, Destination>,
    /// Canonical addresses that receive.
    addresses: HashMap<String, Destination>,
    credentials: HashMap<UserName, Arc<Known>>,
    /// Live credentials with an alias, by its canonical form.
    aliases: HashMap<String, Arc<Known>>,
    unknown: hmac::Key,
    pub(crate) agreements: Vec<Agreement>,
    /// Who shares with whom: each agreement both ways.
    pub(crate) sharing: HashSet<(AccountId, AccountId)>,
    /// Whose an address is, of those who share with anybody, by its canonical form.
    pub(crate) shared: HashMap<CanonicalAddress, AccountId>,
    pub(crate) separators: Separators,
    email_ids: EmailIds,
}

/// What a view is made of.
pub(crate) struct Contents {
    pub(crate) accounts: Vec<Account>,
    pub(crate) connectors: Vec<Connector>,
    pub(crate) addresses: Vec<SupportAddress>,
    pub(crate) credentials: Vec<(Credential, Verifier)>,
    pub(crate) agreements: Vec<Agreement>,
    pub(crate) separators: Separators,
}

impl Core {
    pub(crate) fn new(contents: Contents, unknown: hmac::Key, email_ids: EmailIds) -> Self {
        let mut view = Self {
            holders: HashMap::new(),
            domains: HashMap::new(),
            addresses: HashMap::new(),
            credentials: HashMap::new(),
            aliases: HashMap::new(),
            unknown,
            sharing: both_ways(&contents.agreements),
            agreements: contents.agreements,
            shared: HashMap::new(),
            separators: contents.separators,
            email_ids,
        };
        for account in contents.accounts {
            let native = account.profile.native_domain.as_ascii().to_owned();
            let destination = Destination {
                account: account.id,
                connector: None,
            };
            view.domains.insert(native, destination);
            let connectors = Vec::new();
            let holder = Holder {
                account,
                connectors,
            };
            view.holders.insert(destination.account, holder);
        }
        let mut receiving = HashMap::new();
        for connector in contents.connectors {
            let destination = Destination {
                account: connector.claim.account,
                connector: Some(connector.id),
            };
            if connector.state.receives() {
                receiving.insert(connector.id, destination);
                let domain = connector.claim.domain.as_ascii().to_owned();
                view.domains.insert(domain, destination);
            }
            if let Some(holder) = view.holders.get_mut(&destination.account) {
                holder.connectors.push(connector);
            }
        }
        for SupportAddress {
            address,
            account,
            connector,
            ..
        } in contents.addresses
        {
            let native = Destination {
                account,
                connector: None,
            };
            let destination =
                connector.map_or(Some(native), |connector| receiving.get(&connector).copied());
            if let (Some(destination), Some(canonical)) = (destination, Canonical::of(&address)) {
                view.addresses
                    .insert(canonical.as_str().to_owned(), destination);
            }
        }
        for (credential, verifier) in contents.credentials {
            view.add(Known {
                credential,
                verifier,
            });
        }
        view.shared = view.shared();
        view
    }

    /// Everything at which those receive who share with anybody.
    fn shared(&self) -> HashMap<CanonicalAddress, AccountId> {
        let shares: HashSet<_> = self.sharing.iter().map(|(account, _)| account).collect();
        let named = self.addresses.iter();
        let named = named.map(|(address, of)| (address.clone(), of.account));
        let native = self.domains.iter().filter(|(_, of)| of.connector.is_none());
        let postmasters = native.map(|(domain, of)| (format!("postmaster@{domain}"), of.account));
        let all = named.chain(postmasters);
        let sharing = all.filter(|(_, account)| shares.contains(account));
        let canonical = |text: &str| {
            let address = Address::parse(text).ok()?;
            Some(CanonicalAddress::of(&address, &self.separators))
        };
        sharing
            .filter_map(|(address, account)| Some((canonical(&address)?, account)))
            .collect()
    }

    fn add(&mut self, known: Known) {
        let known = Arc::new(known);
        let Credential {
            user_name, alias, ..
        } = &known.credential;
        if let Some(alias) = alias.as_ref().and_then(Canonical::of) {
            let alias = alias.as_str().to_owned();
            let native = Destination {
                account: known.credential.account,
                connector: None,
            };
            // A revoked credential's goes on receiving: mail for it is on its way.
            self.addresses.entry(alias.clone()).or_insert(native);
            if known.is_live() {
                self.aliases.insert(alias, Arc::clone(&known));
            }
        }
        self.credentials
            .insert(user_name.clone(), Arc::clone(&known));
    }
}

fn both_ways(agreements: &[Agreement]) -> HashSet<(AccountId, AccountId)> {
    let ways = agreements
        .iter()
        .flat_map(|of| [(of.one, of.other), (of.other, of.one)]);
    ways.collect()
}

impl View {
    /// Octets of an [email id](Self::email_id).
    pub const EMAIL_ID_LENGTH: usize = EmailIds::LENGTH;

    /// A directory with nothing in it, whose email ids nobody else knows.
    pub fn empty() -> Self {
        let contents = Contents {
            accounts: Vec::new(),
            connectors: Vec::new(),
            addresses: Vec::new(),
            credentials: Vec::new(),
            agreements: Vec::new(),
            separators: Separators::default(),
        };
        // Nobody logs in by it.
        let unknown = hmac::Key::new(hmac::HMAC_SHA256, &[]);
        Self {
            core: Arc::new(Core::new(contents, unknown, EmailIds::alone())),
            partners: Partners::empty(),
        }
    }

    /// Every account, oldest first.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        let mut accounts: Vec<_> = self
            .core
            .holders
            .values()
            .map(|holder| &holder.account)
            .collect();
        accounts.sort_by_key(|account| (account.created, account.id));
        accounts.into_iter()
    }

    /// Whose an address is. It may have a sub-address (RFC 5233): `help+tag@` is `help@` where
    /// there is no `help+tag@`. The postmaster of every native domain is its account's (RFC 5321
    /// section 4.5.1).
    pub fn recipient(&self, address: &Address) -> Recipient {
        let named = |canonical: Canonical| self.core.addresses.get(canonical.as_str());
        let found = Canonical::of(address).and_then(named);
        let found = found.or_else(|| Canonical::without_detail(address).and_then(named));
        if let Some(destination) = found {
            return Recipient::Of(*destination);
        }
        match self.domain(address.domain()) {
            Some(native) if native.connector.is_none() => {
                match address.local().eq_ignore_ascii_case("postmaster") {
                    true => Recipient::Of(native),
                    false => Recipient::Unknown,
                }
            }
            _ => Recipient::Elsewhere,
        }
    }

    /// Whether somebody has added this very address, and not only one of which it is a sub-address.
    pub fn names(&self, address: &Address) -> bool {
        let canonical = Canonical::of(address);
        canonical.is_some_and(|of| self.core.addresses.contains_key(of.as_str()))
    }

    /// Whose a domain is, as native domain or connected; one that is only claimed is nobody's.
    pub fn domain(&self, domain: &str) -> Option<Destination> {
        let ascii = domain_to_ascii(domain)?.to_ascii_lowercase();
        self.core.domains.get(&ascii).copied()
    }

    /// An account.
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.core.holders.get(&id).map(|holder| &holder.account)
    }

    /// The connectors of an account, claimed ones too; none where there is no such account.
    pub fn connectors(&self, account: AccountId) -> &[Connector] {
        let holder = self.core.holders.get(&account);
        holder.map_or(&[], |holder| &holder.connectors)
    }

    /// A connector of an account.
    pub fn connector(&self, account: AccountId, id: ConnectorId) -> Option<&Connector> {
        let mut connectors = self.connectors(account).iter();
        connectors.find(|connector| connector.id == id)
    }

    /// The credential that logs in by this name, its own or its alias; revoked ones too, whose
    /// [`Known::is_live`] is false.
    pub fn credential(&self, user: &str) -> Option<&Arc<Known>> {
        let by_name = self.core.credentials.get(&UserName::new(user));
        by_name.or_else(|| {
            let alias = Canonical::of(&Address::parse(user).ok()?)?;
            self.core.aliases.get(alias.as_str())
        })
    }

    /// Whether this credential is there and [holds](Self::holds): what an open session asks before
    /// each command.
    pub fn is_live(&self, user_name: &UserName) -> bool {
        let known = self.core.credentials.get(user_name);
        known.is_some_and(|known| self.holds(known))
    }

    /// Whether a credential is good for anything: it is not revoked, and where it is for relay from
    /// a domain, somebody vouches for that domain, whose connector is verified. A domain that is
    /// claimed, or disconnected, vouches for nothing.
    pub fn holds(&self, known: &Known) -> bool {
        let vouched = match &known.credential.scope {
            Scope::Submission => true,
            Scope::Inbound { connector, .. } => self
                .connector(known.credential.account, *connector)
                .is_some_and(|of| of.state == ConnectorState::Verified),
        };
        known.is_live() && vouched
    }

    /// The id of a transaction's message, for a header: ASCII letters, digits, `-` and `.`, at most
    /// 57 of them, with a code that only who has the key ring can make.
    pub fn email_id(&self, transaction: TransactionId) -> String {
        self.core.email_ids.of(transaction)
    }

    /// The transaction whose [email id](Self::email_id) this is, be it issued with this key of the
    /// ring or a former one; `None` of anything else. Case does not matter.
    pub fn issued(&self, email_id: &str) -> Option<TransactionId> {
        self.core.email_ids.transaction(email_id)
    }

    /// What to check a password or a proof against where there is no such user: nothing passes it,
    /// it costs the same work, and its salt is always the same for the same user, however an alias
    /// is spelled, so that nobody learns who exists.
    pub fn verifier_of_nobody(&self, user: &str) -> Verifier {
        Verifier::of_nobody(&self.core.unknown, &Self::identity(user))
    }

    /// What two spellings of a user's name have in common by which [`View::credential`] finds the
    /// same: the canonical form of an alias, be there such an alias or not; any other name itself.
    pub fn identity(user: &str) -> String {
        let alias = || Canonical::of(&Address::parse(user).ok()?);
        alias().map_or_else(|| user.to_owned(), |alias| alias.as_str().to_owned())
    }
}
