//! Where the servers of a scenario stand: each has a loopback address of its own, and all that take
//! mail for a domain stand at one port, which takes the place of 25. No domain ends in `.test`: the
//! resolver of opendkim answers for such names itself (RFC 6761 section 6.2).

use std::net::{Ipv4Addr, SocketAddr};

use test_support::Zone;

/// The relay.
pub const RELAY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// The customer's server.
pub const CUSTOMER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

/// The relay of another help desk.
pub const OTHER_DESK: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 4);

/// The server of everybody else.
pub const WORLD: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);

/// Name of the relay.
pub const RELAY_NAME: &str = "mx.desk.example";

/// Native domain of the account.
pub const NATIVE: &str = "acme.desk.example";

/// Default address of the account.
pub const DEFAULT: &str = "help@acme.desk.example";

/// Domain of the customer, with two support addresses.
pub const DOMAIN: &str = "customer.example";
pub const SUPPORT: &str = "help@customer.example";
pub const SALES: &str = "sales@customer.example";

/// Name under which the relay knows the customer's server.
pub const SMART_HOST: &str = "smtp.customer.example";

/// Somebody who writes to the customer.
pub const ANN: &str = "ann@author.example";

/// Native domain, and an address, at the other help desk.
pub const OTHER_NATIVE: &str = "shop.other-desk.example";
pub const OTHER_SUPPORT: &str = "orders@shop.other-desk.example";

/// Address of a partner of the account.
pub const PARTNER: &str = "robot@partner.example";

/// Domain to which the customer's server sends later.
pub const LATER: &str = "later.example";

/// Domain to which the customer's server never sends.
pub const NEVER: &str = "never.example";

/// The name server's view of all of them. The server of `author.example` and of the partner has this
/// address.
pub fn zone(world: Ipv4Addr) -> Zone {
    let mut zone = Zone::new();
    zone.set_ttl(0);
    let mut domain = |name: &str, address: Ipv4Addr, spf: &str| {
        let host = format!("mx.{name}");
        zone.mx(name, 10, &host);
        zone.a(&host, address);
        zone.txt(name, format!("v=spf1 ip4:{address} {spf}-all"));
        zone.txt(&format!("_dmarc.{name}"), "v=DMARC1; p=reject");
    };
    let included = format!("include:_spf.{RELAY_NAME} ");
    domain(DOMAIN, CUSTOMER, &included);
    domain("second.example", CUSTOMER, &included);
    domain(NATIVE, RELAY, &included);
    domain(OTHER_NATIVE, OTHER_DESK, "");
    domain("author.example", world, "");
    domain("partner.example", world, "");
    domain(LATER, world, "");
    domain(NEVER, world, "");
    zone.a(RELAY_NAME, RELAY);
    zone.a(SMART_HOST, CUSTOMER);
    zone.txt(
        &format!("_spf.{RELAY_NAME}"),
        format!("v=spf1 ip4:{RELAY} -all"),
    );
    zone
}

/// Returns the place of a server that takes mail for a domain.
pub fn at(address: Ipv4Addr, port: u16) -> SocketAddr {
    SocketAddr::from((address, port))
}
