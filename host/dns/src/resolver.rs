//! The relay's resolver: [`Dns`] by recursive name servers, over UDP, and over TCP for answers that
//! are too long for UDP.
//!
//! It is a stub in front of recursive servers, with a cache of its own. Whatever the far side does,
//! it bounds the time of a question, the number of open questions, and the number of answers in the
//! cache. A question that it cannot answer within these bounds is [`Unavailable`].

mod name;
mod settings;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError, NoRecords};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use tokio::sync::Semaphore;

use crate::{Dns, Found, MailExchange, Unavailable};

pub use settings::{InvalidServer, NameServer, ResolverSettings};

/// Least time for which an answer is kept: a record with a TTL of 0 does not cost a question for
/// each message.
const MIN_TTL: Duration = Duration::from_secs(10);

/// Limit on the TTL of answers, whatever a name server sets.
const MAX_TTL: Duration = Duration::from_secs(86_400);

/// Limit on the TTL of negative answers.
const MAX_NEGATIVE_TTL: Duration = Duration::from_secs(3_600);

/// Resolver that asks recursive name servers. Clones share their cache and their bounds.
/// [`Resolver::beside`] shares the cache alone.
///
/// Names with a special use (RFC 6761) are answered without a question: `localhost` and the reverse
/// names of 127.0.0.0/8 and `::1` point to each other, and no name below `invalid` or `onion`
/// exists.
#[derive(Clone)]
pub struct Resolver {
    inner: TokioResolver,
    open: Arc<Semaphore>,
    /// Time limit of one question, retries and aliases included.
    time_limit: Duration,
}

/// Error of a resolver that could not be made.
#[derive(Debug, thiserror::Error)]
#[error("no name servers can be asked: {0}")]
pub struct NoResolver(String);

impl Resolver {
    /// Makes a resolver with these settings, without asking anything. If no server is set and the
    /// system names none, it asks the name server on this machine (resolv.conf(5)).
    ///
    /// # Errors
    /// The library refuses the settings.
    pub fn new(settings: &ResolverSettings) -> Result<Self, NoResolver> {
        let servers = match settings.servers.as_slice() {
            [] => system_servers(),
            servers => servers.iter().map(server_config).collect(),
        };
        let config = ResolverConfig::from_parts(None, Vec::new(), servers);
        let mut options = ResolverOpts::default();
        options.timeout = settings.timeout;
        // The library counts the attempts after the first.
        options.attempts = usize::from(settings.attempts.saturating_sub(1));
        options.cache_size = settings.cache;
        options.use_hosts_file = ResolveHosts::Never;
        options.positive_min_ttl = Some(MIN_TTL);
        options.negative_min_ttl = Some(MIN_TTL);
        options.positive_max_ttl = Some(MAX_TTL);
        options.negative_max_ttl = Some(MAX_NEGATIVE_TTL);
        let provider = TokioRuntimeProvider::default();
        let inner = TokioResolver::builder_with_config(config, provider)
            .with_options(options)
            .build()
            .map_err(|error| NoResolver(error.to_string()))?;
        Ok(Self {
            inner,
            open: permits(settings.concurrent),
            time_limit: settings.timeout * u32::from(settings.attempts.max(1)),
        })
    }

    /// Returns a resolver with the same cache and servers, and a limit of its own on its open
    /// questions: neither resolver waits for the questions of the other.
    #[must_use]
    pub fn beside(&self, concurrent: usize) -> Self {
        Self {
            open: permits(concurrent),
            ..self.clone()
        }
    }

    /// Asks about a name and returns what `wanted` takes from the answer's records.
    async fn ask<T>(
        &self,
        name: &str,
        kind: RecordType,
        wanted: impl Fn(&RData) -> Option<T>,
    ) -> Result<Found<T>, Unavailable> {
        match name::encode(name) {
            Some(encoded) => self.ask_encoded(&encoded, name, kind, wanted).await,
            // Such a name cannot exist.
            None => Ok(Found::NoName),
        }
    }

