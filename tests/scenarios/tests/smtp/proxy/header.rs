//! PROXY protocol, version 2, as a load balancer writes it (haproxy.org, proxy-protocol.txt,
//! section 2.2).

use std::io::Write as _;
use std::net::{IpAddr, SocketAddr, TcpStream};

use test_support::Client;

/// The header for a connection from `client` to `relay`.
pub fn header(client: SocketAddr, relay: SocketAddr) -> Vec<u8> {
    let (family, mut addresses) = match (client.ip(), relay.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => (0x11, [from.octets(), to.octets()].concat()),
        (IpAddr::V6(from), to) => {
            let to = match to {
                IpAddr::V4(to) => to.to_ipv6_mapped(),
                IpAddr::V6(to) => to,
            };
            (0x21, [from.octets(), to.octets()].concat())
        }
        (from, to) => panic!("{from} cannot connect to {to}"),
    };
    addresses.extend(client.port().to_be_bytes());
    addresses.extend(relay.port().to_be_bytes());
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21".to_vec();
    header.push(family);
    header.extend(u16::try_from(addresses.len()).unwrap().to_be_bytes());
    header.extend(addresses);
    header
}

/// Returns the header that a balancer sends for itself, to see whether the relay is there.
pub fn local() -> Vec<u8> {
    b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00".to_vec()
}

/// Connects as a balancer does for a client. The greeting is still to be read.
pub fn connect_as(client: &str, relay: SocketAddr) -> Client {
    connect_with(&header(client.parse().unwrap(), relay), relay)
}

/// Connects and sends these octets first.
pub fn connect_with(octets: &[u8], relay: SocketAddr) -> Client {
    let mut stream = TcpStream::connect(relay).unwrap();
    stream.write_all(octets).unwrap();
    Client::from_stream(stream).unwrap()
}
