//! Whoever asks for silence (NOTIFY=NEVER), or for other news, is not told of a failure.

use test_support::{RelayBuilder, Sink};

use super::submit;
use crate::MESSAGE;

#[test]
fn no_notice_is_sent_if_not_asked_for() {
    let sink = Sink::with(&["--fail-rcpt", "gone@"]);
    let relay = RelayBuilder::usual(sink.address()).start();
    for notify in [" NOTIFY=NEVER", " NOTIFY=SUCCESS,DELAY"] {
        let id = submit(&relay, "", "gone@desk.example", notify, MESSAGE);
        let attempt = relay.eventually("the attempt is on record", |relay| {
            relay.events(&id, "attempt").pop()
        });
        assert_eq!(attempt["ending"], "failed");
        assert_eq!(relay.events(&id, "bounced").len(), 0);
    }
    relay.leaves_nothing(sink);
}
