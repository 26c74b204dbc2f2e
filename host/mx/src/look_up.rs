//! Look-up of the servers for a domain.

use std::net::IpAddr;
use std::sync::Arc;

use futures_util::{StreamExt as _, future, stream};
use gatepost_dns::{Dns as _, MailExchange};
use gatepost_guard::{Guard, NotReachable};
use parking_lot::Mutex;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use crate::exchanges::{before_own, shuffle, usable};
use crate::flights::Flights;
use crate::limits::{LookUpLimits, MOST_DOMAINS};
use crate::target::Target;
use crate::{Candidate, MtaSts, MxRoute, NoRoute, Own, SessionTls};

/// Most exchanges of a domain that are resolved.
const EXCHANGES: usize = 20;

/// Most addresses of a domain's exchanges together.
const ADDRESSES: usize = 40;

/// Most addresses of one exchange.
const ADDRESSES_OF_ONE: usize = 8;

/// Exchanges of one domain that are resolved at one time.
const AT_ONCE: usize = 2;

/// Open questions of all look-ups: each domain that is looked up may have four, two for each exchange.
/// No domain waits for the answers of another.
const QUESTIONS: usize = 4 * MOST_DOMAINS;

/// Settings of mail by MX.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The relay itself.
    pub own: Own,
    /// Port on which exchanges take mail: 25.
    pub port: u16,
    /// Seed of the random order within a preference; random if absent.
    pub seed: Option<u64>,
    /// Policies of MTA-STS; without it, no policy counts.
    pub mta_sts: Option<MtaSts>,
}

impl Settings {
    /// Returns the settings of a relay with these names and addresses.
    pub fn new(own: Own) -> Self {
        Self {
            own,
            port: 25,
            seed: None,
            mta_sts: None,
        }
    }
}

/// Look-up of servers by MX. Clones share what is in hand.
#[derive(Clone)]
pub struct Mx {
    shared: Arc<LookUpState>,
    flights: Flights<Resolved>,
}

struct LookUpState {
    guard: Guard,
    own: Own,
    port: u16,
    limits: LookUpLimits,
    mta_sts: Option<MtaSts>,
    rng: Mutex<StdRng>,
}

/// Result of a look-up, for all who wait for it.
type Resolved = Result<Arc<[Choice]>, NoRoute>;

/// Candidate with its preference.
type Choice = (u16, Candidate);

/// Exchange with all its addresses.
struct Server {
    exchange: MailExchange,
    addresses: Result<Vec<IpAddr>, NotReachable>,
}

impl Mx {
    /// Makes the look-up. Exchanges are resolved, and their addresses permitted, by the guard. Its
    /// resolver's limit on open questions is for others: the look-up has a limit of its own.
    pub fn new(guard: Guard, settings: Settings) -> Self {
        let rng = match settings.seed {
            Some(seed) => StdRng::seed_from_u64(seed),
            None => StdRng::from_os_rng(),
        };
        Self {
            shared: Arc::new(LookUpState {
                guard: guard.beside(QUESTIONS),
                own: settings.own,
                port: settings.port,
                limits: LookUpLimits::default(),
                mta_sts: settings.mta_sts,
                rng: Mutex::new(rng),
            }),
            flights: Flights::default(),
        }
    }

    /// Returns the servers for the mail of a domain, in U-labels or A-labels, or of an address
    /// literal in brackets. Each call draws the order within a preference anew.
    ///
    /// # Errors
    /// No server takes mail for it, now or ever: see [`NoRoute::reply`].
    pub async fn route(&self, domain: &str) -> Result<MxRoute, NoRoute> {
        let domain = match Target::parse(domain)? {
            Target::Literal(address) => return self.shared.literal(address),
            Target::Domain(domain) => domain,
        };
        let look_up = || {
            let (shared, domain) = (Arc::clone(&self.shared), domain.clone());
            async move { shared.look_up(&domain).await }
        };
        let resolved = self.flights.join(&domain, look_up).await;
        let resolved = resolved.unwrap_or_else(|| {
            Err(NoRoute::NoAnswer {
                domain: domain.clone(),
                why: "the look-up was broken off".to_owned(),
            })
        });
        let mut choices = resolved?.to_vec();
        let rng = &mut *self.shared.rng.lock();
        shuffle(&mut choices, |(preference, _)| *preference, rng);
        Ok(MxRoute {
            domain,
            candidates: choices
                .into_iter()
                .map(|(_, candidate)| candidate)
                .collect(),
        })
    }

    /// Fetches policies of MTA-STS again ahead of their end, and stores what has changed. Never
    /// returns.
    pub async fn maintain(&self) {
        match &self.shared.mta_sts {
            Some(mta_sts) => mta_sts.maintain(self.shared.guard.dns()).await,
            None => future::pending().await,
        }
    }

