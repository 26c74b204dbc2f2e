//! TCP ports in arguments and answers.

use std::str::FromStr;

/// TCP port of a server.
#[derive(Debug, Clone, Copy)]
pub(super) struct ServerPort(pub(super) u16);

/// Text that is no port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a port is a number from 1 to 65535, such as 587")]
pub(super) struct PortError;

impl FromStr for ServerPort {
    type Err = PortError;

    fn from_str(text: &str) -> Result<Self, PortError> {
        match text.parse() {
            Ok(0) | Err(_) => Err(PortError),
            Ok(port) => Ok(Self(port)),
        }
    }
}

/// Parses a port.
///
/// # Errors
/// It is no number from 1 to 65535.
pub(super) fn parse(text: &str) -> Result<u16, PortError> {
    text.parse().map(|ServerPort(port)| port)
}
