//! Support for the tests of delivery: a scripted next hop, and a relay.

mod next_hop;
mod notice;
mod relay;

use std::time::Duration;

pub use next_hop::{Act, Certificate, Moment, NextHopServer, Offer, say};
pub use notice::Notice;
pub use relay::{ObserverCall, Relay, new_message, route_all_to, start_error};

/// Longer than anything in a test takes: reaching it is a failure, not a wait.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Makes a plain message with that subject.
pub fn message(subject: &str) -> Vec<u8> {
    format!(
        "From: <alice@a.example>\r\nTo: <bob@b.example>\r\nSubject: {subject}\r\n\
         Message-ID: <{subject}@a.example>\r\n\r\nHello.\r\n.\r\n..two dots\r\nBye.\r\n"
    )
    .into_bytes()
}
