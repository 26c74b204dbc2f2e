//! A user sends in the name of their own account, or of nobody whom the relay knows, but not of
//! another account: neither in the envelope nor in From (RFC 6409 section 6.1 allows a relay to
//! hold users to that).

use test_support::{RelayBuilder, Sink};

#[test]
fn nobody_sends_in_the_name_of_another_account() {
    let sink = Sink::start();
    let other = "[[account]]\nid = \"other\"\ndomains = [\"other.example\"]";
    let relay = RelayBuilder::usual(sink.address()).with(other).start();
    let mut client = relay.client("submission").authenticated("user", "secret");
    for (sender, author, code) in [
        ("user@desk.example", "user@desk.example", 250),
        ("user@unknown.example", "user@unknown.example", 250),
        ("", "user@desk.example", 250),
        ("ceo@other.example", "user@desk.example", 550),
        ("user@desk.example", "ceo@other.example", 550),
        ("user@desk.example", "CEO <ceo@OTHER.example>", 550),
        ("", "ceo@other.example", 550),
    ] {
        let message = format!("From: {author}\r\nSubject: money\r\n\r\nPlease transfer.\r\n");
        let reply = client
            .deliver(sender, &["x@elsewhere.example"], message.as_bytes())
            .unwrap();
        assert_eq!(reply.code, code, "{sender}, {author}: {reply:?}");
        if code == 250 {
            assert_eq!(sink.take().from, sender);
        } else {
            assert_eq!(reply.enhanced(), Some("5.7.1"));
        }
    }
    drop(client);
    relay.leaves_nothing(sink);
}
