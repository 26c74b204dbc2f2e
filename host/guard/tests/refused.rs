//! No spelling, alias or later answer leads to an address that is not public.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};

use gatepost_dns::{Dns, Found, MailExchange, NameServer, Resolver, ResolverSettings, Unavailable};
use gatepost_guard::{Guard, Host, NotReachable, special_use};
use ipnet::IpNet;
use proptest::prelude::*;
use test_support::{DnsServer, Zone};

/// DNS that gives the next of these answers to each question, whatever the name.
struct Rebinding {
    v4: Vec<Vec<Ipv4Addr>>,
    v6: Vec<Vec<Ipv6Addr>>,
    asked: AtomicUsize,
}

impl Rebinding {
    fn next<T: Copy>(&self, answers: &[Vec<T>]) -> Result<Found<T>, Unavailable> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        match answers.get(asked % answers.len().max(1)) {
            Some(answer) if !answer.is_empty() => Ok(Found::Records(answer.as_slice().into())),
            _ => Ok(Found::NoData),
        }
    }
}

impl Dns for Rebinding {
    async fn txt(&self, _: &str) -> Result<Found<Box<[u8]>>, Unavailable> {
        Ok(Found::NoData)
    }

    async fn a(&self, _: &str) -> Result<Found<Ipv4Addr>, Unavailable> {
        self.next(&self.v4)
    }

    async fn aaaa(&self, _: &str) -> Result<Found<Ipv6Addr>, Unavailable> {
        self.next(&self.v6)
    }

    async fn mx(&self, _: &str) -> Result<Found<MailExchange>, Unavailable> {
        Ok(Found::NoData)
    }

    async fn ptr(&self, _: IpAddr) -> Result<Found<String>, Unavailable> {
        Ok(Found::NoData)
    }
}

/// Returns addresses, most of which are of the networks that matter.
fn v4() -> impl Strategy<Value = Ipv4Addr> {
    let special = [
        [127, 0, 0, 0],
        [10, 0, 0, 0],
        [169, 254, 169, 254],
        [192, 168, 0, 0],
        [172, 16, 0, 0],
        [100, 64, 0, 0],
        [0, 0, 0, 0],
        [224, 0, 0, 0],
        [240, 0, 0, 0],
        [198, 18, 0, 0],
    ];
    let special = prop::sample::select(special.map(Ipv4Addr::from).to_vec());
    let near = (special, 0_u32..1 << 16);
    let near = near.prop_map(|(network, host)| Ipv4Addr::from(u32::from(network) | host));
    prop_oneof![near, any::<Ipv4Addr>()]
}

fn v6() -> impl Strategy<Value = Ipv6Addr> {
    let wrapped = (v4(), 0_usize..6).prop_map(|(inner, form)| {
        let bits = u128::from(u32::from(inner));
        Ipv6Addr::from(match form {
            0 => bits,
            1 => 0xffff << 32 | bits,
            2 => 0x64_ff9b << 96 | bits,
            3 => 0x2002 << 112 | bits << 80,
            4 => 0x2001 << 112 | !bits & 0xffff_ffff,
            _ => 0x64_ff9b_0001 << 80 | bits,
        })
    });
    prop_oneof![wrapped, any::<Ipv6Addr>()]
}

/// Returns the spellings of an IPv4 address that some program or other reads.
fn spellings(address: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = address.octets().map(u32::from);
    let whole = u32::from(address);
    let (low_three, low_two) = (whole & 0xff_ffff, whole & 0xffff);
    let wide: String = whole.to_string().chars().map(to_full_width).collect();
    vec![
        format!("{address}"),
        format!("{address}."),
        format!("{whole}"),
        format!("{whole:#x}"),
        format!("0{whole:o}"),
        format!("{a}.{low_three}"),
        format!("{a}.{b}.{low_two}"),
        format!("{a:#x}.{b:#X}.0{c:o}.{d}"),
        format!("{a:#010x}.{b}.{c}.{d}"),
        format!("[::ffff:{address}]"),
        format!("::{address}"),
        format!("[64:ff9b::{address}]"),
        format!("{a}。{b}．{c}｡{d}"),
        wide,
    ]
}

fn to_full_width(digit: char) -> char {
    char::from_u32(u32::from(digit) + 0xfee0).unwrap_or(digit)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.unwrap_or_else(|error| panic!("no runtime: {error}"));
    runtime.block_on(future)
}

