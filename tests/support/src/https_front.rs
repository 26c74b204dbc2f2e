//! An HTTPS server in front of an HTTP server: it ends TLS, and passes requests on.

use std::io::{self, Read, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::{Certificate, PATIENCE};

/// The server, on a port of its own; stops with the process. Each connection carries one request,
/// whose length the client says.
#[derive(Debug)]
pub struct HttpsFront(SocketAddr);

impl HttpsFront {
    /// Starts one with this certificate in front of that server, which closes after its answer.
    pub fn start(certificate: &Certificate, server: SocketAddr) -> Self {
        let tls = Arc::new(certificate.server_tls());
        let listener =
            TcpListener::bind("127.0.0.1:0").unwrap_or_else(|error| panic!("no port: {error}"));
        let address = listener.local_addr();
        let address = address.unwrap_or_else(|error| panic!("no address: {error}"));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let tls = Arc::clone(&tls);
                // A client that does not trust it breaks off.
                thread::spawn(move || drop(pass_on(stream, tls, server)));
            }
        });
        Self(address)
    }

    /// Returns the URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.0.port())
    }
}

fn pass_on(client: TcpStream, tls: Arc<ServerConfig>, server: SocketAddr) -> io::Result<()> {
    client.set_read_timeout(Some(PATIENCE))?;
    let connection = ServerConnection::new(tls).map_err(io::Error::other)?;
    let mut client = StreamOwned::new(connection, client);
    let request = request(&mut client)?;
    let mut server = TcpStream::connect(server)?;
    server.set_read_timeout(Some(PATIENCE))?;
    server.write_all(&request)?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    client.write_all(&answer)?;
    client.conn.send_close_notify();
    client.flush()
}

/// Reads a whole request.
fn request(client: &mut impl Read) -> io::Result<Vec<u8>> {
    let (mut request, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        if let Some(length) = length(&request)
            && request.len() >= length
        {
            return Ok(request);
        }
        match client.read(&mut chunk)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => request.extend_from_slice(&chunk[..count]),
        }
    }
}

/// Returns the length of a request, once its header is there.
fn length(request: &[u8]) -> Option<usize> {
    let end = request.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let header = String::from_utf8_lossy(&request[..end]).to_lowercase();
    let fields = header.lines();
    let mut lengths = fields.filter_map(|line| line.strip_prefix("content-length: "));
    let body: usize = lengths.next().unwrap_or("0").trim().parse().ok()?;
    Some(end + body)
}
