//! The profile gives what the connection leaves out, such as its limits; a key of the connection
//! goes before it.

use crate::{LOGIN, Service, USER, submit};

#[test]
fn a_profile_gives_its_limits_and_the_connection_goes_before_it() {
    // Postmark takes 50 recipients of a transaction, and SCRAM first of all.
    let profile = "profile = 'postmark'\n";
    let own = "profile = 'postmark'\nmechanisms = ['login']\nlimits = { recipients = 60 }\n";
    for (keys, sizes, mechanism) in [
        (profile, vec![50, 10], "SCRAM-SHA-256"),
        (own, vec![60], "LOGIN"),
    ] {
        let service = Service::start(LOGIN);
        let relay = service.relay(&format!("{USER}{keys}")).start();
        let to: Vec<_> = (0..60)
            .map(|number| format!("x{number}@b.example"))
            .collect();
        let to: Vec<_> = to.iter().map(String::as_str).collect();
        submit(&relay, &to);
        for size in sizes {
            let taken = service.sink.take();
            assert_eq!(taken.to.len(), size, "{keys}");
            assert_eq!(taken.mechanism.as_deref(), Some(mechanism));
        }
        relay.leaves_nothing(service.sink);
    }
}
