//! Signed mail, authenticated by both relays: Gatepost with the policy `inbound-auth`, Postfix with
//! policyd-spf, opendkim and opendmarc.
//!
//! Both ask a name server of ours. Their results are read at the sink, in Authentication-Results: a
//! relay that does not find that SPF, DKIM and DMARC pass, or does not notice a changed message,
//! ends the measurement.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::{Result, ensure};
use test_support::{DnsServer, Zone};

use super::Effort;
use super::contender::Contender;
use super::load::{Content, Load, send};
use super::report::{Report, progress};
use super::side_by_side::{COLUMNS, compare};

/// A message of 10 KiB that was signed once, with a key of 2048 bits that no longer exists.
const SIGNED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/bench/signed.eml");

/// Public half of that key, as the selector's record has it.
const KEY: &str = "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEArObxWuA0hm3TKOB+mDYL\
    prCZrVWLPjSobt0hX75wRjwDenJyeeulnLas47s3cryIxxz5yC1KOlEWOkntmOTRiB8F6Sc7kxua3hHeioLeqTgYg+0Z\
    2RljLqXE/1HKYl52ZqawCM3dU/187wb0Fpcj7vz0F60F68GaR5TbK8COnDmVv2AEibndWdYRwReK0NkCo5GUdiyuWhDy\
    ySrEl9SkMLWvbz1slUt2hAjNDtI1cK4OsiPY5OSEjAQ60+FnrF5lc9JaNM3KjSoJbi2WSZlpwpzGkz1ScFAsWmj866Eo\
    cwSgO7e0AZOxhe/MSILemWjZ287PKKJHVtTmeHPsI937vwIDAQAB";

/// Address of the name server: one that nobody uses, at port 53, since resolv.conf cannot name
/// another port.
const RESOLVER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 53, 53, 53));

/// Measures 20 sessions.
pub fn run(binary: &Path, effort: Effort, report: &mut Report) -> Result<()> {
    let (dns, postfix) = match DnsServer::at(zone(), SocketAddr::new(RESOLVER, 53)) {
        Ok(dns) => (dns, Contender::postfix_verifying(RESOLVER)?),
        Err(error) => {
            test_support::say(&format!(
                "SKIPPED: Postfix, since no name server can be at {RESOLVER}, port 53: {error}"
            ));
            (DnsServer::start(zone()), None)
        }
    };
    let gatepost = Contender::gatepost_authenticating(binary, dns.address())?;
    let contenders: Vec<Contender> = std::iter::once(gatepost).chain(postfix).collect();
    for contender in &contenders {
        progress(&format!("whether {} verifies", contender.name()));
        check_verification(contender)?;
    }
    let load = Load {
        sessions: 20,
        messages: effort.messages,
        content: Content::File(SIGNED),
    };
    let rows = compare(&contenders, "signed, 20 sessions", load, effort.runs)?;
    for contender in &contenders {
        check_samples(contender, &["spf=pass", "dkim=pass", "dmarc=pass"])?;
    }
    report.table("With SPF, DKIM and DMARC, beside Postfix", &COLUMNS, &rows);
    Ok(())
}

/// Returns the DNS records of the sender.
fn zone() -> Zone {
    let mut zone = Zone::new();
    zone.txt("sender.example", "v=spf1 include:hosting.example -all")
        .txt(
            "hosting.example",
            "v=spf1 ip4:192.0.2.0/24 ip4:127.0.0.1 -all",
        )
        .txt("load.example", "v=spf1 a -all")
        .a("load.example", Ipv4Addr::LOCALHOST)
        .ptr(Ipv4Addr::LOCALHOST.into(), "load.example")
        .txt("2024._domainkey.sender.example", KEY)
        .txt("_dmarc.sender.example", "v=DMARC1; p=reject");
    zone
}

/// Sends the message with another body, which must not pass as signed.
fn check_verification(contender: &Contender) -> Result<()> {
    let mut message = Content::File(SIGNED).ready()?;
    let last = message.len() - "?\r\n.\r\n".len();
    message[last] ^= 1;
    contender.relay(|| Ok((send(contender.address(), &message)?, 1)))?;
    check_samples(contender, &["spf=pass", "dkim=fail", "dmarc=pass"])
}

/// Checks all samples at the sink.
fn check_samples(contender: &Contender, wanted: &[&str]) -> Result<()> {
    let (name, samples) = (contender.name(), contender.samples());
    ensure!(!samples.is_empty(), "{name}: no sample at the sink");
    for header in samples {
        let results = results(&header);
        let missing = wanted.iter().find(|result| !results.contains(**result));
        ensure!(
            missing.is_none(),
            "{name}: not {wanted:?} in Authentication-Results:\n{header}"
        );
    }
    Ok(())
}

/// Returns the bodies of a header section's Authentication-Results fields.
fn results(header: &str) -> String {
    let unfolded = header.replace("\r\n\t", " ").replace("\r\n ", " ");
    let fields = unfolded
        .lines()
        .filter_map(|line| line.strip_prefix("Authentication-Results:"));
    fields.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_results_are_read_and_all_of_them() {
        let header = "Received: dmarc=pass\r\n\
            Authentication-Results: one.example;\r\n\tspf=pass smtp.mailfrom=a@sender.example;\r\n\
            \x20dkim=fail\r\n\
            Subject: dkim=pass\r\n\
            Authentication-Results: one.example; arc=none\r\n";
        let results = results(header);
        for result in ["spf=pass", "dkim=fail", "arc=none"] {
            assert!(results.contains(result), "{results}");
        }
        for not in ["dkim=pass", "dmarc=pass"] {
            assert!(!results.contains(not), "{results}");
        }
    }
}
