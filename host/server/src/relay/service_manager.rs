//! Messages to a service manager that waits for them (sd_notify(3)): that the relay is ready, and
//! that it stops.

use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Variable with the address of the service manager's socket; absent where none waits.
const ADDRESS: &str = "NOTIFY_SOCKET";

/// Tells the service manager of a state.
pub(super) fn tell(state: &str) {
    let Some(address) = std::env::var_os(ADDRESS) else {
        return;
    };
    let told = address_of(address.as_bytes()).and_then(|address| {
        let socket = UnixDatagram::unbound()?;
        // A service manager that hangs is not waited for.
        socket.set_nonblocking(true)?;
        socket.send_to_addr(state.as_bytes(), &address)
    });
    if let Err(error) = told {
        tracing::warn!(%error, state, "cannot tell the service manager");
    }
}

/// Reads an address: a path, or `@` and a name without a file.
fn address_of(address: &[u8]) -> io::Result<SocketAddr> {
    match address.strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(address)),
    }
}