fn all_are_permitted(addresses: &[IpAddr], allowed: &[IpNet]) -> bool {
    let is_allowed = |address: &IpAddr| allowed.iter().any(|network| network.contains(address));
    let permitted = |address: &IpAddr| special_use(*address).is_none() || is_allowed(address);
    addresses.iter().all(permitted)
}

proptest! {
    #[test]
    fn a_spelling_of_an_address_is_checked_as_that_address(address in v4()) {
        let dns = Rebinding { v4: vec![], v6: vec![], asked: AtomicUsize::new(0) };
        let guard = Guard::new(dns, []);
        for spelling in spellings(address) {
            let resolved = block_on(guard.resolve(&spelling));
            if let Ok(addresses) = &resolved {
                prop_assert!(all_are_permitted(addresses, &[]), "{}", spelling);
                prop_assert_eq!(addresses.as_slice(), [IpAddr::V4(address)], "{}", spelling);
            }
            // None of them is ever a name.
            prop_assert!(!matches!(Host::parse(&spelling), Some(Host::Name(_))), "{}", spelling);
        }
        prop_assert_eq!(guard.dns().asked.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn any_text_is_a_checked_address_or_a_name_or_refused(text in "[0-9a-fxX.:\\[\\]%o。]{0,24}") {
        match Host::parse(&text) {
            // What the system would read as an address is never left to it as a name.
            Some(Host::Name(name)) => prop_assert!(name.parse::<IpAddr>().is_err()),
            Some(Host::Address(_)) | None => {}
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            prop_assert_eq!(Host::parse(&text), Some(Host::Address(address)));
        }
    }

    #[test]
    fn each_answer_is_checked_and_asked_for_once(
        v4 in prop::collection::vec(prop::collection::vec(v4(), 0..4), 1..4),
        v6 in prop::collection::vec(prop::collection::vec(v6(), 0..4), 1..4),
        allow_private: bool,
    ) {
        let allowed: Vec<IpNet> = match allow_private {
            true => vec![IpNet::V4("10.0.0.0/8".parse().unwrap_or_default())],
            false => vec![],
        };
        let guard = Guard::new(Rebinding { v4, v6, asked: AtomicUsize::new(0) }, allowed.clone());
        for _ in 0..3 {
            let before = guard.dns().asked.load(Ordering::Relaxed);
            match block_on(guard.resolve("rebinding.example")) {
                Ok(addresses) => {
                    prop_assert!(!addresses.is_empty());
                    prop_assert!(all_are_permitted(&addresses, &allowed));
                }
                Err(NotReachable::Refused { address, .. }) => {
                    prop_assert!(!all_are_permitted(&[address], &allowed));
                }
                Err(other) => prop_assert!(matches!(other, NotReachable::NoAddress(_))),
            }
            let asked = guard.dns().asked.load(Ordering::Relaxed) - before;
            prop_assert_eq!(asked, 2, "A and AAAA");
        }
    }
}

#[tokio::test]
async fn an_alias_to_an_address_inside_is_refused() {
    let mut zone = Zone::new();
    zone.cname("feed.example", "inside.example")
        .a("inside.example", Ipv4Addr::LOCALHOST)
        .aaaa("inside.example", Ipv6Addr::LOCALHOST)
        .cname("mixed.example", "both.example")
        .a("both.example", Ipv4Addr::LOCALHOST)
        .a("both.example", Ipv4Addr::new(20, 0, 0, 1));
    let server = DnsServer::start(zone);
    let settings = ResolverSettings {
        servers: vec![NameServer(server.address())],
        ..ResolverSettings::default()
    };
    let resolver = Resolver::new(&settings).unwrap_or_else(|error| panic!("{error}"));
    let guard = Guard::new(resolver, []);
    for host in ["feed.example", "localhost", "a.localhost", "LOCALHOST."] {
        let refused = guard.resolve(host).await;
        let is_refused = matches!(
            refused,
            Err(NotReachable::Refused {
                what: "loopback",
                ..
            })
        );
        let is_unknown = matches!(refused, Err(NotReachable::NoAddress(_)));
        assert!(
            is_refused || (is_unknown && host == "a.localhost"),
            "{host}: {refused:?}"
        );
    }
    let mixed = guard.resolve("mixed.example").await;
    assert_eq!(mixed, Ok(vec![IpAddr::from([20, 0, 0, 1])]));
}
