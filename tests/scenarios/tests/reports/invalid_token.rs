//! A return path takes mail only with a token of the relay's own, that is not too old, and alone.

use test_support::{DnsServer, Sink};

use crate::{comes_in, delivered, relay, report, zone};

#[test]
fn an_address_without_a_valid_token_is_refused() {
    let dns = DnsServer::start(zone());
    let (application, server) = (Sink::start(), Sink::at("127.0.0.1:0", &[]));
    let site = relay(&dns, server.address().port(), application.address());
    let relay = site.clone().start();
    let (id, return_path) = delivered(&relay, &server);
    let (local, domain) = return_path.split_once('@').unwrap();
    let token = local.strip_prefix("b+").unwrap();
    let last = if token.ends_with('a') { "b" } else { "a" };
    let altered = format!("b+{}{last}@{domain}", &token[..token.len() - 1]);
    let mut client = relay.client("mx");
    client.ehlo();
    for from in ["", "ann@sender.example"] {
        client.command(&format!("MAIL FROM:<{from}>"), 250);
        for wrong in [
            &*altered,
            "b+@bounces.desk.example",
            "ann@bounces.desk.example",
        ] {
            let reply = client.command(&format!("RCPT TO:<{wrong}>"), 550);
            assert_eq!(reply.enhanced(), Some("5.1.1"), "{wrong}");
        }
        // Beside others it is not taken, nor others beside it.
        client.command("RCPT TO:<help@desk.example>", 250);
        client.command(&format!("RCPT TO:<{return_path}>"), 452);
        client.command("RSET", 250);
        client.command(&format!("MAIL FROM:<{from}>"), 250);
        client.command(&format!("RCPT TO:<{}>", return_path.to_uppercase()), 250);
        client.command("RCPT TO:<help@desk.example>", 452);
        client.command("RSET", 250);
    }
    drop(client);

    // Whatever else comes to a return path is recorded, and goes to nobody.
    let vacation = "From: x@b.example\r\nSubject: Out of office\r\n\r\nI am away.\r\n";
    comes_in(&relay, "", &return_path, vacation);
    assert_eq!(report(&relay, &id)["kind"], "other");

    // After its life it is no address any more.
    let short = site
        .replace("[return-path]", "[return-path]\nlife = \"0s\"")
        .replace("[delivery]", "[delivery]\nexpiry = \"0s\"");
    relay.reloads(&short);
    let mut client = relay.client("mx");
    client.ehlo();
    client.command("MAIL FROM:<>", 250);
    client.command(&format!("RCPT TO:<{return_path}>"), 550);
    drop(client);
    drop(server);
    relay.leaves_nothing(application);
}
