//! A scripted SMTP and LMTP server: the next hop of demonstrations and tests.
//!
//! It follows a [`Script`]: which extensions and mechanisms it offers, how it speaks TLS, and which
//! commands it answers in another way than usual, how late, and whether it goes on after that. It
//! stores the messages that it accepts with their envelopes ([`MessageStore`]) and writes down the
//! dialogue, if asked. Where the script says nothing it is a strict server: it refuses whatever it
//! did not offer.
//!
//! 1. [`Sink::serve`] takes connections; each is a session of its own.
//! 2. A session asks the rules about each [`Moment`] before it does the usual.
//! 3. Octets go over the wire, which knows nothing of SMTP.
#![forbid(unsafe_code)]

mod auth;
mod content;
mod dialogue;
mod limits;
mod pattern;
mod reply;
mod rules;
mod script;
mod session;
mod store;
mod tls;
mod transaction;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use self::dialogue::DialogueLog;
use self::limits::Tallies;
pub use self::rules::Moment;
use self::rules::RuleCounts;
pub use self::script::{Script, ScriptError};
pub use self::store::{KeptMessage, MessageStore, PartialMessage};

/// Called with each message that was accepted, before the reply to it.
pub type OnMessage = Box<dyn Fn(&KeptMessage) -> io::Result<()> + Send + Sync>;

/// A scripted server.
pub struct Sink {
    script: Script,
    tls: Option<TlsAcceptor>,
    store: MessageStore,
    dialogue: DialogueLog,
    counts: RuleCounts,
    tallies: Tallies,
    on_message: OnMessage,
    /// Number of the last connection.
    connections: AtomicU64,
}

impl Sink {
    /// Makes a server. `tls` is its certificate; `dialogue` is the file of the dialogue, which is
    /// made anew.
    ///
    /// # Errors
    /// The script speaks TLS and there is no certificate, or the file cannot be made.
    pub fn new(
        script: Script,
        tls: Option<TlsAcceptor>,
        store: MessageStore,
        dialogue: Option<PathBuf>,
        on_message: OnMessage,
    ) -> Result<Self, ScriptError> {
        if script.tls.needs_certificate() && tls.is_none() {
            return Err(ScriptError::Certificate);
        }
        Ok(Self {
            dialogue: DialogueLog::new(dialogue.as_deref())?,
            counts: RuleCounts::new(&script.on),
            tallies: Tallies::default(),
            script,
            tls,
            store,
            on_message,
            connections: AtomicU64::new(0),
        })
    }

    /// Takes connections until the future is dropped.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, client)) => {
                    let sink = Arc::clone(&self);
                    let number = sink.connections.fetch_add(1, Ordering::Relaxed) + 1;
                    tokio::spawn(async move { sink.connection(number, stream, client).await });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot take a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    async fn connection(&self, number: u64, stream: tokio::net::TcpStream, client: SocketAddr) {
        self.dialogue
            .event(number, "connected", &client.ip().to_string());
        let ended = session::run(self, number, stream, client).await;
        self.dialogue.event(number, "closed", &ended);
    }
}
