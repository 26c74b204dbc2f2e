//! Recipients of two accounts in one message: one is told to come again (452 4.5.3), and Postfix
//! brings it in a transaction of its own.

use test_support::{Postfix, RelayBuilder, Sink};

use crate::{assert_whole, awkward};

#[test]
fn each_account_gets_the_message_once() {
    let sink = Sink::start();
    let other = "[[account]]\nid = \"other\"\ndomains = [\"other.example\"]";
    let relay = RelayBuilder::usual(sink.address()).with(other).start();
    let Some(postfix) = Postfix::start(relay.address("mx")) else {
        return;
    };
    let recipients = ["user@desk.example", "user@other.example"];
    postfix.sendmail("ann@sender.example", &recipients, &awkward());
    let first = sink.take();
    let deferred = postfix.logged("status=deferred");
    assert!(deferred.contains(" 452 4.5.3 "), "{deferred}");
    postfix.flush();
    let second = sink.take();
    let mut reached = [first.to.clone(), second.to.clone()].concat();
    reached.sort();
    assert_eq!(reached, recipients);
    for taken in [first, second] {
        assert_whole(&taken, &awkward());
    }
    postfix.drained();
    relay.leaves_nothing(sink);
}
