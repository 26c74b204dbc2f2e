//! Servers that take mail: those of the customer, or this relay.

use std::net::IpAddr;

use gatepost_dns::{Dns, Found, MailExchange, Unavailable};

use crate::report::{Finding, Standing, Topic};
use crate::subject::{Site, WayIn};
use crate::zone_line;

/// Most servers of a domain whose addresses are looked up.
const MOST_SERVERS: usize = 10;

/// Servers that take the mail of a domain.
struct Servers {
    /// Records as they are shown.
    shown: Vec<String>,
    /// Hosts, the most preferred first, each true if it is this relay.
    hosts: Vec<(String, bool)>,
    /// True for a null MX (RFC 7505).
    is_null: bool,
    /// True if there is no MX record, and the domain itself is the server.
    is_implicit: bool,
}

impl Servers {
    async fn of(dns: &impl Dns, site: &Site, name: &str) -> Result<Self, Unavailable> {
        let found = dns.mx(name).await?;
        let shown = |one: &MailExchange| format!("MX {} {}.", one.preference, one.host);
        let mut servers = Self {
            shown: found.records().iter().map(shown).collect(),
            hosts: Vec::new(),
            is_null: false,
            is_implicit: false,
        };
        match &found {
            Found::Records(records) => {
                servers.is_null =
                    records.len() == 1 && records.iter().all(|one| one.host.is_empty());
                let named = records.iter().filter(|one| !one.host.is_empty());
                for one in named.take(MOST_SERVERS) {
                    let is_own = is_own(dns, site, &one.host).await?;
                    servers.hosts.push((one.host.clone(), is_own));
                }
            }
            Found::NoName => {}
            Found::NoData => {
                let addresses = addresses(dns, name).await?;
                if !addresses.is_empty() {
                    servers.is_implicit = true;
                    let is_own = addresses.iter().any(|of| site.addresses.contains(of));
                    servers.hosts.push((name.to_owned(), is_own));
                }
            }
        }
        Ok(servers)
    }

    /// Returns the hosts that are not this relay.
    fn others(&self) -> String {
        let others = self.hosts.iter().filter(|(_, is_own)| !is_own);
        let others: Vec<_> = others.map(|(host, _)| host.as_str()).collect();
        others.join(", ")
    }

    /// Returns true if some host is this relay, and true if all are.
    fn own(&self) -> (bool, bool) {
        let mut own = self.hosts.iter().map(|(_, is_own)| *is_own);
        let any = own.clone().any(|is_own| is_own);
        (any, any && own.all(|is_own| is_own))
    }
}

/// Returns true if a host is this relay, by its name or by an address.
async fn is_own(dns: &impl Dns, site: &Site, host: &str) -> Result<bool, Unavailable> {
    if site.has_name(host) {
        return Ok(true);
    }
    let addresses = addresses(dns, host).await?;
    Ok(addresses.iter().any(|of| site.addresses.contains(of)))
}

/// Returns the addresses of a host.
pub(crate) async fn addresses(dns: &impl Dns, host: &str) -> Result<Vec<IpAddr>, Unavailable> {
    let (v4, v6) = tokio::try_join!(dns.a(host), dns.aaaa(host))?;
    let v4 = v4.records().iter().map(|address| IpAddr::V4(*address));
    let v6 = v6.records().iter().map(|address| IpAddr::V6(*address));
    Ok(v4.chain(v6).collect())
}

/// Compares the servers of a domain whose mail has to come to this relay.
pub(crate) async fn lead_here(dns: &impl Dns, site: &Site, topic: Topic, name: &str) -> Finding {
    let sought = format!("an MX that is this relay, {}", site.hostname);
    let finding = Finding::new(topic, name, sought);
    let servers = match Servers::of(dns, site, name).await {
        Ok(servers) => servers,
        Err(unavailable) => return finding.unanswered(&unavailable),
    };
    let (any, all) = servers.own();
    let others = servers.others();
    let finding = finding.found(&servers.shown);
    let finding = match () {
        () if all && servers.is_implicit => {
            return finding.is(
                Standing::Right,
                "there is no MX record; the address of the name is this relay's",
            );
        }
        () if all => return finding,
        () if servers.is_null => finding.is(Standing::Differs, "the domain takes no mail"),
        () if any => {
            let words = format!("some of its mail goes to {others}");
            finding.is(Standing::Differs, words)
        }
        () if servers.hosts.is_empty() => {
            finding.is(Standing::Missing, "no mail for the domain comes here")
        }
        () => {
            let words = format!("its mail goes to {others}, and not to this relay");
            finding.is(Standing::Differs, words)
        }
    };
    finding.paste([zone_line::mx(name, &site.hostname)])
}

/// Compares the servers of a connected domain, which are the customer's own.
pub(crate) async fn of_customer(dns: &impl Dns, site: &Site, name: &str, way_in: WayIn) -> Finding {
    let sought = match way_in {
        WayIn::Relayed => "servers of the customer, which relay the mail to us",
        WayIn::Forwarded => "servers of the customer, which forward the mail to us",
    };
    let finding = Finding::new(Topic::Mx, name, sought);
    let servers = match Servers::of(dns, site, name).await {
        Ok(servers) => servers,
        Err(unavailable) => return finding.unanswered(&unavailable),
    };
    let (any, all) = servers.own();
    let finding = finding.found(&servers.shown);
    match way_in {
        _ if servers.is_null => finding.is(
            Standing::Differs,
            "the domain takes no mail, so none comes to us",
        ),
        _ if servers.hosts.is_empty() => finding.is(
            Standing::Missing,
            "no server takes its mail, so none comes to us",
        ),
        WayIn::Relayed if any => finding.is(
            Standing::Differs,
            "mail comes straight to this relay, past the customer's server, which should relay it",
        ),
        WayIn::Forwarded if all => finding.is(
            Standing::Right,
            "mail comes straight to this relay, without being forwarded: only support addresses \
             receive",
        ),
        WayIn::Forwarded if any => {
            let words = format!(
                "some mail comes straight to this relay, where only support addresses receive, and \
                 some goes to {}",
                servers.others()
            );
            finding.is(Standing::Differs, words)
        }
        _ => finding,
    }
}
