//! Snapshot of the directory in memory.

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Destination {
    /// Account that receives.
    pub account: AccountId,
    /// Connector of the domain; `None` in the native domain.
    pub connector: Option<ConnectorId>,
}

/// Account with its connectors.
#[derive(Debug)]
struct AccountEntry {
    account: Account,
    connectors: Vec<Connector>,
}

/// Snapshot of the directory, for all questions of a session.
#[derive(Debug)]
pub struct View {
    pub(crate) core: Arc<Core>,
    pub(crate) partners: Partners,
}

/// All of a view except the lists of partners. These are large, change separately, and are shared
/// between views as this is.
#[derive(Debug)]
pub(crate) struct Core {
    accounts: HashMap<AccountId, AccountEntry>,
    /// Native domains and domains of receiving connectors, in A-labels.
    domains: HashMap<String, Destination>,
    /// Canonical addresses that receive.
    addresses: HashMap<String, Destination>,
    credentials: HashMap<UserName, Arc<Known>>,
    /// Live credentials with an alias, by its canonical form.
    aliases: HashMap<String, Arc<Known>>,
    unknown_user_key: hmac::Key,
    pub(crate) agreements: Vec<Agreement>,
    /// Pairs of accounts that share, each agreement in both directions.
    pub(crate) sharing: HashSet<(AccountId, AccountId)>,
    /// Owner of each receiving address of the accounts that share with any other, by canonical
    /// form.
    pub(crate) shared: HashMap<CanonicalAddress, AccountId>,
    pub(crate) separators: Separators,
    email_ids: EmailIds,
}

/// Data from which a view is built.
pub(crate) struct ViewContents {
    pub(crate) accounts: Vec<Account>,
    pub(crate) connectors: Vec<Connector>,
    pub(crate) addresses: Vec<SupportAddress>,
    pub(crate) credentials: Vec<(Credential, Verifier)>,
    pub(crate) agreements: Vec<Agreement>,
    pub(crate) separators: Separators,
}

impl Core {
    pub(crate) fn new(
        contents: ViewContents,
        unknown_user_key: hmac::Key,
        email_ids: EmailIds,
    ) -> Self {
        let mut view = Self {
            accounts: HashMap::new(),
            domains: HashMap::new(),
            addresses: HashMap::new(),
            credentials: HashMap::new(),
            aliases: HashMap::new(),
            unknown_user_key,
            sharing: in_both_directions(&contents.agreements),
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
            let entry = AccountEntry {
                account,
                connectors,
            };
            view.accounts.insert(destination.account, entry);
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
            if let Some(entry) = view.accounts.get_mut(&destination.account) {
                entry.connectors.push(connector);
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
            view.add_credential(Known {
                credential,
                verifier,
            });
        }
        view.shared = view.addresses_of_sharers();
        view
    }

    /// Returns all receiving addresses of the accounts that share with any other.
    fn addresses_of_sharers(&self) -> HashMap<CanonicalAddress, AccountId> {
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

    fn add_credential(&mut self, known: Known) {
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
            // The alias of a revoked credential still receives: mail for it is on its way.
            self.addresses.entry(alias.clone()).or_insert(native);
            if known.is_live() {
                self.aliases.insert(alias, Arc::clone(&known));
            }
        }
        self.credentials
            .insert(user_name.clone(), Arc::clone(&known));
    }
}

fn in_both_directions(agreements: &[Agreement]) -> HashSet<(AccountId, AccountId)> {
    let ways = agreements
        .iter()
        .flat_map(|of| [(of.one, of.other), (of.other, of.one)]);
    ways.collect()
}

impl View {
    /// Length of an [email id](Self::email_id), in bytes.
    pub const EMAIL_ID_LENGTH: usize = EmailIds::LENGTH;

    /// Returns a view of an empty directory. No other relay recognises its email ids.
    pub fn empty() -> Self {
        let contents = ViewContents {
            accounts: Vec::new(),
            connectors: Vec::new(),
            addresses: Vec::new(),
            credentials: Vec::new(),
            agreements: Vec::new(),
            separators: Separators::default(),
        };
        // There is no user who could log in with it.
        let unknown_user_key = hmac::Key::new(hmac::HMAC_SHA256, &[]);
        Self {
            core: Arc::new(Core::new(contents, unknown_user_key, EmailIds::ephemeral())),
            partners: Partners::empty(),
        }
    }

