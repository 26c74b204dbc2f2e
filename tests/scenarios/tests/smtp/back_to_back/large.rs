//! A message of 50 MB goes through two relays as it was sent.

use super::pair::Pair;

#[test]
fn a_message_of_fifty_megabytes_arrives_as_it_was_sent() {
    let pair = Pair::with("[limits]\nmessage-size = \"64MiB\"");
    let mut message = b"Subject: large\r\n\r\n".to_vec();
    // No two lines are the same, so that nothing can go missing or be swapped unseen; and every
    // line begins with a dot.
    for number in 0_u64.. {
        if message.len() >= 50_000_000 {
            break;
        }
        message.extend(format!(".{number:x} ").into_bytes());
        message.extend([b'=', b'.', 0xe4, b'-'].repeat(120));
        message.extend(b"\r\n");
    }
    let mut client = pair.client();
    let reply = client.deliver("ann@sender.example", &["user@desk.example"], &message);
    assert_eq!(reply.unwrap().code, 250);
    drop(client);
    pair.brings("50 MB", &message);
    pair.end();
}
