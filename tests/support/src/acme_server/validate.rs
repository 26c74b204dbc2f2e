//! Looks at names: whether they lead to the holder of an account.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use sha2::{Digest as _, Sha256};

use super::der;
use crate::PATIENCE;
use crate::client::trusting;

/// Identifier of the extension acmeIdentifier (RFC 8737 section 6.1).
const ACME_IDENTIFIER: [u64; 9] = [1, 3, 6, 1, 5, 5, 7, 1, 31];

/// Looks for the file of a token over HTTP (RFC 8555 section 8.3).
pub(super) fn by_http(
    address: SocketAddr,
    name: &str,
    token: &str,
    authorization: &str,
) -> Result<(), String> {
    let mut stream = connected(address)?;
    let path = format!("/.well-known/acme-challenge/{token}");
    let asked = write!(stream, "GET {path} HTTP/1.1\r\nHost: {name}\r\n\r\n");
    asked.map_err(|error| error.to_string())?;
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer);
    read.map_err(|error| error.to_string())?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    match head.starts_with("HTTP/1.1 200 ") && body == authorization {
        true => Ok(()),
        false => Err(format!("the file is not the right one: {head}")),
    }
}

/// Looks at the certificate of a handshake (RFC 8737 section 3).
pub(super) fn by_handshake(
    address: SocketAddr,
    name: &str,
    authorization: &str,
) -> Result<(), String> {
    let said = |error: &dyn ToString| error.to_string();
    let mut config = ClientConfig::clone(&trusting());
    config.alpn_protocols = vec![b"acme-tls/1".to_vec()];
    let server = ServerName::try_from(name.to_owned()).map_err(|error| said(&error))?;
    let connection = ClientConnection::new(Arc::new(config), server);
    let connection = connection.map_err(|error| said(&error))?;
    let mut stream = StreamOwned::new(connection, connected(address)?);
    while stream.conn.is_handshaking() {
        let stepped = stream.conn.complete_io(&mut stream.sock);
        stepped.map_err(|error| said(&error))?;
    }
    if stream.conn.alpn_protocol() != Some(&b"acme-tls/1"[..]) {
        return Err("the protocol acme-tls/1 was not chosen".to_owned());
    }
    let shown = stream.conn.peer_certificates().unwrap_or_default();
    let [shown] = shown else {
        return Err(format!("{} certificates were shown", shown.len()));
    };
    let extensions = der::extensions_of(shown).map_err(|error| said(&error))?;
    let names = der::names(&extensions);
    if names != [name] {
        return Err(format!("its names are {names:?}"));
    }
    let identifier = extensions.iter().find(|of| of.id == ACME_IDENTIFIER);
    // An octet string of 32 octets.
    let digest = [&[4, 32][..], Sha256::digest(authorization).as_slice()].concat();
    if !identifier.is_some_and(|of| of.is_critical && of.value == digest) {
        return Err("the extension acmeIdentifier is not right".to_owned());
    }
    // Nothing follows the handshake.
    let mut rest = Vec::new();
    let closed = stream.read_to_end(&mut rest);
    match closed.is_ok() && rest.is_empty() {
        true => Ok(()),
        false => Err(format!("the connection was not closed: {closed:?}")),
    }
}

fn connected(address: SocketAddr) -> Result<TcpStream, String> {
    let connected = TcpStream::connect(address).and_then(|stream| {
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(stream)
    });
    connected.map_err(|error| error.to_string())
}
