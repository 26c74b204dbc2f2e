//! Mail by MX leaves with a return path of the relay: one for each message, the same at each
//! attempt, so that a server that greylists by the sender's address takes the message in the end.

use test_support::{DnsServer, Sink};

use crate::{relay, submitted, zone};

#[test]
fn a_return_path_is_one_messages_and_stays() {
    let dns = DnsServer::start(zone());
    let application = Sink::start();
    let script = "[greylist]\ntries = 1\nreply = '451 4.7.1 try again'\n";
    let server = Sink::scripted_at("127.0.0.1:0", script, &[]);
    let relay = relay(&dns, server.address().port(), application.address()).start();
    let mut seen = Vec::new();
    for _ in 0..2 {
        let id = submitted(&relay, "x@b.example");
        let taken = server.take();
        let (local, domain) = taken.from.split_once('@').unwrap();
        assert_eq!(domain, "bounces.desk.example");
        assert!(local.len() <= 64 && local.starts_with("b+"), "{local}");
        assert!(!seen.contains(&taken.from), "{seen:?}");
        let attempts = relay.eventually("both attempts are on record", |relay| {
            Some(relay.events(&id, "attempt")).filter(|attempts| attempts.len() == 2)
        });
        for attempt in attempts {
            assert_eq!(attempt["return-path"], taken.from.as_str(), "{attempt}");
        }
        seen.push(taken.from);
    }
    relay.leaves_nothing(server);
}

#[test]
fn a_domain_with_a_return_path_of_its_own_shows_that() {
    let dns = DnsServer::start(zone());
    let application = Sink::start();
    let server = Sink::at("127.0.0.1:0", &[]);
    let site = relay(&dns, server.address().port(), application.address());
    let custom = "[return-path]\n\
         custom = [{ sender = 'desk.example', domain = 'bounces.customer.example' }]";
    let relay = site.replace("[return-path]", custom).start();
    submitted(&relay, "x@b.example");
    let taken = server.take();
    assert!(
        taken.from.ends_with("@bounces.customer.example"),
        "{taken:?}"
    );
    let mut client = relay.client("mx");
    client.ehlo();
    client.command("MAIL FROM:<>", 250);
    client.command(&format!("RCPT TO:<{}>", taken.from), 250);
    drop(client);
    relay.leaves_nothing(server);
}

#[test]
fn without_a_domain_the_senders_address_stays() {
    let dns = DnsServer::start(zone());
    let application = Sink::start();
    let server = Sink::at("127.0.0.1:0", &[]);
    let site = relay(&dns, server.address().port(), application.address());
    let relay = site
        .replace("domain = \"bounces.desk.example\"", "")
        .start();
    submitted(&relay, "x@b.example");
    assert_eq!(server.take().from, "help@desk.example");
    relay.leaves_nothing(server);
}
