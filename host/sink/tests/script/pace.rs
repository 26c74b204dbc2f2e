use std::time::{Duration, Instant};

use crate::Server;

#[test]
fn replies_are_as_slow_as_the_script_says() {
    for (script, least) in [
        ("pace.delay = '20ms'", 40),
        ("pace.octet-delay = '2ms'", 100),
        ("[[on]]\ncommand = 'NOOP'\ndelay = '50ms'", 50),
        (
            "[[on]]\ncommand = 'NOOP'\nreply = '250 0123456789'\noctet-delay = '3ms'",
            48,
        ),
    ] {
        let begun = Instant::now();
        server_says(script);
        assert!(begun.elapsed() >= Duration::from_millis(least), "{script}");
    }
}

fn server_says(script: &str) {
    let server = Server::of(script);
    server.client().command("NOOP", 250);
}
