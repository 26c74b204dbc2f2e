//! Each option of a script, as a raw client meets it.
#![allow(clippy::unwrap_used)]

mod auth;
mod content;
mod extensions;
mod greylist;
mod limits;
mod lmtp;
mod pace;
mod records;
mod replies;
mod service;
mod tls;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use gatepost_sink::{MessageStore, Script, ScriptError, Sink};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;
use tempfile::TempDir;
use test_support::{Certificate, Client};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

/// A server that follows a script, until it is dropped.
struct Server {
    address: SocketAddr,
    folder: TempDir,
    _runtime: Runtime,
}

impl Server {
    fn of(script: &str) -> Self {
        Self::with(Script::parse(script).unwrap())
    }

    fn with(script: Script) -> Self {
        let runtime = Runtime::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let store = MessageStore::new(Some(folder.path().to_owned())).unwrap();
        let dialogue = Some(folder.path().join("dialogue"));
        let tls = Some(acceptor(folder.path()));
        let sink = Sink::new(script, tls, store, dialogue, Box::new(|_| Ok(()))).unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(Arc::new(sink).serve(listener));
        Self {
            address,
            folder,
            _runtime: runtime,
        }
    }

    /// Returns a client that has the greeting.
    fn client(&self) -> Client {
        Client::greeted(self.address)
    }

    /// Returns a client after EHLO.
    fn ready(&self) -> Client {
        let mut client = self.client();
        client.ehlo();
        client
    }

    /// Returns the envelope of a message; its file must be there.
    fn kept(&self, number: u64) -> Value {
        let file = self.folder.path().join(format!("{number}.json"));
        serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
    }

    /// Returns the octets of a message.
    fn octets(&self, number: u64) -> Vec<u8> {
        std::fs::read(self.folder.path().join(format!("{number}.eml"))).unwrap()
    }

    /// Returns the number of messages.
    fn count(&self) -> usize {
        let entries = std::fs::read_dir(self.folder.path()).unwrap().flatten();
        let files = entries.filter(|entry| entry.path().extension().is_some_and(|e| e == "eml"));
        files.count()
    }

    fn dialogue(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("dialogue")).unwrap()
    }
}

fn acceptor(folder: &Path) -> TlsAcceptor {
    let files = Certificate::make(folder);
    let certificate = CertificateDer::from_pem_file(files.certificate).unwrap();
    let key = PrivateKeyDer::from_pem_file(files.key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// Sends a message of one line to one recipient; returns the reply that ends it.
fn deliver(client: &mut Client) -> test_support::Reply {
    deliver_to(client, "bob@b.example")
}

fn deliver_to(client: &mut Client, to: &str) -> test_support::Reply {
    let message = b"Subject: x\r\n\r\n.dot\r\n";
    client.deliver("ann@a.example", &[to], message).unwrap()
}

#[test]
fn a_script_with_an_unknown_key_is_refused() {
    for script in [
        "hostnam = 'x'",
        "[auth]\nmechanisms = ['CRAM-MD5']",
        "[[on]]\nreply = '2'",
    ] {
        assert!(Script::parse(script).is_err(), "{script}");
    }
}

#[test]
fn a_rule_without_a_moment_or_with_an_unknown_refusal_is_refused() {
    for script in [
        "[[on]]\nreply = '450 x'",
        "[[on]]\nrefusal = 'unheard-of'",
        "[[on]]\ncommand = 'CONTENT'\nreply = '450 x'",
    ] {
        let error = Script::parse(script).unwrap_err();
        assert!(
            matches!(error, ScriptError::Rule { rule: 1, .. }),
            "{error}"
        );
    }
}

#[test]
fn a_script_does_not_show_its_secrets() {
    let users = "[auth]\nusers = [{ name = 'ann', password = 'hunter2', token = 'hunter3' }]";
    let shown = format!("{:?}", Script::parse(users).unwrap());
    assert!(
        shown.contains("ann") && !shown.contains("hunter"),
        "{shown}"
    );
}

#[test]
fn the_scripts_of_the_page_are_scripts() {
    let page = test_support::workspace().join("docs/sink.md");
    let page = std::fs::read_to_string(page).unwrap();
    let blocks: Vec<_> = page.split("```toml\n").skip(1).collect();
    assert_eq!(blocks.len(), 3);
    for block in blocks {
        let script = block.split("```").next().unwrap();
        Script::parse(script).unwrap_or_else(|error| panic!("{error}\n{script}"));
    }
}
