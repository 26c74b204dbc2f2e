//! Of several recipients one is refused: Postfix hands over the others, and tells the sender in
//! the relay's words.

use test_support::{Postfix, RelayBuilder, Sink};

use crate::{GOOD_AND_BAD, awkward, good_ones_arrive};

#[test]
fn the_good_ones_get_it_and_the_sender_hears_of_the_bad_one() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let bounces = format!(
        "transport_maps = inline:{{ sender.example=smtp:[127.0.0.1]:{} }}",
        sink.address().port()
    );
    let Some(postfix) = Postfix::with(relay.address("mx"), &bounces) else {
        return;
    };
    postfix.sendmail("ann@sender.example", &GOOD_AND_BAD, &awkward());
    let report = good_ones_arrive(&sink);
    for field in [
        "Final-Recipient: rfc822; x@elsewhere.example\r\n",
        "Diagnostic-Code: smtp; 550 5.7.1 ",
    ] {
        assert!(report.contains(field), "{report}");
    }
    assert_eq!(report.matches("Final-Recipient:").count(), 1, "{report}");
    postfix.drained();
    relay.leaves_nothing(sink);
}
