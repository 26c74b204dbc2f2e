//! The ways out of this relay: what a step of a plan comes to, and how it is reached.

mod application;
mod connection;
mod exchanges;
mod outside;
mod rules;
mod signing;
mod token_file;
mod tokens;
mod trial;

use std::collections::HashMap;
use std::fmt;
use std::hash::Hasher as _;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use fnv::FnvHasher;
use gatepost_connections::{
    ConnectionKey, ConnectionState, ConnectionStates, ConnectionTrouble, Connections,
    DialogueStage, Ehlo, FoundConnection, Period, ServerCredential, ServerTrust, TokenUser,
};
use gatepost_delivery::open::{LoginSource, OpeningFailure};
use gatepost_delivery::{
    FindServers, Led, Limits, Patience, ReachInside, ServerTarget, Servers, Target, Tls,
};
use gatepost_directory::{
    AccountEndpoint, AccountId, Directory, OutboundWay, Recipient, SandboxReach, View,
};
use gatepost_intake::active_config::SharedConfig;
use gatepost_intake::disconnection::DisconnectedSender;
use gatepost_intake::edits::host_rules;
use gatepost_intake::look_ups::AccountView;
use gatepost_intake::ownership::RecipientOwner;
use gatepost_intake::return_path::ReturnAddress;
use gatepost_intake::suspension;
use gatepost_message::{Address, Millis, TransactionId, domain_to_ascii};
use gatepost_model::{Destination, Flow, Plan, Step, Way};
use gatepost_policy_set::Policies;
use gatepost_probes::is_probe;
use gatepost_sasl::client::{self, Mechanism};
use gatepost_smtp::Reply;
use gatepost_smtp::client::{EhloName, OpeningStage};
use gatepost_spool::{Claim, ClaimedRecipient};
use gatepost_trace::{Event, Kind};
use parking_lot::Mutex;
use tokio::io::DuplexStream;
use zeroize::Zeroizing;

use crate::return_path::return_path;
use crate::sender_way::SenderWay;

pub use self::application::Records;
use self::application::ToApplication;
use self::connection::{ConnectionServer, ConnectionWatch, NoServer};
use self::exchanges::Exchanges;
pub use self::outside::{Outside, OutsideError};
use self::token_file::TokenFolder;
use self::tokens::ConnectionTokens;
pub use self::tokens::NotAuthorized;
pub use self::trial::{Trial, TrialRefusal};

/// The ways of the active configuration and of the directory.
pub struct Ways {
    /// Chains of the listeners.
    policies: Arc<Policies>,
    /// Active configuration, read at each attempt.
    active: Arc<SharedConfig>,
    /// Accounts, addresses and domains.
    directory: Arc<Directory>,
    /// Connections of the site and of customers.
    connections: Arc<dyn Connections>,
    /// States of the connections.
    states: Arc<ConnectionStates>,
    /// Look-ups of exchanges and hosts.
    pub outside: ArcSwap<Outside>,
    /// TLS of connections with certificates of their own, by key and generation.
    tls: Mutex<HashMap<ConnectionKey, (u64, Tls)>>,
    tokens: ConnectionTokens,
    /// Records of messages.
    records: Records,
}

impl Ways {
    /// Makes the ways of a relay that has its store in this folder.
    pub fn new(
        store: &Path,
        (policies, active): (Arc<Policies>, Arc<SharedConfig>),
        directory: Arc<Directory>,
        (connections, states): (Arc<dyn Connections>, Arc<ConnectionStates>),
        outside: Outside,
        records: Records,
    ) -> Self {
        let tokens = TokenFolder::new(
            store.join("tokens"),
            Arc::clone(&directory),
            Arc::clone(&states),
        );
        Self {
            policies,
            active,
            tokens: ConnectionTokens::new(tokens),
            directory,
            connections,
            states,
            outside: ArcSwap::from_pointee(outside),
            tls: Mutex::default(),
            records,
        }
    }
}

