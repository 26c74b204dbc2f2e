//! Mail that this relay hands to itself: a message of one account to an address that another account
//! receives at.
//!
//! It goes through the whole intake of the first inbound listener, so that the receiving account's
//! policies judge it and its tags are set, but over a stream in memory: nobody's network is between.
//! Its session has no client, and says so.

use std::sync::Arc;

use bytes::BytesMut;
use gatepost_model::Flow;
use gatepost_smtp::server::{Abort, Event, Secured, Session};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

use crate::active_config::{ConfigHandle, ListenerKey, SharedConfig};
use crate::listener::Service;
use crate::pipeline::TransactionDriver;

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
async fn serve(mut stream: DuplexStream, service: Arc<Service>, config_handle: ConfigHandle) {
    // Nothing is more private than memory, so a listener that demands TLS has it.
    let tls = Secured {
        by: "in memory".to_owned(),
        binding: None,
    };
    let mut session = Session::new(Arc::clone(&service.settings), Some(tls));
    let mut driver = TransactionDriver::inside(Arc::clone(&service.pipeline), config_handle);
    let mut input = BytesMut::new();
    let cut = loop {
        match session.next_event() {
            Event::NeedInput => match stream.read_buf(&mut input).await {
                Ok(1..) => session.feed(&input.split()),
                Ok(0) | Err(_) => break Some("it closed the stream"),
            },
            Event::Send(replies) => {
                if stream.write_all(&replies).await.is_err() {
                    break Some("it took no replies");
                }
            }
            Event::Ask(ask) => {
                let answer = Box::pin(driver.answer(ask, &session)).await;
                session.answer(answer);
                if let Some(id) = driver.in_hand() {
                    session.label(id.to_string());
                }
            }
            Event::DataStarted => driver.data_started(),
            Event::Data(octets) => driver.data(&octets).await,
            Event::Aborted(Abort::GivenUp) => driver.abort("it gave the transaction up"),
            Event::Aborted(Abort::Refused { reply, size }) => driver.refuse(reply, size),
            // It is never offered, since the session has TLS.
            Event::StartTls | Event::Close => break None,
        }
    };
    if let Some(reason) = cut {
        driver.abort(reason);
    }
    driver.end(&session, cut);
}
