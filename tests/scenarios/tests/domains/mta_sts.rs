//! A domain with an MTA-STS policy: it has to name every server of the MX, and to be there.

use test_support::{Certificate, DnsServer, ListServer, Published};

use crate::{CUSTOMER, Site, relay, zone};

#[test]
fn a_policy_names_every_server() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = Certificate::make_for(folder.path(), &["mta-sts.customer.example"]);
    let policies = ListServer::start(&certificate);
    let publish = |mode: &str, host: &str| {
        policies.publish(Published::Typed {
            text: format!("version: STSv1\r\nmode: {mode}\r\nmx: {host}\r\nmax_age: 86400\r\n"),
            content_type: "text/plain".to_owned(),
        });
    };
    let mut zone = zone();
    zone.mx(CUSTOMER, 20, "mx2.customer.example");
    zone.a("mx2.customer.example", [198, 51, 100, 2].into());
    zone.a("mta-sts.customer.example", [127, 0, 0, 1].into());
    let dns = DnsServer::start(zone);
    let root = folder.path().join("certificate.pem");
    let relay = relay(&dns)
        .replace("[mx]", &format!("[mx]\nmta-sts-port = {}", policies.port()))
        .with(&format!("[delivery]\nca-file = {root:?}\n"));
    let site = Site::on(relay.start(), dns, "outbound-only").vouched();
    assert!(site.check().all("mta-sts").is_empty());

    site.dns
        .zone()
        .txt("_mta-sts.customer.example", "v=STSv1; id=20260101;");
    publish("enforce", "*.customer.example");
    assert_eq!(site.check().one("mta-sts"), "right: mode enforce");
    publish("enforce", "mail.customer.example");
    let said = site.check().one("mta-sts");
    let lacks = "differs: mode enforce; the policy does not name mx2.customer.example: they get no \
                 mail from servers that heed it; it lacks the lines mx: mx2.customer.example";
    assert_eq!(said, lacks);
    publish("testing", "mail.customer.example");
    let said = site.check().one("mta-sts");
    assert!(said.starts_with("advice: differs: mode testing"), "{said}");
    policies.publish(Published::Status("404 Not Found".to_owned()));
    let said = site.check().one("mta-sts");
    let gone =
        "advice: differs: the policy is announced, and cannot be fetched: the server answers 404";
    assert!(said.starts_with(gone), "{said}");

    site.dns.zone().forget("_mta-sts.customer.example");
    site.dns.zone().txt("_mta-sts.customer.example", "v=STSv1;");
    let said = site.check().one("mta-sts");
    assert!(
        said.starts_with("advice: differs: the record announces no policy"),
        "{said}"
    );
}
