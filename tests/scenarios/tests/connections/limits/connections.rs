//! No more sessions at a time than the connection allows.

use serde_json::Value;

use crate::{Service, TLS, submit};

#[test]
fn sessions_at_a_time_are_limited() {
    for most in [1, 2] {
        // Each message takes a while, so that others want sessions meanwhile.
        let slow = "[[on]]\ncommand = 'MESSAGE'\ndelay = '300ms'\n";
        let service = Service::start(&format!("{TLS}{slow}"));
        let keys = format!("limits = {{ connections = {most} }}\n");
        let relay = service.relay(&keys).start();
        for _ in 0..5 {
            submit(&relay, &["x@elsewhere.example"]);
        }
        (0..5).for_each(|_| drop(service.sink.take()));
        let at_once = at_once(&service.sink.dialogue());
        assert_eq!(at_once, most, "{}", service.sink.dialogue());
        relay.leaves_nothing(service.sink);
    }
}

/// Most sessions that were open at the same time.
fn at_once(dialogue: &str) -> i32 {
    let (mut open, mut most) = (0, 0);
    for line in dialogue.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        match line["event"].as_str() {
            Some("connected") => open += 1,
            Some("closed") => open -= 1,
            _ => {}
        }
        most = most.max(open);
    }
    most
}
