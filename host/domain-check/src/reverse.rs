//! Names of the site: the name of each address that mail leaves from leads back to it, and so does
//! the name in EHLO.

use std::net::IpAddr;

use futures_util::future::join_all;
use gatepost_dns::Dns;

use crate::exchanges::addresses;
use crate::report::{Finding, Standing, Topic};
use crate::subject::Site;
use crate::zone_line;

/// Most names of one address that are looked up.
const MOST_NAMES: usize = 10;

/// Compares the names of all addresses, and the addresses of the name in EHLO.
pub(crate) async fn compare(dns: &impl Dns, site: &Site) -> Vec<Finding> {
    let names = site
        .checked_addresses()
        .iter()
        .map(|of| ptr(dns, site, *of));
    let (mut findings, ehlo) = tokio::join!(join_all(names), ehlo(dns, site));
    findings.push(ehlo);
    findings
}

async fn ptr(dns: &impl Dns, site: &Site, address: IpAddr) -> Finding {
    let sought = "a name that leads back to the address";
    let finding = Finding::new(Topic::Ptr, address.to_string(), sought);
    let claimed = match dns.ptr(address).await {
        Ok(claimed) => claimed,
        Err(unavailable) => return finding.unanswered(&unavailable),
    };
    let finding = finding.found(claimed.records());
    let line = zone_line::ptr(address, &site.hostname);
    let mut unanswered = None;
    for name in claimed.records().iter().take(MOST_NAMES) {
        match addresses(dns, name).await {
            Ok(found) if found.contains(&address) => {
                let words = match site.hostname.eq_ignore_ascii_case(name) {
                    true => String::new(),
                    false => format!("the name is not the one in EHLO, {}", site.hostname),
                };
                return finding.is(Standing::Right, words);
            }
            Ok(_) => {}
            Err(unavailable) => unanswered = Some(unavailable),
        }
    }
    if let Some(unavailable) = unanswered {
        return finding.unanswered(&unavailable);
    }
    match claimed.records().is_empty() {
        true => finding.is(Standing::Missing, "the address has no name"),
        false => finding.is(Standing::Differs, "no name of the address has the address"),
    }
    .paste([line, zone_line::address(&site.hostname, address)])
}

async fn ehlo(dns: &impl Dns, site: &Site) -> Finding {
    let sought = "an address that mail leaves from";
    let finding = Finding::new(Topic::Ehlo, &site.hostname, sought);
    let found = match addresses(dns, &site.hostname).await {
        Ok(found) => found,
        Err(unavailable) => return finding.unanswered(&unavailable),
    };
    let finding = finding.found(found.iter().map(IpAddr::to_string));
    if found.iter().any(|address| site.addresses.contains(address)) {
        return finding;
    }
    let own = site.checked_addresses().iter();
    let lines = own.map(|address| zone_line::address(&site.hostname, *address));
    let lines: Vec<_> = lines.collect();
    match found.is_empty() {
        true => finding.is(Standing::Missing, "the name in EHLO has no address"),
        false => finding.is(
            Standing::Differs,
            "the name in EHLO has other addresses than mail leaves from",
        ),
    }
    .paste(lines)
}
