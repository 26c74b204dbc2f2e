//! Recipients over a cap are refused one by one; those before go. A recipient that is refused, or
//! named twice, does not count.

use test_support::Sink;

use crate::{Credential, accepted, account, builder};

#[test]
fn recipients_over_the_cap_are_refused_and_the_others_go() {
    let sink = Sink::start();
    let relay = builder(&sink)
        .with("[caps.domain]\nrecipients-a-day = 3")
        .start();
    let acme = account(&relay, "acme.desk.test");
    let own = Credential::issue(&relay, "acme.desk.test");
    let mut client = own.log_in(&relay);
    client.command(&format!("MAIL FROM:<{}>", own.from), 250);
    client.command("RCPT TO:<one@world.example>", 250);
    client.command("RCPT TO:<one@world.example>", 250);
    client.command("RCPT TO:<help@nobody.desk.test>", 250);
    client.command("RCPT TO:<three@world.example>", 250);
    let refused = client.command("RCPT TO:<four@world.example>", 451);
    assert_eq!(refused.enhanced(), Some("4.7.1"));
    client.command("RSET", 250);

    // What was not sent is not counted.
    client.command(&format!("MAIL FROM:<{}>", own.from), 250);
    for number in 1..=3 {
        client.command(&format!("RCPT TO:<{number}@world.example>"), 250);
    }
    client.command("RCPT TO:<4@world.example>", 451);
    client.command("DATA", 354);
    client.command(&format!("From: <{}>\r\n\r\nHello!\r\n.", own.from), 250);
    assert_eq!(sink.take().to.len(), 3);
    let domain = accepted(&relay, &acme, "domain", Some("acme.desk.test"));
    assert_eq!(domain["recipients-in-a-day"], 3);
    assert_eq!(domain["messages-in-an-hour"], 1);
    let mut other = own.log_in(&relay);
    other.command(&format!("MAIL FROM:<{}>", own.from), 250);
    other.command("RCPT TO:<5@world.example>", 451);
    relay.leaves_nothing(sink);
}
