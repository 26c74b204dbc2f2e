//! Model test: after any steps in any order, with reopenings between them, the directory answers as
//! a simple model does, in a file as in memory, and its view is the one that is loaded anew.

use crate::common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use common::{address, claim, profile, settings};
use gatepost_directory::{
    AccountId, AccountKind, ConnectorId, ConnectorState, Directory, Fetched, Forwarders, Grant,
    Limits, MemoryStore, PartnerEntry, PartnerSource, QueuedMail, Recipient, Settings, Standing,
    UserName, View,
};
use gatepost_message::Millis;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Few domains, so that steps collide.
const NATIVE: [&str; 3] = ["a.desk.example", "b.desk.example", "c.desk.example"];
const DOMAINS: [&str; 3] = ["a.example", "b.example", "c.example"];
const LOCALS: [&str; 3] = ["help", "sales", "a"];

/// Small limits, so that steps reach them.
const LIMITS: Limits = Limits {
    domains_per_account: 2,
    addresses_per_domain: 2,
    live_sets: 2,
    connections_per_account: 2,
    retire_unused: Duration::from_secs(86_400),
};

#[derive(Debug, Clone)]
enum Step {
    AddAccount(usize),
    RemoveAccount(usize),
    Connect(usize, usize),
    Verify(usize, usize),
    Disconnect(usize, usize),
    Reconnect(usize, usize),
    DisconnectAddress(usize, usize, usize),
    ReconnectAddress(usize, usize, usize),
    Hold(usize, bool),
    RemoveConnector(usize, usize),
    AddAddress(usize, usize, usize),
    RemoveAddress(usize, usize, usize),
    Issue(usize, Option<usize>, bool),
    Rotate(usize),
    Retire(usize, bool),
    Cancel(usize),
    Forget(usize),
    Share(usize, usize),
    Part(usize, usize),
    AddPartner(usize, usize),
    RemovePartner(usize, usize),
    Import(usize, Vec<usize>, bool),
    SetFeed(usize),
    Fetch(usize, Option<Vec<usize>>),
    RemoveList(usize, usize),
    Use(usize, bool),
    ForgetRemoved,
    SetPolicy(usize, bool),
    SetForwarders(usize, usize),
    Rekey,
    Reopen,
}

/// Entries for lists: spellings of one address, an address of an account here, one of the account's
/// own, and a domain.
const ENTRIES: [&str; 5] = [
    "ann@partner.example",
    "Ann+1@partner.example",
    "help@a.desk.example",
    "help@b.example",
    "@partner.example",
];
const FEED: &str = "https://lists.example/";

fn source(list: usize) -> PartnerSource {
    match list {
        0 => PartnerSource::ByHand,
        1 => PartnerSource::Import("crm".to_owned()),
        _ => PartnerSource::Feed(FEED.to_owned()),
    }
}