impl gatepost_delivery::Ways for Ways {
    fn default_plan(&self, message: &Claim, recipient: &ClaimedRecipient) -> Result<Plan, Reply> {
        let config = Arc::clone(&self.active.load().config);
        if let Some(sender) = is_probe(&message.transaction) {
            return self.plan_of_probe(message, sender);
        }
        let comes_in = match message.transaction.session.flow {
            Flow::Inbound => true,
            // A notice of the relay, or a submission.
            _ => self.is_ours(&recipient.address) && message.transaction.account.is_none(),
        };
        let endpoint = comes_in.then(|| self.endpoint_of(message, &recipient.address));
        if endpoint.flatten().is_some() {
            return Ok(Plan::by(Way::AccountEndpoint));
        }
        let route = match comes_in {
            true => &config.routes.inbound,
            false => &config.routes.submission,
        };
        // RFC 3463: X.4.4, unable to route.
        let route = route
            .as_ref()
            .ok_or_else(|| Reply::new(451, "4.4.4", "no route"))?;
        Ok(route.plan())
    }

    fn destination(
        &self,
        message: &Claim,
        recipient: &ClaimedRecipient,
        step: &Step,
    ) -> Result<Led, Reply> {
        let transaction = &message.transaction;
        let account = transaction.account.as_deref();
        let comes_in = transaction.session.flow == Flow::Inbound;
        let directory = self.directory.view();
        // Whatever the step says: mail of a sandbox goes to its test users, or into its Maildir.
        if let Some(sandbox) = rules::sandbox(&directory, transaction) {
            match sandbox.reach(&recipient.address) {
                SandboxReach::TestUser => {}
                SandboxReach::Maildir(name) => {
                    return Ok(Destination::Maildir(name.to_owned()).into());
                }
                SandboxReach::Nowhere => {
                    return Err(host_rules::not_in_sandbox(&recipient.address));
                }
            }
        }
        let leaves = matches!(
            step.way,
            Way::Mx | Way::Connection(_) | Way::ConnectionOf(_)
        );
        let is_probe = is_probe(transaction).is_some();
        // Mail for an address that this relay receives does not go by way of the world, unless it is
        // to prove that way.
        let is_inside = leaves && !is_probe && !comes_in && self.is_inside(&recipient.address);
        let names_sender = leaves || matches!(step.way, Way::Inside | Way::NextHop(_));
        let sender = names_sender.then(|| self.disconnected_sender(message));
        let send_as = sender
            .flatten()
            .map(|sender| self.stand_in(account, &sender));
        let send_as = send_as.transpose()?;
        if is_inside {
            return Ok(Led {
                destination: Destination::Inside,
                send_as,
            });
        }
        if let Some(send_as) = &send_as
            && step.way != Way::Inside
        {
            return self.by_default_route(&recipient.address, Some(send_as.clone()));
        }
        let egress = step.egress.clone();
        let sender = || self.sender_way(message);
        let destination = match &step.way {
            Way::Mx => return named(by_mx(&recipient.address, egress), sender()),
            Way::Connection(name) => {
                // The relay's own mail goes by the site's connections, whatever the account's are
                // called.
                let is_own = transaction.session.flow == Flow::Internal && !is_probe;
                let account = account.filter(|_| !is_own);
                let found = self.connections.named(account, name);
                let found = found.ok_or_else(|| no_such_way(&step.way))?;
                return self.by_connection(&found, message, &recipient.address);
            }
            Way::ConnectionOf(address) => {
                let found = account.and_then(|account| self.connections.serving(account, address));
                return match found {
                    // It is to prove this way, and no other.
                    Some(found) if is_probe => Ok(of_connection(&found).into()),
                    Some(found) => self.by_connection(&found, message, &recipient.address),
                    None if is_probe => Err(no_such_way(&step.way)),
                    None => self.without_connection(address, message, &recipient.address),
                };
            }
            // What came in is inside already: it would come in again and again.
            Way::Inside if comes_in => return Err(no_such_way(&step.way)),
            Way::Inside if self.is_ours(&recipient.address) => Destination::Inside,
            Way::Inside => return Err(no_such_way(&step.way)),
            Way::Lmtp(name) => Destination::Lmtp(name.clone()),
            Way::Http(name) => Destination::Http(name.clone()),
            Way::AccountEndpoint => {
                let found = endpoint_of(&directory, message, &recipient.address);
                of_endpoint(found.ok_or_else(|| no_such_way(&step.way))?)
            }
            Way::Maildir(name) => Destination::Maildir(name.clone()),
            Way::NextHop(hop) => {
                let hop = hop.clone();
                return named(Destination::NextHop { hop, egress }, sender());
            }
        };
        Ok(Led {
            destination,
            send_as,
        })
    }

