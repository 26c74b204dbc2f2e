//! Client of the relay's API, which sends exactly what it is told.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde_json::Value;

use crate::api_description::{self, SentRequest};
use crate::client::under_tls;
use crate::{PATIENCE, Relay};

/// Answer of the API.
#[derive(Debug, Clone)]
pub struct ApiAnswer {
    /// Status.
    pub status: u16,
    /// Fields by their names in lower case.
    pub fields: BTreeMap<String, String>,
    /// Body as text.
    pub text: String,
    /// Body as JSON; null if it is none.
    pub body: Value,
}

impl ApiAnswer {
    /// Returns a text of the body, by the name of its member.
    pub fn text_of(&self, name: &str) -> String {
        let text = self.body[name].as_str();
        text.unwrap_or_else(|| panic!("no {name}: {self:?}"))
            .to_owned()
    }

    /// Returns the code of a problem.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// Asserts the status, and returns the answer.
    #[track_caller]
    pub fn with_status(self, expected: u16) -> Self {
        assert_eq!(self.status, expected, "{self:?}");
        self
    }
}

impl Relay {
    /// Issues a token by a command, with these further arguments.
    pub fn api_token(&self, scope: &str, arguments: &[&str]) -> String {
        let add = ["token", "add", "helpdesk", "--scope", scope];
        let added = self.json(&[&add[..], arguments].concat()).remove(0);
        let bearer = added["bearer"].as_str();
        bearer
            .unwrap_or_else(|| panic!("no token: {added}"))
            .to_owned()
    }

    /// Sends a request to the API at a path below `/api/v1`, with a token and a JSON body unless it
    /// is null.
    #[track_caller]
    pub fn api(&self, method: &str, path: &str, token: &str, body: &Value) -> ApiAnswer {
        let fields = format!("Authorization: Bearer {token}\r\n");
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let json = "Content-Type: application/json\r\n";
        let fields = fields + if body.is_empty() { "" } else { json };
        self.api_with(method, path, &fields, body.as_bytes())
    }

    /// Sends a request with these header fields, each with CRLF at its end.
    ///
    /// # Panics
    /// The description of the API does not have the answer.
    #[track_caller]
    pub fn api_with(&self, method: &str, path: &str, fields: &str, body: &[u8]) -> ApiAnswer {
        let connect = || {
            let stream = TcpStream::connect(self.address("api"))?;
            stream.set_read_timeout(Some(PATIENCE))?;
            io::Result::Ok(stream)
        };
        let answer = ask(connect(), method, path, fields, body);
        let asked = SentRequest { method, path, body };
        api_description::check(&asked, &answer, || {
            ask(connect(), "GET", "/openapi.json", "", b"").body
        });
        answer
    }

    /// Sends a request under TLS, whoever vouches for the certificate.
    pub fn api_under_tls(&self, method: &str, path: &str, token: &str) -> ApiAnswer {
        let stream = TcpStream::connect(self.address("api")).and_then(|stream| {
            stream.set_read_timeout(Some(PATIENCE))?;
            under_tls(stream, "localhost")
        });
        let fields = format!("Authorization: Bearer {token}\r\n");
        ask(stream, method, path, &fields, b"")
    }

    /// Sends a request over the socket of the API in the file system.
    pub fn api_at_socket(&self, socket: &Path, method: &str, path: &str, token: &str) -> ApiAnswer {
        let stream = UnixStream::connect(socket).and_then(|stream| {
            stream.set_read_timeout(Some(PATIENCE))?;
            Ok(stream)
        });
        let fields = format!("Authorization: Bearer {token}\r\n");
        ask(stream, method, path, &fields, b"")
    }
}

fn ask<S: Read + Write>(
    stream: io::Result<S>,
    method: &str,
    path: &str,
    fields: &str,
    body: &[u8],
) -> ApiAnswer {
    let asked = || {
        let mut stream = stream?;
        let length = body.len();
        write!(
            stream,
            "{method} /api/v1{path} HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\
             Content-Length: {length}\r\n{fields}\r\n"
        )?;
        // The relay may answer before it has read all, and close.
        let _ = stream.write_all(body);
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Err(_) if !answer.is_empty() => {}
            read => {
                read?;
            }
        }
        io::Result::Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    let answer = asked().unwrap_or_else(|error| panic!("{method} {path}: {error}"));
    let read = || {
        let (head, text) = answer.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let fields = lines.filter_map(|line| line.split_once(": "));
        let fields = fields.map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        Some(ApiAnswer {
            status,
            fields: fields.collect(),
            text: text.to_owned(),
            body: serde_json::from_str(text).unwrap_or_default(),
        })
    };
    read().unwrap_or_else(|| panic!("{method} {path}: {answer}"))
}
