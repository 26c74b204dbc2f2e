//! A credential is stolen and floods. Its cap holds it, also in many sessions at once; the other
//! credential of the account and other accounts are not affected; suspending the account stops it
//! at once, and what was accepted before is not lost.

use serde_json::json;
use test_support::{Client, Sink};

use crate::{Credential, accepted, account, builder};

const CAP: usize = 20;

#[test]
fn a_stolen_token_is_bounded_and_stopped() {
    let sink = Sink::start();
    let caps = format!("[caps.credential]\nmessages-an-hour = {CAP}");
    let http = "[http]\naddress = \"127.0.0.1:0\"";
    let relay = builder(&sink).with(&caps).with(http).start();
    let acme = account(&relay, "acme.desk.test");
    account(&relay, "other.desk.test");
    let stolen = Credential::issue(&relay, "acme.desk.test");
    let own = Credential::issue(&relay, "acme.desk.test");
    let other = Credential::issue(&relay, "other.desk.test");

    // The flood: eight sessions at once, each of which tries as often as the cap allows.
    let sessions: Vec<_> = (0..8).map(|_| stolen.log_in(&relay)).collect();
    let flood = |mut client: Client| {
        let replies = (0..CAP).map(|_| stolen.send(&mut client, "victim@world.example"));
        replies.collect::<Vec<_>>()
    };
    let replies: Vec<_> = std::thread::scope(|scope| {
        let sessions = sessions.into_iter();
        let sessions: Vec<_> = sessions
            .map(|client| scope.spawn(|| flood(client)))
            .collect();
        let replies = sessions.into_iter().map(|session| session.join().unwrap());
        replies.flatten().collect()
    });
    let (taken, refused): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.code == 250);
    assert_eq!(taken.len(), CAP);
    assert!(refused.iter().all(|reply| reply.code == 451));
    assert_eq!(refused[0].enhanced(), Some("4.7.1"));
    let words = refused[0].text();
    assert!(words.contains("20 messages within an hour"), "{words}");
    assert!(words.contains("may go on at "), "{words}");

    // Told once, and counted each time.
    let told = relay.log();
    assert_eq!(told.matches("a cap is reached").count(), 1, "{told}");
    let refusals = r#"gatepost_cap_refusals_total{of="credential",what="messages",within="hour"}"#;
    assert_eq!(relay.metric(refusals), Some(refused.len() as f64));

    let notices = relay.json(&["events", "--kind", "notice"]);
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert_eq!(notices[0]["subject"], "cap");
    assert_eq!(notices[0]["account"], acme.as_str());

    // Nobody else is affected.
    assert_eq!(own.submit(&relay, "friend@world.example").code, 250);
    assert_eq!(other.submit(&relay, "friend@world.example").code, 250);
    for _ in 0..CAP + 2 {
        sink.take();
    }

    // An open session is stopped at its next message, and a new one at its log-in.
    let mut open = own.log_in(&relay);
    let mut in_data = other.log_in(&relay);
    relay.json(&[
        "account",
        "suspend",
        "acme.desk.test",
        "--reason",
        "token stolen",
    ]);
    let reply = own.send(&mut open, "friend@world.example");
    assert_eq!((reply.code, reply.enhanced()), (550, Some("5.7.13")));
    assert!(!reply.text().contains("stolen"), "{}", reply.text());
    let mut client = relay.client("submission");
    client.ehlo();
    client.starttls();
    let reply = client.plain(&stolen.user, &stolen.secret);
    assert_eq!((reply.code, reply.enhanced()), (525, Some("5.7.13")));
    assert_eq!(client.plain(&stolen.user, "wrong").code, 535);
    let mail = format!("MAIL FROM:<{}>", other.from);
    in_data.command(&mail, 250);
    in_data.command("RSET", 250);
    assert_eq!(other.submit(&relay, "friend@world.example").code, 250);
    sink.take();

    let of_stolen = accepted(&relay, &acme, "credential", Some(&stolen.user));
    assert_eq!(of_stolen["messages-in-an-hour"], json!(CAP));
    let of_account = accepted(&relay, &acme, "account", None);
    assert_eq!(of_account["recipients-in-a-day"], json!(CAP + 1));
    relay.leaves_nothing(sink);
}
