//! Somebody who has seen a message makes up a report on it. Without the token of its return path,
//! and from a server that never got the message, it has no effect on the message: it goes on to the
//! application, tagged as forged.

use test_support::{DnsServer, Sink};

use crate::{bounce, comes_in, delivered, pair, relay, report, suppressed, told, zone};

#[test]
fn a_forged_bounce_is_told_apart() {
    let dns = DnsServer::start(zone());
    let (application, server) = (Sink::start(), Sink::at("127.0.0.2:0", &[]));
    // Its client has 127.0.0.1.
    let exchange = "mx.b.example";
    dns.zone()
        .forget(exchange)
        .a(exchange, [127, 0, 0, 2].into());
    let relay = relay(&dns, server.address().port(), application.address());
    let relay = relay.start();
    let (id, return_path) = delivered(&relay, &server);
    for from in ["", "mallory@b.example"] {
        let came = comes_in(&relay, from, "help@desk.example", &bounce("x@b.example"));
        let forged = report(&relay, &came);
        assert_eq!(forged["forged"], true, "{forged}");
        assert_eq!(forged["by"], "message-id", "{forged}");
        let taken = application.take();
        let tags = taken.header("X-Gatepost-Tags").unwrap_or_default();
        assert!(tags.contains("report-failure"), "{tags}");
        assert!(tags.contains("report-forged"), "{tags}");
    }
    assert!(
        relay.events(&id, "report").is_empty(),
        "nothing is on record for the message"
    );

    // A true report says nothing of those to whom the message was not sent.
    let message = bounce("ceo@bank.example").replace(
        "Final-Recipient: rfc822; ceo@bank.example",
        "Final-Recipient: rfc822; ceo@bank.example\r\nAction: failed\r\n\r\n\
         Final-Recipient: rfc822; cfo@bank.example",
    );
    comes_in(&relay, "", &return_path, &message);
    let read = report(&relay, &id);
    assert_eq!(read["by"], "token", "{read}");
    assert_eq!(read["recipients"].as_array().unwrap().len(), 0, "{read}");

    // Of all these only a true report on a recipient tells the application, and suppresses.
    comes_in(&relay, "", &return_path, &bounce("x@b.example"));
    relay.eventually("the bounce is told", |relay| {
        (told(relay) == [pair("bounced", "x@b.example")]).then_some(())
    });
    assert_eq!(suppressed(&relay), [pair("x@b.example", "hard-bounce")]);
    drop(server);
    relay.leaves_nothing(application);
}