    fn may_reach(
        &self,
        message: &Claim,
        recipient: &ClaimedRecipient,
        destination: &Destination,
    ) -> Result<(), Reply> {
        let directory = self.directory.view();
        rules::stays_in_sandbox(
            &directory,
            &message.transaction,
            &recipient.address,
            destination,
        )
    }

    fn patience(&self, destination: &Destination) -> Patience {
        let (account, name) = match destination {
            Destination::Connection { account, name } => (account, name),
            Destination::Http(name) => {
                let config = Arc::clone(&self.active.load().config);
                let retry = config.endpoints.get(name).and_then(|of| of.retry());
                return Patience {
                    retry: retry.map(<[_]>::to_vec),
                    ..Patience::default()
                };
            }
            Destination::AccountEndpoint { account, name } => {
                let directory = self.directory.view();
                let found = named_endpoint(&directory, account, name);
                let target = found.and_then(|of| self.outside.load().endpoint(of).ok());
                let retry = target.and_then(|(target, _)| target.retry().map(<[_]>::to_vec));
                return Patience {
                    retry,
                    ..Patience::default()
                };
            }
            _ => return Patience::default(),
        };
        let found = self.connections.find(account.as_deref(), name);
        let Some(connection) = found.map(|found| found.connection) else {
            return Patience::default();
        };
        let retry = connection.retry.as_ref();
        Patience {
            retry: retry.map(|waits| waits.iter().map(|wait| wait.0).collect()),
            expiry: connection.expiry.map(|expiry| expiry.0),
            delay_notice: connection.delay_notice.map(|delay| delay.0),
        }
    }

    fn held(&self, message: &Claim) -> Option<Reply> {
        let accepted = (&message.message, message.received_at);
        suspension::held(&self.directory.view(), &message.transaction, accepted)
    }

    fn release(&self, message: TransactionId) {
        // The queue does it whether or not anybody waits.
        drop(suspension::release_one(&*self.records.queue, message));
        (self.records.trace).record(Event::now(message, Kind::Released));
    }

    fn stamp(
        &self,
        message: &Claim,
        recipient: &ClaimedRecipient,
        destination: &Destination,
    ) -> String {
        let mut hash = FnvHasher::default();
        let chain = (self.policies).chain(&message.transaction.session.listener);
        for slot in chain.slots() {
            let decider = slot.decider(&message.transaction);
            hash.write(decider.digest().as_bytes());
        }
        let config = Arc::clone(&self.active.load().config);
        hash.write(format!("{:?}", config.routes).as_bytes());
        let sender = self.sender_way(message);
        if let Destination::Connection { account, name } = destination {
            let found = self.connections.find(account.as_deref(), name);
            if let Some(found) = found {
                hash.write_u64(found.generation);
                hash.write_u8(self.instead(&found, sender.as_ref()).is_some().into());
            }
        }
        if let Some(sender) = sender {
            hash.write(format!("{:?}", (sender.way, sender.default().ok())).as_bytes());
        }
        let directory = self.directory.view();
        // Of accounts without endpoints the word stays as it was.
        if let Some(of) = self.endpoint_of(message, &recipient.address) {
            hash.write(of.0.as_bytes());
            hash.write_u64(of.1);
        }
        if let Some(sandbox) = rules::sandbox(&directory, &message.transaction) {
            hash.write(format!("{sandbox:?}").as_bytes());
        }
        // Of others the word stays as it was.
        if self.disconnected_sender(message).is_some() {
            hash.write(b"disconnected");
        }
        format!("{:016x}", hash.finish())
    }

