//! TCP connections, from an egress address if the connection has some.

use std::io;
use std::net::{IpAddr, SocketAddr};

use rand::seq::IndexedRandom as _;
use tokio::net::{TcpSocket, TcpStream};

/// Connects to an address, from one of these addresses of its family.
pub(super) async fn dial(address: SocketAddr, egress: &[IpAddr]) -> io::Result<TcpStream> {
    if egress.is_empty() {
        return TcpStream::connect(address).await;
    }
    let fits = |from: &&IpAddr| from.is_ipv4() == address.is_ipv4();
    let fitting: Vec<_> = egress.iter().filter(fits).collect();
    let Some(&&from) = fitting.choose(&mut rand::rng()) else {
        let family = if address.is_ipv4() { "IPv4" } else { "IPv6" };
        let why = format!("no egress address is of {family}");
        return Err(io::Error::new(io::ErrorKind::AddrNotAvailable, why));
    };
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    let bound = socket.bind(SocketAddr::new(from, 0));
    bound.map_err(|error| io::Error::new(error.kind(), format!("from {from}: {error}")))?;
    socket.connect(address).await
}
