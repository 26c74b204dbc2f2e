//! Of several recipients one is refused: Postfix hands over the others, and tells the sender in
//! the relay's words.

use test_support::{Postfix, RelayBuilder, Sink};

use crate::{assert_whole, awkward};

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
    let recipients = [
        "one@desk.example",
        "x@elsewhere.example",
        "two@desk.example",
    ];
    postfix.sendmail("ann@sender.example", &recipients, &awkward());
    let mut taken = [sink.take(), sink.take()];
    taken.sort_by_key(|taken| taken.from.is_empty());
    let [message, bounce] = taken;
    assert_eq!(message.to, ["one@desk.example", "two@desk.example"]);
    assert_whole(&message, &awkward());
    assert_eq!(bounce.to, ["ann@sender.example"]);
    let report = bounce.text();
    let of_the_bad_one = "Final-Recipient: rfc822; x@elsewhere.example\r\n";
    assert!(report.contains(of_the_bad_one), "{report}");
    assert!(
        report.contains("Diagnostic-Code: smtp; 550 5.7.1 "),
        "{report}"
    );
    assert_eq!(report.matches("Final-Recipient:").count(), 1, "{report}");
    postfix.drained();
    relay.leaves_nothing(sink);
}
