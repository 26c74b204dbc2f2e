//! A name server on loopback, over UDP and TCP, that answers from a [`Zone`] and records its
//! questions.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use hickory_proto::op::{Message, MessageType, ResponseCode};
use hickory_proto::rr::rdata::{CNAME, SOA};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use parking_lot::{Mutex, MutexGuard};

use crate::zone::{Answer, Fault, Zone, decoded, encoded};

/// A running name server. It stops when dropped.
#[derive(Debug)]
pub struct DnsServer {
    shared: Arc<Shared>,
    address: SocketAddr,
    threads: Vec<JoinHandle<()>>,
}

/// A recorded question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Name in lower case, without its final dot.
    pub name: String,
    /// Type of the record.
    pub kind: RecordType,
    /// True over TCP.
    pub tcp: bool,
}

#[derive(Debug, Default)]
struct Shared {
    zone: Mutex<Zone>,
    asked: Mutex<Vec<Question>>,
    ended: AtomicBool,
}

impl DnsServer {
    /// Starts a server of this zone on a free port of 127.0.0.1, which answers when this returns.
    pub fn start(zone: Zone) -> Self {
        Self::on(zone, sockets())
    }

    /// Starts a server at this address, for programs that cannot be given a port: a resolver's
    /// configuration (resolv.conf(5)) has addresses only.
    ///
    /// # Errors
    /// It cannot listen there.
    pub fn at(zone: Zone, address: SocketAddr) -> io::Result<Self> {
        Ok(Self::on(
            zone,
            (UdpSocket::bind(address)?, TcpListener::bind(address)?),
        ))
    }

    fn on(zone: Zone, (udp, tcp): (UdpSocket, TcpListener)) -> Self {
        let address = udp.local_addr().unwrap_or_else(|e| panic!("no port: {e}"));
        let shared = Arc::new(Shared {
            zone: Mutex::new(zone),
            ..Shared::default()
        });
        let threads = vec![
            thread::spawn({
                let shared = Arc::clone(&shared);
                move || over_udp(&shared, &udp)
            }),
            thread::spawn({
                let shared = Arc::clone(&shared);
                move || over_tcp(&shared, &tcp)
            }),
        ];
        Self {
            shared,
            address,
            threads,
        }
    }

    /// Returns the address at which it listens, by UDP and by TCP.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the zone, to be read or changed while it runs.
    pub fn zone(&self) -> MutexGuard<'_, Zone> {
        self.shared.zone.lock()
    }

    /// Returns all questions so far, in order.
    pub fn asked(&self) -> Vec<Question> {
        self.shared.asked.lock().clone()
    }

    /// Returns how often this question was asked.
    pub fn asked_for(&self, name: &str, kind: RecordType) -> usize {
        let asked = self.shared.asked.lock();
        let same = |question: &&Question| {
            question.kind == kind && question.name.eq_ignore_ascii_case(name)
        };
        asked.iter().filter(same).count()
    }
}

impl Drop for DnsServer {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        // Wakes both threads, so that they see the end.
        if let Ok(socket) = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)) {
            let _ = socket.send_to(&[], self.address);
        }
        let _ = TcpStream::connect(self.address);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn is_over(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// Returns the reply to a query, of at most so many bytes; `None` where it stays silent.
    fn reply(&self, query: &[u8], tcp: bool) -> Option<Vec<u8>> {
        let query = Message::from_vec(query).ok()?;
        let question = query.queries.first()?;
        let (name, kind) = (decoded(question.name()), question.query_type());
        self.asked.lock().push(Question {
            name: name.clone(),
            kind,
            tcp,
        });

        let mut reply = Message::new(
            query.metadata.id,
            MessageType::Response,
            query.metadata.op_code,
        );
        reply.metadata.recursion_desired = query.metadata.recursion_desired;
        reply.metadata.recursion_available = true;
        reply.add_query(question.clone());
        let zone = self.zone.lock();
        let (answer, ttl) = (zone.look_up(&name, kind), zone.ttl());
        drop(zone);
        match answer {
            Answer::Records(chain, records) => {
                let mut owner = question.name().clone();
                for (_, target) in chain {
                    let target = encoded(&target);
                    let alias = RData::CNAME(CNAME(target.clone()));
                    reply.add_answer(Record::from_rdata(owner, ttl, alias));
                    owner = target;
                }
                for record in records {
                    reply.add_answer(Record::from_rdata(owner.clone(), ttl, record));
                }
            }
            Answer::NoData => {
                reply.add_authority(authority(ttl));
            }
            Answer::NoName => {
                reply.metadata.response_code = ResponseCode::NXDomain;
                reply.add_authority(authority(ttl));
            }
            Answer::Fault(Fault::ServFail) => reply.metadata.response_code = ResponseCode::ServFail,
            Answer::Fault(Fault::Silence) => return None,
            Answer::Fault(Fault::Garbage) => return Some(b"\x00garbage".to_vec()),
        }
        let octets = reply.to_vec().ok()?;
        if tcp || octets.len() <= usize::from(query.max_payload()) {
            return Some(octets);
        }
        reply.truncate().to_vec().ok()
    }
}

/// Returns the record with the time for which a negative answer may be cached (RFC 2308).
fn authority(ttl: u32) -> Record {
    let soa = SOA::new(Name::root(), Name::root(), 1, 1, 1, 1, ttl);
    Record::from_rdata(Name::root(), ttl, RData::SOA(soa))
}

fn over_udp(shared: &Shared, socket: &UdpSocket) {
    let mut query = [0; 4096];
    while let Ok((length, client)) = socket.recv_from(&mut query) {
        if shared.is_over() {
            return;
        }
        if let Some(reply) = shared.reply(&query[..length], false) {
            let _ = socket.send_to(&reply, client);
        }
    }
}

fn over_tcp(shared: &Arc<Shared>, listener: &TcpListener) {
    for stream in listener.incoming() {
        if shared.is_over() {
            return;
        }
        let shared = Arc::clone(shared);
        if let Ok(stream) = stream {
            // The thread ends with the connection, or with the process.
            thread::spawn(move || converse(&shared, stream));
        }
    }
}

fn converse(shared: &Shared, mut stream: TcpStream) -> io::Result<()> {
    loop {
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut query)?;
        if let Some(reply) = shared.reply(&query, true) {
            let length = u16::try_from(reply.len()).map_err(io::Error::other)?;
            stream.write_all(&[&length.to_be_bytes(), reply.as_slice()].concat())?;
        }
    }
}

/// Returns sockets at the same free port by UDP and by TCP.
fn sockets() -> (UdpSocket, TcpListener) {
    let pair = || -> io::Result<(UdpSocket, TcpListener)> {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let tcp = TcpListener::bind(udp.local_addr()?)?;
        Ok((udp, tcp))
    };
    crate::wait::until(
        || "no port is free by UDP and by TCP".to_owned(),
        || pair().ok(),
    )
}