/// Strategy for steps. A domain of an account is a number, or `None` for its native one. In an
/// address, 3 stands for the native domain.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (n, any) = (0..3_usize, any::<bool>());
    let some = proptest::collection::vec(0..5_usize, 0..4);
    let step = prop_oneof![
        3 => n.clone().prop_map(Step::AddAccount),
        1 => n.clone().prop_map(Step::RemoveAccount),
        3 => (n.clone(), n.clone()).prop_map(|(a, d)| Step::Connect(a, d)),
        3 => (n.clone(), n.clone()).prop_map(|(a, d)| Step::Verify(a, d)),
        1 => (n.clone(), n.clone()).prop_map(|(a, d)| Step::Disconnect(a, d)),
        1 => (n.clone(), n.clone()).prop_map(|(a, d)| Step::Reconnect(a, d)),
        1 => (n.clone(), n.clone(), 0..4_usize)
            .prop_map(|(a, l, d)| Step::DisconnectAddress(a, l, d)),
        1 => (n.clone(), n.clone(), 0..4_usize)
            .prop_map(|(a, l, d)| Step::ReconnectAddress(a, l, d)),
        1 => (n.clone(), any).prop_map(|(a, h)| Step::Hold(a, h)),
        1 => (n.clone(), n.clone()).prop_map(|(a, d)| Step::RemoveConnector(a, d)),
        6 => (n.clone(), n.clone(), 0..4_usize).prop_map(|(a, l, d)| Step::AddAddress(a, l, d)),
        2 => (n.clone(), n.clone(), 0..4_usize).prop_map(|(a, l, d)| Step::RemoveAddress(a, l, d)),
        3 => (n.clone(), proptest::option::of(n.clone()), any).prop_map(|(a, d, x)| Step::Issue(a, d, x)),
        3 => (0..8_usize).prop_map(Step::Rotate),
        2 => (0..8_usize, any).prop_map(|(n, f)| Step::Retire(n, f)),
        1 => (0..8_usize).prop_map(Step::Cancel),
        1 => (0..8_usize).prop_map(Step::Forget),
        1 => Just(Step::ForgetRemoved),
        2 => (n.clone(), n.clone()).prop_map(|(a, b)| Step::Share(a, b)),
        1 => (n.clone(), n.clone()).prop_map(|(a, b)| Step::Part(a, b)),
        3 => (n.clone(), 0..5_usize).prop_map(|(a, e)| Step::AddPartner(a, e)),
        2 => (n.clone(), 0..5_usize).prop_map(|(a, e)| Step::RemovePartner(a, e)),
        2 => (n.clone(), some.clone(), any).prop_map(|(a, e, r)| Step::Import(a, e, r)),
        1 => n.clone().prop_map(Step::SetFeed),
        3 => (n.clone(), proptest::option::of(some)).prop_map(|(a, e)| Step::Fetch(a, e)),
        1 => (n.clone(), n.clone()).prop_map(|(a, l)| Step::RemoveList(a, l)),
        2 => (0..8_usize, any).prop_map(|(n, l)| Step::Use(n, l)),
        1 => (n.clone(), any).prop_map(|(a, s)| Step::SetPolicy(a, s)),
        1 => (n.clone(), n).prop_map(|(a, d)| Step::SetForwarders(a, d)),
        1 => Just(Step::Rekey),
        2 => Just(Step::Reopen),
    ];
    proptest::collection::vec(step, 1..60)
}

#[derive(Debug, Default)]
struct Model {
    accounts: BTreeMap<usize, AccountId>,
    connectors: BTreeMap<(usize, usize), (ConnectorId, ConnectorState)>,
    addresses: BTreeSet<(usize, String)>,
    /// Addresses that are disconnected by themselves.
    disconnected: BTreeSet<(usize, String)>,
    /// Accounts whose mail is on hold.
    on_hold: BTreeSet<usize>,
    credentials: Vec<Set>,
    /// Pairs of accounts, the lesser first.
    agreements: BTreeSet<(usize, usize)>,
    /// Entries of lists, by account and list. A feed may have none.
    partners: BTreeMap<(usize, usize), BTreeSet<usize>>,
}

#[derive(Debug)]
struct Set {
    user: UserName,
    secret: String,
    account: usize,
    domain: Option<usize>,
    alias: bool,
    live: bool,
    /// Credential that it is to take the place of.
    replaces: Option<UserName>,
    /// True if it was used within a day.
    used_lately: bool,
}

impl Model {
    fn holder(&self, domain: usize) -> Option<usize> {
        let mut connectors = self.connectors.iter();
        let held = |(_, state): &(_, ConnectorState)| state.receives();
        let held = connectors.find(|((_, d), connector)| *d == domain && held(connector));
        held.map(|((account, _), _)| *account)
    }

    fn in_domain(&self, account: usize, domain: usize) -> usize {
        let suffix = format!("@{}", at(account, domain));
        let of = self.addresses.iter();
        of.filter(|(a, text)| *a == account && text.ends_with(&suffix))
            .count()
    }

    /// Ends the use of a credential: one that was to take its place gets its alias.
    fn end(&mut self, number: usize) {
        let set = &mut self.credentials[number];
        let was_live = std::mem::replace(&mut set.live, false);
        let (user, alias) = (set.user.clone(), set.alias);
        let mut next = self.credentials.iter_mut();
        let next = next.find(|next| next.live && next.replaces.as_ref() == Some(&user));
        if let Some(next) = next.filter(|_| was_live && alias) {
            next.alias = true;
        }
    }