    async fn ask_encoded<T>(
        &self,
        name: &Name,
        shown: &str,
        kind: RecordType,
        wanted: impl Fn(&RData) -> Option<T>,
    ) -> Result<Found<T>, Unavailable> {
        let unavailable = |why: String| Unavailable {
            name: shown.to_owned(),
            why,
            beyond_budget: false,
        };
        let question = async {
            // The semaphore is never closed; if it were, the question would be sent all the same.
            let _permit = self.open.acquire().await;
            self.inner.lookup(name.clone(), kind).await
        };
        let answer = tokio::time::timeout(self.time_limit, question)
            .await
            .map_err(|_| unavailable("no reply in time".to_owned()))?;
        match answer {
            Ok(answer) => {
                let records = answer.answers().iter();
                let records: Arc<[T]> = records.filter_map(|record| wanted(&record.data)).collect();
                if records.is_empty() {
                    return Err(unavailable(
                        "the answer is about another name or type".to_owned(),
                    ));
                }
                Ok(Found::Records(records))
            }
            Err(NetError::Dns(DnsError::NoRecordsFound(NoRecords {
                response_code: ResponseCode::NoError,
                ..
            }))) => Ok(Found::NoData),
            Err(NetError::Dns(DnsError::NoRecordsFound(NoRecords {
                response_code: ResponseCode::NXDomain,
                ..
            }))) => Ok(Found::NoName),
            Err(error) => Err(unavailable(error.to_string())),
        }
    }
}

fn permits(concurrent: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(concurrent.clamp(1, Semaphore::MAX_PERMITS)))
}

/// Returns the name servers of `/etc/resolv.conf`, or the one on this machine.
fn system_servers() -> Vec<NameServerConfig> {
    match hickory_resolver::system_conf::read_system_conf() {
        Ok((system, _)) if !system.name_servers().is_empty() => system.name_servers().to_vec(),
        read => {
            let why = read.err().map(|error| error.to_string());
            let why = why.unwrap_or_else(|| "no name server".to_owned());
            tracing::warn!(%why, "/etc/resolv.conf is of no use; asking the name server on this machine");
            vec![server_config(&NameServer(([127, 0, 0, 1], 53).into()))]
        }
    }
}

/// Converts a name server to the library's configuration.
fn server_config(server: &NameServer) -> NameServerConfig {
    let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
    for connection in &mut connections {
        connection.port = server.0.port();
    }
    NameServerConfig::new(server.0.ip(), true, connections)
}

impl Dns for Resolver {
    async fn txt(&self, name: &str) -> Result<Found<Box<[u8]>>, Unavailable> {
        let joined = |data: &RData| match data {
            RData::TXT(txt) => Some(txt.txt_data.concat().into_boxed_slice()),
            _ => None,
        };
        self.ask(name, RecordType::TXT, joined).await
    }

    async fn a(&self, name: &str) -> Result<Found<Ipv4Addr>, Unavailable> {
        let address = |data: &RData| match data {
            RData::A(address) => Some(address.0),
            _ => None,
        };
        self.ask(name, RecordType::A, address).await
    }

    async fn aaaa(&self, name: &str) -> Result<Found<Ipv6Addr>, Unavailable> {
        let address = |data: &RData| match data {
            RData::AAAA(address) => Some(address.0),
            _ => None,
        };
        self.ask(name, RecordType::AAAA, address).await
    }

    async fn mx(&self, name: &str) -> Result<Found<MailExchange>, Unavailable> {
        let exchange = |data: &RData| match data {
            RData::MX(mx) => Some(MailExchange {
                preference: mx.preference,
                host: name::decode(&mx.exchange),
            }),
            _ => None,
        };
        let found = self.ask(name, RecordType::MX, exchange).await?;
        Ok(match found {
            Found::Records(records) => {
                let mut records = records.to_vec();
                records.sort_by_key(|exchange| exchange.preference);
                Found::Records(records.into())
            }
            other => other,
        })
    }

    async fn ptr(&self, address: IpAddr) -> Result<Found<String>, Unavailable> {
        let claimed = |data: &RData| match data {
            RData::PTR(ptr) => Some(name::decode(&ptr.0)),
            _ => None,
        };
        let (name, shown) = (Name::from(address), address.to_string());
        self.ask_encoded(&name, &shown, RecordType::PTR, claimed)
            .await
    }
}
