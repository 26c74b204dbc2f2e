//! Connecting to a next hop that a route names.

use std::net::{IpAddr, SocketAddr};

use gatepost_message::domain_to_ascii;
use gatepost_model::NextHop;
use gatepost_smtp::Reply;
use gatepost_smtp::client::{EhloName, OpeningStage};
use ipnet::IpNet;
use tokio::net::lookup_host;

use crate::connection::{Connection, with_timeout};
use crate::open::{NotOpened, Opening, open};
use crate::settings::{Settings, Timeouts};
use crate::tls::{StartError, Tls};

/// Opens connections to next hops.
pub(crate) struct Connector {
    ehlo_name: EhloName,
    tls: Tls,
    timeouts: Timeouts,
    xforward_to: Vec<IpNet>,
}

/// Failure to connect to a next hop.
#[derive(Debug, Clone)]
pub(crate) struct Unreachable {
    /// Reply that describes the failure; the relay's own unless `from_server`.
    pub(crate) reply: Reply,
    /// True if a server answered at all.
    pub(crate) connected: bool,
    /// True if the reply is the server's.
    pub(crate) from_server: bool,
}

impl From<NotOpened> for Unreachable {
    fn from(not_opened: NotOpened) -> Self {
        Self {
            from_server: not_opened.reply.as_ref() == Some(&not_opened.deferral),
            connected: not_opened.stage > OpeningStage::Connect,
            reply: not_opened.deferral,
        }
    }
}

impl Connector {
    pub(crate) fn new(settings: &Settings) -> Result<Self, StartError> {
        Ok(Self {
            ehlo_name: settings.hostname.parse()?,
            tls: Tls::trusting(&settings.trusted)?,
            timeouts: settings.timeouts,
            xforward_to: settings.xforward_to.clone(),
        })
    }

    /// Returns a connection that is ready for a transaction, from the first of the host's addresses
    /// that provides one.
    pub(crate) async fn connect(&self, hop: &NextHop) -> Result<Connection, Unreachable> {
        let opening = Opening {
            host: domain_to_ascii(&hop.host).unwrap_or_default(),
            port: hop.port,
            addresses: self.look_up(hop).await?,
            protocol: hop.protocol,
            mode: hop.tls,
            tls: self.tls.clone(),
            ehlo_name: self.ehlo_name.clone(),
            egress: Vec::new(),
            login: None,
            timeouts: self.timeouts,
            transcript: None,
        };
        let mut connection = open(&opening).await?;
        let address = connection.address.ip().to_canonical();
        let mut told = self.xforward_to.iter();
        connection.wants_origin = told.any(|network| network.contains(&address));
        Ok(connection)
    }

    async fn look_up(&self, hop: &NextHop) -> Result<Vec<SocketAddr>, NotOpened> {
        if let Ok(address) = hop.host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, hop.port)]);
        }
        let unknown = |enhanced, why: &str| {
            NotOpened::unreached(format!("{}:{}", hop.host, hop.port), enhanced, why)
        };
        // RFC 3463: X.4.4, unable to route; X.4.3, directory server failure.
        let Some(host) = domain_to_ascii(&hop.host) else {
            return Err(unknown("4.4.4", &format!("{} is no domain name", hop.host)));
        };
        with_timeout(self.timeouts.lookup, lookup_host((host.as_str(), hop.port)))
            .await
            .map(Iterator::collect)
            .map_err(|error| unknown("4.4.3", &format!("cannot look up {}: {error}", hop.host)))
    }
}
