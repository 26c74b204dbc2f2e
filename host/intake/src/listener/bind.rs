//! Binding of every listening socket, in one way.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

/// Length of the queue of connections that wait to be accepted; the system may lower it.
const WAITING: i32 = 1024;

/// Listens on an address.
///
/// An IPv6 address takes IPv6 connections only (`IPV6_V6ONLY`, RFC 3493 section 5.3), whatever the
/// system's default: so `0.0.0.0:25` and `[::]:25` can both listen. An IPv4 address written as an
/// IPv6 one (`[::ffff:192.0.2.1]:25`) is the IPv4 address.
///
/// # Errors
/// The address is taken, or not this machine's.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let address = SocketAddr::new(address.ip().to_canonical(), address.port());
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // A restarted relay need not wait until the old one's connections are forgotten.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(WAITING)?;
    TcpListener::from_std(socket.into())
}

/// Returns what to do about an address that cannot be listened on.
pub fn bind_advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another program listens there, maybe another relay: end it (`ss -ltnp` shows it), or \
             name another address"
        }
        io::ErrorKind::AddrNotAvailable => {
            "the address is none of this machine: `ip address` shows those that are"
        }
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 take a right: start the relay as a service, or name a port from 1024 on"
        }
        _ => "name another address",
    }
}

#[cfg(test)]
#[allow(clippy::print_stderr, reason = "a test says that it was skipped")]
mod tests {
    use gatepost_config::overlap;

    use super::*;

    /// Ports on which a pair of addresses is tried.
    const PORTS: usize = 10;

    /// For each pair of addresses on one port, [`overlap`] agrees with the system.
    #[tokio::test]
    async fn overlap_agrees_with_the_system() {
        let addresses = [
            "0.0.0.0",
            "127.0.0.1",
            "127.0.0.2",
            "[::]",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:0.0.0.0]",
        ];
        let at = |address: &str, port: u16| -> SocketAddr {
            format!("{address}:{port}").parse().unwrap()
        };
        if bind(at("[::1]", 0)).is_err() {
            eprintln!("SKIPPED: this machine has no IPv6");
            return;
        }
        for one in addresses {
            for other in addresses {
                // Another program may have the port at the other address: then another port shows it.
                let agrees = (0..PORTS).any(|_| {
                    let first = bind(at(one, 0)).unwrap();
                    let port = first.local_addr().unwrap().port();
                    overlap(at(one, port), at(other, port)) == bind(at(other, port)).is_err()
                });
                assert!(agrees, "{one} and {other} on one port");
            }
        }
    }
}
