//! Waiting for changes that nothing announces.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use rand::Rng as _;

use crate::PATIENCE;

/// Polls until `look` returns a value; `what` describes it for the reader of a failure.
pub(crate) fn until<T>(what: impl Fn() -> String, look: impl Fn() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{}", what());
        // There is no system call that waits for it.
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until a server listens there.
pub(crate) fn listening(address: SocketAddr) {
    let connect = || TcpStream::connect(address).ok().map(drop);
    until(|| format!("nobody listens on {address}"), connect);
}

/// Returns a loopback port for a server that cannot take any free one by itself. It is outside the
/// range from which the system assigns ports (32768 and up by default, ip(7)), so that no other
/// program gets it by chance meanwhile.
pub fn free_port() -> SocketAddr {
    let free = || {
        let port = rand::rng().random_range(10_000..30_000);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        TcpListener::bind(address).ok().map(|_| address)
    };
    until(|| "no free port".to_owned(), free)
}
