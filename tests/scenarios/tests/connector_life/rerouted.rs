//! What is queued for a smart host that is broken leaves by the default route from the default address
//! when its domain is disconnected so, all of it and at once.

use crate::{DEFAULT, LOGIN, SUPPORT, Site, SmartHost};

#[test]
fn queued_mail_of_a_broken_smart_host_takes_the_default_route() {
    let site = Site::start();
    site.has_default_address();
    let refuses = "[[on]]\ncommand = 'CONNECT'\nreply = '554 5.3.2 closed for you'\n";
    let smart_host = SmartHost::start(&format!("{LOGIN}{refuses}"));
    smart_host.connect(&site, "outlook", "@acme.test");
    let own = site.submission();
    let all: Vec<_> = (0..5)
        .map(|number| format!("x{number}@elsewhere.example"))
        .collect();
    for to in &all {
        assert_eq!(site.submit(&own, SUPPORT, to).code, 250);
    }
    site.relay.eventually("the connection is broken", |relay| {
        let listed = relay.json(&["connection", "list"]).remove(0);
        (listed["status"]["state"] == "broken").then_some(())
    });
    let disconnect = [
        "connector",
        "disconnect",
        &site.connector,
        "--queued",
        "reroute",
    ];
    let switched = site.relay.json(&disconnect).remove(0);
    assert_eq!(switched["queued"], "reroute");
    let mut went: Vec<_> = all
        .iter()
        .map(|_| {
            let taken = site.world.take();
            assert_eq!(taken.from, DEFAULT);
            taken.to[0].clone()
        })
        .collect();
    went.sort();
    assert_eq!(went, all);
    site.ends();
    assert!(smart_host.sink.rest().is_empty());
}
