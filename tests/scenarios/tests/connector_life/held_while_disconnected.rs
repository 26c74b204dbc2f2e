//! What is queued for a smart host when its domain is disconnected is held, and leaves by the smart host
//! of the domain when that is reconnected. What an operator holds by hand stays held.

use crate::{LOGIN, SUPPORT, Site, SmartHost};

#[test]
fn queued_mail_is_held_until_the_domain_is_connected_again() {
    let site = Site::start();
    site.has_default_address();
    let busy = "[[on]]\ncommand = 'DATA'\nreply = '451 4.3.2 busy'\n";
    let (old, new) = (
        SmartHost::start(&format!("{LOGIN}{busy}")),
        SmartHost::start(LOGIN),
    );
    old.connect(&site, "outlook", "@acme.test");
    let own = site.submission();
    let submit = |to: &str| site.submit(&own, SUPPORT, to).transaction();
    let (first, by_hand) = (submit("x@elsewhere.example"), submit("y@elsewhere.example"));
    for id in [&first, &by_hand] {
        site.relay.eventually("it was tried", |relay| {
            (!relay.events(id, "attempt").is_empty()).then_some(())
        });
    }
    site.relay.eventually("it is held by hand", |relay| {
        let held = relay.command(&["queue", "hold", &by_hand, "--json"]);
        held.status.success().then_some(())
    });
    site.has_status(&by_hand, "held");
    site.relay
        .json(&["connector", "disconnect", &site.connector]);
    let held = site.has_status(&first, "held");
    assert!(
        held["last-reply"].to_string().contains("was disconnected"),
        "{held}"
    );

    // What is submitted from now on leaves from the default address.
    submit("z@elsewhere.example");
    assert_eq!(site.world.take().to, ["z@elsewhere.example"]);
    new.set(&site, "set", "outlook", "@acme.test");
    site.relay
        .json(&["connector", "reconnect", &site.connector]);
    let taken = new.sink.take();
    assert_eq!(taken.to, ["x@elsewhere.example"]);
    assert_eq!(taken.from, SUPPORT);
    site.has_status(&by_hand, "held");
    site.relay.json(&["queue", "release", &by_hand]);
    assert_eq!(new.sink.take().to, ["y@elsewhere.example"]);
    site.ends();
    assert!(new.sink.rest().is_empty() && old.sink.rest().is_empty());
}
