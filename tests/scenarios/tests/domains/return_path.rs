//! A return path in the customer's domain is an alias of the site's: without it, reports get lost,
//! and one line sets MX and SPF right. It is that of the connector, or of the configuration.

use test_support::DnsServer;

use crate::{Site, line, lines, relay, zone};

#[test]
fn one_alias_sets_the_return_path_right() {
    let mut zone = zone();
    zone.mx("bounces.desk.example", 10, "mx.desk.example");
    zone.txt(
        "bounces.desk.example",
        "v=spf1 include:_spf.mx.desk.example -all",
    );
    let dns = DnsServer::start(zone);
    let custom = "[return-path]\ndomain = 'bounces.desk.example'\n\
                  custom = [{ sender = 'customer.example', \
                  domain = 'bounces.customer.example' }]\n";
    let relay = relay(&dns).with(custom).start();
    let site = Site::on(relay, dns, "outbound-only").vouched();
    let checked = site.check();
    let said: Vec<_> = checked.all("return-path").into_iter().map(line).collect();
    assert_eq!(
        said,
        [
            "missing: no mail for the domain comes here",
            "missing: there is no SPF record"
        ]
    );
    for finding in checked.all("return-path") {
        assert_eq!(finding["name"], "bounces.customer.example");
        let alias = "bounces.customer.example. IN CNAME bounces.desk.example.";
        assert_eq!(lines(&finding["paste"]), [alias]);
    }
    assert_eq!(checked.code, 1);

    site.dns
        .zone()
        .cname("bounces.customer.example", "bounces.desk.example");
    let checked = site.check();
    let said: Vec<_> = checked.all("return-path").into_iter().map(line).collect();
    assert_eq!(said, ["right", "right: lets 203.0.113.9 send"]);
    // SPF of the return path is aligned with From.
    assert_eq!(
        checked.one("alignment"),
        "right: SPF of bounces.customer.example proves it"
    );
    assert_eq!(checked.code, 0, "{}", checked.report);
}

#[test]
fn the_return_path_of_the_connector_is_compared() {
    let mut zone = zone();
    zone.mx("bounces.desk.example", 10, "mx.desk.example");
    zone.txt(
        "bounces.desk.example",
        "v=spf1 include:_spf.mx.desk.example -all",
    );
    zone.cname("bounces.customer.example", "bounces.desk.example");
    let dns = DnsServer::start(zone);
    let settings = "[return-path]\ndomain = 'bounces.desk.example'\n";
    let relay = relay(&dns).with(settings).start();
    let site = Site::on(relay, dns, "outbound-only").vouched();
    let checked = site.check();
    let names = |checked: &crate::Checked| -> Vec<String> {
        let all = checked.all("return-path").into_iter();
        all.map(|of| of["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&checked), ["bounces.desk.example"; 2]);
    assert_eq!(
        checked.code, 1,
        "nothing proves the domain: {}",
        checked.report
    );

    let custom = "bounces.customer.example";
    (site.relay).json(&["connector", "set-return-path", &site.connector, custom]);
    let checked = site.check();
    assert_eq!(names(&checked), [custom; 2]);
    assert_eq!(
        checked.one("alignment"),
        "right: SPF of bounces.customer.example proves it"
    );
    assert_eq!(checked.code, 0, "{}", checked.report);
    // The DNS changes afterwards.
    site.dns.zone().forget(custom);
    let checked = site.check();
    assert_eq!(checked.code, 1, "{}", checked.report);
    let alias = "bounces.customer.example. IN CNAME bounces.desk.example.";
    assert_eq!(lines(&checked.all("return-path")[0]["paste"]), [alias]);
}
