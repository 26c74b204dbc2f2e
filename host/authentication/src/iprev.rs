//! iprev: whether the client's address has a name that has this address (RFC 8601 section 3).

use std::net::IpAddr;
use std::time::Duration;

use tokio::time::timeout;

use crate::{Authentication, Dns, Found, IprevFact, Unavailable};

/// The most names of an address that are looked up: whoever holds an address may give it as many as
/// they like.
const NAMES: usize = 10;

/// Looks up what names the address claims, then each of them until one has the address: `pass`.
/// `fail` if none has; `permerror` if the address claims no name; `temperror` if none was found to
/// have it but not all could be asked, or not within this time.
pub async fn check(dns: &impl Dns, address: IpAddr, within: Duration) -> IprevFact {
    // One of IPv4 in IPv6 has its name where IPv4 has it.
    let address = address.to_canonical();
    let checked = timeout(within, confirmed(dns, address)).await;
    checked.unwrap_or_else(|_| Authentication::TempError.into())
}

async fn confirmed(dns: &impl Dns, address: IpAddr) -> IprevFact {
    let claimed = match dns.ptr(address).await {
        Ok(Found::Records(claimed)) => claimed,
        Ok(Found::NoData | Found::NoName) => return Authentication::PermError.into(),
        Err(unavailable) => return unanswered(&unavailable).into(),
    };
    let mut result = Authentication::Fail;
    for name in claimed.iter().take(NAMES) {
        match has(dns, name, address).await {
            Ok(true) => {
                return IprevFact {
                    result: Authentication::Pass,
                    name: name.clone(),
                };
            }
            Ok(false) => {}
            // What may be had later outweighs what may not.
            Err(_) if result == Authentication::TempError => {}
            Err(unavailable) => result = unanswered(&unavailable),
        }
    }
    result.into()
}

/// RFC 8601 section 2.7.3.
fn unanswered(unavailable: &Unavailable) -> Authentication {
    match unavailable.beyond_budget {
        true => Authentication::PermError,
        false => Authentication::TempError,
    }
}

async fn has(dns: &impl Dns, name: &str, address: IpAddr) -> Result<bool, Unavailable> {
    Ok(match address {
        IpAddr::V4(address) => dns.a(name).await?.records().contains(&address),
        IpAddr::V6(address) => dns.aaaa(name).await?.records().contains(&address),
    })
}

impl From<Authentication> for IprevFact {
    /// Without a name.
    fn from(result: Authentication) -> Self {
        Self {
            result,
            name: String::new(),
        }
    }
}
