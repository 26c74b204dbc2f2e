//! Requests to the tests' own HTTP servers.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;

use crate::PATIENCE;

/// A request as it came.
#[derive(Debug)]
pub struct HttpRequest {
    /// Path.
    pub path: String,
    /// Fields by their names in lower case.
    pub fields: BTreeMap<String, String>,
    /// Body; empty without a Content-Length.
    pub body: Vec<u8>,
}

impl HttpRequest {
    /// Reads a request; `None` if the client goes away before it is whole.
    pub fn read(stream: &TcpStream) -> Option<Self> {
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        Self::next(&mut BufReader::new(stream))
    }

    /// Reads the next request of a connection that carries several; `None` if there is no more that
    /// is whole.
    pub fn next(input: &mut impl BufRead) -> Option<Self> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            input.read_line(&mut line).ok().filter(|read| *read > 0)?;
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let path = lines.first()?.split(' ').nth(1)?.to_owned();
        let fields = lines.iter().filter_map(|line| line.split_once(": "));
        let fields: BTreeMap<_, _> = fields
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let length = fields
            .get("content-length")
            .map_or(Some(0), |length| length.parse().ok());
        let mut body = vec![0; length?];
        input.read_exact(&mut body).ok()?;
        Some(Self { path, fields, body })
    }
}
