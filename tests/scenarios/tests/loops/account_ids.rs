//! What another help desk sends is taken, and says that no machine may answer; what an agent
//! writes there goes out with a flag.

use test_support::{RelayBuilder, Sink};

use crate::{AGENT, ANN, AUTOMATIC, comes, goes, suppressed, taken};

#[test]
fn another_help_desk_is_answered_by_people_alone() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let id = taken(&comes(&relay, "X-Gatepost-From-Account-Id: beta\r\n"));
    assert_eq!(
        sink.take().header("X-Gatepost-Tags").as_deref(),
        Some("suppress-automatic")
    );
    let reasons = relay.judgements(&id)[0]["decision"]["reasons"].to_string();
    assert!(
        reasons.contains("from the help desk of ann@sender.example, account beta"),
        "{reasons}"
    );

    let id = taken(&goes(&relay, AUTOMATIC, &[ANN]));
    assert_eq!(suppressed(&relay, &id).len(), 1);
    let id = taken(&goes(&relay, AGENT, &[ANN]));
    assert_eq!(sink.take().to, [ANN]);
    let decision = &relay.judgements(&id)[0]["decision"];
    assert_eq!(decision["tags"][0], "to-help-desk", "{decision}");
    relay.leaves_nothing(sink);
}
