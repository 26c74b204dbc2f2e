//! A customer's own return path is used once the DNS leads its mail to the relay, and not before;
//! reports that come to it are about the message.

use test_support::{DnsServer, Sink};

use crate::{MESSAGE, relay, zone};

const NATIVE: &str = "acme.desk.test";
const CUSTOM: &str = "bounces.customer.example";

#[test]
fn a_connector_has_a_return_path_of_its_own() {
    let dns = DnsServer::start(zone());
    let (application, server) = (Sink::start(), Sink::at("127.0.0.1:0", &[]));
    let relay = relay(&dns, server.address().port(), application.address()).start();
    let account = ["account", "add", "--native-domain", NATIVE];
    relay.json(&[&account[..], &["--product", "Acme"]].concat());
    let connector = ["connector", "add", "--kind", "outbound-only"];
    let of = ["--domain", "customer.example", "--account", NATIVE];
    let made = relay.json(&[&connector[..], &of].concat());
    let id = made[0]["id"].as_str().unwrap().to_owned();
    let set = ["connector", "set-return-path", &id, CUSTOM];

    dns.zone().mx("bounces.desk.example", 10, "mx.desk.example");
    dns.zone()
        .txt("bounces.desk.example", "v=spf1 ip4:192.0.2.1 -all");
    let error = relay.refuses(&set);
    assert!(error.contains("goes nowhere"), "{error}");
    assert!(
        error.contains("bounces.customer.example. CNAME bounces.desk.example."),
        "{error}"
    );
    dns.zone().mx(CUSTOM, 10, "mx.desk.example");
    let error = relay.refuses(&set);
    assert!(
        error.contains("the SPF record of bounces.customer.example"),
        "{error}"
    );
    dns.zone().forget(CUSTOM);
    dns.zone().cname(CUSTOM, "bounces.desk.example");
    let error = relay.refuses(&set);
    assert!(
        error.contains("is not confirmed to be the account's"),
        "{error}"
    );
    relay.json(&["connector", "vouch", &id, "--outbound"]);
    let elsewhere = ["connector", "set-return-path", &id, "bounces.desk.example"];
    let error = relay.refuses(&elsewhere);
    assert!(
        error.contains("is not a name below customer.example"),
        "{error}"
    );
    let shown = relay.json(&set);
    assert_eq!(shown[0]["return-path"], CUSTOM, "{shown:?}");

    let credential = ["credential", "add", "--submission", NATIVE];
    let issued = relay.json(&credential).remove(0);
    let text = |key: &str| issued[key].as_str().unwrap().to_owned();
    let (user, secret) = (text("user-name"), text("secret"));
    let submitted = || {
        let text =
            String::from_utf8_lossy(MESSAGE).replace("help@desk.example", "help@customer.example");
        let mut client = relay.client("submission").authenticated(&user, &secret);
        let deliver = client.deliver("help@customer.example", &["x@b.example"], text.as_bytes());
        let reply = deliver.unwrap();
        assert_eq!(reply.code, 250, "{}", reply.text());
        server.take().from
    };
    let from = submitted();
    assert!(
        from.starts_with("b+") && from.ends_with("@bounces.customer.example"),
        "{from}"
    );
    let rcpt = |address: &str, code| {
        let mut client = relay.client("mx");
        client.ehlo();
        client.command("MAIL FROM:<>", 250);
        client.command(&format!("RCPT TO:<{address}>"), code);
    };
    rcpt(&from, 250);
    rcpt("b+x@bounces.customer.example", 550);

    // Taken back, the site's own is used again.
    let taken_back = relay.json(&["connector", "set-return-path", &id]);
    assert!(taken_back[0]["return-path"].is_null(), "{taken_back:?}");
    let again = submitted();
    assert!(again.ends_with("@bounces.desk.example"), "{again}");
    rcpt(&from, 550);
    relay.leaves_nothing(server);
}