    fn target(
        &self,
        message: &Claim,
        destination: &Destination,
        send_as: Option<&Address>,
    ) -> Result<Target, Reply> {
        if let Some(name) = send_as {
            rules::may_leave_as(name, self.accounts().ownership(), message)?;
        }
        match destination {
            Destination::Mx { domain, egress } => {
                let servers = Servers::Found(Arc::new(Exchanges {
                    mx: self.outside.load().mx.clone(),
                    domain: domain.clone(),
                    egress: self.egress(egress.as_deref())?,
                    port: self.active.load().config.mx.port,
                }));
                Ok(Target::Server(servers.into()))
            }
            Destination::Connection { account, name } => {
                let found = self.connections.find(account.as_deref(), name);
                let found = found.ok_or_else(|| no_such_way(destination))?;
                self.through(message, found, send_as)
            }
            Destination::Lmtp(name) => {
                let config = Arc::clone(&self.active.load().config);
                let server = config
                    .lmtp
                    .get(name)
                    .ok_or_else(|| no_such_way(destination))?;
                Ok(Target::Server(server.next_hop().into()))
            }
            Destination::NextHop { hop, egress } => {
                let servers = Servers::NextHop {
                    hop: hop.clone(),
                    egress: self.egress(egress.as_deref())?,
                };
                Ok(Target::Server(servers.into()))
            }
            Destination::Inside => {
                let servers = Servers::Inside(Arc::new(Inside(Arc::clone(&self.active))));
                Ok(Target::Server(servers.into()))
            }
            Destination::Http(name) => {
                let config = Arc::clone(&self.active.load().config);
                let endpoint = config.endpoints.get(name).map(Arc::clone);
                let endpoint = endpoint.ok_or_else(|| no_such_way(destination))?;
                Ok(self.to_application(destination, endpoint))
            }
            Destination::AccountEndpoint { account, name } => {
                let directory = self.directory.view();
                let found = named_endpoint(&directory, account, name);
                let found = found.ok_or_else(|| no_such_way(destination))?;
                let (target, application) = self.outside.load().endpoint(found).map_err(|why| {
                    let text = format!("{destination} cannot be used as it is set: {why}");
                    Reply::new(451, "4.3.5", text)
                })?;
                Ok(Target::Application(Arc::new(ToApplication {
                    application,
                    target,
                    accounts: self.accounts(),
                    records: self.records.clone(),
                })))
            }
            Destination::Maildir(name) => {
                let config = Arc::clone(&self.active.load().config);
                let maildir = config.maildirs.get(name).cloned();
                let maildir = maildir.ok_or_else(|| no_such_way(destination))?;
                let maildir = Arc::new(gatepost_application::Target::Maildir(maildir));
                Ok(self.to_application(destination, maildir))
            }
        }
    }

    fn return_path(
        &self,
        message: &Claim,
        destination: &Destination,
        send_as: Option<&Address>,
    ) -> Option<Address> {
        return_path(self.accounts().ownership(), message, destination, send_as)
    }
}

impl Ways {
    /// Returns the accounts as they are now.
    fn accounts(&self) -> AccountView {
        AccountView {
            config: Arc::clone(&self.active.load().config),
            directory: self.directory.view(),
        }
    }

    /// Returns the plan of a probe: it leaves by the default route if it is sent in the name of the
    /// relay, and through the connection that serves its sender if not. It is tried as long as it is
    /// waited for.
    fn plan_of_probe(&self, message: &Claim, sender: &Address) -> Result<Plan, Reply> {
        let accounts = self.accounts();
        let mut plan = match accounts.ownership().is_native(sender) {
            true => {
                let route = accounts.config.routes.submission.as_ref();
                // RFC 3463: X.4.4, unable to route.
                route
                    .ok_or_else(|| Reply::new(451, "4.4.4", "no route"))?
                    .plan()
            }
            false => Plan::by(Way::ConnectionOf(sender.clone())),
        };
        let wait = message.expires_at.since(message.received_at);
        plan.expire_after = u32::try_from(wait.as_secs()).ok();
        Ok(plan)
    }

    /// Returns the name and the generation of the endpoint that gets mail for a recipient, if its
    /// account has one for it.
    fn endpoint_of(&self, message: &Claim, recipient: &Address) -> Option<(String, u64)> {
        let directory = self.directory.view();
        let found = endpoint_of(&directory, message, recipient)?;
        Some((found.name.to_string(), found.generation))
    }

    /// Returns true if this relay receives mail for an address.
    fn is_ours(&self, address: &Address) -> bool {
        let accounts = self.accounts();
        let ownership = accounts.ownership();
        matches!(ownership.owner_of(address), RecipientOwner::Account(_))
    }

    /// Returns true if this relay takes mail for an address: one of an account, or a return path.
    fn is_inside(&self, address: &Address) -> bool {
        let returns = || {
            let accounts = self.accounts();
            accounts.ownership().return_address(address, Millis::now()) != ReturnAddress::No
        };
        self.is_ours(address) || returns()
    }

