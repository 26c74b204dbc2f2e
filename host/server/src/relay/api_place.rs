//! Place at which applications reach the API: an address, or a socket in the file system.

use std::fmt;
use std::fs::{self, Permissions};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::PathBuf;

use gatepost_config::Config;
use gatepost_http_server::HttpSocket;
use gatepost_intake::listener;
use tokio::net::UnixListener;

/// Mode of a socket: its owner and its group may connect.
const MODE: u32 = 0o660;

/// Place of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ApiPlace {
    /// Address.
    Address(SocketAddr),
    /// Socket in the file system.
    File(PathBuf),
}

impl ApiPlace {
    /// Returns the place that the configuration names.
    pub(super) fn of(config: &Config) -> Option<Self> {
        let api = config.api.as_ref()?;
        let address = api.listen.map(Self::Address);
        address.or_else(|| api.socket.clone().map(Self::File))
    }

    /// Binds it. A socket that an earlier relay left is replaced.
    ///
    /// # Errors
    /// The address is taken or not this machine's, or something else than a socket is in the way.
    pub(super) fn bind(&self) -> io::Result<HttpSocket> {
        match self {
            Self::Address(address) => listener::bind(*address).map(HttpSocket::Tcp),
            Self::File(path) => {
                self.tidy();
                let socket = UnixListener::bind(path)?;
                fs::set_permissions(path, Permissions::from_mode(MODE))?;
                Ok(HttpSocket::Unix(socket))
            }
        }
    }

    /// Removes the socket from the file system.
    pub(super) fn tidy(&self) {
        if let Self::File(path) = self
            && fs::symlink_metadata(path).is_ok_and(|of| of.file_type().is_socket())
        {
            // What stays in the way is reported when it is bound.
            let _ = fs::remove_file(path);
        }
    }
}

impl fmt::Display for ApiPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::File(path) => path.display().fmt(f),
        }
    }
}
