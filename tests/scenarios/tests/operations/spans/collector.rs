//! A collector of our own: OTLP over HTTP, one request a connection.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;

use super::{Span, attributes};

/// A running collector.
pub(super) struct Collector {
    address: SocketAddr,
    requests: Receiver<Request>,
}

/// Request of the relay, as received.
pub(super) struct Request {
    /// First line and fields, in lower case.
    pub(super) head: String,
    /// Of the first resource.
    pub(super) resource: BTreeMap<String, String>,
    pub(super) spans: Vec<Span>,
}

impl Collector {
    /// One that takes everything.
    pub(super) fn start() -> Self {
        Self::answering(&[])
    }

    /// One that gives these answers to the first requests, and takes everything after them.
    pub(super) fn answering(first: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, requests) = channel();
        let first = first.to_vec();
        thread::spawn(move || {
            let mut answers = first.into_iter();
            for stream in listener.incoming() {
                serve(stream.unwrap(), answers.next().unwrap_or(200), &sender);
            }
        });
        Self { address, requests }
    }

    pub(super) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the requests that were accepted, of a relay that has ended and sends no more.
    pub(super) fn requests(&self) -> Vec<Request> {
        self.requests.try_iter().collect()
    }

    /// The spans of these requests.
    pub(super) fn spans(&self) -> Vec<Span> {
        let requests = self.requests().into_iter();
        requests.flat_map(|request| request.spans).collect()
    }
}

fn serve(stream: TcpStream, status: u16, requests: &Sender<Request>) {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(stream.read_line(&mut head).unwrap() > 0, "cut off: {head}");
    }
    head.make_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|l| l.strip_prefix("content-length: "));
    let mut body = vec![0; length.unwrap().parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    let answer = format!("HTTP/1.1 {status} -\r\nContent-Length: 0\r\n\r\n");
    if status == 200 {
        let request = ExportTraceServiceRequest::decode(&*body).unwrap();
        // Before the answer, so that all is here once the relay knows that it is.
        let _ = requests.send(read(head, request));
    }
    stream.get_mut().write_all(answer.as_bytes()).unwrap();
}

fn read(head: String, request: ExportTraceServiceRequest) -> Request {
    let mut resource = BTreeMap::new();
    let mut spans = Vec::new();
    for of_resource in request.resource_spans {
        resource = attributes(of_resource.resource.unwrap_or_default().attributes);
        let scopes = of_resource.scope_spans.into_iter();
        spans.extend(scopes.flat_map(|scope| scope.spans).map(Span::from));
    }
    Request {
        head,
        resource,
        spans,
    }
}