    /// Returns the way by which the author of a message leaves, if anything is asked of it.
    fn sender_way(&self, message: &Claim) -> Option<SenderWay> {
        let view = self.directory.view();
        SenderWay::of(&view, &message.transaction, &message.message)
    }

    /// Returns where mail through a connection goes: to its server, or by the default route while it
    /// falls back, and where nothing has proved that it leaves there in its author's name.
    fn by_connection(
        &self,
        found: &FoundConnection,
        message: &Claim,
        recipient: &Address,
    ) -> Result<Led, Reply> {
        let sender = self.sender_way(message);
        let is_customers = found.key.account.is_some();
        let way = sender.as_ref().map(|sender| (sender.way, sender));
        let send_as = match way.filter(|_| is_customers) {
            Some((OutboundWay::FromDefault(_), sender)) => Some(sender.default()?),
            Some((OutboundWay::DefaultRoute, _)) => return self.by_default_route(recipient, None),
            _ => self.instead(found, sender.as_ref()),
        };
        let Some(send_as) = send_as else {
            let sender = sender.filter(|_| !is_customers);
            return named(of_connection(found), sender);
        };
        let account = message.transaction.account.as_deref();
        let accounts = self.accounts();
        let ownership = accounts.ownership();
        if !account.is_some_and(|account| ownership.may_send_as(account, &send_as)) {
            let text = format!(
                "{send_as}, from which mail of {} falls back, is not the account's",
                found.key
            );
            return Err(Reply::new(451, "4.3.5", text));
        }
        self.by_default_route(recipient, Some(send_as))
    }

    /// Returns where mail goes whose sender has no connection: a native address and a domain that is
    /// only forwarded need none, and leave by the default route.
    fn without_connection(
        &self,
        sender: &Address,
        message: &Claim,
        recipient: &Address,
    ) -> Result<Led, Reply> {
        let way = self.sender_way(message);
        let send_as = match &way {
            Some(author) if matches!(author.way, OutboundWay::FromDefault(_)) => {
                Some(author.default()?)
            }
            Some(_) => None,
            None if self.accounts().ownership().is_native(sender) => None,
            None => return Err(no_such_way(&Way::ConnectionOf(sender.clone()))),
        };
        self.by_default_route(recipient, send_as)
    }

    /// Returns where mail goes by the default route of submissions, in whose name.
    fn by_default_route(
        &self,
        recipient: &Address,
        send_as: Option<Address>,
    ) -> Result<Led, Reply> {
        let config = Arc::clone(&self.active.load().config);
        let route = config.routes.submission.as_ref();
        // RFC 3463: X.4.4, unable to route.
        let route = route.ok_or_else(|| Reply::new(451, "4.4.4", "no route to fall back to"))?;
        let egress = route.egress().map(ToOwned::to_owned);
        let destination = match route.way() {
            Way::Mx => by_mx(recipient, egress),
            Way::NextHop(hop) => Destination::NextHop {
                hop: hop.clone(),
                egress,
            },
            Way::Connection(name) => Destination::Connection {
                account: None,
                name: name.clone(),
            },
            other => return Err(no_such_way(other)),
        };
        Ok(Led {
            destination,
            send_as,
        })
    }

    /// Returns the address in whose name mail leaves by the default route in place of a
    /// connection: that of its settings, once it has been broken for as long as they say; without
    /// them the default address of the author, while the server refuses the mail by name. When the
    /// connection is due to be tried again, the next message goes through it.
    fn instead(&self, found: &FoundConnection, sender: Option<&SenderWay>) -> Option<Address> {
        if found.connection.fall_back_after.is_some() {
            return self.falls_back(found);
        }
        // The site's own connections are no customer's server.
        found.key.account.as_ref()?;
        let default = sender?.default().ok()?;
        let state = self.states.state_of(&found.key);
        let trouble = refusal(&state)?;
        (Millis::now() < trouble.next_probe).then_some(default)
    }

    /// Returns the disconnected sender of a message, if there is one.
    fn disconnected_sender(&self, message: &Claim) -> Option<DisconnectedSender> {
        let directory = self.directory.view();
        DisconnectedSender::of(&directory, &message.transaction, &message.message)
    }