    /// Returns true if another live credential may be issued beside this one.
    fn may_rotate(&self, number: usize) -> bool {
        let set = &self.credentials[number];
        let live = || self.credentials.iter().filter(|of| of.live);
        let beside = live().filter(|of| (of.account, of.domain) == (set.account, set.domain));
        let rotates = live().any(|of| {
            of.replaces.as_ref() == Some(&set.user) || set.replaces.as_ref() == Some(&of.user)
        });
        set.live && !rotates && beside.count() < LIMITS.live_sets
    }

    /// Does a step on model and directory. Returns whether the model allows it and whether the
    /// directory did it.
    fn step(&mut self, directory: &Directory, step: &Step) -> Option<(bool, bool)> {
        let id = |account: &usize| self.accounts.get(account).copied();
        Some(match step {
            Step::AddAccount(a) => {
                let may = id(a).is_none();
                let kind = match a {
                    0 => AccountKind::Sandbox,
                    _ => AccountKind::Production,
                };
                let done = directory.add_account(profile(kind, NATIVE[*a])).ok();
                let did = done.is_some();
                self.accounts.extend(done.map(|account| (*a, account.id)));
                (may, did)
            }
            Step::RemoveAccount(a) => {
                let may = !self.connectors.keys().any(|(of, _)| of == a)
                    && !self.addresses.iter().any(|(of, _)| of == a)
                    && !self.credentials.iter().any(|set| set.account == *a)
                    && !self.partners.keys().any(|(of, _)| of == a)
                    && !self
                        .agreements
                        .iter()
                        .any(|(one, other)| one == a || other == a);
                let did = directory.remove_account(id(a)?).is_ok();
                if did {
                    self.accounts.remove(a);
                    self.on_hold.remove(a);
                }
                (may, did)
            }
            Step::Connect(a, d) => {
                let of = self.connectors.keys().filter(|(of, _)| of == a).count();
                let may =
                    of < LIMITS.domains_per_account && !self.connectors.contains_key(&(*a, *d));
                let done = directory.add_connector(claim(id(a)?, DOMAINS[*d])).ok();
                let did = done.is_some();
                let done = done.map(|connector| ((*a, *d), (connector.id, connector.state)));
                self.connectors.extend(done);
                (may, did)
            }
            Step::Verify(a, d) => {
                let may = self.holder(*d).is_none_or(|holder| holder == *a);
                let (connector, state) = self.connectors.get_mut(&(*a, *d))?;
                let did = directory.verify_connector(*connector).is_ok();
                if did {
                    *state = ConnectorState::Verified;
                }
                (may, did)
            }
            Step::Disconnect(a, d) => {
                let (connector, state) = self.connectors.get_mut(&(*a, *d))?;
                let may = state.receives();
                let did = directory.disconnect_connector(*connector, QueuedMail::Hold);
                if did.is_ok() {
                    *state = ConnectorState::Disconnected;
                }
                (may, did.is_ok())
            }
            Step::Reconnect(a, d) => {
                let (connector, state) = self.connectors.get_mut(&(*a, *d))?;
                let may = state.receives();
                let did = directory.reconnect_connector(*connector).is_ok();
                if did {
                    *state = ConnectorState::Verified;
                }
                (may, did)
            }
            Step::DisconnectAddress(a, l, d) => {
                let text = format!("{}@{}", LOCALS[*l], at(*a, *d));
                let key = (*a, text.clone());
                let may = *d != 3 && self.addresses.contains(&key);
                let queued = QueuedMail::Reroute;
                let did = directory.disconnect_address(id(a)?, &address(&text), queued);
                if did.is_ok() {
                    self.disconnected.insert(key);
                }
                (may, did.is_ok())
            }
            Step::ReconnectAddress(a, l, d) => {
                let text = format!("{}@{}", LOCALS[*l], at(*a, *d));
                let key = (*a, text.clone());
                let did = directory.reconnect_address(id(a)?, &address(&text));
                self.disconnected.remove(&key);
                (self.addresses.contains(&key), did.is_ok())
            }
            Step::Hold(a, hold) => {
                let account = id(a)?;
                let did = match hold {
                    true => {
                        self.on_hold.insert(*a);
                        directory.hold_account(account, None)
                    }
                    false => {
                        self.on_hold.remove(a);
                        directory.release_account(account)
                    }
                };
                (true, did.is_ok())
            }
            Step::RemoveConnector(a, d) => {
                let (connector, _) = *self.connectors.get(&(*a, *d))?;
                let credentials = self.credentials.iter();
                let has = |set: &Set| set.account == *a && set.domain == Some(*d);
                let may = self.in_domain(*a, *d) == 0 && !credentials.into_iter().any(has);
                let did = directory.remove_connector(connector).is_ok();
                if did {
                    self.connectors.remove(&(*a, *d));
                }
                (may, did)
            }
            Step::AddAddress(a, l, d) => {
                let account = id(a)?;
                let text = format!("{}@{}", LOCALS[*l], at(*a, *d));
                let mine = *d == 3 || self.connectors.contains_key(&(*a, *d));
                let holder = if *d == 3 { None } else { self.holder(*d) };
                let others = holder.is_some_and(|h| self.addresses.contains(&(h, text.clone())));
                let may = mine
                    && !others
                    && !self.addresses.contains(&(*a, text.clone()))
                    && (*d == 3 || self.in_domain(*a, *d) < LIMITS.addresses_per_domain);
                let did = directory.add_address(account, address(&text)).is_ok();
                if did {
                    self.addresses.insert((*a, text));
                }
                (may, did)
            }
            Step::RemoveAddress(a, l, d) => {
                let text = format!("{}@{}", LOCALS[*l], at(*a, *d));
                let did = directory.remove_address(id(a)?, &address(&text)).is_ok();
                self.disconnected.remove(&(*a, text.clone()));
                (self.addresses.remove(&(*a, text)), did)
            }
            Step::Issue(a, domain, alias) => {
                let account = id(a)?;
                let grant = match domain {
                    None => Grant::Submission { account },
                    Some(d) => Grant::Inbound {
                        connector: self.connectors.get(&(*a, *d))?.0,
                    },
                };
                let live = || {
                    self.credentials
                        .iter()
                        .filter(|set| set.live && set.account == *a)
                };
                let may = live().filter(|set| set.domain == *domain).count() < LIMITS.live_sets
                    && !(*alias && live().any(|set| set.alias));
                let done = directory.issue(grant, *alias).ok();
                let did = done.is_some();
                self.credentials.extend(done.map(|issued| Set {
                    user: issued.credential.user_name,
                    secret: issued.secret.reveal().to_owned(),
                    account: *a,
                    domain: *domain,
                    alias: *alias,
                    live: true,
                    replaces: None,
                    used_lately: false,
                }));
                (may, did)
            }
            Step::Rotate(n) => {
                let set = self.credentials.get(*n)?;
                let (user, account, domain) = (set.user.clone(), set.account, set.domain);
                let may = self.may_rotate(*n);
                let done = directory.rotate(&user).ok();
                let did = done.is_some();
                self.credentials.extend(done.map(|issued| Set {
                    user: issued.credential.user_name,
                    secret: issued.secret.reveal().to_owned(),
                    account,
                    domain,
                    alias: false,
                    live: true,
                    replaces: Some(user),
                    used_lately: false,
                }));
                (may, did)
            }
            Step::Retire(n, force) => {
                let set = self.credentials.get(*n)?;
                let may = !set.live || *force || !set.used_lately;
                let did = directory.retire(&set.user, *force).is_ok();
                if did {
                    self.end(*n);
                }
                (may, did)
            }
            Step::Cancel(n) => {
                let user = self.credentials.get(*n)?.user.clone();
                self.end(*n);
                (true, directory.cancel(&user).is_ok())
            }
            Step::Forget(n) => {
                self.credentials.get(*n)?;
                self.end(*n);
                let set = self.credentials.remove(*n);
                (true, directory.remove_credential(&set.user).is_ok())
            }
            Step::ForgetRemoved => {
                let did = directory.forget_removed(Duration::ZERO, Millis::now());
                (true, did.is_ok())
            }
            Step::Share(a, b) => {
                let pair = (*a.min(b), *a.max(b));
                let may = a != b && !self.agreements.contains(&pair);
                let did = directory.add_agreement(id(a)?, id(b)?).is_ok();
                self.agreements.extend(did.then_some(pair));
                (may, did)
            }
            Step::Part(a, b) => {
                let did = directory.remove_agreement(id(a)?, id(b)?).is_ok();
                (self.agreements.remove(&(*a.min(b), *a.max(b))), did)
            }
            Step::AddPartner(a, e) => {
                let may = !self.is_own(*a, ENTRIES[*e]);
                let did = directory.add_partner(id(a)?, &entry(*e)).is_ok();
                if did {
                    self.partners.entry((*a, 0)).or_default().insert(*e);
                }
                (may, did)
            }
            Step::RemovePartner(a, e) => {
                let did = directory.remove_partner(id(a)?, &entry(*e)).is_ok();
                let mut had = false;
                for list in [0, 1] {
                    if let Some(entries) = self.partners.get_mut(&(*a, list)) {
                        had |= entries.remove(e);
                    }
                }
                self.partners
                    .retain(|(_, list), of| *list == 2 || !of.is_empty());
                (had, did)
            }
            Step::Import(a, entries, replace) => {
                let account = id(a)?;
                let import = directory.begin_import(account).unwrap();
                for number in entries {
                    directory.add_to_import(import, &[entry(*number)]).unwrap();
                }
                let did = directory.finish_import(import, account, "crm", *replace);
                let list = self.partners.entry((*a, 1)).or_default();
                if *replace {
                    list.clear();
                }
                list.extend(entries);
                assert_eq!(did.as_ref().unwrap().entries, list.len());
                self.partners
                    .retain(|(_, list), of| *list == 2 || !of.is_empty());
                (true, did.is_ok())
            }
            Step::SetFeed(a) => {
                let every = Duration::from_secs(60);
                let did = directory.set_feed(id(a)?, FEED, every, true).is_ok();
                self.partners.entry((*a, 2)).or_default();
                (true, did)
            }
            Step::Fetch(a, entries) => {
                let account = id(a)?;
                let list = self.partners.get_mut(&(*a, 2))?;
                let view = directory.view();
                let mut feeds = view.partner_lists();
                let feed = feeds.find(|of| of.feed.is_some() && of.account == account)?;
                let fetched = match entries {
                    None => Fetched::Failed("down".to_owned()),
                    Some(numbers) => {
                        *list = numbers.iter().copied().collect();
                        Fetched::Entries {
                            entries: numbers.iter().map(|number| entry(*number)).collect(),
                            validator: None,
                        }
                    }
                };
                let did = directory.feed_tried(feed.id, fetched, Millis(1));
                (true, did.is_ok())
            }
            Step::RemoveList(a, list) => {
                let did = directory
                    .remove_partner_list(id(a)?, &source(*list))
                    .is_ok();
                (self.partners.remove(&(*a, *list)).is_some(), did)
            }
            Step::Use(number, lately) => {
                let set = self.credentials.get_mut(*number)?;
                set.used_lately |= lately;
                let at = match lately {
                    true => Millis::now(),
                    false => Millis(*number as u64 + 1),
                };
                directory.record_use(&set.user, None, at);
                (true, directory.credentials().is_ok())
            }
            Step::SetPolicy(a, is_set) => {
                let settings = is_set.then(|| [("mode".to_owned(), "x".into())].into_iter());
                let settings = settings.map(Iterator::collect);
                let did = directory.set_policy(id(a)?, "loop-guard", settings);
                (true, did.is_ok())
            }
            Step::SetForwarders(a, d) => {
                let (connector, _) = *self.connectors.get(&(*a, *d))?;
                let forwarders = Forwarders {
                    networks: vec!["192.0.2.0/24".parse().unwrap()],
                    ..Forwarders::default()
                };
                let did = directory.set_forwarders(connector, forwarders);
                (true, did.is_ok())
            }
            Step::Rekey => (true, directory.rekey().is_ok()),
            Step::Reopen => return None,
        })
    }

