//! iprev: the check that the client's address has a name that has this address (RFC 8601 section
//! 3).

use std::net::IpAddr;
use std::time::Duration;

use tokio::time::timeout;

use crate::{Authentication, IprevFact};
use gatepost_dns::{Dns, Found, Unavailable};

/// Number of names of an address that are looked up: its holder can give it any number.
const MAX_NAMES: usize = 10;

/// Looks up the names of the address, then each name until one has the address: `pass`. The result
/// is `fail` if no name has it, `permerror` if the address has no name, and `temperror` if a
/// look-up got no answer, or the time was over, before a name with the address was found.
pub async fn check(dns: &impl Dns, address: IpAddr, within: Duration) -> IprevFact {
    // The name of an IPv4-mapped IPv6 address is that of the IPv4 address.
    let address = address.to_canonical();
    let checked = timeout(within, check_names(dns, address)).await;
    checked.unwrap_or_else(|_| Authentication::Temperror.into())
}

async fn check_names(dns: &impl Dns, address: IpAddr) -> IprevFact {
    let claimed = match dns.ptr(address).await {
        Ok(Found::Records(claimed)) => claimed,
        Ok(Found::NoData | Found::NoName) => return Authentication::Permerror.into(),
        Err(unavailable) => return result_without_answer(&unavailable).into(),
    };
    let mut result = Authentication::Fail;
    for name in claimed.iter().take(MAX_NAMES) {
        match has_address(dns, name, address).await {
            Ok(true) => {
                return IprevFact {
                    result: Authentication::Pass,
                    name: name.clone(),
                };
            }
            Ok(false) => {}
            // A temporary lack of an answer outweighs a permanent one.
            Err(_) if result == Authentication::Temperror => {}
            Err(unavailable) => result = result_without_answer(&unavailable),
        }
    }
    result.into()
}

/// Returns the result of a look-up without an answer (RFC 8601 section 2.7.3).
fn result_without_answer(unavailable: &Unavailable) -> Authentication {
    match unavailable.beyond_budget {
        true => Authentication::Permerror,
        false => Authentication::Temperror,
    }
}

async fn has_address(dns: &impl Dns, name: &str, address: IpAddr) -> Result<bool, Unavailable> {
    Ok(match address {
        IpAddr::V4(address) => dns.a(name).await?.records().contains(&address),
        IpAddr::V6(address) => dns.aaaa(name).await?.records().contains(&address),
    })
}