    /// Returns the default address from which mail of a disconnected sender leaves.
    ///
    /// # Errors
    /// A reply that lets it wait: the account has none that it may send as.
    fn stand_in(
        &self,
        account: Option<&str>,
        sender: &DisconnectedSender,
    ) -> Result<Address, Reply> {
        let accounts = self.accounts();
        let stand_in = account.and_then(|account| {
            let found = accounts.ownership().stand_in(account, &sender.address);
            found.cloned()
        });
        stand_in.ok_or_else(|| {
            let text = format!(
                "{} is disconnected, and its account has no default address",
                sender.address
            );
            Reply::new(451, "4.7.1", text)
        })
    }

    /// Returns the address in whose name mail leaves by the default route, because a connection has
    /// been broken for as long as its mail may wait. When a probe is due, the next message is it.
    fn falls_back(&self, found: &FoundConnection) -> Option<Address> {
        let connection = &found.connection;
        let (after, send_as) = (
            connection.fall_back_after?,
            connection.fall_back_as.as_ref()?,
        );
        let (state, now) = (self.states.state_of(&found.key), Millis::now());
        let trouble = state.broken_for(after, now)?;
        (now < trouble.next_probe).then(|| send_as.clone())
    }

    /// Returns the target of mail for the application without SMTP.
    fn to_application(
        &self,
        destination: &Destination,
        target: Arc<gatepost_application::Target>,
    ) -> Target {
        Target::Application(Arc::new(ToApplication {
            application: self.outside.load().application(destination),
            target,
            accounts: self.accounts(),
            records: self.records.clone(),
        }))
    }

    /// Returns the addresses of a pool.
    fn egress(&self, pool: Option<&str>) -> Result<Vec<IpAddr>, Reply> {
        let Some(pool) = pool else {
            return Ok(Vec::new());
        };
        let config = Arc::clone(&self.active.load().config);
        let found = config.egress.get(pool).map(|pool| pool.addresses.clone());
        found.ok_or_else(|| no_such_way(&format_args!("from the pool {pool}")))
    }

    /// Returns the target of a message through a connection.
    fn through(
        &self,
        message: &Claim,
        found: FoundConnection,
        send_as: Option<&Address>,
    ) -> Result<Target, Reply> {
        let accounts = self.accounts();
        rules::may_leave_through(&found, accounts.ownership(), message, send_as)?;
        let sender = send_as.or(message.transaction.reverse_path.address());
        let connection = Arc::clone(&found.connection);
        let (servers, own_ehlo, mailbox): (Arc<dyn FindServers>, _, _) =
            match self.server(&found, sender) {
                Ok((server, mailbox)) => {
                    let own_ehlo = server.ehlo_name.as_ref().map(ToString::to_string);
                    (Arc::new(server), own_ehlo, mailbox)
                }
                Err(Unusable::For(reply)) => return Err(reply),
                // It is broken like one whose server refuses the session.
                Err(Unusable::Connection(failure)) => (Arc::new(NoServer(*failure)), None, None),
            };
        // A session of former settings is not used again.
        let identity = format!(
            "{} {} {}",
            found.generation,
            own_ehlo.unwrap_or_default(),
            mailbox.unwrap_or_default()
        );
        let limits = connection.limits;
        let wide = |limit: Option<u32>| limit.map(|limit| limit as usize);
        Ok(Target::Server(ServerTarget {
            limits: Limits {
                connections: wide(limits.connections),
                messages_a_connection: limits.messages_per_connection,
                // The connection's own watch counts by mailbox where the service does.
                messages_a_minute: limits.messages_a_minute.filter(|_| !limits.per_mailbox),
                recipients: wide(limits.recipients),
                domains: wide(limits.recipient_domains),
            },
            identity: Some(Arc::from(identity)),
            watch: Some(Arc::new(ConnectionWatch {
                states: Arc::clone(&self.states),
                falls_back: self.falls_back_after(&found, message),
                found,
            })),
            servers: Servers::Found(servers),
        }))
    }

    /// Returns the time after which mail of a message falls back, if it does: that of the
    /// connection, or none at all where its author leaves from the default address.
    fn falls_back_after(&self, found: &FoundConnection, message: &Claim) -> Option<FallsBack> {
        let own = found.connection.fall_back_after.map(FallsBack::After);
        own.or_else(|| {
            let sender = found
                .key
                .account
                .as_ref()
                .and_then(|_| self.sender_way(message))?;
            sender.default().is_ok().then_some(FallsBack::OnRefusal)
        })
    }

