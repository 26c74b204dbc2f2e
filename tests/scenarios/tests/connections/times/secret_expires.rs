//! The end of a secret is warned of 30 days before: in the log, by a metric, and by the commands.
//! One that is further away is shown, and nobody is warned.

use crate::{LOGIN, Service, USER};

/// Seconds of a day.
const DAY: i64 = 86_400;

#[test]
fn a_secret_that_ends_soon_is_warned_of() {
    for (days, is_soon) in [(29, true), (31, false)] {
        let service = Service::start(LOGIN);
        let end = jiff::Timestamp::now().as_second() + days * DAY;
        let date = jiff::Timestamp::from_second(end).unwrap();
        let relay = service
            .relay(&format!("{USER}secret-expires = '{date}'\n"))
            .start();
        let metric = "gatepost_connection_secret_expires{connection=\"desk\"}";
        let expected = if is_soon { end as f64 } else { 0.0 };
        relay.eventually("the metric is there", |relay| {
            (relay.metric(metric) == Some(expected)).then_some(())
        });
        let warning = "the secret of a connection expires soon";
        match is_soon {
            true => drop(relay.logged(warning)),
            false => assert!(!relay.log().contains(warning), "{}", relay.log()),
        }
        let listed = relay.command(&["connection", "list"]);
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        assert_eq!(
            listed.contains("its secret expires on"),
            is_soon,
            "{listed}"
        );
        let shown = relay.command(&["connection", "show", "desk"]);
        let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
        assert!(shown.contains("expires"), "{shown}");
        relay.leaves_nothing(service.sink);
    }
}
