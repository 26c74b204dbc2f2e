//! The measured chain: three policies that ship with the relay, and a message for them.

pub mod native;
pub mod sandboxed;

use bytes::Bytes;
use gatepost_message::Message;
use serde_json::{Value, json};

/// Returns a message of 10 KiB as a mail program writes it.
pub fn message() -> Message {
    let mut text = String::from(
        "Received: from client.example by mx.sender.example; Mon, 1 Jan 2024 00:00:01 +0000\r\n\
         From: Ann <ann@sender.example>\r\n\
         To: Help <help@customer.example>\r\n\
         Date: Mon, 1 Jan 2024 00:00:00 +0000\r\n\
         Message-ID: <1@sender.example>\r\n\
         Subject: performance\r\n\
         X-Internal-Note: not for the customer\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\n",
    );
    while text.len() < 10 << 10 {
        text.push_str(&"x".repeat(78));
        text.push_str("\r\n");
    }
    Message::from_bytes(Bytes::from(text))
}

/// Returns settings with which the policy has work to do.
fn settings(policy: &str) -> Value {
    match policy {
        "loop-guard" => json!({}),
        "header-guard" => json!({ "rules": [
            { "header": "Message-ID", "action": { "require": {} }, "protect": true },
            { "header": "X-Internal-Note", "action": "strip" },
        ] }),
        "outbound-route" => json!({ "routes": [
            {
                "domain": "customer.example",
                "next-hop": { "host": "smtp.customer.example", "port": 587, "tls": "required" },
            },
        ] }),
        other => panic!("no policy {other}"),
    }
}
