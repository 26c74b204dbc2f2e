//! What a client may say to the relay, what it hears, and what then arrives at the next hop.
//!
//! Each file shows one thing. Where a sink is the next hop, a scenario ends with
//! [`test_support::Relay::leaves_nothing`]: what has not been looked at may not have arrived either.
// In a test, an unwrap is an assertion.
#![allow(clippy::unwrap_used)]

mod basic_delivery;
mod chunking;
mod dialogues;
mod disconnect_in_data;
mod dot_stuffing;
mod dsn;
mod enhanced_codes;
mod foreign_name;
mod many_large_messages;
mod odd_bytes;
mod one_account_per_transaction;
mod open_relay;
mod pipelining;
mod received_field;
mod repaired;
mod smtputf8;
mod smuggling;
mod source_routing;
mod submitted_fields;
mod tolerated_addresses;
mod transaction_id;
mod unknown_recipient;

mod account_endpoints {
    mod customer;
    mod guarded;
    mod narrowest;
    mod own_mail;
    mod rotated_secret;
    mod waiting_mail;
}

mod application {
    mod busy;
    mod certificates;
    mod dead_endpoint;
    pub mod desk;
    mod example_of_the_page;
    mod expired_mail_is_held;
    mod fetched_by_link;
    mod forwarding_target;
    mod maildir;
    mod one_message_waits_alone;
    mod posted_with_facts;
    mod preset;
    mod raw_form;
    mod refused_message;
    mod taken_apart;
    mod wrong_secret;
}

mod back_to_back {
    mod chunks;
    mod kinds;
    mod large;
    mod limits;
    pub mod pair;
    mod refused;
    mod smtputf8;
}

mod auth {
    mod credential;
    mod failure;
    mod guesses_at_once;
    mod limited;
    mod login;
    mod offered;
    mod plain;
    mod required;
    mod scram;
    mod slowed;
}

mod limits {
    mod command_length;
    mod connections;
    mod connections_of_each_listener;
    mod connections_per_address;
    mod errors;
    mod header_size;
    mod idle;
    mod idle_commands;
    mod line_length;
    mod message_size;
    mod recipients;
    mod total_time;
}

mod next_hop {
    mod eight_bit;
    mod lmtp;
    mod lmtp_by_name;
    pub mod server;
    mod xforward;
}

mod proxied {
    mod xclient;
    mod xforward;
}

mod proxy {
    pub mod header;
    mod known_network;
    mod missing_header;
    mod other_network;
}

mod tls {
    mod by_name;
    mod implicit;
    mod injection;
    mod required;
}

/// For scenarios that are about something else than the message. It lacks nothing that the relay
/// would add to a submission.
const MESSAGE: &[u8] = b"Date: Mon, 2 Mar 2026 11:09:00 +0000\r\n\
    Message-ID: <1@sender.example>\r\n\
    From: Ann <ann@sender.example>\r\n\
    To: user@desk.example\r\n\
    Subject: hello\r\n\
    \r\n\
    Hello!\r\n";

/// Two parts of a message: the trace field that the relay has put on top, and the rest. What no
/// machine may answer has a tag above it, and what there was to say of it stands above that.
fn trace_field_and_rest(message: &[u8]) -> (String, &[u8]) {
    let (above, reasons) = first_field(message);
    let message = match above.starts_with("X-Gatepost-Reasons: ") {
        true => reasons,
        false => message,
    };
    let tag = b"X-Gatepost-Tags: suppress-automatic\r\n";
    let message = message.strip_prefix(tag).unwrap_or(message);
    let (field, rest) = first_field(message);
    assert!(field.starts_with("Received: from "), "{field}");
    (field, rest)
}

/// The first field of a message with its folds, and the rest.
fn first_field(message: &[u8]) -> (String, &[u8]) {
    let mut end = 0;
    for line in message.split_inclusive(|octet| *octet == b'\n') {
        let folded = line.starts_with(b"\t") || line.starts_with(b" ");
        if end > 0 && !folded {
            break;
        }
        end += line.len();
    }
    let (field, rest) = message.split_at(end);
    (String::from_utf8_lossy(field).into_owned(), rest)
}

/// Returns a submitted message, without the marks that header-guard has put on top of it.
fn without_marks(mut message: &[u8]) -> &[u8] {
    for mark in [
        "X-Gatepost-Email-Id: ",
        "X-Gatepost-From-Account-Id: acme\r\n",
        "X-Mailer: Gatepost Mailer\r\n",
        "X-Auto-Response-Suppress: All\r\n",
        "Auto-Submitted: auto-generated\r\n",
    ] {
        let shown = message.escape_ascii();
        assert!(message.starts_with(mark.as_bytes()), "{mark}: {shown}");
        let end = message.iter().position(|octet| *octet == b'\n').unwrap();
        message = &message[end + 1..];
    }
    message
}
