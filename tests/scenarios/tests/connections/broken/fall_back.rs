//! Mail of a connection that stays broken leaves by the default route, in the name of the default
//! address: after the time that is set, and not before. Without the two keys it waits.

use test_support::{RelayBuilder, Sink};

use crate::{LOGIN, Service, USER, submit, waits};

/// The service refuses every log-in.
const REFUSES: &str = "[[on]]\ncommand = 'LOGIN'\nreply = '535 5.7.8 wrong password'\n";

/// Keys that let mail fall back.
const FALL_BACK: &str = "fall-back-after = '2s'\nfall-back-as = 'help@desk.example'\n";

/// A relay whose policy sends mail by the connection `desk` to that service, and whose default
/// route leads to the world.
fn relay(service: &Service, world: &Sink, keys: &str) -> RelayBuilder {
    service
        .relay(&format!("{USER}{keys}"))
        .replace(
            "[routes]\nsubmission = 'connection desk'\n",
            &format!(
                "[routes]\nsubmission = {{ host = '127.0.0.1', port = {}, tls = 'none' }}\n",
                world.address().port()
            ),
        )
        .with(
            "[[policy]]\nname = 'outbound-route'\nbuiltin = 'outbound-route'\n\
             [policy.settings]\nroutes = [{ by = { connection = 'desk' } }]\n",
        )
}

#[test]
fn mail_falls_back_when_the_connection_stays_broken() {
    let (service, world) = (Service::start(&format!("{LOGIN}{REFUSES}")), Sink::start());
    let relay = relay(&service, &world, FALL_BACK).start();
    let first = submit(&relay, &["x@elsewhere.example"]);
    let (recipient, _) = waits(&relay, &first, "wrong password");
    assert_eq!(recipient["attempts"], 1, "{recipient}");

    // What the first session has carried in vain does not wait for the next probe.
    let taken = world.take();
    assert_eq!(taken.to, ["x@elsewhere.example"]);
    assert_eq!(taken.from, "help@desk.example");
    assert_eq!(taken.header("From").unwrap(), "\"Ann\" <help@desk.example>");
    assert!(
        taken.text().ends_with("\r\n\r\nHello!\r\n"),
        "{}",
        taken.text()
    );
    let attempts = relay.eventually("it is delivered", |relay| {
        let attempts = relay.events(&first, "attempt");
        (attempts.len() == 2).then_some(attempts)
    });
    let shown = relay.json(&["connection", "show", "desk"]).remove(0);
    assert_eq!(shown["status"]["state"], "broken", "{shown}");
    let since = shown["status"]["since"].as_u64().unwrap();
    let next = &attempts[0]["ending"]["deferred"]["next-attempt"];
    assert_eq!(*next, since + 2_000, "{attempts:?}");
    assert!(attempts[1]["at"].as_u64().unwrap() >= since + 2_000);
    assert_eq!(attempts[1]["ending"], "delivered", "{attempts:?}");

    // What comes later leaves at once.
    let second = submit(&relay, &["y@elsewhere.example"]);
    assert_eq!(world.take().to, ["y@elsewhere.example"]);
    let attempts = relay.events(&second, "attempt");
    assert!(
        attempts
            .iter()
            .all(|attempt| attempt["ending"] == "delivered"),
        "{attempts:?}"
    );
    let shown = relay.json(&["connection", "show", "desk"]).remove(0);
    assert_eq!(shown["status"]["state"], "broken", "{shown}");
    assert!(service.sink.rest().is_empty());
    relay.leaves_nothing(world);
}

/// A message that is the probe, and fails, falls back as the others do.
#[test]
fn a_probe_that_fails_falls_back() {
    let (service, world) = (Service::start(&format!("{LOGIN}{REFUSES}")), Sink::start());
    let keys = format!("{FALL_BACK}probe = ['100ms']\n");
    let relay = relay(&service, &world, &keys).start();
    for number in 0..3 {
        submit(&relay, &[&format!("x{number}@elsewhere.example")]);
        let taken = world.take();
        assert_eq!(taken.to, [format!("x{number}@elsewhere.example")]);
        assert_eq!(taken.from, "help@desk.example");
    }
    // It is probed all the time.
    let refused = service.sink.dialogue().matches("535 5.7.8").count();
    assert!(refused >= 3, "{refused}");
    assert!(service.sink.rest().is_empty());
    relay.leaves_nothing(world);
}

#[test]
fn mail_waits_without_the_keys() {
    let (service, world) = (Service::start(&format!("{LOGIN}{REFUSES}")), Sink::start());
    let relay = relay(&service, &world, "probe = ['300ms']\n").start();
    let id = submit(&relay, &["x@elsewhere.example"]);
    relay.eventually("it was probed for a time", |relay| {
        (relay.events(&id, "attempt").len() >= 4).then_some(())
    });
    waits(&relay, &id, "wrong password");
    relay.json(&["queue", "cancel", &id]);
    assert!(world.rest().is_empty());
    relay.leaves_nothing(service.sink);
}

/// The default route cannot be the connection that falls back.
#[test]
fn a_connection_does_not_fall_back_to_itself() {
    let service = Service::start(LOGIN);
    let keys = format!("{USER}{FALL_BACK}");
    let error = service.relay(&keys).try_start().err().unwrap();
    assert!(error.contains("would fall back to itself"), "{error}");
}
