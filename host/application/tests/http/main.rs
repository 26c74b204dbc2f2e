//! Delivery to a real HTTP server on loopback.
#![allow(clippy::unwrap_used)]

mod answers;
mod json;
mod presets;
mod requests;
#[path = "../support/mod.rs"]
mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use gatepost_application::{HttpSettings, Outcome, Target};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use self::support::{Mail, application};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A request as the application got it.
struct Posted {
    fields: HeaderMap,
    body: Bytes,
}

impl Posted {
    fn field(&self, name: &str) -> &str {
        self.fields[name].to_str().unwrap()
    }
}

/// The application, until it is dropped.
struct Server {
    address: SocketAddr,
    posted: Receiver<Posted>,
    runtime: Runtime,
}

impl Server {
    /// Starts one whose answers come from a function, in the order of the requests.
    fn answering(answer: impl Fn(usize) -> Response + Send + Sync + 'static) -> Self {
        let runtime = Runtime::new().unwrap();
        let (send, posted) = channel();
        let state = Arc::new((send, answer, std::sync::atomic::AtomicUsize::new(0)));
        let handle = move |fields: HeaderMap, body: Bytes| {
            let state = Arc::clone(&state);
            async move {
                state.0.send(Posted { fields, body }).unwrap();
                let number = state.2.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                (state.1)(number)
            }
        };
        let limit = axum::extract::DefaultBodyLimit::disable();
        let routes = Router::new().fallback(handle).layer(limit);
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move { axum::serve(listener, routes).await });
        Self {
            address,
            posted,
            runtime,
        }
    }

    fn with_status(status: u16) -> Self {
        Self::answering(move |_| StatusCode::from_u16(status).unwrap().into_response())
    }

    fn settings(&self, keys: &str) -> HttpSettings {
        settings(self.address, keys)
    }

    /// Delivers a message here; returns the outcomes.
    fn deliver(&self, keys: &str, mail: &Mail) -> Vec<Outcome> {
        let target = Target::Http(self.settings(keys));
        let recipients = mail.recipients();
        let letter = mail.letter(&recipients);
        self.runtime
            .block_on(application().deliver(&target, &letter))
    }

    /// Returns the next request, which has come.
    fn posted(&self) -> Posted {
        self.posted.try_recv().unwrap()
    }
}

fn settings(address: SocketAddr, keys: &str) -> HttpSettings {
    let text = format!("url = 'http://{address}/inbound'\nsecrets = ['{SECRET}']\n{keys}");
    toml::from_str(&text).unwrap()
}

fn mail(to: &[&str]) -> Mail {
    Mail::new(to, Arc::new(Bytes::from_static(b"body\r\n")))
}
