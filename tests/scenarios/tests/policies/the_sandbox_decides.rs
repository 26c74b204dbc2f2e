//! In the running relay only the sandbox decides: when the module's file is another, so is the
//! outcome, and nothing of what the policy does is compiled into the relay.

use test_support::{Sink, hostile};

use crate::{ATTACK, Guest, INNOCENT, send};

#[test]
fn another_module_gives_another_verdict() {
    let sink = Sink::start();
    let guest = Guest::new("version_one");
    let relay = guest.relay(&sink).start();
    assert_eq!(send(&relay, ATTACK).code, 250);
    assert_eq!(sink.take().header("X-Version").as_deref(), Some("one"));

    // One that traps: it is asked, and nobody decides in its stead.
    guest.becomes(hostile("trap"));
    relay.reload();
    let reply = send(&relay, ATTACK);
    assert_eq!((reply.code, reply.enhanced()), (451, Some("4.3.0")));
    let judgement = &relay.judgements(&reply.transaction())[0];
    assert_eq!(judgement["error"]["kind"], "trap");
    assert_eq!(send(&relay, INNOCENT).code, 250);
    assert_eq!(sink.take().header("X-Version"), None);

    // One that has it looked at by a person.
    guest.becomes(hostile("quarantines"));
    relay.reload();
    assert_eq!(send(&relay, ATTACK).code, 250);
    assert_eq!(relay.json(&["quarantine", "list"]).len(), 1);

    // And another that lets it pass.
    guest.becomes(hostile("version_two"));
    relay.reload();
    assert_eq!(send(&relay, ATTACK).code, 250);
    assert_eq!(sink.take().header("X-Version").as_deref(), Some("two"));
    relay.leaves_nothing(sink);
}