    /// Returns the server of a connection for mail of this sender, and the mailbox that logs in
    /// where that is not the same for all mail.
    fn server(
        &self,
        found: &FoundConnection,
        sender: Option<&Address>,
    ) -> Result<(ConnectionServer, Option<String>), Unusable> {
        let connection = &found.connection;
        let (login, mailbox) = self.login(found, sender)?;
        let is_strange = found.key.account.is_some();
        let server = ConnectionServer {
            guard: is_strange.then(|| self.outside.load().guard.clone()),
            tls: self.own_tls(found)?,
            ehlo_name: ehlo_name(&connection.ehlo, sender).map_err(Unusable::For)?,
            egress: (self.egress(connection.egress.as_deref()))
                .map_err(|reply| unusable(found, OpeningStage::Connect, &reply.text()))?,
            login,
            found: found.clone(),
        };
        Ok((server, mailbox))
    }

    /// Returns the log-in at a connection's server, and the mailbox that logs in where that is not
    /// the same for all mail.
    fn login(
        &self,
        found: &FoundConnection,
        sender: Option<&Address>,
    ) -> Result<(Option<LoginSource>, Option<String>), Unusable> {
        let connection = &found.connection;
        let mechanisms = connection.mechanisms.iter();
        let mechanisms = mechanisms
            .filter_map(|one| Mechanism::parse(one.word()))
            .collect();
        match &connection.credential {
            ServerCredential::None => Ok((None, None)),
            ServerCredential::Password { user, password } => {
                let secret = Zeroizing::new(password.reveal().to_owned());
                let credential = client::LoginCredential::password(user, secret);
                let credential =
                    credential.map_err(|error| unusable(found, OpeningStage::Auth, &error))?;
                let source = Arc::new(credential);
                Ok((Some(LoginSource { mechanisms, source }), None))
            }
            ServerCredential::Oauth(oauth) => {
                let (user, mailbox) = match &oauth.user {
                    TokenUser::Fixed(user) => (user.clone(), None),
                    TokenUser::Mailbox => {
                        let sender = sender.map(ToString::to_string);
                        let sender = sender.ok_or_else(|| {
                            let text = "mail without a sender has no mailbox to log in as";
                            Unusable::For(Reply::new(451, "4.3.5", text))
                        })?;
                        (sender.clone(), Some(sender))
                    }
                };
                let http = self.token_client(found);
                let tokens = self.tokens.of(found, oauth, &user, http);
                let source =
                    Arc::new(tokens.map_err(|why| unusable(found, OpeningStage::Auth, &why))?);
                Ok((Some(LoginSource { mechanisms, source }), mailbox))
            }
        }
    }

    /// Returns the TLS of a connection with certificates of its own. It is made once for each
    /// generation, since that reads certificates.
    fn own_tls(&self, found: &FoundConnection) -> Result<Option<Tls>, Unusable> {
        let connection = &found.connection;
        if connection.trust == ServerTrust::Public && connection.client_certificate.is_none() {
            return Ok(None);
        }
        let mut made = self.tls.lock();
        if let Some((generation, tls)) = made.get(&found.key)
            && *generation == found.generation
        {
            return Ok(Some(tls.clone()));
        }
        let tls = connection::tls(connection)
            .map_err(|error| unusable(found, OpeningStage::Tls, &error))?;
        made.insert(found.key.clone(), (found.generation, tls.clone()));
        Ok(Some(tls))
    }
}

/// Time at which mail of a broken connection leaves by the default route.
#[derive(Debug, Clone, Copy)]
enum FallsBack {
    /// After the connection has been broken for so long.
    After(Period),
    /// As soon as its server refuses the mail by name.
    OnRefusal,
}

impl FallsBack {
    /// Returns the time, for a connection in this state.
    fn at(self, state: &ConnectionState) -> Option<Millis> {
        match (self, state) {
            (Self::After(after), ConnectionState::Broken(trouble)) => Some(trouble.since + after.0),
            (Self::OnRefusal, state) => refusal(state).map(|trouble| trouble.since),
            (Self::After(_), _) => None,
        }
    }
}