    /// Fetches the policies that are due, as [`Mx::maintain`] does every minute.
    pub async fn refresh_policies(&self) {
        if let Some(mta_sts) = &self.shared.mta_sts {
            mta_sts.refresh(self.shared.guard.dns()).await;
        }
    }
}

fn preference(server: &Server) -> u16 {
    server.exchange.preference
}

impl LookUpState {
    /// Returns the route to an address literal.
    fn literal(&self, address: IpAddr) -> Result<MxRoute, NoRoute> {
        let domain = match address {
            IpAddr::V4(address) => format!("[{address}]"),
            IpAddr::V6(address) => format!("[IPv6:{address}]"),
        };
        if self.own.has_address(address, self.port) {
            return Err(NoRoute::Loop(domain));
        }
        match self.guard.refuses(address) {
            Some(what) => Err(NoRoute::RefusedLiteral {
                address: address.to_string(),
                what,
            }),
            None => Ok(MxRoute {
                domain,
                candidates: vec![candidate(address.to_string(), vec![address])],
            }),
        }
    }

    async fn look_up(&self, domain: &str) -> Resolved {
        let permit = self.limits.acquire(domain).await;
        let announced = async {
            let mta_sts = self.mta_sts.as_ref()?;
            mta_sts.announced(self.guard.dns(), domain).await
        };
        let (servers, announced) = future::join(self.servers(domain), announced).await;
        let failed = servers.as_ref().is_err_and(NoRoute::is_temporary);
        self.limits.ended(domain, failed);
        // A policy may take long to fetch, and needs no permit.
        drop(permit);
        let servers = match &self.mta_sts {
            Some(mta_sts) => mta_sts.comply(domain, announced, servers?).await,
            None => servers,
        };
        servers.map(Into::into)
    }

    async fn servers(&self, domain: &str) -> Result<Vec<Choice>, NoRoute> {
        let found = self.guard.dns().mx(domain).await;
        let found = found.map_err(|unavailable| NoRoute::NoAnswer {
            domain: domain.to_owned(),
            why: unavailable.why,
        })?;
        let is_own = |exchange: &MailExchange| self.own.has_name(&exchange.host);
        let exchanges = usable(domain, found)?;
        let mut exchanges = before_own(domain, exchanges, |one| one.preference, is_own)?;
        shuffle(&mut exchanges, |one| one.preference, &mut *self.rng.lock());
        exchanges.truncate(EXCHANGES);
        let resolved = self.resolve(exchanges).await;
        // Before the guard leaves out addresses: the relay's own may not be public.
        let is_own = |server: &Server| {
            let mut addresses = server.addresses.iter().flatten();
            addresses.any(|address| self.own.has_address(*address, self.port))
        };
        let servers = before_own(domain, resolved, preference, is_own)?;
        self.permitted(domain, servers)
    }

    /// Resolves exchanges, a few at a time, and keeps their order.
    async fn resolve(&self, exchanges: Vec<MailExchange>) -> Vec<Server> {
        let resolved = stream::iter(exchanges).map(|exchange| async move {
            Server {
                addresses: self.guard.all_addresses(&exchange.host).await,
                exchange,
            }
        });
        resolved.buffered(AT_ONCE).collect().await
    }

    /// Returns the servers with the addresses that may be connected to, bounded in number; at
    /// least one.
    fn permitted(&self, domain: &str, servers: Vec<Server>) -> Result<Vec<Choice>, NoRoute> {
        let (mut choices, mut wait, mut left) = (Vec::new(), None, ADDRESSES);
        for Server {
            exchange: MailExchange { preference, host },
            addresses,
        } in servers
        {
            match addresses.and_then(|addresses| self.guard.permitted(&host, addresses)) {
                Ok(mut addresses) => {
                    addresses.truncate(ADDRESSES_OF_ONE.min(left));
                    left -= addresses.len();
                    if !addresses.is_empty() {
                        let candidate = candidate(host, addresses);
                        choices.push((preference, candidate));
                    }
                }
                Err(NotReachable::NoAddress(_) | NotReachable::NoHost(_)) => {}
                // The operator may allow an address later, so the message waits for that, too.
                Err(why) => wait = wait.or(Some((host, why))),
            }
        }
        if !choices.is_empty() {
            return Ok(choices);
        }
        let domain = domain.to_owned();
        Err(match wait {
            None => NoRoute::NoServer(domain),
            Some((host, NotReachable::Unavailable(unavailable))) if host == domain => {
                NoRoute::NoAnswer {
                    domain,
                    why: unavailable.why,
                }
            }
            Some((_, why)) => NoRoute::NoAddress {
                domain,
                why: why.to_string(),
            },
        })
    }
}

fn candidate(host: String, addresses: Vec<IpAddr>) -> Candidate {
    Candidate {
        host,
        addresses,
        tls: SessionTls::Opportunistic,
    }
}