    /// Returns the account that an address should reach.
    fn recipient(&self, account: usize, local: usize, domain: usize) -> Option<AccountId> {
        let text = format!("{}@{}", LOCALS[local], at(account, domain));
        let owner = if domain == 3 {
            Some(account)
        } else {
            self.holder(domain)
        };
        let owner = owner.filter(|owner| {
            let is_alias = domain == 3 && text == alias(*owner);
            let has_alias = || {
                let mut sets = self.credentials.iter();
                sets.any(|set| set.account == *owner && set.alias)
            };
            self.addresses.contains(&(*owner, text.clone())) || (is_alias && has_alias())
        });
        owner.and_then(|owner| self.accounts.get(&owner).copied())
    }

    /// Returns true if an account receives at an address or has a domain.
    fn is_own(&self, account: usize, entry: &str) -> bool {
        let own = |a, l, d| entry == format!("{}@{}", LOCALS[l], at(a, d));
        let all = (0..3).flat_map(|a| (0..3).flat_map(move |l| (0..4).map(move |d| (a, l, d))));
        let mut named = all.filter(|(a, l, d)| own(*a, *l, *d));
        named.any(|(a, l, d)| self.recipient(a, l, d) == self.accounts.get(&account).copied())
    }

    /// Returns the sources by which an address is a partner of an account, each with `by_domain`.
    fn partners(&self, account: usize, address: &str) -> BTreeSet<(bool, PartnerSource)> {
        let mut found = BTreeSet::new();
        if self.is_own(account, address) {
            return found;
        }
        for other in 0..3 {
            let pair = (account.min(other), account.max(other));
            if self.agreements.contains(&pair) && self.is_own(other, address) {
                found.insert((false, PartnerSource::Agreement(self.accounts[&other])));
            }
        }
        for ((of, list), entries) in &self.partners {
            for entry in entries.iter().filter(|_| *of == account) {
                // The second entry is a spelling of the first.
                let entry = ENTRIES[*entry].replace("Ann+1", "ann");
                let by_domain = entry.starts_with('@') && address.ends_with(&entry);
                if entry == address || by_domain {
                    found.insert((by_domain, source(*list)));
                }
            }
        }
        found
    }

