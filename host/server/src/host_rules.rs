//! What holds for every message, whatever a policy says of it.

use gatepost_message::Message;
use gatepost_smtp::Reply;

/// The most Received fields that a message may come with; RFC 5321 section 6.3 asks for a limit of
/// at least 100.
pub const HOP_LIMIT: usize = 100;

/// Refuses a message that no policy may let through.
///
/// `message` is as it came: a policy that removed Received fields would hide a loop.
pub fn refusal(message: &Message) -> Option<Reply> {
    let hops = message.count("Received");
    (hops > HOP_LIMIT).then(|| {
        let text = format!("Mail loop: {hops} Received fields, at most {HOP_LIMIT} are taken");
        Reply::new(554, "5.4.6", text)
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn with_hops(hops: usize) -> Message {
        let head = "reCeived : from a by b; date\r\n".repeat(hops);
        Message::from_bytes(Bytes::from(format!("{head}Subject: s\r\n\r\nbody\r\n")))
    }

    #[test]
    fn a_hundred_hops_pass() {
        assert_eq!(refusal(&with_hops(HOP_LIMIT)), None);
    }

    #[test]
    fn one_more_is_a_loop() {
        let reply = refusal(&with_hops(HOP_LIMIT + 1)).unwrap();
        assert!(reply.to_string().starts_with("554 5.4.6 "), "{reply}");
    }
}
