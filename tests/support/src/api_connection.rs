//! Connection to the relay's API that carries one request after another.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use crate::{ApiAnswer, PATIENCE};

/// A connection that is kept open between requests.
#[derive(Debug)]
pub struct ApiConnection {
    input: BufReader<TcpStream>,
    output: TcpStream,
    token: String,
}

impl ApiConnection {
    /// Connects; every request presents this token.
    ///
    /// # Errors
    /// Nobody listens.
    pub fn open(address: SocketAddr, token: &str) -> io::Result<Self> {
        let output = TcpStream::connect(address)?;
        output.set_nodelay(true)?;
        output.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            input: BufReader::new(output.try_clone()?),
            output,
            token: token.to_owned(),
        })
    }

    /// Posts a body to a path below `/api/v1`, with these further header fields, each with CRLF at its
    /// end.
    ///
    /// # Errors
    /// The connection ends before the answer is whole: the relay may have executed the request, or not.
    pub fn post(&mut self, path: &str, fields: &str, body: &[u8]) -> io::Result<ApiAnswer> {
        let (token, length) = (&self.token, body.len());
        let mut request = format!(
            "POST /api/v1{path} HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer {token}\r\n\
             Content-Length: {length}\r\n{fields}\r\n"
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.output.write_all(&request)?;
        self.answer()
    }

    fn answer(&mut self) -> io::Result<ApiAnswer> {
        let malformed = |line: &str| io::Error::new(io::ErrorKind::InvalidData, line.to_owned());
        let first = self.line()?;
        let status = first.split(' ').nth(1).and_then(|of| of.parse().ok());
        let status = status.ok_or_else(|| malformed(&first))?;
        let mut fields = BTreeMap::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(": ").ok_or_else(|| malformed(&line))?;
            fields.insert(name.to_lowercase(), value.to_owned());
        }
        let length = fields.get("content-length").map_or("0", String::as_str);
        let length = length.parse().map_err(|_| malformed(length))?;
        let mut body = vec![0; length];
        self.input.read_exact(&mut body)?;
        let text = String::from_utf8_lossy(&body).into_owned();
        Ok(ApiAnswer {
            status,
            fields,
            body: serde_json::from_str(&text).unwrap_or_default(),
            text,
        })
    }

    /// Reads a line without its end.
    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.input.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        line.truncate(line.trim_end().len());
        Ok(line)
    }
}
