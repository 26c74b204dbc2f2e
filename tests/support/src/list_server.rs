//! An HTTPS server of one text, such as a published list.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use parking_lot::Mutex;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::Certificate;

/// Answer of the server.
#[derive(Debug, Clone)]
pub enum Published {
    /// 200 with this text, or 304 to a client that has this version.
    Text {
        /// Text.
        text: String,
        /// Entity tag.
        etag: Option<String>,
    },
    /// 200 with this text, of a type (Content-Type).
    Typed {
        /// Text.
        text: String,
        /// Type, such as `text/plain`.
        content_type: String,
    },
    /// 302 to this location; the list is at `/moved`.
    Elsewhere(String),
    /// Another status, such as `500 Internal Server Error`.
    Status(String),
}

#[derive(Debug)]
struct Shared {
    published: Published,
    /// Status of each answer.
    answered: Vec<String>,
    /// Host and path of each request.
    asked: Vec<String>,
}

/// The server, on a port of its own; stops with the process.
#[derive(Debug)]
pub struct ListServer {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

impl ListServer {
    /// Starts one with this certificate.
    pub fn start(certificate: &Certificate) -> Self {
        let tls = Arc::new(certificate.server_tls());
        let listener =
            TcpListener::bind("127.0.0.1:0").unwrap_or_else(|error| panic!("no port: {error}"));
        let address = listener.local_addr();
        let address = address.unwrap_or_else(|error| panic!("no address: {error}"));
        let shared = Arc::new(Mutex::new(Shared {
            published: Published::Status("404 Not Found".to_owned()),
            answered: Vec::new(),
            asked: Vec::new(),
        }));
        let served = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that does not trust it breaks off.
                let _ = answer(stream, &tls, &served);
            }
        });
        Self { address, shared }
    }

    /// Changes the answer.
    pub fn publish(&self, published: Published) {
        self.shared.lock().published = published;
    }

    /// Changes the answer to 200 with a text.
    pub fn publish_text(&self, text: &str, etag: Option<&str>) {
        self.publish(Published::Text {
            text: text.to_owned(),
            etag: etag.map(str::to_owned),
        });
    }

    /// Returns the URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.address.port())
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Returns the field Host and the path of each request so far, oldest first.
    pub fn asked(&self) -> Vec<String> {
        self.shared.lock().asked.clone()
    }

    /// Returns the status of each answer so far, oldest first.
    pub fn answered(&self) -> Vec<String> {
        self.shared.lock().answered.clone()
    }
}

fn answer(stream: TcpStream, tls: &Arc<ServerConfig>, shared: &Mutex<Shared>) -> Option<()> {
    stream.set_read_timeout(Some(crate::PATIENCE)).ok()?;
    let connection = ServerConnection::new(Arc::clone(tls)).ok()?;
    let mut reader = BufReader::new(StreamOwned::new(connection, stream));
    let (mut path, mut host, mut version) = (String::new(), String::new(), None);
    loop {
        let mut line = String::new();
        reader
            .read_line(&mut line)
            .ok()
            .filter(|count| *count > 0)?;
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(": ") {
            if name.eq_ignore_ascii_case("if-none-match") {
                version = Some(value.to_owned());
            } else if name.eq_ignore_ascii_case("host") {
                value.clone_into(&mut host);
            }
        } else if path.is_empty() {
            path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        }
    }
    let mut shared = shared.lock();
    let (status, fields, body) = match shared.published.clone() {
        Published::Text { etag, .. } if etag.is_some() && etag == version => {
            ("304 Not Modified".to_owned(), String::new(), String::new())
        }
        Published::Text { text, etag } => {
            let etag = etag.map(|etag| format!("ETag: {etag}\r\n"));
            ("200 OK".to_owned(), etag.unwrap_or_default(), text)
        }
        Published::Typed { text, content_type } => {
            let field = format!("Content-Type: {content_type}\r\n");
            ("200 OK".to_owned(), field, text)
        }
        Published::Elsewhere(_) if path == "/moved" => (
            "200 OK".to_owned(),
            String::new(),
            "moved@other.example\n".to_owned(),
        ),
        Published::Elsewhere(to) => (
            "302 Found".to_owned(),
            format!("Location: {to}\r\n"),
            String::new(),
        ),
        Published::Status(status) => (status, String::new(), String::new()),
    };
    shared.answered.push(status.clone());
    shared.asked.push(format!("{host}{path}"));
    drop(shared);
    let length = body.len();
    let stream = reader.get_mut();
    write!(
        stream,
        "HTTP/1.1 {status}\r\n{fields}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .ok()?;
    stream.conn.send_close_notify();
    stream.flush().ok()
}
