//! PROXY protocol, version 2: the header by which a load balancer names the client before the first
//! byte of SMTP (haproxy.org, proxy-protocol.txt, section 2.2).
//!
//! Only networks that the operator named may send it; the caller checks that before it parses
//! anything.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// First octets of every version 2 header.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// Octets before the addresses: signature, version and command, family, length.
const FIXED: usize = 16;

/// Result of parsing the bytes received so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parsed {
    /// Beginning of a header. A whole one has at most 65,551 octets.
    NeedMore,
    /// A whole header.
    Header {
        /// The client's address; `None` where the balancer speaks for itself (`LOCAL`, as in its
        /// health checks) or the family is not TCP over IP: then the connection's own address
        /// counts.
        source: Option<SocketAddr>,
        /// Octets of the header; SMTP (or TLS) begins after them.
        length: usize,
    },
    /// Not a header: the connection is to be closed without a reply.
    Invalid,
}

/// Parses a header at the start of `bytes`. Type-length-value fields after the addresses are
/// skipped.
pub fn parse(bytes: &[u8]) -> Parsed {
    let signature = bytes.len().min(SIGNATURE.len());
    if bytes[..signature] != SIGNATURE[..signature] {
        return Parsed::Invalid;
    }
    let Some(fixed) = bytes.get(..FIXED) else {
        return Parsed::NeedMore;
    };
    let local = match fixed[12] {
        0x20 => true,
        0x21 => false,
        _ => return Parsed::Invalid,
    };
    let length = FIXED + usize::from(u16::from_be_bytes([fixed[14], fixed[15]]));
    let Some(addresses) = bytes.get(FIXED..length) else {
        return Parsed::NeedMore;
    };
    let source = match (local, fixed[13]) {
        (true, _) => None,
        (false, 0x11) => match address::<4>(addresses) {
            Some((ip, port)) => Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::from(ip)), port)),
            None => return Parsed::Invalid,
        },
        (false, 0x21) => match address::<16>(addresses) {
            Some((ip, port)) => Some(SocketAddr::new(IpAddr::V6(Ipv6Addr::from(ip)), port)),
            None => return Parsed::Invalid,
        },
        (false, _) => None,
    };
    Parsed::Header { source, length }
}

/// Reads source address and source port out of source, destination, source port, destination port.
fn address<const N: usize>(addresses: &[u8]) -> Option<([u8; N], u16)> {
    let ip = addresses.first_chunk::<N>()?;
    let ports = addresses.get(2 * N..2 * N + 4)?;
    Some((*ip, u16::from_be_bytes([ports[0], ports[1]])))
}
