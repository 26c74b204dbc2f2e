//! Support shared by the tests, the demo and the torture: the relay and its neighbours as
//! processes, an SMTP client and a name server that send exactly what they are told, policy modules
//! built on demand, fixtures, and the public suites.
//!
//! Nothing in here waits by sleeping: a process reports when it is ready, the sink reports each
//! message, and every wait has a bound ([`PATIENCE`]) after which it fails loudly.

#![forbid(unsafe_code)]

mod acme_server;
mod api_client;
mod api_connection;
mod api_description;
mod certificate;
mod client;
pub mod costly;
mod dns;
mod dovecot;
mod exim;
mod fixture;
mod fixture_relay;
mod home;
mod http_request;
mod https_front;
mod list_server;
mod mail_server;
mod modules;
mod namespace;
pub mod native;
mod opensmtpd;
mod operator;
mod packages;
pub mod page;
mod postfix;
mod postsrsd;
mod process;
mod relay;
mod scram;
mod sign;
mod sink;
mod submission;
pub mod suites;
mod token_server;
pub mod torture;
mod trace_text;
mod verifiers;
mod wait;
mod webhook_receiver;
pub mod zone;

pub use acme_server::AcmeServer;
pub use api_client::ApiAnswer;
pub use api_connection::ApiConnection;
pub use certificate::Certificate;
pub use client::{Client, Reply};
pub use costly::{Costly, costly_modules, module_that_fills_memory};
pub use dns::{DnsServer, Question};
pub use dovecot::Dovecot;
pub use exim::{Exim, EximLines};
pub use fixture::{ChainCase, chain_cases};
pub use fixture_relay::{FixtureRelay, SentCase};
pub use http_request::HttpRequest;
pub use https_front::HttpsFront;
pub use list_server::{ListServer, Published};
pub use mail_server::MailServer;
pub use modules::{another_version, hostile, hostile_file, policy, policy_file};
pub use opensmtpd::OpenSmtpd;
pub use packages::{TypeScript, debian, debian_library, is_root, python_with};
pub use postfix::Postfix;
pub use postsrsd::Postsrsd;
pub use process::{Process, binary, gatepost, run};
pub use relay::{Relay, RelayBuilder, share_compiled_policies};
pub use scram::Scram;
pub use sign::{ArcChain, Signer};
pub use sink::{Sink, Taken};
pub use submission::DovecotSubmission;
pub use token_server::{TokenRequest, TokenServer};
pub use wait::free_port;
pub use webhook_receiver::{ReceivedEvent, WebhookEvent, WebhookReceiver};
pub use zone::Zone;

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

/// Longest wait before a test gives up: far more than is ever needed, since machines that run tests
/// are slow and busy.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Returns the root of the workspace.
pub fn workspace() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Returns the folder of a public conformance suite: in `$GATEPOST_CONFORMANCE`, or in
/// `shared/conformance` beside the repository. If it is absent, reports that in one line.
pub fn conformance(suite: &str) -> Option<PathBuf> {
    let root = std::env::var_os("GATEPOST_CONFORMANCE")
        .map_or_else(|| workspace().join("../shared/conformance"), PathBuf::from);
    let folder = root.join(suite);
    if folder.is_dir() {
        return Some(folder);
    }
    say(&format!(
        "SKIPPED: the suite {suite} is not at hand (set GATEPOST_CONFORMANCE)"
    ));
    None
}

/// Prints a line that is seen even if the test succeeds: the test runner captures the output of
/// `eprintln!`.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
