//! Mail in the name of a disconnected domain leaves by the default route from the default address, and
//! by the customer's smart host again when it is reconnected. Without a default address it is refused.

use crate::{DEFAULT, LOGIN, SUPPORT, Site, SmartHost};

#[test]
fn mail_of_a_disconnected_domain_leaves_from_the_default_address() {
    let site = Site::start();
    let smart_host = SmartHost::start(LOGIN);
    smart_host.connect(&site, "outlook", "@acme.test");
    let own = site.submission();
    let submit = |site: &Site| site.submit(&own, SUPPORT, "x@elsewhere.example");
    assert_eq!(submit(&site).code, 250);
    assert_eq!(smart_host.sink.take().from, SUPPORT);

    let disconnect = ["connector", "disconnect", &site.connector];
    let switched = site.relay.json(&disconnect).remove(0);
    assert_eq!(switched["state"], "disconnected");
    assert_eq!(switched["sender"], "acme.test");
    assert_eq!(submit(&site).code, 550, "there is no default address");
    site.has_default_address();
    assert_eq!(submit(&site).code, 250);
    let taken = site.world.take();
    assert_eq!(taken.from, DEFAULT);
    assert_eq!(
        taken.header("From").unwrap(),
        format!("\"Acme\" <{DEFAULT}>")
    );
    // The author alone is as much a sender.
    let client = site.relay.client("submission");
    let mut client = client.authenticated(&own.user, &own.secret);
    let message = format!("From: <{SUPPORT}>\r\nSubject: hello\r\n\r\nHello!\r\n");
    let reply = client.deliver(DEFAULT, &["x@elsewhere.example"], message.as_bytes());
    assert_eq!(reply.unwrap().code, 250);
    assert_eq!(
        site.world.take().header("From").unwrap(),
        format!("<{DEFAULT}>")
    );

    let connector = site.connector.clone();
    site.relay.json(&["connector", "reconnect", &connector]);
    assert_eq!(submit(&site).code, 250);
    let taken = smart_host.sink.take();
    assert_eq!(taken.from, SUPPORT);
    assert_eq!(taken.header("From").unwrap(), format!("Acme <{SUPPORT}>"));
    site.ends();
    assert!(smart_host.sink.rest().is_empty());
}
