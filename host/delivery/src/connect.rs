//! Connecting to the servers of a destination.

use std::net::{IpAddr, SocketAddr};

use gatepost_message::domain_to_ascii;
use gatepost_model::NextHop;
use gatepost_smtp::Reply;
use ipnet::IpNet;
use tokio::net::lookup_host;

use crate::connection::{Connection, with_timeout};
use crate::open::{Opening, OpeningFailure, open, open_inside};
use crate::settings::Settings;
use crate::target::{OpeningTerms, Servers};
use crate::tls::{StartError, Tls};

/// Opens connections to destinations.
pub(crate) struct Connector {
    terms: OpeningTerms,
    xforward_to: Vec<IpNet>,
}

/// Failure to get a session with any server of a destination.
#[derive(Debug, Clone)]
pub enum NoSession {
    /// No server of it can be named, for this reason; the destination takes no mail at all if the
    /// reply is permanent.
    NoServer(Reply),
    /// None of its servers opened a session; the best-ranked failure.
    NotOpened(OpeningFailure),
}

impl Connector {
    pub(crate) fn new(settings: &Settings) -> Result<Self, StartError> {
        Ok(Self {
            terms: OpeningTerms {
                ehlo_name: settings.hostname.parse()?,
                tls: Tls::trusting(&settings.trusted)?,
                timeouts: settings.timeouts,
            },
            xforward_to: settings.xforward_to.clone(),
        })
    }

    /// Returns the terms of every session.
    pub(crate) fn terms(&self) -> &OpeningTerms {
        &self.terms
    }

    /// Returns a connection that is ready for a transaction, from the first of the servers that
    /// provides one.
    pub(crate) async fn connect(&self, servers: &Servers) -> Result<Connection, NoSession> {
        let openings = match servers {
            Servers::NextHop { hop, egress } => {
                let opening = self.next_hop(hop, egress.clone()).await;
                vec![opening.map_err(NoSession::NotOpened)?]
            }
            Servers::Inside(inside) => {
                // RFC 3463: X.3.5, system incorrectly configured.
                let none = || Reply::new(451, "4.3.5", "no listener takes mail from outside");
                let stream = inside.reach().ok_or_else(none);
                let stream = stream.map_err(NoSession::NoServer)?;
                let opened = open_inside(stream, &self.terms).await;
                return opened.map_err(NoSession::NotOpened);
            }
            Servers::Found(found) => found.find(&self.terms).await?,
        };
        let mut why: Option<OpeningFailure> = None;
        for opening in &openings {
            match open(opening).await {
                Ok(mut connection) => {
                    let address = connection.address.ip().to_canonical();
                    let mut told = self.xforward_to.iter();
                    connection.wants_origin = told.any(|network| network.contains(&address));
                    return Ok(connection);
                }
                Err(not_opened) => {
                    why = Some(match why.take() {
                        Some(before) if before.rank() > not_opened.rank() => before,
                        _ => not_opened,
                    });
                }
            }
        }
        Err(match why {
            Some(why) => NoSession::NotOpened(why),
            // RFC 3463: X.4.4, unable to route.
            None => NoSession::NoServer(Reply::new(451, "4.4.4", "no server")),
        })
    }

    async fn next_hop(
        &self,
        hop: &NextHop,
        egress: Vec<IpAddr>,
    ) -> Result<Opening, OpeningFailure> {
        Ok(Opening {
            host: domain_to_ascii(&hop.host).unwrap_or_default(),
            port: hop.port,
            addresses: self.look_up(hop).await?,
            protocol: hop.protocol,
            mode: hop.tls,
            tls: self.terms.tls.clone(),
            ehlo_name: self.terms.ehlo_name.clone(),
            egress,
            login: None,
            timeouts: self.terms.timeouts,
            transcript: None,
        })
    }

    async fn look_up(&self, hop: &NextHop) -> Result<Vec<SocketAddr>, OpeningFailure> {
        if let Ok(address) = hop.host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, hop.port)]);
        }
        let unknown = |enhanced, why: &str| {
            OpeningFailure::unreached(format!("{}:{}", hop.host, hop.port), enhanced, why)
        };
        // RFC 3463: X.4.4, unable to route; X.4.3, directory server failure.
        let Some(host) = domain_to_ascii(&hop.host) else {
            return Err(unknown("4.4.4", &format!("{} is no domain name", hop.host)));
        };
        let addresses = lookup_host((host.as_str(), hop.port));
        with_timeout(self.terms.timeouts.lookup, addresses)
            .await
            .map(Iterator::collect)
            .map_err(|error| unknown("4.4.3", &format!("cannot look up {}: {error}", hop.host)))
    }
}