    fn agrees(&self, view: &View) {
        let addresses =
            (0..3).flat_map(|a| (0..3).flat_map(move |l| (0..4).map(move |d| (a, l, d))));
        let addresses = addresses.map(|(a, l, d)| format!("{}@{}", LOCALS[l], at(a, d)));
        let elsewhere = [
            "ann@partner.example",
            "ben@partner.example",
            "ann@sub.partner.example",
        ];
        for text in addresses.chain(elsewhere.map(str::to_owned)) {
            for (number, id) in &self.accounts {
                let spelled = text.to_uppercase().replace('@', "+9@");
                let found = view.partners(*id, &address(&spelled)).into_iter();
                let found: Vec<_> = found.map(|of| (of.by_domain, of.source)).collect();
                let expected: Vec<_> = self.partners(*number, &text).into_iter().collect();
                assert_eq!(found, expected, "{text} for {number}");
            }
        }
        let entries = self.partners.values().map(BTreeSet::len).sum::<usize>();
        assert_eq!(view.partner_entries(), entries);
        for (account, local, domain) in
            (0..3).flat_map(|a| (0..3).flat_map(move |l| (0..4).map(move |d| (a, l, d))))
        {
            let text = format!(
                "{}+tag@{}",
                LOCALS[local],
                at(account, domain).to_uppercase()
            );
            let expected = self.recipient(account, local, domain);
            let whose = match view.recipient(&address(&text)) {
                Recipient::Of(destination) => Some(destination.account),
                Recipient::Unknown => {
                    assert!(
                        domain == 3 && self.accounts.contains_key(&account),
                        "{text}"
                    );
                    None
                }
                Recipient::Elsewhere => {
                    assert!(
                        domain != 3 || !self.accounts.contains_key(&account),
                        "{text}"
                    );
                    None
                }
            };
            assert_eq!(whose, expected, "{text}");
        }
        for (account, id) in &self.accounts {
            let details = &view.account(*id).unwrap().details;
            assert_eq!(details.hold.is_some(), self.on_hold.contains(account));
            for (_, text) in self.addresses.iter().filter(|(of, _)| of == account) {
                let domain = DOMAINS
                    .iter()
                    .position(|of| text.ends_with(&format!("@{of}")));
                let state = domain.map(|domain| self.connectors[&(*account, domain)].1);
                let disconnected = state == Some(ConnectorState::Disconnected)
                    || self.disconnected.contains(&(*account, text.clone()));
                let found = view.disconnection(*id, &address(text));
                assert_eq!(found.is_some(), disconnected, "{text}");
            }
            for domain in [None, Some(0), Some(1), Some(2)] {
                let live = self.credentials.iter().filter(|set| set.live);
                let live = live.filter(|set| (set.account, set.domain) == (*account, domain));
                assert!(live.count() <= LIMITS.live_sets);
            }
        }
        let sets = || self.credentials.iter().filter(|set| set.live);
        let rotations =
            sets().filter(|next| sets().any(|former| next.replaces.as_ref() == Some(&former.user)));
        assert_eq!(view.rotations().count(), rotations.count());
        for set in &self.credentials {
            let known = view.credential(set.user.as_str()).unwrap();
            // Credentials for a domain hold only while it is verified.
            let vouched = set.domain.is_none_or(|domain| {
                self.connectors[&(set.account, domain)].1 == ConnectorState::Verified
            });
            let holds = set.live && vouched;
            assert_eq!(known.is_live(), set.live);
            assert_eq!((view.holds(known), view.is_live(&set.user)), (holds, holds));
            assert_eq!(known.credential.account, self.accounts[&set.account]);
            let standing = |grace| view.standing(known, grace, Millis::now());
            assert_eq!(standing(Duration::ZERO) == Standing::Live, holds);
            assert_eq!(standing(Duration::ZERO) == Standing::Void, !holds);
            if set.alias && set.live {
                let by_alias = view.credential(&alias(set.account)).unwrap();
                assert_eq!(by_alias.credential.user_name, set.user);
            }
        }
    }
}

