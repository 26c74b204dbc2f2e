//! The budget of DNS questions, for any message and any zone.

mod memory;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use bytes::Bytes;
use gatepost_authentication::{
    Arrival, Authentication, DmarcPolicy, Facts, Limits, Settings, gather,
};
use gatepost_dns::{NameServer, Resolver, ResolverSettings};
use gatepost_message::{Message, Millis, ReversePath};
use memory::InMemory;
use proptest::prelude::*;
use test_support::{DnsServer, Zone};

/// Parameters of a hostile zone and message.
#[derive(Debug, Clone)]
struct Bomb {
    /// Number of `mx` terms in each SPF record.
    terms: usize,
    /// Number of exchanges of each term.
    exchanges: u16,
    /// True if the exchanges are names of a third party.
    at_a_victim: bool,
    /// Number of SPF records that each record includes.
    includes: usize,
    signatures: usize,
    /// Number of names of the client's address.
    names: usize,
    /// Number of additional labels of the author's domain.
    depth: usize,
}

fn bomb() -> impl Strategy<Value = Bomb> {
    (
        0..=10usize,
        0..=10u16,
        any::<bool>(),
        0..=10usize,
        0..=20usize,
        0..=20usize,
        1..=12usize,
    )
        .prop_map(
            |(terms, exchanges, at_a_victim, includes, signatures, names, depth)| Bomb {
                terms,
                exchanges,
                at_a_victim,
                includes,
                signatures,
                names,
                depth,
            },
        )
}

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 99));

impl Bomb {
    fn zone(&self) -> Zone {
        let mut zone = Zone::new();
        for domain in ["helo.evil.example", "mail.evil.example"] {
            let mut record = "v=spf1".to_owned();
            for number in 0..self.includes {
                let next = format!("i{number}.{domain}");
                record.push_str(&format!(" include:{next}"));
                zone.txt(&next, format!("v=spf1 mx:x0.{domain} -all"));
            }
            for number in 0..self.terms {
                record.push_str(&format!(" mx:x{number}.{domain}"));
                for exchange in 0..self.exchanges {
                    let at = match self.at_a_victim {
                        true => format!("v{exchange}.x{number}.{domain}.victim.example"),
                        false => format!("v{exchange}.x{number}.{domain}"),
                    };
                    zone.mx(&format!("x{number}.{domain}"), 10, &at)
                        .a(&at, Ipv4Addr::new(192, 0, 2, 1));
                }
            }
            zone.txt(domain, format!("{record} -all"));
        }
        for number in 0..self.names {
            let name = format!("n{number}.evil.example");
            zone.ptr(CLIENT, &name)
                .a(&name, Ipv4Addr::new(192, 0, 2, 1));
        }
        zone.txt("_dmarc.bank.example", "v=DMARC1; p=reject");
        zone
    }

    fn message(&self) -> Message {
        let mut head = String::new();
        for number in 0..self.signatures {
            head.push_str(&format!(
                "DKIM-Signature: v=1; a=ed25519-sha256; d=k{number}.evil.example; s=s;\r\n \
                 h=from; bh=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=; b=AAAA\r\n"
            ));
        }
        let labels = "a.".repeat(self.depth);
        head.push_str(&format!("From: ceo@{labels}bank.example\r\n\r\nbody\r\n"));
        Message::from_bytes(Bytes::from(head))
    }
}

async fn facts(message: &Message, dns: &impl gatepost_dns::Dns) -> Facts {
    let reverse_path = ReversePath::parse("a@mail.evil.example").expect("a reverse-path");
    let arrival = Arrival {
        client: CLIENT,
        helo: "helo.evil.example",
        receiver: "mx.desk.example",
        reverse_path: &reverse_path,
        at: Millis(1_720_000_000_000),
    };
    gather(message, &arrival, dns, &Settings::default()).await
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime")
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_message_asks_more_than_its_budget(bomb in bomb()) {
        let dns = InMemory::new(bomb.zone());
        let facts = runtime().block_on(facts(&bomb.message(), &dns));
        let limits = Limits::default();
        prop_assert!(dns.asked() <= limits.questions, "{}", dns.asked());
        let of_victim = dns.asked_below("victim.example");
        prop_assert!(of_victim <= limits.questions_of_one, "{of_victim}");
        // Whatever else it asks, the author's policy is known.
        prop_assert_eq!(facts.dmarc.result, Authentication::Fail);
        prop_assert_eq!(facts.dmarc.applied, Some(DmarcPolicy::Reject));
        // A question beyond the budget is no temporary error.
        prop_assert!(facts.spf.mailfrom.result != Authentication::Temperror);
        prop_assert!(facts.iprev.result != Authentication::Temperror);
    }
}

#[test]
fn an_spf_bomb_sends_few_questions_to_a_victim() {
    let bomb = Bomb {
        terms: 10,
        exchanges: 10,
        at_a_victim: true,
        includes: 0,
        signatures: 8,
        names: 10,
        depth: 1,
    };
    let server = DnsServer::start(bomb.zone());
    let settings = ResolverSettings {
        servers: vec![NameServer(server.address())],
        timeout: Duration::from_secs(5),
        ..ResolverSettings::default()
    };
    let facts = runtime().block_on(async {
        let resolver = Resolver::new(&settings).expect("a resolver");
        facts(&bomb.message(), &resolver).await
    });
    let asked = server.asked();
    let of_victim = asked
        .iter()
        .filter(|one| one.name.contains("victim"))
        .count();
    assert!(asked.len() <= 60, "{}", asked.len());
    assert!(of_victim <= 20, "{of_victim}");
    assert_eq!(facts.spf.mailfrom.result, Authentication::Permerror);
    let reason = facts.spf.mailfrom.reason.unwrap_or_default();
    assert!(reason.contains("asks too much"), "{reason}");
    assert_eq!(facts.dmarc.applied, Some(DmarcPolicy::Reject));
}