/// Returns the trouble of a connection whose server refuses its mail by name: it is reached, and
/// lets nobody log in or send. Silence is no refusal.
fn refusal(state: &ConnectionState) -> Option<&ConnectionTrouble> {
    match state {
        ConnectionState::Broken(trouble) => Some(trouble).filter(|trouble| {
            trouble.stage == DialogueStage::Auth || !trouble.stage.is_of_session()
        }),
        _ => None,
    }
}

/// Returns a destination that is no customer's server, with the default address if the author may
/// not leave in their own name at all.
fn named(destination: Destination, sender: Option<SenderWay>) -> Result<Led, Reply> {
    let leaves = sender.filter(|sender| matches!(sender.way, OutboundWay::FromDefault(_)));
    Ok(Led {
        send_as: leaves.map(|sender| sender.default()).transpose()?,
        destination,
    })
}

/// The intake of this relay.
struct Inside(Arc<SharedConfig>);

impl ReachInside for Inside {
    fn reach(&self) -> Option<DuplexStream> {
        gatepost_intake::inside::open(&self.0)
    }
}

fn by_mx(recipient: &Address, egress: Option<String>) -> Destination {
    let domain = domain_to_ascii(recipient.domain());
    Destination::Mx {
        domain: domain
            .unwrap_or_else(|| recipient.domain().to_owned())
            .to_ascii_lowercase(),
        egress,
    }
}

fn of_connection(found: &FoundConnection) -> Destination {
    Destination::Connection {
        account: found.key.account.as_deref().map(ToOwned::to_owned),
        name: found.key.name.to_string(),
    }
}

/// Returns the endpoint that gets mail for a recipient: of the account that the message is for, if it
/// came in, else of the account that receives at the address.
fn endpoint_of<'v>(
    directory: &'v View,
    message: &Claim,
    recipient: &Address,
) -> Option<&'v AccountEndpoint> {
    let transaction = &message.transaction;
    let account: AccountId = match (transaction.session.flow, &transaction.account) {
        (Flow::Inbound, Some(account)) => account.parse().ok()?,
        (Flow::Submission, _) | (Flow::Internal, Some(_)) => return None,
        (Flow::Inbound | Flow::Internal, None) => match directory.recipient(recipient) {
            Recipient::Of(destination) => destination.account,
            _ => return None,
        },
    };
    directory.endpoint_of(account, recipient)
}

/// Returns an endpoint of an account by the words of a destination.
fn named_endpoint<'v>(
    directory: &'v View,
    account: &str,
    name: &str,
) -> Option<&'v AccountEndpoint> {
    directory.endpoint(account.parse().ok()?, name)
}

fn of_endpoint(found: &AccountEndpoint) -> Destination {
    Destination::AccountEndpoint {
        account: found.account.to_string(),
        name: found.name.to_string(),
    }
}

/// Returns the name in EHLO, where it is not the relay's.
fn ehlo_name(ehlo: &Ehlo, sender: Option<&Address>) -> Result<Option<EhloName>, Reply> {
    let name = match ehlo {
        Ehlo::Hostname => return Ok(None),
        Ehlo::SenderDomain => match sender {
            Some(sender) => sender.domain().to_owned(),
            None => return Ok(None),
        },
        Ehlo::Name(name) => name.as_ascii().to_owned(),
    };
    let name = domain_to_ascii(&name).unwrap_or(name);
    let parsed = name.parse().map(Some);
    parsed.map_err(|_| no_such_way(&format_args!("with {name} in EHLO")))
}

/// Reason why no session through a connection can even begin.
enum Unusable {
    /// For this message alone.
    For(Reply),
    /// As it is set, for all mail.
    Connection(Box<OpeningFailure>),
}

/// Makes the failure of a connection that cannot be used as it is set.
fn unusable(found: &FoundConnection, stage: OpeningStage, why: &dyn fmt::Display) -> Unusable {
    let text = format!("it cannot be used as it is set: {why}");
    let server = found.connection.server();
    Unusable::Connection(Box::new(OpeningFailure::not_begun(server, stage, &text)))
}

/// Makes the reply for a way that is not configured (RFC 3463: X.3.5, system incorrectly
/// configured).
fn no_such_way(way: &dyn fmt::Display) -> Reply {
    Reply::new(451, "4.3.5", format!("the relay has no way {way}"))
}