fn entry(number: usize) -> PartnerEntry {
    ENTRIES[number].parse().unwrap()
}

fn at(account: usize, domain: usize) -> &'static str {
    DOMAINS.get(domain).unwrap_or(&NATIVE[account])
}

fn alias(account: usize) -> String {
    let native = NATIVE[account];
    format!("{}@{native}", &native[..1])
}

/// Store under a directory that is compared with the model.
trait StorePlace {
    fn open(&self, settings: &Settings) -> Directory;

    /// Loads a view anew, beside the open directory.
    fn load(&self, settings: &Settings) -> Arc<View>;
}

struct File;

impl StorePlace for File {
    fn open(&self, settings: &Settings) -> Directory {
        Directory::open(settings).unwrap()
    }

    fn load(&self, settings: &Settings) -> Arc<View> {
        Arc::new(View::read(settings).unwrap().unwrap())
    }
}

impl StorePlace for MemoryStore {
    fn open(&self, settings: &Settings) -> Directory {
        Directory::open_on(Box::new(self.clone()), settings).unwrap()
    }

    fn load(&self, settings: &Settings) -> Arc<View> {
        self.open(settings).view()
    }
}

#[test]
fn directory_in_a_file_agrees_with_its_model() {
    run(|| File, 64);
}

#[test]
fn directory_in_memory_agrees_with_its_model() {
    run(MemoryStore::new, 64);
}

fn run<P: StorePlace>(place: impl Fn() -> P, cases: u32) {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    // Fixed seed; a failure prints the shortest failing steps.
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let run = TestRunner::new_with_rng(config, rng).run(&steps(), |steps| {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            limits: LIMITS,
            ..settings(folder.path())
        };
        let place = place();
        let mut directory = place.open(&settings);
        let mut model = Model::default();
        for step in &steps {
            match step {
                Step::Reopen => {
                    drop(directory);
                    directory = place.open(&settings);
                }
                step => {
                    if let Some((may, did)) = model.step(&directory, step) {
                        assert_eq!(did, may, "{step:?}");
                    }
                }
            }
            let loaded = place.load(&settings);
            assert!(
                *directory.view() == *loaded,
                "after {step:?}:\n{:#?}\n{loaded:#?}",
                directory.view()
            );
            model.agrees(&directory.view());
            model.agrees(&loaded);
        }
        let view = directory.view();
        for set in &model.credentials {
            let known = view.credential(set.user.as_str()).unwrap();
            assert!(known.verifier.is_of(&set.secret));
        }
        Ok(())
    });
    run.unwrap();
}
