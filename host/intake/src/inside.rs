//! Mail that this relay hands to itself: a message of one account to an address that another account
//! receives at.
//!
//! It goes through the whole intake of the first inbound listener, so that the receiving account's
//! policies judge it and its tags are set, but over a stream in memory: nobody's network is between.
//! Its session has no client, and says so.

use std::sync::Arc;

use bytes::BytesMut;
use gatepost_model::Flow;
use gatepost_smtp::server::{Secured, Session};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

use crate::active_config::{ConfigHandle, ListenerKey, SharedConfig};
use crate::listener::Service;
use crate::pipeline::TransactionDriver;
use crate::session::{Disconnect, Link, drive};

/// Octets that may be on their way in the stream, in either direction.
const IN_FLIGHT: usize = 64 << 10;

/// Opens a session of this relay with itself. Returns the client's end of the stream; `None` if no
/// listener takes mail from outside.
pub fn open(active: &Arc<SharedConfig>) -> Option<DuplexStream> {
    let config = active.load();
    let mut listeners = config.config.listeners.iter();
    let (listener, service) = listeners.find_map(|listener| {
        let key = ListenerKey::of(listener);
        let service = config.services.get(&key)?;
        (service.pipeline.flow == Flow::Inbound).then(|| (key, Arc::clone(service)))
    })?;
    let (client, server) = tokio::io::duplex(IN_FLIGHT);
    let active = Arc::clone(active);
    tokio::spawn(serve(server, service, ConfigHandle { active, listener }));
    Some(client)
}

/// Serves the session to its end.
async fn serve(stream: DuplexStream, service: Arc<Service>, config_handle: ConfigHandle) {
    // Nothing is more private than memory, so a listener that demands TLS has it.
    let tls = Secured {
        by: "in memory".to_owned(),
        binding: None,
    };
    let session = Session::new(Arc::clone(&service.settings), Some(tls));
    let driver = TransactionDriver::inside(Arc::clone(&service.pipeline), config_handle);
    let link = InMemory {
        stream,
        input: BytesMut::new(),
    };
    drive(session, driver, link).await;
}

/// Server's end of the stream.
struct InMemory {
    stream: DuplexStream,
    input: BytesMut,
}

impl Link for InMemory {
    async fn read(&mut self, session: &mut Session) -> Result<(), Disconnect> {
        match self.stream.read_buf(&mut self.input).await? {
            0 => Err(Disconnect::Gone),
            _ => {
                session.feed(&self.input.split());
                Ok(())
            }
        }
    }

    async fn send(&mut self, replies: &[u8], _: &Session) -> Result<(), Disconnect> {
        Ok(self.stream.write_all(replies).await?)
    }

    /// Fails: it is never offered, since the session has TLS.
    async fn start_tls(&mut self, _: &mut Session) -> Result<(), Disconnect> {
        Err(Disconnect::Gone)
    }

    async fn close(&mut self) {}
}