    /// Every account, oldest first.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        let mut accounts: Vec<_> = self
            .core
            .accounts
            .values()
            .map(|entry| &entry.account)
            .collect();
        accounts.sort_by_key(|account| (account.created, account.id));
        accounts.into_iter()
    }

    /// Returns the owner of an address. A sub-address (RFC 5233) belongs to its mailbox:
    /// `help+tag@` is `help@` unless `help+tag@` itself was added. The postmaster of every native
    /// domain belongs to its account (RFC 5321 section 4.5.1).
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

    /// Returns true if this very address was added, not only the mailbox of which it is a
    /// sub-address.
    pub fn names(&self, address: &Address) -> bool {
        let canonical = Canonical::of(address);
        canonical.is_some_and(|of| self.core.addresses.contains_key(of.as_str()))
    }

    /// Returns the owner of a domain, native or connected. A domain that is only claimed has none.
    pub fn domain(&self, domain: &str) -> Option<Destination> {
        let ascii = domain_to_ascii(domain)?.to_ascii_lowercase();
        self.core.domains.get(&ascii).copied()
    }

    /// Returns an account by its id.
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.core.accounts.get(&id).map(|entry| &entry.account)
    }

    /// Returns the connectors of an account, claimed ones too; empty if there is no such account.
    pub fn connectors(&self, account: AccountId) -> &[Connector] {
        let entry = self.core.accounts.get(&account);
        entry.map_or(&[], |entry| &entry.connectors)
    }

    /// Returns a connector of an account by its id.
    pub fn connector(&self, account: AccountId, id: ConnectorId) -> Option<&Connector> {
        let mut connectors = self.connectors(account).iter();
        connectors.find(|connector| connector.id == id)
    }

    /// Returns the credential that logs in by this user name or alias. Revoked ones are included;
    /// [`Known::is_live`] returns false for them.
    pub fn credential(&self, user: &str) -> Option<&Arc<Known>> {
        let by_name = self.core.credentials.get(&UserName::new(user));
        by_name.or_else(|| {
            let alias = Canonical::of(&Address::parse(user).ok()?)?;
            self.core.aliases.get(alias.as_str())
        })
    }

    /// Returns true if there is such a credential and it [holds](Self::holds). An open session asks
    /// this before each command.
    pub fn is_live(&self, user_name: &UserName) -> bool {
        let known = self.core.credentials.get(user_name);
        known.is_some_and(|known| self.holds(known))
    }

    /// Returns true if a credential may be used: it is not revoked, and if it is for relay from a
    /// domain, the connector of that domain is verified. A claimed or disconnected domain is not
    /// enough.
    pub fn holds(&self, known: &Known) -> bool {
        let vouched = match &known.credential.scope {
            Scope::Submission => true,
            Scope::Inbound { connector, .. } => self
                .connector(known.credential.account, *connector)
                .is_some_and(|of| of.state == ConnectorState::Verified),
        };
        known.is_live() && vouched
    }

    /// Returns the email id of a transaction's message, for a header field: ASCII letters, digits,
    /// `-` and `.`, at most 57 characters. It ends in a code that only a holder of the key ring can
    /// make.
    pub fn email_id(&self, transaction: TransactionId) -> String {
        self.core.email_ids.issue(transaction)
    }

    /// Returns the transaction of an [email id](Self::email_id) that was issued with any key of the
    /// ring; `None` for any other text. Case does not matter.
    pub fn issued(&self, email_id: &str) -> Option<TransactionId> {
        self.core.email_ids.verify(email_id)
    }

    /// Returns a verifier for a user who does not exist, so that nobody learns who does: no
    /// password passes it, it costs the same work, and its salt is constant for one user, however
    /// an alias is spelled.
    pub fn verifier_of_nobody(&self, user: &str) -> Verifier {
        Verifier::of_nobody(&self.core.unknown_user_key, &Self::identity(user))
    }

    /// Returns the form in which [`View::credential`] compares user names: the canonical form of an
    /// address, whether or not it is an alias, and any other name unchanged.
    pub fn identity(user: &str) -> String {
        let alias = || Canonical::of(&Address::parse(user).ok()?);
        alias().map_or_else(|| user.to_owned(), |alias| alias.as_str().to_owned())
    }
}
