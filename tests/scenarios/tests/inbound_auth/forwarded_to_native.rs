//! A customer's server forwards mail to the native address of its account: the mail is known as
//! forwarded, mail of others to that address is not.

use crate::{STRANGER, Site, author, codes, eml};

/// From where customer.test sends, as its SPF record says.
const ITS_SERVER: &str = "198.51.100.44";

/// As its server rewrites a reverse-path (Sender Rewriting Scheme).
const REWRITTEN: &str = "SRS0=ab12=XY=author.example=ann@customer.test";

#[test]
fn a_known_forwarder_may_forward_to_a_native_address() {
    let (mut zone, _) = author("reject");
    zone.txt("customer.test", format!("v=spf1 ip4:{ITS_SERVER} -all"));
    let site = Site::start(zone, "{}");
    assert_eq!(
        codes(&site.direct(STRANGER, &eml("question"))),
        (550, "5.7.1")
    );
    assert_eq!(forward(&site, ITS_SERVER), 550, "customer.test is nobody's");

    let id = site.connect("two-way");
    assert_eq!(forward(&site, ITS_SERVER), 250);
    assert_eq!(site.tags(), "forwarded, dmarc-fail");
    assert_eq!(forward(&site, STRANGER), 550, "SPF fails");

    let network = ["--network", "203.0.113.0/24"];
    (site.relay).json(&[&["connector", "forwarders", &id], &network[..]].concat());
    assert_eq!(site.direct(STRANGER, &eml("question")).code, 250);
    assert_eq!(site.tags(), "forwarded, dmarc-fail");

    (site.relay).json(&["connector", "disconnect", &id]);
    assert_eq!(forward(&site, ITS_SERVER), 550, "nothing vouches any more");
    assert_eq!(site.direct(STRANGER, &eml("question")).code, 550);
    site.ends();
}

/// The code of the last reply to what customer.test forwards from a client at this address.
fn forward(site: &Site, client: &str) -> u16 {
    let mut session = site.relay.client("mx");
    session.ehlo();
    session.command(&format!("XCLIENT ADDR={client} NAME=[UNAVAILABLE]"), 220);
    session.ehlo();
    let to = ["help@acme.desk.test"];
    let reply = session.deliver(REWRITTEN, &to, &eml("question"));
    reply.unwrap().code
}
